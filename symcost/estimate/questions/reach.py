"""How far the values of one symbol reach: what the domain's own conditions say of it beside values of the others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from symcost.costs.exact import at_point
from symcost.costs.parts import Conditions
from symcost.formulas.conditions import Compare, condition, conjuncts, names
from symcost.formulas.prove.growth import monotone_from
from symcost.formulas.symbols import symbol

MOST_FACTORED = 10**15
"""Divisors of larger numbers are not listed: factors of such take long to find."""


@dataclass(frozen=True)
class Reach:
    """Bounds on a symbol, as conditions that are certified monotone in it, and a number that it must divide."""

    bounds: tuple[Compare, ...] = ()
    divides: int | None = None

    def values(self, first: int, last: int) -> Iterator[int]:
        """Positive values from one to another, in order, upwards or downwards: divisors alone where there must be one.

        >>> list(Reach(divides=24).values(20, 1)), list(Reach().values(3, 5))
        ([12, 8, 6, 4, 3, 2, 1], [3, 4, 5])
        """
        step = 1 if first <= last else -1
        if self.divides is None or self.divides > MOST_FACTORED:
            yield from (value for value in range(first, last + step, step) if value > 0)
            return
        low, high = sorted((first, last))
        divisors = sorted(sympy.divisors(self.divides, generator=True), reverse=step < 0)
        yield from (value for value in divisors if low <= value <= high)


def reach(domain: Conditions | None, name: str, others: Mapping[str, int]) -> Reach:
    """What a domain says of one symbol where the others have these values.

    >>> import symcost as sc
    >>> costs = sc.models.gpt2(d="d", H="H")
    >>> found = reach(costs.domain, "H", {"d": 24})
    >>> found.divides, [f"{each.left} {each.op} {each.right}" for each in found.bounds]
    (24, ['24/H >= 2', 'H <= 24'])
    """
    alone = [each for each in _compared(domain, others) if names(each) == {name}]
    own = symbol(name)
    divided = [number for each in alone if (number := _divided(each, own)) is not None]
    divides = math.gcd(*divided) or None
    bounds = [each for each in alone if each.op not in ("==", "!=") and monotone_from(each.difference, name)]
    if divides is not None:
        bounds.append(Compare("<=", own, sympy.Integer(divides), f"{name} <= {divides}"))
    return Reach(tuple(bounds), divides)


def _divided(stated: Compare, own: Any) -> int | None:
    """The number that a symbol must divide, ``24 % H == 0``, or nothing of other conditions."""
    if (stated.op, stated.right) != ("==", 0) or not isinstance(stated.left, sympy.Mod):
        return None
    above, below = stated.left.args
    return int(above) if below == own and isinstance(above, sympy.Integer) else None


def _compared(domain: Conditions | None, others: Mapping[str, int]) -> Iterator[Compare]:
    """Comparisons that all hold in a domain, with the values put in."""
    for text in () if domain is None else domain.conditions():
        for each in conjuncts(condition(text)):
            if isinstance(each, Compare):
                yield each.map(lambda side: at_point(side, others))
