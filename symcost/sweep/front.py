"""Pareto fronts, exact: which points are as small as possible in two to four integers at once?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

MOST_OBJECTIVES = 4


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
    return order[_pivots(np.stack(sorted_ranks, axis=1))]


def _ranks(column: Any) -> Any:
    """Places in the order of the values: small integers that compare as the values do, whatever their kind."""
    return np.unique(column, return_inverse=True)[1].reshape(-1)


def _pivots(points: Any) -> Any:
    """Of points in lexicographic order: the first is on the front; what it dominates goes; the next one, ..."""
    left, found = np.arange(len(points)), []
    while len(left):
        found.append(left[0])
        left = left[(points[left] < points[left[0]]).any(axis=1)]
    return np.array(found, dtype=np.int64)


class Archive:
    """The front of what was seen so far, asked whether a point is dominated by it or equal to one of it."""

    SAMPLE = 64

    def __init__(self, count: int) -> None:
        self.count = count
        self.index = np.empty(0, dtype=np.int64)
        self.objectives: list[Any] = [np.empty(0, dtype=np.int64) for _ in range(count)]

    def add(self, index: Any, objectives: Sequence[Any]) -> None:
        """Join further points; of equal points that of the smaller index stays."""
        joined = [np.concatenate((a, b)) for a, b in zip(self.objectives, objectives, strict=True)]
        numbers = np.concatenate((self.index, index))
        first = np.argsort(numbers, kind="stable")
        kept = first[front([column[first] for column in joined])]
        self.index, self.objectives = numbers[kept], [column[kept] for column in joined]

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
