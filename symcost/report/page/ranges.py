"""The sliders: for each symbol where it begins, its step, how far it goes, and a point inside every domain to start from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from symcost.errors import DomainError, SymcostError
from symcost.formulas.conditions import Compare, condition, conjuncts
from symcost.formulas.symbols import integer, symbol

USUAL = {
    "n": 1,
    "N": 128,
    "r": 224,
    "h": 224,
    "w": 224,
    "d": 256,
    "L": 12,
    "H": 8,
    "classes": 1000,
    "C": 1000,
    "V": 32000,
}
"""Where a slider of that name begins, if the domain allows it."""
OTHERS = 64
FURTHEST = 4
FAR = 2**53 - 1
"""The last integer that a slider can stand at; fields take larger ones."""
TRIED = 20_000


def sliders(tables: Sequence[Any], at: Mapping[str, int]) -> list[dict[str, Any]]:
    """``name``, ``low``, ``high``, ``step`` and ``start`` of every symbol of the tables."""
    names = list(dict.fromkeys(name for costs in tables for name in costs.symbols))
    for name in at:
        if name not in names:
            raise DomainError(f"unknown symbol {name!r}: the symbols here are {', '.join(names) or 'none'}")
    limits = {name: _limits(name, tables) for name in names}
    start = _start(names, limits, tables, at)
    found = []
    for name in names:
        low, most, step = limits[name]
        high = most if most is not None else max(FURTHEST * start[name], low + 15 * step)
        high = min(high, FAR)
        found.append({"name": name, "low": low, "high": high // step * step, "step": step, "start": start[name]})
    return found


def _limits(name: str, tables: Sequence[Any]) -> tuple[int, int | None, int]:
    """The bounds and the step that conditions of the symbol alone leave."""
    low, high, step = 1, None, 1
    for costs in tables:
        domain = getattr(costs, "domain", None)
        texts = domain.conditions() if domain is not None and name in costs.symbols else ()
        for found in (each for text in texts for each in conjuncts(condition(text))):
            value = integer(found.right) if isinstance(found, Compare) else None
            match found:
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
        first = max(low, USUAL.get(name, OTHERS) // step * step)
        several = [first, low, 2 * first, low + step, 3 * step, 12 * step, 96 * step]
        kept = [value for value in dict.fromkeys(several) if value >= low and (high is None or value <= high)]
        candidates.append([at[name]] if name in at else kept)
    held = [dict(point) for costs in tables for point in getattr(getattr(costs, "certificate", None), "held_out", ())]
    tried = (
        dict(zip(names, values, strict=True)) for values in itertools.islice(itertools.product(*candidates), TRIED)
    )
    for point in itertools.chain(tried, ({**dict.fromkeys(names, 1), **known, **at} for known in held)):
        if inside(point):
            return point
    given = ", ".join(f"{name}={value}" for name, value in at.items())
    raise DomainError(
        f"no point{f' with {given}' if given else ''} inside the domain was found: give --at for more symbols"
    )


def _holds(costs: Any, point: Mapping[str, int]) -> bool:
    try:
        costs.subs(**{name: value for name, value in point.items() if name in costs.symbols})
    except SymcostError:
        return False
    return True
