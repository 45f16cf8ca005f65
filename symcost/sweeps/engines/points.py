"""Single configurations of a plan, by the places of their values on the axes or by their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from symcost.sweeps.engines.frontier import axis_values
from symcost.sweeps.numbers.program import GraphProgram, held, plain
from symcost.sweeps.question.problem import SearchPlan


def evaluated(plan: SearchPlan, program: GraphProgram, places: Any) -> tuple[Any, list[Any]]:
    """Whether configurations are feasible, and their objectives; ``places`` has a row for each."""
    values = {}
    for position in range(places.shape[1]):
        axis = plan.graph.axis(position)
        values[axis.index] = held(axis_values(plan.values[position], places[:, position]), plan.tiers(axis))
    with np.errstate(over="ignore"):
        computed = program.run(np, values, 1)
    shape = (len(places),)
    feasible = np.broadcast_to(computed[plan.feasible.index], shape)
    return feasible, [np.broadcast_to(plain(computed[o.index], plan.tiers(o)), shape) for o in plan.objectives]


def places_of(plan: SearchPlan, numbers: Any) -> Any:
    """Places on the axes of configurations by their numbers."""
    columns = []
    for length in reversed(plan.graph.lengths):
        numbers, place = np.divmod(numbers, length)
        columns.append(place)
    return np.stack(columns[::-1], axis=1)
