"""Columns whose values repeat: what depends on few of them is computed once for each combination, and looked up.

A column of a million widths has perhaps thirty different ones; most of a network's formula is about such columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symcost.formulas.graph.graph import Graph, Node, cone, positions
from symcost.sweeps.numbers.arithmetic import mapped
from symcost.sweeps.numbers.program import GraphProgram, boundary, held
from symcost.sweeps.numbers.tiers import Tiers

SHARE, ROWS = 8, 1 << 13
"""A table has at most this share of the number of configurations as rows, and no more than stay in the cache."""
SPREAD = 1 << 16
"""Different values are found in columns whose values are no farther apart; so many at a time."""


class Levels:
    """The different values of a column, and the place of each among them."""

    def __init__(self, column: Any) -> None:
        self.least = int(column.min())
        self.number = int(column.max()) - self.least + 1
        """How many there are; all between the ends where these are far apart."""
        self._found: Any = None
        if self.number <= SPREAD:
            there = np.zeros(self.number, dtype=bool)
            for start in range(0, len(column), SPREAD):
                there[column[start : start + SPREAD] - self.least] = True
            self._found = np.flatnonzero(there) + self.least
            self._places = np.cumsum(there) - 1
            self.number = len(self._found)

    @property
    def values(self) -> Any:
        """The values, in their order."""
        return np.arange(self.least, self.least + self.number) if self._found is None else self._found

    def places(self, part: Any) -> Any:
        """Places of values of the column."""
        return part - self.least if self._found is None else self._places.take(part - self.least)


class Tables:
    """Evaluates roots on parts of columns, with tables over the columns that are worth one."""

    def __init__(self, graph: Graph, tiers: Tiers, roots: Sequence[Node], columns: Sequence[Any], length: int) -> None:
        self.columns, self.tiers = columns, tiers
        self.levels = [Levels(column) for column in columns]
        self.spans = [levels.number for levels in self.levels]
        self.chosen = self._chosen(roots, min(length // SHARE, ROWS))
        self.looked_up = boundary(roots, self.chosen)
        self.program = GraphProgram(tiers, roots, self.looked_up)
        self.axes = {axis.index: axis for axis in self.program.axes}
        self.tables = self._filled(graph) if self.looked_up else {}

    def _chosen(self, roots: Sequence[Node], most: int) -> int:
        """Columns, one after the other, that leave the fewest nodes to be computed for every configuration."""
        masks = [node.axes for node in cone(roots) if node.axes]
        chosen, size = 0, 1
        while True:
            best, gain = -1, 0
            for position, span in enumerate(self.spans):
                more = chosen | 1 << position
                inside = sum(not mask & ~more for mask in masks) - sum(not mask & ~chosen for mask in masks)
                if more != chosen and size * span <= most and inside > gain:
                    best, gain = position, inside
            if best < 0:
                return chosen
            chosen, size = chosen | 1 << best, size * self.spans[best]

    def _filled(self, graph: Graph) -> dict[int, Any]:
        """Values of the nodes to be looked up, over all combinations of the chosen columns."""
        places, values = list(positions(self.chosen)), {}
        for rank, position in enumerate(places):
            shape = [1] * len(places)
            shape[rank] = -1
            axis = graph.axis(position)
            column = held(self.levels[position].values, self.tiers(axis))
            values[axis.index] = mapped(lambda v, s=shape: v.reshape(s), column)
        computed = GraphProgram(self.tiers, self.looked_up).run(np, values, len(places))
        shape = [self.spans[position] for position in places]
        return {n.index: mapped(lambda v: np.broadcast_to(v, shape).ravel(), computed[n.index]) for n in self.looked_up}

    def at(self, start: int, stop: int) -> dict[int, Any]:
        """Values of the roots at some configurations."""
        parts = [column if len(column) == 1 else column[start:stop] for column in self.columns]
        row: Any = np.zeros(1, dtype=np.int64)
        for position in positions(self.chosen):
            row = row * self.spans[position] + self.levels[position].places(parts[position])
        values = {index: mapped(lambda v: v.take(row), table) for index, table in self.tables.items()}
        for index, axis in self.axes.items():
            values[index] = held(parts[axis.value], self.tiers(axis))
        return self.program.run(np, values, 1)
