"""Branch and bound in numpy: whole batches of outer combinations at once, one level after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from symcost.formulas.graph.graph import LOGICAL, Node
from symcost.sweeps.answers.front import Archive
from symcost.sweeps.answers.partial import Kind, Partial
from symcost.sweeps.engines.nest import Nest
from symcost.sweeps.numbers.arithmetic import mapped
from symcost.sweeps.numbers.program import GraphProgram, held, plain

BATCH = 1 << 16


@dataclass
class Batch:
    """Outer combinations that are still open: their numbers, and the nodes that deeper levels read."""

    index: Any
    values: dict[int, Any]

    def __len__(self) -> int:
        return len(self.index)

    def part(self, start: int, stop: int) -> Batch:
        """Some of them."""
        return Batch(
            self.index[start:stop], {k: mapped(lambda words: words[start:stop], v) for k, v in self.values.items()}
        )


class Frontier:
    """A search in numpy; ``keep`` bounds the survivors of kinds "top" and "all"."""

    def __init__(self, nest: Nest, kind: Kind, keep: int) -> None:
        self.nest, self.keep = nest, keep
        self.kind: Kind = kind
        plan, given = nest.plan, ()
        self.programs: list[GraphProgram] = []
        for level in nest.levels:
            self.programs.append(GraphProgram(plan.tiers, (*level.tests, *level.carried), given))
            given = level.carried

    def run(self, start: int, stop: int, known: Partial | None = None) -> Partial:
        """Search the steps ``start`` to ``stop`` of the first level; ``known`` is what steps before them gave."""
        return _FrontRun(self, known).all(start, stop)


class _FrontRun:
    """One search on its way."""

    def __init__(self, frontier: Frontier, known: Partial | None) -> None:
        self.nest, self.keep = frontier.nest, frontier.keep
        self.kind: Kind = frontier.kind
        self.programs = frontier.programs
        self.found = Partial.empty(self.kind, len(self.nest.plan.objectives))
        if known is not None and self.kind in ("top", "front"):
            self.found.index, self.found.objectives = known.index, known.objectives

    def all(self, start: int, stop: int) -> Partial:
        """Go through the steps of the first level."""
        with np.errstate(over="ignore"):  # the words of two-word numbers wrap on purpose
            for first in range(start, stop, BATCH):
                self._level(0, Batch(np.zeros(1, dtype=np.int64), {}), np.arange(first, min(first + BATCH, stop)))
        return self.found.beyond(start * self.nest.levels[0].below)

    def _level(self, depth: int, batch: Batch, steps: Any) -> None:
        """Go through the steps of one level for every open combination."""
        if self.found.overflow:
            return
        level, program, plan = self.nest.levels[depth], self.programs[depth], self.nest.plan
        values = {index: mapped(lambda v: v.reshape(-1, 1), value) for index, value in batch.values.items()}
        weight = level.length
        for position in level.axes:
            weight //= plan.graph.lengths[position]
            axis = plan.graph.axis(position)
            chosen = axis_values(plan.values[position], steps // weight % plan.graph.lengths[position])
            values[axis.index] = mapped(lambda v: v.reshape(1, -1), held(chosen, plan.tiers(axis)))
        computed = program.run(np, values, 2)
        shape = (len(batch), len(steps))
        index = batch.index[:, None] + steps[None, :] * level.below
        self.found.visited += math.prod(shape)
        certain, open_ = (np.broadcast_to(computed[n.index], shape) for n in (level.certain, level.possible))
        lows = [_plain(computed, node, plan.tiers(node), shape) for node in level.lows]
        last = depth + 1 == len(self.nest.levels)
        if self.kind == "count" or last:
            done = open_ if last else certain
            self.found.count += int(done.sum()) * level.below
            if self.kind == "count":
                open_ = open_ & ~certain
        if last:
            self._leaves(index, open_, lows)
            return
        keep = open_ & ~self._hopeless(lows) if lows else open_
        rows, places = np.nonzero(keep)
        if len(rows):
            carried = {n.index: mapped(lambda v: _gathered(v, rows, places), computed[n.index]) for n in level.carried}
            self._deeper(depth + 1, Batch(index[rows, places], carried))

    def _bisected(self, depth: int, batch: Batch, rises: bool) -> None:
        """Count along the last axis where feasibility turns once: the place is sought for all combinations at once."""
        level, program, plan = self.nest.levels[depth], self.programs[depth], self.nest.plan
        (position,) = level.axes
        axis = plan.graph.axis(position)
        low, high = np.zeros(len(batch), dtype=np.int64), np.full(len(batch), level.length, dtype=np.int64)
        while (seeking := low < high).any():
            middle = (low + high) // 2
            chosen = axis_values(plan.values[position], np.minimum(middle, level.length - 1))
            computed = program.run(np, {**batch.values, axis.index: held(chosen, plan.tiers(axis))}, 1)
            before = np.broadcast_to(computed[level.possible.index], low.shape) != rises
            low = np.where(seeking & before, middle + 1, low)
            high = np.where(seeking & ~before, middle, high)
            self.found.visited += int(seeking.sum())
        self.found.count += int((level.length - low if rises else low).sum())

    def _deeper(self, depth: int, batch: Batch) -> None:
        if self.kind == "count" and depth + 1 == len(self.nest.levels) and self.nest.turning is not None:
            self._bisected(depth, batch, self.nest.turning > 0)
            return
        length = self.nest.levels[depth].length
        for first in range(0, length, BATCH):
            steps = np.arange(first, min(first + BATCH, length))
            width = max(1, BATCH // len(steps))
            for start in range(0, len(batch), width):
                self._level(depth, batch.part(start, start + width), steps)

    def _hopeless(self, lows: list[Any]) -> Any:
        """Where nothing below can be among the survivors."""
        if self.kind == "front":
            return Archive.of(self.found.index, self.found.objectives).covers(lows)
        if self.kind == "top" and len(self.found.index) >= self.keep:
            return lows[0] >= self.found.objectives[0][-1]
        return np.zeros(lows[0].shape, dtype=bool)

    def _leaves(self, index: Any, feasible: Any, values: list[Any]) -> None:
        if self.kind == "count":
            return
        keep = feasible & ~self._hopeless(values) if values else feasible
        chosen, columns = index[keep], [column[keep] for column in values]
        if len(chosen):
            self.found.add(chosen, columns, self.keep)


def axis_values(values: Any, places: Any) -> Any:
    """Values of an axis at places: a range is computed, not spread out."""
    if isinstance(values, range):
        return values.start + places * values.step
    return np.asarray(values, dtype=np.int64)[places]


def _gathered(value: Any, rows: Any, places: Any) -> Any:
    return value[rows if value.shape[0] > 1 else 0, places if value.shape[1] > 1 else 0] if value.size > 1 else np.full(
        len(rows), value[0, 0])  # fmt: skip


def _plain(values: dict[int, Any], node: Node, kind: int, shape: tuple[int, int]) -> Any:
    value = values[node.index]
    return np.broadcast_to(value if node.op in LOGICAL else plain(value, kind), shape)
