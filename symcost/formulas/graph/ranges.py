"""Between which integers does a node lie, over all values of the axes? Exact, in Python's integers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symcost.errors import ExpressionError
from symcost.formulas.graph.graph import APPLY, Node, cone, positions

Interval = tuple[Any, Any]
TABULATED = 4096
"""A node of one axis with at most so many values is evaluated at each of them: its range is then exact."""


@dataclass(frozen=True)
class Span:
    """An axis of which only the ends are known: every value between them may be one."""

    low: int
    high: int


Values = Sequence[int] | Span


class Ranges:
    """Bounds of nodes over a box of axis values; a logical node lies in (0, 0), (1, 1) or (0, 1).

    >>> from symcost.formulas.graph.graph import Graph
    >>> graph = Graph()
    >>> x = graph.axis(0)
    >>> Ranges([[1, 2, 5]])(graph.apply("sub", graph.apply("mul", x, x), x))
    (0, 20)
    """

    def __init__(self, values: Sequence[Values]) -> None:
        self.values = values
        self.extremes = [(v.low, v.high) if isinstance(v, Span) else (min(v), max(v)) for v in values]
        self._known: dict[int, Interval] = {}
        self._tables: dict[int, list[Any]] = {}

    def __call__(self, node: Node) -> Interval:
        """The smallest and the largest value, or bounds of them."""
        found = self._known.get(node.index)
        if found is None:
            for part in cone([node]):
                if part.index not in self._known:
                    self._known[part.index] = self._interval(part)
            found = self._known[node.index]
        return found

    def _interval(self, node: Node) -> Interval:
        if node.op == "constant":
            return node.value, node.value
        if node.op == "axis":
            return self.extremes[node.value]
        if node.axes.bit_count() == 1 and self._tabulated(next(positions(node.axes))):
            table = self.table(node)
            return min(table), max(table)
        args = [self._known[a.index] for a in node.args]
        if node.op == "mul" and any(low < 0 < high for low, high in args):
            base, power = power_of(node)
            if power > 1:
                return _power(self._known[base.index], power)
        if node.op == "mod" and any(part.op == "div" for part in cone([node])):
            return _remainder(*args, unit=0)
        return interval(node.op, args)

    def _tabulated(self, position: int) -> bool:
        values = self.values[position]
        return not isinstance(values, Span) and len(values) <= TABULATED

    def between(self, position: int) -> Ranges:
        """Likewise, where one axis may also have every number between its ends."""
        return Ranges([Span(*self.extremes[position]) if p == position else v for p, v in enumerate(self.values)])

    def ascending(self, position: int) -> Ranges | None:
        """Likewise, with the values of one axis in their order, where every one of them is to be tried."""
        if not self._tabulated(position):
            return None
        return Ranges([sorted(self._listed(p)) if p == position else v for p, v in enumerate(self.values)])

    def _listed(self, position: int) -> Sequence[int]:
        values = self.values[position]
        assert not isinstance(values, Span), "a span has no table"
        return values

    def table(self, node: Node) -> list[Any]:
        """The node of at most one axis at each of its values."""
        found = self._tables.get(node.index)
        if found is None:
            for part in cone([node]):
                if part.index not in self._tables:
                    self._tables[part.index] = self._tabulate(part)
            found = self._tables[node.index]
        return found

    def _tabulate(self, node: Node) -> list[Any]:
        if node.op == "constant":
            return [node.value]
        if node.op == "axis":
            return list(self._listed(node.value))
        tables = [self._tables[a.index] for a in node.args]
        longest = max(map(len, tables))
        function = APPLY[node.op]
        return [
            function(*row)
            for row in zip(*(t if len(t) == longest else t * longest for t in tables), strict=True)
        ]  # fmt: skip


def power_of(node: Node) -> tuple[Node, int]:
    """What a product is a power of, and the exponent: itself and 1, where its factors differ."""
    for base, rest in (node.args, node.args[::-1]) if node.op == "mul" else ():
        power = 2
        while rest is not base and base in rest.args and rest.op == "mul":
            rest, power = rest.args[rest.args[0] is base], power + 1
        if rest is base:
            return base, power
    return node, 1


def _power(base: Interval, exponent: int) -> Interval:
    """Of a number on either side of 0."""
    low, high = base
    return (low**exponent, high**exponent) if exponent % 2 else (0, max(low**exponent, high**exponent))


def interval(op: str, args: Sequence[Interval]) -> Interval:
    """Bounds of an operation's value from the bounds of its arguments."""
    return _INTERVALS[op](*args)


def _corners(function: Callable[[Any, Any], Any]) -> Callable[[Interval, Interval], Interval]:
    def bounds(a: Interval, b: Interval) -> Interval:
        found = [function(x, y) for x in a for y in b]
        return min(found), max(found)

    return bounds


def check_divisor(bounds: Interval) -> None:
    """Raise for a divisor that could be 0."""
    if bounds[0] <= 0 <= bounds[1]:
        raise ExpressionError(f"a divisor lies between {bounds[0]} and {bounds[1]} in this space: it could be 0")


def _divided(function: Callable[[Any, Any], Any]) -> Callable[[Interval, Interval], Interval]:
    def bounds(a: Interval, b: Interval) -> Interval:
        check_divisor(b)
        return _corners(function)(a, b)

    return bounds


def _remainder(a: Interval, b: Interval, unit: int = 1) -> Interval:
    """``unit``: how far the largest remainder stays from the divisor, 0 where they may be fractions."""
    check_divisor(b)
    if a[0] == a[1] and b[0] == b[1]:
        return a[0] % b[0], a[0] % b[0]
    if b[0] < 0:
        return b[0] + unit, 0
    return a if a[0] >= 0 and a[1] < b[0] else (0, b[1] - unit)


def _compared(sure: Callable[[Interval, Interval], bool], never: Callable[[Interval, Interval], bool]) -> Any:
    return lambda a, b: (1, 1) if sure(a, b) else (0, 0) if never(a, b) else (0, 1)


def _select(condition: Interval, a: Interval, b: Interval) -> Interval:
    if condition[0] == condition[1]:
        return a if condition[0] else b
    return min(a[0], b[0]), max(a[1], b[1])


_INTERVALS: dict[str, Callable[..., Interval]] = {
    "add": lambda a, b: (a[0] + b[0], a[1] + b[1]),
    "sub": lambda a, b: (a[0] - b[1], a[1] - b[0]),
    "mul": _corners(APPLY["mul"]),
    "floordiv": _divided(APPLY["floordiv"]),
    "div": _divided(lambda a, b: Fraction(a) / b),
    "mod": _remainder,
    "max": lambda a, b: (max(a[0], b[0]), max(a[1], b[1])),
    "min": lambda a, b: (min(a[0], b[0]), min(a[1], b[1])),
    **{op: lambda a, rounded=APPLY[op]: (rounded(a[0]), rounded(a[1])) for op in ("floor", "ceil")},
    "clog2": lambda a: (APPLY["clog2"](max(1, a[0])), APPLY["clog2"](max(1, a[1]))),
    "flog2": lambda a: (APPLY["flog2"](max(1, a[0])), APPLY["flog2"](max(1, a[1]))),
    "isqrt": lambda a: (math.isqrt(max(0, a[0])), math.isqrt(max(0, a[1]))),
    "le": _compared(lambda a, b: a[1] <= b[0], lambda a, b: a[0] > b[1]),
    "lt": _compared(lambda a, b: a[1] < b[0], lambda a, b: a[0] >= b[1]),
    "eq": _compared(lambda a, b: a[0] == a[1] == b[0] == b[1], lambda a, b: a[1] < b[0] or b[1] < a[0]),
    "and": lambda a, b: (a[0] and b[0], a[1] and b[1]),
    "or": lambda a, b: (a[0] or b[0], a[1] or b[1]),
    "not": lambda a: (1 - a[1], 1 - a[0]),
    "select": _select,
}


def largest_magnitude(bounds: Interval) -> int:
    """The largest absolute value between two bounds, rounded up."""
    return math.ceil(max(abs(bounds[0]), abs(bounds[1])))
