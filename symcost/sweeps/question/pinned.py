"""A front's problem with every axis where nothing is gained along it at one end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symcost.formulas.graph.monotone import Monotone, joined, turned
from symcost.sweeps.question.problem import Problem, SearchPlan


def pinned(problem: Problem) -> Problem:
    """The problem of a front with every axis at one end that cannot do better anywhere else.

    Smaller along an axis must be no worse in any objective and feasible wherever larger is (or the other way round):
    then some point of the front with the same objectives lies at that end.
    """
    plan = SearchPlan(problem)
    ends: dict[str, Sequence[int]] = {}
    for position, name in enumerate(plan.order):
        if len(problem.axes[name]) == 1:
            continue
        direction = Monotone(plan.graph, plan.ranges, position)
        better = [direction(objective) for objective in plan.objectives]
        allowed = turned(direction(plan.feasible), -1)
        places = joined(*better, allowed)
        if places is not None:
            ends[name] = (min(problem.axes[name]) if places >= 0 else max(problem.axes[name]),)
    return replace(problem, axes={**problem.axes, **ends}) if ends else problem
