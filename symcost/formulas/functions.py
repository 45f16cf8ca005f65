"""Functions of forms beside floors: the larger of several, 1 or 0 by a comparison, logarithms."""

from __future__ import annotations

from collections.abc import Iterable

from symcost.formulas.form import ZERO, Atom, Form, FormLike, as_form, of_atom, of_function
from symcost.formulas.relations import RELATIONS
from symcost.formulas.symbols import log2


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
