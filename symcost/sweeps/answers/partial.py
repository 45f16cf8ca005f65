"""What a part of a search found, and how parts are joined: in any order, with the same result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from symcost.sweeps.answers.front import Archive

Kind = Literal["count", "top", "front", "all"]


def _empty() -> Any:
    return np.empty(0, dtype=np.int64)


@dataclass
class Partial:
    """Number of feasible configurations, and the survivors: their numbers in the order of evaluation, and objectives.

    ``count`` is exact for the kinds "count" and "all"; the others cut what cannot be among the survivors. ``visited`` is
    the number of steps that were looked at one by one.
    """

    kind: Kind
    count: int = 0
    visited: int = 0
    index: Any = field(default_factory=_empty)
    objectives: list[Any] = field(default_factory=list)
    overflow: bool = False

    @classmethod
    def empty(cls, kind: Kind, objectives: int) -> Partial:
        """Nothing yet, of so many objectives."""
        return cls(kind, objectives=[_empty() for _ in range(objectives)])

    def add(self, index: Any, objectives: list[Any], keep: int) -> None:
        """Join further survivors, which were counted already."""
        both = self.joined(Partial(self.kind, index=index, objectives=objectives), keep)
        self.index, self.objectives, self.overflow = both.index, both.objectives, both.overflow

    def beyond(self, first: int) -> Partial:
        """Without the survivors numbered below ``first``: what was known before, and seeds."""
        own = self.index >= first
        self.index, self.objectives = self.index[own], [column[own] for column in self.objectives]
        return self

    def joined(self, other: Partial, keep: int) -> Partial:
        """Both together: the ``keep`` best, the front of both, or all of both as long as they are few."""
        both = Partial(self.kind, self.count + other.count, self.visited + other.visited)
        both.overflow = self.overflow or other.overflow
        index = np.concatenate((self.index, other.index))
        if not self.objectives or not other.objectives:
            objectives = self.objectives or other.objectives
        else:
            objectives = [np.concatenate(pair) for pair in zip(self.objectives, other.objectives, strict=True)]
        if self.kind == "front" and objectives:
            own = self if self.objectives else other
            archive = Archive.of(own.index, own.objectives)
            if own is self and other.objectives:
                archive.add(other.index, other.objectives)
            index, objectives = archive.index, archive.objectives
        elif self.kind == "top" and objectives:
            best = smallest(index, objectives[0], keep)
            index, objectives = index[best], [column[best] for column in objectives]
        elif self.kind == "all":
            both.overflow |= len(index) > keep
            if both.overflow:
                index, objectives = _empty(), [column[:0] for column in objectives]
            order = np.argsort(index)
            index, objectives = index[order], [column[order] for column in objectives]
        both.index, both.objectives = index, objectives
        return both


def smallest(index: Any, values: Any, keep: int) -> Any:
    """Places of the ``keep`` smallest values, equal ones in the order of their numbers."""
    by_number = np.argsort(index, kind="stable")
    return by_number[np.argsort(values[by_number], kind="stable")][:keep]
