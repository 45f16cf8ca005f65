"""Bounds of a node when only the outer axes have values: as nodes of those axes, so that they are computed, not searched.

Sums, products and maxima of growing things take their inner axes at the ends, which is exact; a node that depends on
inner axes alone is the constant range it has; whatever else is interval arithmetic, which may be wide, never wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symcost.formulas.graph.graph import LOGICAL, Graph, Node, cone
from symcost.formulas.graph.ranges import Ranges

Pair = tuple[Node, Node]


class Bounds:
    """Lower and upper bounds over all values of the axes that are not in ``fixed``.

    The bounds of a condition are "it certainly holds" and "it possibly holds".
    """

    def __init__(self, graph: Graph, ranges: Ranges, fixed: int) -> None:
        self.graph, self.ranges, self.fixed = graph, ranges, fixed
        self._known: dict[int, Pair] = {}

    def __call__(self, node: Node) -> Pair:
        """(lower, upper) as nodes of the fixed axes."""
        for part in cone([node]):
            if part.index not in self._known:
                self._known[part.index] = self._bound(part)
        return self._known[node.index]

    def _bound(self, node: Node) -> Pair:
        if not node.axes & ~self.fixed:
            return node, node
        if not node.axes & self.fixed:
            low, high = self.ranges(node)
            logical = node.op in LOGICAL
            return self.graph.constant(bool(low) if logical else low), self.graph.constant(
                bool(high) if logical else high
            )
        return _RULES[node.op](self, node, *(self._known[a.index] for a in node.args))

    def apply(self, op: str, *args: Node) -> Node:
        """A new node."""
        return self.graph.apply(op, *args)

    def corners(self, op: str, a: Pair, b: Pair) -> Pair:
        """Smallest and largest of an operation on the ends of both arguments."""
        results = list(dict.fromkeys(self.apply(op, x, y) for x in dict.fromkeys(a) for y in dict.fromkeys(b)))
        return self.graph.chain("min", results), self.graph.chain("max", results)

    def not_negative(self, node: Node) -> bool:
        """Whether a node is 0 or more everywhere."""
        return self.ranges(node)[0] >= 0


def _mul(of: Bounds, node: Node, a: Pair, b: Pair) -> Pair:
    first, second = map(of.not_negative, node.args)
    if first and second:
        return of.apply("mul", a[0], b[0]), of.apply("mul", a[1], b[1])
    if first or second:
        (low, high), other = (a, b) if first else (b, a)
        small, large = (of.apply("mul", x, y) for x, y in ((low, other[0]), (high, other[1])))
        if low is high:
            return small, large
        return (
            of.apply("min", small, of.apply("mul", high, other[0])),
            of.apply("max", large, of.apply("mul", low, other[1])),
        )
    return of.corners("mul", a, b)


def _division(op: str) -> Callable[[Bounds, Node, Pair, Pair], Pair]:
    def rule(of: Bounds, node: Node, a: Pair, b: Pair) -> Pair:
        low, high = of.ranges(node.args[1])  # a bound's own range may be wider than what it bounds, and hold 0
        divisor = (of.apply("max", b[0], of.graph.constant(low)), of.apply("min", b[1], of.graph.constant(high)))
        if low > 0 and of.not_negative(node.args[0]):
            return of.apply(op, a[0], divisor[1]), of.apply(op, a[1], divisor[0])
        return of.corners(op, a, divisor)

    return rule


def _mod(of: Bounds, node: Node, a: Pair, b: Pair) -> Pair:
    if of.ranges(node.args[1])[0] <= 0:
        return tuple(of.graph.constant(v) for v in of.ranges(node))  # type: ignore[return-value]
    return of.graph.constant(0), of.apply("sub", b[1], of.graph.constant(1))


def _each(op: str) -> Callable[..., Pair]:
    return lambda of, node, *args: (of.apply(op, *(a[0] for a in args)), of.apply(op, *(a[1] for a in args)))


def _order(op: str) -> Callable[[Bounds, Node, Pair, Pair], Pair]:
    return lambda of, node, a, b: (of.apply(op, a[1], b[0]), of.apply(op, a[0], b[1]))


def _equal(of: Bounds, node: Node, a: Pair, b: Pair) -> Pair:
    sure = of.apply("and", of.apply("le", a[1], b[0]), of.apply("le", b[1], a[0]))
    return sure, of.apply("and", of.apply("le", a[0], b[1]), of.apply("le", b[0], a[1]))


def _select(of: Bounds, node: Node, condition: Pair, a: Pair, b: Pair) -> Pair:
    if condition[0] is condition[1]:
        return of.apply("select", condition[0], a[0], b[0]), of.apply("select", condition[0], a[1], b[1])
    return of.apply("min", a[0], b[0]), of.apply("max", a[1], b[1])


_RULES: dict[str, Callable[..., Any]] = {
    "add": _each("add"),
    "sub": lambda of, node, a, b: (of.apply("sub", a[0], b[1]), of.apply("sub", a[1], b[0])),
    "mul": _mul,
    "floordiv": _division("floordiv"),
    "div": _division("div"),
    "mod": _mod,
    "max": _each("max"),
    "min": _each("min"),
    "clog2": _each("clog2"),
    "flog2": _each("flog2"),
    "isqrt": _each("isqrt"),
    "le": _order("le"),
    "lt": _order("lt"),
    "eq": _equal,
    "and": _each("and"),
    "or": _each("or"),
    "not": lambda of, node, a: (of.apply("not", a[1]), of.apply("not", a[0])),
    "select": _select,
}
