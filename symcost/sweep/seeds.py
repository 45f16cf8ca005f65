"""What is known before a search begins: good configurations found by chance, whose only use is to cut what is worse.

A seed stands for the points that are strictly worse than it, so that ties are broken as they would be without it:
objectives are integers, and one more in any of them is strictly worse. Seeds never appear in a result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symcost.sweep.front import front
from symcost.sweep.frontier import axis_values
from symcost.sweep.partial import Kind, Partial, smallest
from symcost.sweep.problem import Plan
from symcost.sweep.program import Program, held, plain

POINTS = 1 << 13
ROUNDS = 12
MOST = 512
SEED = -1
"""The number of a seed among configurations."""


def seeds(plan: Plan, kind: Kind, keep: int) -> Partial | None:
    """Seeds of a search for the best or for a front, or nothing where there is no use for them."""
    if kind not in ("top", "front") or keep > MOST or any(o.op == "div" for o in plan.objectives):
        return None
    random = np.random.default_rng(0)
    lengths = np.array(plan.graph.lengths)
    program = Program(plan.tiers, (plan.feasible, *plan.objectives))
    kept, values = np.empty((0, len(lengths)), dtype=np.int64), [np.empty(0, dtype=np.int64) for _ in plan.objectives]
    for turn in range(ROUNDS):
        places = _proposed(random, lengths, kept if turn % 2 else kept[:0])
        feasible, columns = _evaluated(plan, program, places)
        kept = np.concatenate((kept, places[feasible]))
        values = [np.concatenate((a, b[feasible])) for a, b in zip(values, columns, strict=True)]
        kept, first = np.unique(kept, axis=0, return_index=True)
        values = [column[first] for column in values]
        best = front(values)[:MOST] if kind == "front" else smallest(np.arange(len(kept)), values[0], keep)
        kept, values = kept[best], [column[best] for column in values]
    if not len(kept) or (kind == "top" and len(kept) < keep):
        return None
    worse = [[column + (place == own) for own, column in enumerate(values)] for place in range(len(values))]
    columns = [np.concatenate([shifted[own] for shifted in worse]) for own in range(len(values))]
    return Partial(kind, index=np.full(len(columns[0]), SEED), objectives=columns)


def _proposed(random: Any, lengths: Any, known: Any) -> Any:
    """Random places on the axes, or known ones moved a little."""
    if not len(known):
        return random.integers(0, lengths, size=(POINTS, len(lengths)))
    base = known[random.integers(0, len(known), POINTS)]
    step = random.integers(-2, 3, size=base.shape) * (random.random(base.shape) < 0.3)
    return np.clip(base + step, 0, lengths - 1)


def _evaluated(plan: Plan, program: Program, places: Any) -> tuple[Any, list[Any]]:
    values = {}
    for position in range(places.shape[1]):
        axis = plan.graph.axis(position)
        values[axis.index] = held(axis_values(plan.values[position], places[:, position]), plan.tiers(axis))
    with np.errstate(over="ignore"):
        made = program.run(np, values, 1)
    shape = (len(places),)
    feasible = np.broadcast_to(made[plan.feasible.index], shape)
    return feasible, [np.broadcast_to(plain(made[o.index], plan.tiers(o)), shape) for o in plan.objectives]
