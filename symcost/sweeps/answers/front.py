"""Pareto fronts, exact: which points are as small as possible in two to four integers at once?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

MOST_OBJECTIVES = 4
PAIRS = 1 << 20
"""At most so many pairs of points are compared at a time."""
BLOCK = 512
FINE = 1 << 10
"""Cells of each objective on the Z-curve."""


def front(objectives: Sequence[Any]) -> Any:
    """Indices of the points that no other dominates, of equal points the first; in order of the first objective.

    A point dominates another if it is nowhere larger and somewhere smaller.

    >>> front([np.array([3, 1, 2, 2, 1]), np.array([1, 3, 2, 4, 3])])
    array([1, 2, 0])
    """
    ranks = [_ranks(column) for column in objectives]
    if not len(ranks[0]):
        return np.empty(0, dtype=np.int64)
    order = np.lexsort((np.arange(len(ranks[0])), *ranks[::-1]))
    if len(ranks) == 1:
        return order[:1]
    sorted_ranks = [rank[order] for rank in ranks]
    if len(ranks) == 2:
        second = sorted_ranks[1]
        before = np.concatenate(([second[0] + 1], np.minimum.accumulate(second)[:-1]))
        return order[second < before]
    return order[_undominated(np.stack(sorted_ranks, axis=1))]


def _firsts(numbers: Any, objectives: Sequence[Any]) -> Any:
    """Places of the front, of equal points that of the smallest number."""
    first = np.argsort(numbers, kind="stable")
    return first[front([column[first] for column in objectives])]


def _ranks(column: Any) -> Any:
    """Places in the order of the values: small integers that compare as the values do, whatever their kind."""
    return np.unique(column, return_inverse=True)[1].reshape(-1)


def near(objectives: Sequence[Any]) -> Any:
    """An order of points in which near ones follow each other: along a Z-curve through their ranks."""
    code = np.zeros(len(objectives[0]), dtype=np.int64)
    for place, column in enumerate(objectives):
        cell = _ranks(column) * FINE // max(1, len(column))
        for bit in range(FINE.bit_length() - 1):
            code |= (cell >> bit & 1) << (bit * len(objectives) + place)
    return np.argsort(code, kind="stable")


def _covered(points: Any, known: Any) -> Any:
    """Whether some row of ``known`` is nowhere larger, for each row of ``points``."""
    covered = np.zeros(len(points), dtype=bool)
    step = max(1, PAIRS // max(1, len(known)))
    for start in range(0, len(points), step):
        some = points[start : start + step]
        below = known[None, :, 0] <= some[:, 0, None]
        for place in range(1, known.shape[1]):
            below &= known[None, :, place] <= some[:, place, None]
        covered[start : start + step] = below.any(axis=1)
    return covered


def _undominated(points: Any) -> Any:
    """Places of the front of points in lexicographic order: a row is dominated by, or equal to, earlier ones only."""
    front = np.empty(0, dtype=np.int64)
    for start in range(0, len(points), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(points)))
        rows = rows[~_covered(points[rows], points[front])]
        own = points[rows]
        below = np.logical_and.reduce([own[None, :, k] <= own[:, k, None] for k in range(own.shape[1])])
        front = np.concatenate((front, rows[~np.tril(below, -1).any(axis=1)]))
    return front


class Archive:
    """The front of what was seen so far, asked whether a point is dominated by it or equal to one of it."""

    SAMPLE = 64

    def __init__(self, count: int) -> None:
        self.count = count
        self.index = np.empty(0, dtype=np.int64)
        self.objectives: list[Any] = [np.empty(0, dtype=np.int64) for _ in range(count)]

    @classmethod
    def of(cls, index: Any, objectives: Sequence[Any]) -> Archive:
        """An archive of what is a front already."""
        archive = cls(len(objectives))
        archive.index, archive.objectives = index, list(objectives)
        return archive

    def add(self, index: Any, objectives: Sequence[Any]) -> None:
        """Join further points; of equal points that of the smaller index stays."""
        joined = [np.concatenate((a, b)) for a, b in zip(self.objectives, objectives, strict=True)]
        numbers = np.concatenate((self.index, index))
        kept = self._kept(numbers, joined) if len(self.index) and self.count > 2 else _firsts(numbers, joined)
        self.index, self.objectives = numbers[kept], [column[kept] for column in joined]

    def _kept(self, numbers: Any, joined: Sequence[Any]) -> Any:
        """Places of the new front: old points do not dominate each other, so that only what is new is compared."""
        ranks = np.stack([_ranks(column) for column in joined], axis=1)
        order = np.lexsort((numbers, *ranks.T[::-1]))
        different = np.ones(len(order), dtype=bool)
        different[1:] = (ranks[order[1:]] != ranks[order[:-1]]).any(axis=1)
        group = np.cumsum(different) - 1
        old = np.zeros(group[-1] + 1, dtype=bool)
        old[group[order < len(self.index)]] = True
        places = order[different]  # of equal points the one of the smallest index
        points = ranks[places]
        known, fresh = np.flatnonzero(old), np.flatnonzero(~old)
        for some in (known[:: max(1, len(known) // self.SAMPLE)], known):  # most are dominated by a few
            fresh = fresh[~_covered(points[fresh], points[some])]
        fresh = fresh[_undominated(points[fresh])]
        known = known[~_covered(points[known], points[fresh])] if len(fresh) else known
        return places[np.sort(np.concatenate((known, fresh)))]

    def covers(self, points: Sequence[Any]) -> Any:
        """Whether each point is dominated by, or equal to, one of the archive.

        For three objectives and more, as far as a sample of the archive shows it.
        """
        if not len(self.index):
            return np.zeros(np.broadcast_shapes(*(p.shape for p in points)), dtype=bool)
        if self.count <= 2:
            place = np.searchsorted(self.objectives[0], points[0], side="right") - 1
            if self.count == 1:
                return place >= 0
            return (place >= 0) & (self.objectives[1][np.maximum(place, 0)] <= points[1])
        step = max(1, len(self.index) // self.SAMPLE)
        covered: Any = np.zeros(np.broadcast_shapes(*(p.shape for p in points)), dtype=bool)
        for row in range(0, len(self.index), step):
            below = [column[row] <= p for column, p in zip(self.objectives, points, strict=True)]
            covered = covered | np.logical_and.reduce(np.broadcast_arrays(*below))
        return covered
