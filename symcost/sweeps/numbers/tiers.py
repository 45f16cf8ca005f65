"""Which numbers hold a node exactly? Chosen for every node from its range, never by hope.

Below 2**53 float64, below 2**63 int64, below 2**110 two words (the value modulo 2**64, and a float64 whose error is
bounded), otherwise Python's integers.
"""

from __future__ import annotations

from symcost.formulas.graph.graph import LOGICAL, Node, cone
from symcost.formulas.graph.ranges import Ranges, largest_magnitude

FLOAT, INT, TWO, PYTHON = range(4)
NAMES = ("float64", "int64", "two words (int64 and float64)", "Python integers")
LIMITS = (2**53, 2**63, 2**110)
UNIT = 2**-53
"""Largest relative error of one float64 operation."""
CERTAIN = 2**61
"""A float64 nearer than this to an integer known modulo 2**64 tells which integer it is."""
SMALL_DIVISOR = 2**31


class Tiers:
    """The kind of number of every node, and of the operation that makes it.

    >>> from symcost.formulas.graph.graph import Graph
    >>> graph = Graph()
    >>> n = graph.axis(0)
    >>> tiers = Tiers(Ranges([[1, 2**30]]))
    >>> NAMES[tiers(n)], NAMES[tiers(graph.apply("mul", n, n))]
    ('float64', 'int64')
    """

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges
        self._known: dict[int, tuple[int, int]] = {}
        self._errors: dict[int, float] = {}

    def __call__(self, node: Node) -> int:
        """The kind of number that holds the node's value."""
        return self.both(node)[0]

    def both(self, node: Node) -> tuple[int, int]:
        """The kind of number of the value, and that of the operation."""
        if node.index not in self._known:
            for part in cone([node]):
                if part.index not in self._known:
                    self._known[part.index] = self._choose(part)
        return self._known[node.index]

    def largest(self, nodes: list[Node]) -> int:
        """The widest kind among the nodes and all that they need."""
        return max((max(self.both(part)) for part in cone(nodes)), default=FLOAT)

    def _magnitude(self, node: Node) -> int:
        return largest_magnitude(self.ranges(node))

    def _choose(self, node: Node) -> tuple[int, int]:
        if node.op in ("and", "or", "not"):
            return FLOAT, FLOAT
        own = FLOAT if node.op in LOGICAL else self._held(node)
        numbers = [a for a in node.args if a.op not in LOGICAL]
        wide = max([own, *(self._known[a.index][0] for a in numbers)])
        if node.op == "div":
            wide = own = PYTHON
        elif node.op in ("floordiv", "mod"):
            a, b = (self._magnitude(x) for x in node.args)
            if wide == FLOAT and a + b >= LIMITS[FLOAT]:
                wide = INT
            if wide == TWO and (b >= SMALL_DIVISOR or self.ranges(node.args[1])[0] < 1):
                wide = PYTHON
        elif node.op in ("clog2", "flog2", "isqrt") and wide != FLOAT:
            wide = PYTHON
        if wide == TWO:
            error, compared = self._error(node)
            if max(error, compared) >= CERTAIN:
                wide = PYTHON
            elif own == TWO:
                self._errors[node.index] = error
        return (PYTHON if own == TWO and wide == PYTHON else own), wide

    def _held(self, node: Node) -> int:
        if node.op == "constant" and not isinstance(node.value, int):
            return PYTHON
        size = self._magnitude(node)
        return next((tier for tier, limit in enumerate(LIMITS) if size < limit), PYTHON)

    def error_of(self, node: Node) -> float:
        """How far the float64 of a node may be from its value, once it is held in two words."""
        if node.index in self._errors:
            return self._errors[node.index]
        return 0.0 if self(node) == FLOAT else self._magnitude(node) * UNIT

    def _error(self, node: Node) -> tuple[float, float]:
        """Bounds of the float64's error after the operation, and of the difference that a comparison looks at."""
        numbers = [a for a in node.args if a.op not in LOGICAL]
        sizes = [float(self._magnitude(a)) for a in numbers]
        errors = [self.error_of(a) for a in numbers]
        added = sum(errors) + (sum(sizes) + sum(errors)) * UNIT
        if node.op == "mul":
            (x, y), (dx, dy) = sizes, errors
            return x * dy + y * dx + dx * dy + (x + dx) * (y + dy) * UNIT, 0.0
        if node.op in ("max", "min", "select"):
            return max(errors), added
        return added, added
