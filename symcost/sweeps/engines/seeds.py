"""What is known before a search begins: good configurations found by chance, whose only use is to cut what is worse.

A seed stands for the points that are strictly worse than it, so that ties are broken as they would be without it:
objectives are integers, and one more in any of them is strictly worse. Seeds never appear in a result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symcost.sweeps.answers.front import front
from symcost.sweeps.answers.partial import Kind, Partial, smallest
from symcost.sweeps.engines.points import evaluated
from symcost.sweeps.numbers.program import GraphProgram
from symcost.sweeps.question.problem import SearchPlan

POINTS = 1 << 13
ROUNDS = 12
MOST = 512
SEED = -1
"""The number of a seed among configurations."""


def seeds(plan: SearchPlan, kind: Kind, keep: int) -> Partial | None:
    """Seeds of a search for the best or for a front, or nothing where there is no use for them."""
    if kind not in ("top", "front") or keep > MOST or any(o.op == "div" for o in plan.objectives):
        return None
    random = np.random.default_rng(0)
    lengths = np.array(plan.graph.lengths)
    program = GraphProgram(plan.tiers, (plan.feasible, *plan.objectives))
    survivors, values = (
        np.empty((0, len(lengths)), dtype=np.int64),
        [np.empty(0, dtype=np.int64) for _ in plan.objectives],
    )
    for turn in range(ROUNDS):
        places = _proposed(random, lengths, survivors if turn % 2 else survivors[:0])
        feasible, columns = evaluated(plan, program, places)
        survivors = np.concatenate((survivors, places[feasible]))
        values = [np.concatenate((a, b[feasible])) for a, b in zip(values, columns, strict=True)]
        survivors, first = np.unique(survivors, axis=0, return_index=True)
        values = [column[first] for column in values]
        best = front(values)[:MOST] if kind == "front" else smallest(np.arange(len(survivors)), values[0], keep)
        survivors, values = survivors[best], [column[best] for column in values]
    if not len(survivors) or (kind == "top" and len(survivors) < keep):
        return None
    if kind == "top":
        columns = [np.full(keep, values[0][-1] + 1)]
    else:
        worse = [[column + (place == own) for own, column in enumerate(values)] for place in range(len(values))]
        columns = [np.concatenate([shifted[own] for shifted in worse]) for own in range(len(values))]
        least = front(columns)
        columns = [column[least] for column in columns]
    return Partial(kind, index=np.full(len(columns[0]), SEED), objectives=columns)


def _proposed(random: Any, lengths: Any, known: Any) -> Any:
    """Random places on the axes, or known ones moved a little."""
    if not len(known):
        return random.integers(0, lengths, size=(POINTS, len(lengths)))
    base = known[random.integers(0, len(known), POINTS)]
    step = random.integers(-2, 3, size=base.shape) * (random.random(base.shape) < 0.3)
    return np.clip(base + step, 0, lengths - 1)
