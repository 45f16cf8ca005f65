"""Decisions by sizes whose numbers are depths: ``min(k, E)`` of a size and a number of experts, told for every depth.

A depth is a plain number in a recording: three recordings at three depths tell which numbers follow it, and how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from symcost.formulas.atoms import ATOMS, Atom, Mono, Number
from symcost.formulas.form import Form, floor, of_atom, quotient
from symcost.tracing.evidence.guard import Guard, guard

Values = Sequence[int]
"""A depth in each recording."""


def moved(found: Mapping[int, Sequence[Guard]], first: int) -> list[list[Guard]]:
    """The decisions of the ``first`` depth that others replace elsewhere, then those others, depth by depth, in order.

    A shallower program may lack decisions of layers that it does not have: nothing stands in the place of those.
    """
    known = set(found[first])
    beside = [[each for each in found[depth] if each not in known] for depth in found if depth != first]
    lines = {each.place for fresh in beside for each in fresh}
    elsewhere = {each for depth in found if depth != first for each in found[depth]}
    return [[each for each in found[first] if each not in elsewhere and each.place in lines], *beside]


def for_all_depths(name: str, at: Values, told: Sequence[Guard]) -> Guard | None:
    """One decision as the depth ``name`` tells it, from what it was at some; nothing where its numbers follow no rule.

    >>> from symcost.formulas.form import as_form
    >>> k = Form.symbol("k")
    >>> print(for_all_depths("E", (5, 6, 8), [Guard(k, "<=", as_form(E - 1)) for E in (5, 6, 8)]))
    E >= k + 1
    """
    first = told[0]
    if any((each.op, each.place) != (first.op, first.place) for each in told):
        return None
    sides = []
    for side in ("left", "right"):
        forms = [getattr(each, side) for each in told]
        if not all(isinstance(form, Form) for form in forms):
            return None
        sides.append(_along(name, at, forms))
    left, right = sides
    made = guard(left, first.op, right, first.place, first.by) if left is not None and right is not None else None
    return None if made is None else replace(made, by_model=first.by_model)


def _along(name: str, at: Values, forms: Sequence[Form]) -> Form | None:
    """The form of a depth that is each of some forms at its depths."""
    if all(form == forms[0] for form in forms):
        return forms[0]
    shared = [mono for mono in forms[0].terms if all(mono in form.terms for form in forms)]
    rests = [[mono for mono in form.terms if mono not in shared] for form in forms]
    if any(len(rest) != len(rests[0]) for rest in rests) or len(rests[0]) > 1:
        return _apart(name, at, forms, shared) if all(rest in ([], [()]) for rest in rests) else None
    factors: list[tuple[Form | None, Form | None]] = [
        (_number(name, at, [form.terms[mono] for form in forms]), Form({mono: 1})) for mono in shared
    ]
    if rests[0]:
        numbers = [form.terms[mono] for form, (mono,) in zip(forms, rests, strict=True)]
        factors.append((_number(name, at, numbers), _product(name, at, [mono for (mono,) in rests])))
    made = [number * form for number, form in factors if number is not None and form is not None]
    return Form.total(made) if len(made) == len(factors) else None


def _apart(name: str, at: Values, forms: Sequence[Form], shared: Sequence[Mono]) -> Form | None:
    """The same of forms of which some have no constant: it is 0 there."""
    terms = dict.fromkeys((*shared, ()))
    numbers = {mono: _number(name, at, [form.terms.get(mono, 0) for form in forms]) for mono in terms}
    made = [number * Form({mono: 1}) for mono, number in numbers.items() if number is not None]
    return Form.total(made) if len(made) == len(terms) else None


def _product(name: str, at: Values, monos: Sequence[Mono]) -> Form | None:
    """Products of which one factor follows the depth: floors of quotients by it."""
    if any([e for _, e in mono] != [e for _, e in monos[0]] for mono in monos):
        return None
    found = Form.constant(1)
    for factors in zip(*monos, strict=True):
        atom, exponent = factors[0]
        same = all(other == atom for other, _ in factors)
        part = of_atom(ATOMS[atom]) if same else _function(name, at, [ATOMS[other] for other, _ in factors])
        if part is None or (exponent < 0 and len(part.terms) != 1):
            return None
        found = found * part**exponent
    return found


def _function(name: str, at: Values, atoms: Sequence[Atom]) -> Form | None:
    first = atoms[0]
    if any((a.kind, a.name, len(a.args)) != (first.kind, first.name, len(first.args)) for a in atoms) or not first.args:
        return None
    args = [_along(name, at, forms) for forms in zip(*(atom.args for atom in atoms), strict=True)]
    told = [arg for arg in args if arg is not None]
    if len(told) < len(args):
        return None
    if first.kind in ("floor", "quotient"):
        return floor(told[0]) if first.kind == "floor" else quotient(told[0], told[1])
    return of_atom(Atom(first.kind, first.name, tuple(told)))


def _number(name: str, at: Values, values: Sequence[Number]) -> Form | None:
    """A number that is a line over the depth, or one by a multiple of it."""
    if all(value == values[0] for value in values):
        return Form.constant(values[0])
    depth = Form.symbol(name)
    slope = Fraction(values[1] - values[0]) / (at[1] - at[0])
    shift = values[0] - slope * at[0]
    if all(slope * x + shift == value for x, value in zip(at, values, strict=True)):
        return slope * depth + shift
    share = values[0] * at[0]
    return (
        Form.constant(share) / depth if all(x * value == share for x, value in zip(at, values, strict=True)) else None
    )
