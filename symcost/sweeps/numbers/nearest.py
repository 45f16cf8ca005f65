"""Quotients of exact integers as the float64 that is nearest to each, on arrays.

Of a maximum it is the maximum of its parts' nearest ones, as rounding keeps their order: only those that may be the largest
are divided to the last bit.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import numpy as np
import sympy

from symcost.formulas.graph.graph import Node
from symcost.formulas.graph.lower import Ratio
from symcost.sweeps.numbers.arithmetic import WORD, Value, cast, mapped
from symcost.sweeps.numbers.tiers import FLOAT, PYTHON, TWO, Tiers

MOST_PARTS = 32
"""A maximum of more parts stays one formula."""
CLOSE = 2.0**-44
"""More than float64 quotients may be wrong by, as a share."""
HALF = 2.0**32
SPLIT = 2.0**27 + 1
SURE = 2.0**-40
"""A correction so near to half of the last bit, as a share of it, is looked at in Python's integers."""


def parts_of(expression: Any) -> list[Any]:
    """Formulas whose maximum it is, with sums and positive factors inside.

    >>> from symcost.formulas.symbols import parse
    >>> parts_of(parse("n + 2*Max(n, d/3)"))
    [3*n, 2*d/3 + n]
    """
    found = _parts(expression)
    return [expression] if len(found) > MOST_PARTS else list(dict.fromkeys(map(sympy.expand, found)))


def _parts(node: Any) -> list[Any]:
    if isinstance(node, sympy.Max):
        return [part for each in node.args for part in _parts(each)]
    if node.is_Add and node.has(sympy.Max):
        several = list(map(_parts, node.args))
        if sympy.prod(map(len, several)) <= MOST_PARTS:
            return [sympy.Add(*each) for each in itertools.product(*several)]
    if node.is_Mul and node.has(sympy.Max):
        others = [factor for factor in node.args if not isinstance(factor, sympy.Max)]
        if len(others) == len(node.args) - 1 and sympy.Mul(*others).is_positive:
            (most,) = (factor for factor in node.args if isinstance(factor, sympy.Max))
            return [sympy.Mul(*others, part) for part in _parts(most)]
    return [node]


@dataclass(frozen=True)
class NearestColumn:
    """The maximum of quotients as float64 numbers."""

    parts: Sequence[Ratio]
    tiers: Tiers

    @property
    def sides(self) -> list[Node]:
        """What must be computed of it."""
        return [side for part in self.parts for side in (part.above, part.below)]

    def at(self, known: Mapping[int, Value]) -> Any:
        """Its values from those of its sides."""
        sides = [(known[part.above.index], known[part.below.index]) for part in self.parts]
        kinds = [(self.tiers(part.above), self.tiers(part.below)) for part in self.parts]
        rough = [_rough(*pair, *kind) for pair, kind in zip(sides, kinds, strict=True)]
        most = reduce(np.maximum, rough)
        near = most - abs(most) * CLOSE
        result = np.full(most.shape, -np.inf)
        for pair, kind, values in zip(sides, kinds, rough, strict=True):
            if max(kind) in (FLOAT, PYTHON):
                np.maximum(result, values, out=result)
                continue
            rows = np.flatnonzero(values >= near)
            if len(rows):
                above, below = (mapped(partial(_picked, rows, most.shape), side) for side in pair)
                result[rows] = np.maximum(result[rows], nearest(above, below, *kind))
        return result


def _picked(rows: Any, shape: tuple[int, ...], side: Any) -> Any:
    return np.broadcast_to(side, shape).take(rows)


def nearest(above: Value, below: Value, kind_above: int, kind_below: int) -> Any:
    """The float64 nearest to each quotient: the rounded one and what its exact remainder adds.

    >>> from symcost.sweeps.numbers.tiers import INT
    >>> nearest(np.array([2**62 + 1]), np.array([3]), INT, INT).tolist() == [(2**62 + 1) / 3]
    True
    """
    (high, low), (under, rest) = _pair(above, kind_above), _pair(below, kind_below)
    quotient = high / under
    product, error = _multiplied(quotient, under)
    more = (((high - product) - error) + (low - quotient * rest)) / under
    result = quotient + more
    left, unit = abs((quotient - result) + more), np.spacing(abs(result))
    unsure = (abs(left - unit / 2) < unit * SURE) | (abs(left - unit / 4) < unit * SURE)
    rows = np.flatnonzero(unsure)
    if len(rows):
        exact = (
            cast(np, mapped(lambda side: side[rows], side), kind, PYTHON)
            for side, kind in ((above, kind_above), (below, kind_below))
        )
        result[rows] = _divided(*exact)
    return result


def _rough(above: Value, below: Value, kind_above: int, kind_below: int) -> Any:
    """Quotients that are off by a few of the last bits; to the last bit where both sides have 53 bits, or any number."""
    if PYTHON in (kind_above, kind_below):
        return _divided(cast(np, above, kind_above, PYTHON), cast(np, below, kind_below, PYTHON))
    return _float(above, kind_above) / _float(below, kind_below)


def _divided(above: Any, below: Any) -> Any:
    """Python divides integers to the nearest float."""
    return np.frompyfunc(lambda a, b: a / b, 2, 1)(above, below).astype(np.float64)


def _float(value: Value, kind: int) -> Any:
    return sum(_pair(value, kind)) if kind == TWO else value.astype(np.float64)


def _pair(value: Value, kind: int) -> tuple[Any, Any]:
    """Integers as a float64 and what it leaves; of two words to more than a hundred bits."""
    if kind == FLOAT:
        return value, np.zeros(1)
    word, above = value if kind == TWO else (value, None)
    high, low = _added((word >> 32).astype(np.float64) * HALF, (word & (2**32 - 1)).astype(np.float64))
    if above is None:
        return high, low
    top, rest = _added(np.rint((above - high) / WORD) * WORD, high)
    return _added(top, rest + low)


def _added(a: Any, b: Any) -> tuple[Any, Any]:
    """The sum and its error."""
    made = a + b
    part = made - a
    return made, (a - (made - part)) + (b - part)


def _multiplied(a: Any, b: Any) -> tuple[Any, Any]:
    """The product and its error, by halves of 26 bits."""
    made = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return made, a_low * b_low - (((made - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _halves(a: Any) -> tuple[Any, Any]:
    scaled = SPLIT * a
    high = scaled - (scaled - a)
    return high, a - high
