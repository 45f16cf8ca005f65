"""The sizes of a program's arrays, as a recording tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symcost.formulas.form import Form
from symcost.formulas.functions import floors_opened
from symcost.tracing.evidence.floats.meaning import meanings, replaced
from symcost.tracing.evidence.guard import Guard, Rounding, all_hold
from symcost.tracing.evidence.record import Recording

NEAR = range(1, 60)
"""Steps from the base at which a floor that never has a remainder shows that it has none."""


def sizes_seen(seen: Recording, base: Mapping[str, int], guards: Sequence[Guard]) -> list[Form]:
    """The sizes of all arrays in the model's own symbols; without floors where what is decided leaves them no remainder."""
    found, known = [], meanings(seen)
    for form in (whole for size in seen.sizes if (whole := replaced(size, known)).symbols <= set(base)):
        plain = floors_opened(form)
        found.append(plain if plain != form and _alike(plain, form, base, guards) else form)
    return found


def untold(seen: Recording) -> dict[str, Rounding]:
    """The model's symbols behind sizes of arrays of which no form is known, each with a rounding that none is known of."""
    known, unknown = meanings(seen), dict[str, Rounding]()
    for size in seen.sizes:
        for rounding in seen.roundings if not replaced(size, known).symbols <= set(seen.base) else ():
            if rounding.symbol in size.symbols and rounding.symbol not in known:
                unknown |= dict.fromkeys(sorted(seen.behind(frozenset({rounding.symbol}))), rounding)
    return unknown


def _alike(plain: Form, form: Form, base: Mapping[str, int], guards: Sequence[Guard]) -> bool:
    """Whether two forms agree near the base wherever the program decides as there; of wide heads a few more make a width."""
    steps = {1, *(base[name] for name in form.symbols)}
    beside = ({**base, name: base[name] + k * step} for name in form.symbols for step in steps for k in NEAR)
    inside = [point for point in beside if all_hold(guards, point)]
    try:
        return bool(inside) and all(plain.value(point) == form.value(point) for point in inside)
    except ZeroDivisionError:
        return False
