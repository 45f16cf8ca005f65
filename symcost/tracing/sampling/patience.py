"""How long a model that raises is tried: by what the trials take, which is the same on every machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from symcost.tracing.program.capture import PointError
from symcost.tracing.program.paths import Effort
from symcost.tracing.sampling.refusal import pattern, reason

A_FEW, FEW, MANY = 6, 12, 40
"""Tries before a model is given up, and such that are enough where every one raises the same error."""
PATIENCE, SHORT_PATIENCE = 45_000, 12_000
"""What traces may take in all (:class:`Effort`); the short one where every try raises alike."""
TOLD = 3
"""So many times a model raises the same before it is asked at points that have nothing in common."""
UNLIKE = ((3, 96), (12, 144), (5, 40))
"""A parameter's value and an input's at those points: what is raised at all of them is no matter of sizes."""


@dataclass
class Patience:
    """Whether to go on, after so many ``tries`` and what raised in them."""

    effort: Effort
    failures: list[PointError] = field(default_factory=list)
    tries: int = 0
    mistake: str = ""
    """What the model raises whatever the sizes, where that is known."""

    def over(self) -> bool:
        """Whether it is given up after one more try."""
        self.tries += 1
        spent, kinds = self.effort.spent, {reason(failure) for failure in self.failures}
        similar, alike = len({pattern(failure) for failure in self.failures}) == 1, len(kinds) == 1
        return (self.tries >= FEW and spent > (SHORT_PATIENCE if similar else PATIENCE)) or (
            alike and (self.tries >= MANY or (self.tries >= A_FEW and spent > SHORT_PATIENCE))
        )

    def mistaken(self, points: Iterable[dict[str, int]], works: Callable[[dict[str, int]], Any]) -> bool:
        """Whether the model makes a plain mistake: the same ``TypeError`` so often, and at points that have nothing in common."""
        if self.tries != TOLD or len(self.failures) < TOLD or not isinstance(self.failures[0].__cause__, TypeError):
            return False
        first = reason(self.failures[0])
        for point in points:
            try:
                works(point)
            except PointError as problem:
                if reason(problem) == first:
                    self.failures.append(problem)
                    continue
            return False
        self.mistake = first
        return True

    @property
    def telling(self) -> list[PointError]:
        """The failures that tell why it was given up."""
        return [failure for failure in self.failures if self.mistake in ("", reason(failure))]
