"""The nested loops of a search: at every level what is computed, what decides, and what the deeper levels need."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

from symcost.formulas.graph.graph import Node
from symcost.formulas.graph.monotone import Direction, Monotone
from symcost.sweeps.numbers.bounds import Bounds
from symcost.sweeps.numbers.program import boundary
from symcost.sweeps.question.problem import SearchPlan

TASKS = 256
"""The outermost axes are one level with about so many combinations: it is divided among workers."""
LONG = 64
"""A last axis of so many values is bisected where feasibility turns once along it; shorter ones are walked at once."""


@dataclass(frozen=True)
class Level:
    """One loop: its axes and length, tests on its nodes, and the nodes that deeper levels read.

    ``certain`` says that everything below is feasible, ``possible`` that something may be; ``lows`` are lower bounds of
    the objectives below; on the last level these are the exact values. ``below`` counts the configurations below one step.
    """

    axes: tuple[int, ...]
    length: int
    below: int
    certain: Node
    possible: Node
    lows: tuple[Node, ...]
    carried: tuple[Node, ...]

    @property
    def tests(self) -> tuple[Node, ...]:
        """Nodes that decide whether to go deeper."""
        return (self.certain, self.possible, *self.lows)


class Nest:
    """The loops of a plan, outermost first; the first level joins the outermost axes."""

    def __init__(self, plan: SearchPlan) -> None:
        self.plan = plan
        lengths = plan.graph.lengths
        joined = next((p for p in range(1, len(lengths)) if math.prod(lengths[:p]) >= TASKS), max(1, len(lengths) - 1))
        self.groups = [tuple(range(min(joined, len(lengths)))), *((p,) for p in range(joined, len(lengths)))]

    @property
    def outer(self) -> int:
        """Length of the first level."""
        return self.levels[0].length

    @cached_property
    def levels(self) -> list[Level]:
        """All levels."""
        plan, levels = self.plan, list[Level]()
        below, tests = 1, list[Node]()
        for depth in reversed(range(len(self.groups))):
            axes = self.groups[depth]
            fixed = sum(1 << position for group in self.groups[: depth + 1] for position in group)
            bounds = Bounds(plan.graph, plan.ranges, fixed)
            certain, possible = bounds(plan.feasible)
            lows = tuple(bounds(objective)[0] for objective in plan.objectives)
            length = math.prod(plan.graph.lengths[p] for p in axes)
            levels.append(Level(axes, length, below, certain, possible, lows, boundary(tests, fixed)))
            below, tests = below * length, [*levels[-1].tests, *tests]
        return levels[::-1]

    @cached_property
    def turning(self) -> Direction:
        """Which way feasibility turns along the last axis (1: to feasible), where bisecting that pays and is certain."""
        (*_, position), plan = self.groups[-1], self.plan
        values = plan.values[position]
        if len(self.groups) == 1 or len(values) < LONG or any(a >= b for a, b in itertools.pairwise(values)):
            return None
        return Monotone(plan.graph, plan.ranges, position)(plan.feasible)
