"""A formula over ranges of its symbols: between which numbers it lies, and which way it moves, certified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symcost.errors import ExpressionError
from symcost.formulas.extent import Exact
from symcost.formulas.graph.graph import Graph
from symcost.formulas.graph.lower import Lowering
from symcost.formulas.graph.monotone import Direction, Monotone
from symcost.formulas.graph.ranges import Ranges, Span

Pair = tuple[Exact, Exact]
Box = Mapping[str, tuple[int, int]]


class Boxed:
    """One formula in one box, or in any part of it.

    >>> from symcost.formulas.symbols import parse
    >>> Boxed(parse("d**2 - n*d + floor(d/2)"), {"d": (2, 5), "n": (1, 3)}).bounds()
    (-10, 25)
    >>> Boxed(parse("L*d**2 - d**2 + 3*d"), {"d": (4, 64), "L": (1, 9)}).direction("d")
    1
    """

    def __init__(self, expression: Any, box: Box) -> None:
        self.names, self.graph, self.ranges = tuple(box), Graph(), _ranges(box)
        self.node = Lowering(self.graph, self.ranges, self.names, apart=True).value(expression)

    def bounds(self, part: Box | None = None) -> Pair:
        """Every value in a part of the box lies between the two."""
        ranges = self.ranges if part is None else _ranges({name: part[name] for name in self.names})
        return ranges(self.node)

    def direction(self, name: str) -> Direction:
        """``1``: never falls, ``-1``: never grows, ``0``: does not change, None: not certified."""
        try:
            return Monotone(self.graph, self.ranges, self.names.index(name))(self.node)
        except ExpressionError:  # a divisor that may be 0
            return None


def _ranges(box: Box) -> Ranges:
    return Ranges([Span(low, high) for low, high in box.values()])
