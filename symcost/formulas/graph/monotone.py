"""Which way does a node move when one axis grows? Certified, or unknown.

By how it is built, by trying every value, or where terms pull both ways by the sign of the derivative over the ranges.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from symcost.formulas.graph.graph import Graph, Node, cone
from symcost.formulas.graph.ranges import Ranges, power_of
from symcost.formulas.graph.slopes import Slopes

Direction = int | None
"""1: it never falls, -1: it never grows, 0: it stays, None: unknown."""


class Monotone:
    """Directions of nodes along one axis; a logical node grows from false to true.

    >>> from symcost.formulas.graph.ranges import Span
    >>> graph, ranges = Graph(), Ranges([Span(1, 9), Span(1, 5)])
    >>> x = graph.axis(0)
    >>> node = graph.apply("sub", graph.apply("mul", x, x), x)
    >>> Monotone(graph, ranges, 0)(node), Monotone(graph, ranges, 1)(node)
    (1, 0)
    """

    def __init__(self, graph: Graph, ranges: Ranges, position: int) -> None:
        self.ranges, self.position = ranges, position
        self.slopes = Slopes(graph, ranges, position)
        self.sorted_ranges = ranges.ascending(position)
        self._known: dict[int, Direction] = {}

    def __call__(self, node: Node) -> Direction:
        """The node's direction for all values of the other axes."""
        for part in cone([node]):
            if part.index not in self._known:
                self._known[part.index] = self._direction(part)
        return self._known[node.index]

    def _direction(self, node: Node) -> Direction:
        own = 1 << self.position
        if not node.axes & own:
            return 0
        if node.axes == own and self.sorted_ranges is not None:
            return _tabulated(self.sorted_ranges.table(node))
        low, high = self.ranges(node)
        if low == high:
            return 0
        if node.op == "axis":
            return 1
        found = _RULES[node.op](self, node, [self._known[a.index] for a in node.args])
        return self._by_slope(node) if found is None else found

    def _by_slope(self, node: Node) -> Direction:
        """The sign of what is smooth in the axis, together with the directions of the other terms of a sum."""
        if node.op not in ("add", "sub", "mul", "div"):
            return None
        smooth, rest = self.slopes.parts(node)
        # what is no sum is its own rest, and not known yet
        others = [turned(self._known.get(part.index), sign) for part, sign in rest]
        return None if not smooth or None in others else joined(_signed(self.slopes(smooth)), *others)

    def sign(self, node: Node) -> int:
        """1 where a node is never negative, -1 where never positive, 0 where neither is known."""
        low, high = self.ranges(node)
        return 1 if low >= 0 else -1 if high <= 0 else 0


def _signed(slope: tuple[Any, Any]) -> Direction:
    low, high = slope
    return 0 if low == high == 0 else 1 if low >= 0 else -1 if high <= 0 else None


def _tabulated(table: Sequence[Any]) -> Direction:
    rises = any(a < b for a, b in itertools.pairwise(table))
    falls = any(a > b for a, b in itertools.pairwise(table))
    return None if rises and falls else 1 if rises else -1 if falls else 0


def joined(*directions: Direction) -> Direction:
    """What moves in all these directions at once."""
    if None in directions:
        return None
    found = {d for d in directions if d}
    return None if len(found) > 1 else next(iter(found), 0)


def turned(direction: Direction, sign: int) -> Direction:
    """A direction after a product with something of that sign."""
    if direction == 0:
        return 0
    return None if direction is None or sign == 0 else direction * sign


def _mul(of: Monotone, node: Node, d: list[Direction]) -> Direction:
    base, power = power_of(node)
    if power % 2 and power > 1:
        return of(base)
    (a, b), (da, db) = node.args, d
    return joined(turned(da, of.sign(b)), turned(db, of.sign(a)))


def _division(of: Monotone, node: Node, d: list[Direction]) -> Direction:
    (a, b), (da, db) = node.args, d
    if not db:
        return turned(da, of.sign(b)) if db == 0 else None
    low, high = of.ranges(b)
    return joined(turned(da, of.sign(b)), turned(db, -of.sign(a))) if low > 0 or high < 0 else None


def _select(of: Monotone, node: Node, d: list[Direction]) -> Direction:
    return joined(d[1], d[2]) if d[0] == 0 else None


def _same(of: Monotone, node: Node, d: list[Direction]) -> Direction:
    return joined(*d)


_RULES: dict[str, Callable[[Monotone, Node, list[Direction]], Direction]] = {
    **dict.fromkeys(("add", "max", "min", "floor", "ceil", "clog2", "flog2", "isqrt", "and", "or"), _same),
    "sub": lambda of, node, d: joined(d[0], turned(d[1], -1)),
    "mul": _mul,
    "floordiv": _division,
    "div": _division,
    "mod": lambda of, node, d: None,
    "le": lambda of, node, d: joined(turned(d[0], -1), d[1]),
    "lt": lambda of, node, d: joined(turned(d[0], -1), d[1]),
    "eq": lambda of, node, d: None,
    "not": lambda of, node, d: turned(d[0], -1),
    "select": _select,
}
