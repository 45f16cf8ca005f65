"""Which way does a node move when one axis grows? Certified by how it is built, or by trying every value; else unknown."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from symcost.formulas.graph.graph import Node, cone
from symcost.formulas.graph.ranges import TABULATED, Ranges
from symcost.sweeps.question.problem import Plan, Problem

Direction = int | None
"""1: it never falls, -1: it never grows, 0: it stays, None: unknown."""


class Monotone:
    """Directions of nodes along one axis; a logical node grows from false to true."""

    def __init__(self, plan: Plan, position: int) -> None:
        self.ranges, self.position = plan.ranges, position
        self.values = sorted(plan.values[position])
        self.sorted_ranges: Ranges | None = None
        if len(self.values) <= TABULATED:
            self.sorted_ranges = Ranges([self.values if p == position else v for p, v in enumerate(plan.values)])
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
        if node.op == "axis":
            return 1
        return _RULES[node.op](self, node, [self._known[a.index] for a in node.args])

    def sign(self, node: Node) -> int:
        """1 where a node is never negative, -1 where never positive, 0 where neither is known."""
        low, high = self.ranges(node)
        return 1 if low >= 0 else -1 if high <= 0 else 0


def _tabulated(table: Sequence[Any]) -> Direction:
    rises = any(a < b for a, b in itertools.pairwise(table))
    falls = any(a > b for a, b in itertools.pairwise(table))
    return None if rises and falls else 1 if rises else -1 if falls else 0


def _joined(*directions: Direction) -> Direction:
    """What moves in all these directions at once."""
    if None in directions:
        return None
    found = {d for d in directions if d}
    return None if len(found) > 1 else next(iter(found), 0)


def _turned(direction: Direction, sign: int) -> Direction:
    """A direction after a product with something of that sign."""
    if direction == 0:
        return 0
    return None if direction is None or sign == 0 else direction * sign


def _mul(of: Monotone, node: Node, d: list[Direction]) -> Direction:
    (a, b), (da, db) = node.args, d
    return _joined(_turned(da, of.sign(b)), _turned(db, of.sign(a)))


def _division(of: Monotone, node: Node, d: list[Direction]) -> Direction:
    (a, b), (da, db) = node.args, d
    if of.ranges(b)[0] <= 0:
        return None
    return _joined(da, _turned(db, -of.sign(a)))


def _select(of: Monotone, node: Node, d: list[Direction]) -> Direction:
    return _joined(d[1], d[2]) if d[0] == 0 else None


def _same(of: Monotone, node: Node, d: list[Direction]) -> Direction:
    return _joined(*d)


_RULES: dict[str, Callable[[Monotone, Node, list[Direction]], Direction]] = {
    **dict.fromkeys(("add", "max", "min", "clog2", "flog2", "and", "or"), _same),
    "sub": lambda of, node, d: _joined(d[0], _turned(d[1], -1)),
    "mul": _mul,
    "floordiv": _division,
    "div": _division,
    "mod": lambda of, node, d: None,
    "le": lambda of, node, d: _joined(_turned(d[0], -1), d[1]),
    "lt": lambda of, node, d: _joined(_turned(d[0], -1), d[1]),
    "eq": lambda of, node, d: None,
    "not": lambda of, node, d: _turned(d[0], -1),
    "select": _select,
}


def pinned(problem: Problem) -> Problem:
    """The problem of a front with every axis at one end that cannot do better anywhere else.

    Smaller along an axis must be no worse in any objective and feasible wherever larger is (or the other way round):
    then some point of the front with the same objectives lies at that end.
    """
    plan = Plan(problem)
    ends: dict[str, Sequence[int]] = {}
    for position, name in enumerate(plan.order):
        if len(problem.axes[name]) == 1:
            continue
        direction = Monotone(plan, position)
        better = [direction(objective) for objective in plan.objectives]
        allowed = _turned(direction(plan.feasible), -1)
        found = _joined(*better, allowed)
        if found is not None:
            ends[name] = (min(problem.axes[name]) if found >= 0 else max(problem.axes[name]),)
    return replace(problem, axes={**problem.axes, **ends}) if ends else problem
