"""The sliders: for each symbol where it begins, its step, how far it goes, its ticks, and a point inside every domain."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from symcost.errors import DomainError, SymcostError
from symcost.estimate.questions.planned import domain_of
from symcost.formulas.conditions import Compare, condition, conjuncts
from symcost.formulas.symbols import integer, symbol
from symcost.reading.nearest import check_symbols
from symcost.reading.numerals import assigned
from symcost.report.page.usual import usual

FURTHEST = 4
BEYOND = 4
"""A limit so many times above what is useful leaves no place on a slider for what is: fields take all up to it."""
FAR = 2**53 - 1
"""The last integer that a slider can stand at; fields take larger ones."""
TRIED = 20_000


def sliders(tables: Sequence[Any], at: Mapping[str, int]) -> list[dict[str, Any]]:
    """``name``, ``meaning``, ``low``, ``high``, ``step``, ``most``, ``ticks`` and ``start`` of every symbol of the tables.

    ``high`` is where the slider ends, at what is useful, ``most`` the last value of the domain, where there is one.
    """
    names = list(dict.fromkeys(name for costs in tables for name in costs.symbols))
    check_symbols(at, names, DomainError)
    limits = {name: _limits(name, tables) for name in names}
    start = _start(names, limits, tables, at)
    controls = []
    for name in names:
        low, most, step = limits[name]
        known = usual(name, tables)
        useful = max(FURTHEST * start[name], low + 15 * step, *known.values)
        high = useful if most is None or most > BEYOND * useful else most
        high = min(high, FAR) // step * step
        ticks = [value for value in known.values if low <= value <= high and value % step == 0]
        controls.append({"name": name, "meaning": known.meaning, "low": low, "high": high, "step": step,
                      "most": None if most is None else str(most), "ticks": ticks, "start": start[name]})  # fmt: skip
    return controls


def _limits(name: str, tables: Sequence[Any]) -> tuple[int, int | None, int]:
    """The bounds and the step that conditions of the symbol alone leave."""
    low, high, step = 1, None, 1
    for costs in tables:
        domain = domain_of(costs, costs.plan is not None)
        texts = domain.conditions() if domain is not None and name in costs.symbols else ()
        for limit in (each for text in texts for each in conjuncts(condition(text))):
            value = integer(limit.right) if isinstance(limit, Compare) else None
            match limit:
                case Compare(op=">=", left=left) if left == symbol(name) and value is not None:
                    low = max(low, value)
                case Compare(op="<=", left=left) if left == symbol(name) and value is not None:
                    high = value if high is None else min(high, value)
                case Compare(op="==", left=sympy.Mod(args=(left, divisor))) if left == symbol(name) and value == 0:
                    step = math.lcm(step, integer(divisor) or 1)
    return -(-low // step) * step, high, step


def _start(names: Sequence[str], limits: Mapping[str, tuple[int, int | None, int]], tables: Sequence[Any],
           at: Mapping[str, int]) -> dict[str, int]:  # fmt: skip
    """The point asked for, or the usual one; where that is outside, the nearest of simple multiples that is inside."""

    def inside(point: Mapping[str, int]) -> bool:
        return all(_holds(costs, point) for costs in tables)

    candidates = []
    for name in names:
        low, high, step = limits[name]
        first = max(low, usual(name, tables).start // step * step)
        several = [first, low, 2 * first, low + step, 3 * step, 12 * step, 96 * step]
        kept = [value for value in dict.fromkeys(several) if value >= low and (high is None or value <= high)]
        candidates.append([at[name]] if name in at else kept)
    known = [
        each.certificate for costs in tables for each in (costs.per_device if costs.plan is not None else costs, costs)
    ]
    held = [dict(point) for certificate in known if certificate is not None for point in certificate.held_out]
    tried = (
        dict(zip(names, values, strict=True)) for values in itertools.islice(itertools.product(*candidates), TRIED)
    )
    for point in itertools.chain(tried, ({**dict.fromkeys(names, 1), **known, **at} for known in held)):
        if inside(point):
            return point
    given = assigned(at)
    raise DomainError(
        f"no point{f' with {given}' if given else ''} inside the domain was found: give --at for more symbols"
    )


def _holds(costs: Any, point: Mapping[str, int]) -> bool:
    try:
        there = costs.subs(**{name: value for name, value in point.items() if name in costs.symbols})
        _ = there.per_device if there.plan is not None else None
    except SymcostError:
        return False
    return True
