"""Columns whose values repeat: what depends on few of them is computed once for each combination, and looked up.

A column of a million widths has perhaps thirty different ones; most of a network's formula is about such columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symcost.sweep.graph import Graph, Node, cone, positions
from symcost.sweep.program import Program, boundary, held
from symcost.sweep.tiers import Tiers

SHARE, ROWS = 8, 1024
"""A table has at most this share of the number of configurations as rows, and no more than stay in the cache."""


class Tables:
    """Evaluates roots on parts of columns, with tables over the columns that are worth one."""

    def __init__(self, graph: Graph, tiers: Tiers, roots: Sequence[Node], columns: Sequence[Any], length: int) -> None:
        self.columns, self.tiers = columns, tiers
        self.least = [int(column.min()) for column in columns]
        self.spans = [int(column.max()) - low + 1 for column, low in zip(columns, self.least, strict=True)]
        self.chosen = self._chosen(roots, min(length // SHARE, ROWS))
        self.looked_up = boundary(roots, self.chosen)
        self.program = Program(tiers, roots, self.looked_up)
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
            column = np.arange(self.least[position], self.least[position] + self.spans[position])
            axis = graph.axis(position)
            values[axis.index] = _map(lambda v, s=shape: v.reshape(s), held(column, self.tiers(axis)))
        made = Program(self.tiers, self.looked_up).run(np, values, len(places))
        shape = [self.spans[position] for position in places]
        return {n.index: _map(lambda v: np.broadcast_to(v, shape).ravel(), made[n.index]) for n in self.looked_up}

    def at(self, start: int, stop: int) -> dict[int, Any]:
        """Values of the roots at some configurations."""
        parts = [column if len(column) == 1 else column[start:stop] for column in self.columns]
        row: Any = np.zeros(1, dtype=np.int64)
        for position in positions(self.chosen):
            row = row * self.spans[position] + (parts[position] - self.least[position])
        values = {index: _map(lambda v: v[row], table) for index, table in self.tables.items()}
        for index, axis in self.axes.items():
            values[index] = held(parts[axis.value], self.tiers(axis))
        return self.program.run(np, values, 1)


def _map(function: Any, value: Any) -> Any:
    return tuple(function(v) for v in value) if isinstance(value, tuple) else function(value)
