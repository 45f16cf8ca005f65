"""Functions of forms beside floors: the larger of several, 1 or 0 by a comparison, logarithms; forms in the place of atoms."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from symcost.formulas.atoms import Atom
from symcost.formulas.binary.digits import log2
from symcost.formulas.binary.halves import odd_sum
from symcost.formulas.binary.powers import root
from symcost.formulas.form import ZERO, Form, FormLike, as_form, floor, of_atom, of_function
from symcost.formulas.relations import RELATIONS

Change = Callable[[Atom], Form | None]


def maximum(parts: Iterable[FormLike]) -> Form:
    """Largest of several forms: their ``Max`` kept as one atom unless all are numbers or all are equal."""
    distinct = dict.fromkeys(as_form(part) for part in parts)
    numbers = [form.number for form in distinct if form.number is not None]
    others = [form for form in distinct if form.number is None]
    if not others:
        return Form.constant(max(numbers))
    # Sizes are never negative, so a constant 0 beside another form says nothing.
    kept = [*others, *([Form.constant(max(numbers))] if numbers and max(numbers) > 0 else [])]
    return kept[0] if len(kept) == 1 else of_function("Max", *kept)


def positive_part(form: Form) -> Form:
    """``Max(0, form)``.

    >>> positive_part(Form.symbol("w") - 2)
    Max(0, w - 2)
    """
    number = form.number
    return of_function("Max", ZERO, form) if number is None else Form.constant(max(0, number))


def where(left: FormLike, op: str, right: FormLike) -> Form:
    """1 where a comparison holds and 0 elsewhere: pieces of a form are products with it.

    >>> n = Form.symbol("n")
    >>> n + (4096 - n) * where(n, ">", 4096)
    Piecewise((4096, n > 4096), (n, True))
    """
    sides = as_form(left), as_form(right)
    if None not in (numbers := [side.number for side in sides]):
        return Form.constant(int(RELATIONS[op][0](*numbers)))
    return of_atom(Atom("where", op, sides))


def logarithm(kind: str, argument: FormLike) -> Form:
    """``clog2`` or ``flog2`` of a form."""
    form = as_form(argument)
    number = form.number
    return of_function(kind, form) if number is None else Form.constant(log2(number, up=kind == "clog2"))


def has_logarithm(form: Form) -> bool:
    """Whether a logarithm to base 2 stands in a form, outside of other functions."""
    return any(atom.kind in ("clog2", "flog2") for _, atoms in form.atoms() for atom, _ in atoms)


def odd_halves(argument: FormLike, power: int = 0) -> Form:
    """``odd_halves`` of a form, which is its ``popcount`` for the power 0."""
    form = as_form(argument)
    number = form.number
    if number is not None:
        return Form.constant(odd_sum(number, power))
    return of_function("odd_halves", form, Form.constant(power)) if power else of_function("popcount", form)


def power_of_two(exponent: FormLike) -> Form:
    """``pow2`` of a form, each of its terms by itself: ``2**(2*S - 1)`` is ``pow2(S)**2/2``.

    >>> power_of_two(2 * Form.symbol("S") - 1)
    pow2(S)**2/2
    """
    form = as_form(exponent)
    if not form.is_integral:
        return of_function("pow2", form)
    made = Form.constant(1)
    for mono, count in form.terms.items():
        part = of_function("pow2", Form({mono: 1})) if mono else Form.constant(2)
        made = made * part ** int(count)
    return made


def square_root(argument: FormLike) -> Form:
    """``isqrt`` of a form: its square root, rounded down.

    >>> square_root(Form.symbol("d") + 1)
    isqrt(d + 1)
    """
    form = floor(argument)
    number = form.number
    return of_function("isqrt", form) if number is None else Form.constant(root(number))


def changed(form: Form, change: Change) -> Form:
    """A form with what ``change`` gives for an atom in its place; functions of what changed are made anew.

    >>> d = Form.symbol("d")
    >>> changed(floor(d / 16), lambda atom: 32 * Form.symbol("k") if atom.name == "d" else None)
    2*k
    """
    parts = []
    for coefficient, atoms in form.atoms():
        part = Form.constant(coefficient)
        for atom, exponent in atoms:
            found = change(atom)
            part = part * (_anew(atom, change) if found is None else found) ** exponent
        parts.append(part)
    return Form.total(parts)


def floors_opened(form: Form) -> Form:
    """The same with what stands inside each floor in its place; the exponent of a power of two stays whole.

    A floor of several terms below the line stays too: only one term may stand there.

    >>> d, H = Form.symbol("d"), Form.symbol("H")
    >>> floors_opened(floor(d / H)), floors_opened(floor(d / 2) / floor((d + H) / 7))
    (d/H, d/(2*floor(H/7 + d/7)))
    """
    below = {atom for _, atoms in form.atoms() for atom, exponent in atoms if exponent < 0}

    def opened(atom: Atom) -> Form | None:
        if atom.kind != "floor":
            return of_atom(atom) if atom.kind == "pow2" else None
        inside = floors_opened(atom.args[0])
        return of_atom(atom) if atom in below and len(inside.terms) > 1 else inside

    return changed(form, opened)


def _anew(atom: Atom, change: Change) -> Form:
    """A function of the changed forms that it is of."""
    args = tuple(changed(arg, change) for arg in atom.args)
    match atom.kind:
        case "floor":
            return floor(args[0])
        case "where":
            return where(args[0], atom.name, args[1])
        case "clog2" | "flog2":
            return logarithm(atom.kind, args[0])
        case "odd_halves" | "popcount":
            return odd_halves(args[0], int(args[1].number or 0) if len(args) > 1 else 0)
        case "quotient":
            return args[0] // args[1]
        case "pow2" | "isqrt":
            return (power_of_two if atom.kind == "pow2" else square_root)(args[0])
        case "Max":
            numbers = [arg.number for arg in args if arg.number is not None]
            return Form.constant(max(numbers)) if len(numbers) == len(args) else of_atom(Atom("Max", "Max", args))
    return of_atom(atom)
