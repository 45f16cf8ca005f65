"""Between which numbers does the derivative of a node lie? Of what is a polynomial in one axis, exact.

Nested by powers of the axis, ``(a x + b) x + c`` (Horner): far narrower bounds than term by term.
"""

from __future__ import annotations

import itertools
from typing import Any

from symcost.formulas.graph.graph import Graph, Node
from symcost.formulas.graph.ranges import Interval, Ranges

Polynomial = list[Node]
"""Coefficients by power; none of them depends on the axis."""
MOST = 16
"""A polynomial of a higher degree is not made."""


class Slopes:
    """Derivatives of nodes along one axis, between whose values they may lie too."""

    def __init__(self, graph: Graph, ranges: Ranges, position: int) -> None:
        self.graph, self.position = graph, position
        self.ranges = ranges.between(position)
        self._known: dict[int, Polynomial | None] = {}

    def parts(self, node: Node) -> tuple[Polynomial, list[tuple[Node, int]]]:
        """The sum of the terms that are polynomials, and the other terms, with their signs."""
        smooth: Polynomial = []
        rest: list[tuple[Node, int]] = []
        waiting = [(node, 1)]
        while waiting:
            part, sign = waiting.pop()
            found = self.polynomial(part)
            if found is not None:
                smooth = self._added("add" if sign > 0 else "sub", smooth, found)
            elif part.op in ("add", "sub"):
                waiting += [(part.args[0], sign), (part.args[1], sign if part.op == "add" else -sign)]
            else:
                rest.append((part, sign))
        return smooth, rest

    def __call__(self, smooth: Polynomial) -> Interval:
        """Bounds of the derivative of a polynomial."""
        apply, slope = self.graph.apply, self.graph.constant(0)
        for power in range(len(smooth) - 1, 0, -1):
            slope = apply("mul", slope, self.graph.axis(self.position))
            slope = apply("add", slope, apply("mul", self.graph.constant(power), smooth[power]))
        return self.ranges(slope)

    def polynomial(self, node: Node) -> Polynomial | None:
        """The node as a polynomial in the axis, or None."""
        waiting = [node]
        while waiting:
            part = waiting[-1]
            left = [a for a in part.args if a.index not in self._known] if self._varies(part) else []
            waiting += left
            if not left:
                self._known[waiting.pop().index] = self._polynomial(part)
        return self._known[node.index]

    def _varies(self, node: Node) -> bool:
        return bool(node.axes >> self.position & 1)

    def _polynomial(self, node: Node) -> Polynomial | None:
        if not self._varies(node):
            return [node]
        if node.op == "axis":
            return [self.graph.constant(0), self.graph.constant(1)]
        if node.op not in ("add", "sub", "mul", "div"):
            return None
        left, right = (self._known[a.index] for a in node.args)
        if left is None or right is None or len(left) + len(right) > MOST:
            return None
        if node.op == "mul":
            return self._product(left, right)
        if node.op == "div":
            return [self.graph.apply("div", a, right[0]) for a in left] if len(right) == 1 else None
        return self._added(node.op, left, right)

    def _added(self, op: str, left: Polynomial, right: Polynomial) -> Polynomial:
        zero = self.graph.constant(0)
        return [self.graph.apply(op, a, b) for a, b in itertools.zip_longest(left, right, fillvalue=zero)]

    def _product(self, left: Polynomial, right: Polynomial) -> Polynomial:
        made: list[list[Any]] = [[] for _ in range(len(left) + len(right) - 1)]
        for (i, a), (j, b) in itertools.product(enumerate(left), enumerate(right)):
            made[i + j].append(self.graph.apply("mul", a, b))
        return [self.graph.chain("add", terms) for terms in made]
