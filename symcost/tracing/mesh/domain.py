"""Where the numbers of one device hold: inside the model's own domain, where axes divide, and as far as it was tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symcost.costs.evidence import Decision, Evidence, beyond
from symcost.costs.parts import Conditions
from symcost.formulas.among import all_in_words
from symcost.tracing.domain.domain import Domain

ASKED = "XLA's partitioner was asked up to there"


@dataclass(repr=False)
class OnDevice(Conditions):
    """The conditions of a model's own form, if it has any, and those of its cut over a mesh."""

    own: Conditions | None
    cut: Domain
    tried: Mapping[str, int]
    """The largest size of every symbol that XLA's partitioner was asked for."""
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.symbols = self.cut.symbols
        self.evidence: Mapping[str, Evidence] = self.cut.evidence
        self.bounds_at_one = self.own.bounds_at_one if self.own is not None else frozenset()
        self.spans = self.own.spans if self.own is not None else {}

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What the model decides by its sizes."""
        return () if self.own is None else self.own.decisions

    @property
    def uncomputed(self) -> tuple[Decision, ...]:
        """Those that no condition can say."""
        return () if self.own is None else self.own.uncomputed

    def decides_otherwise(self, point: Mapping[str, int]) -> bool:
        """Whether one of those falls otherwise at a point."""
        return self.own is not None and self.own.decides_otherwise(point)

    def problem(self, point: Mapping[str, int]) -> str | None:
        """Why a point is outside the model's domain or the cut's, or nothing."""
        if self.own is not None:
            inside = {name: value for name, value in point.items() if name in self.own.symbols}
            if (problem := self.own.problem(inside)) is not None:
                return problem
        return self.cut.problem(point) or self.untried(point)

    def conditions(self) -> list[str]:
        """The model's conditions, then those of the cut."""
        own = [] if self.own is None else self.own.conditions()
        tried = (f"{name} <= {most}" for name, most in self.tried.items())
        return list(dict.fromkeys((*own, *self.cut.conditions(), *tried)))

    def untried(self, point: Mapping[str, int]) -> str | None:
        """Why nothing is known of a point that meets every other condition: it lies beyond what was tried."""
        for name, most in self.tried.items():
            if point.get(name, 0) > most:
                value = point[name]
                cure = f'trace further with upto={{"{name}": {value}}}, or with numbers for all sizes and axes'
                return beyond(name, value, most, ASKED, cure)
        return None

    def __str__(self) -> str:
        return "; ".join(
            (f"{', '.join(self.symbols)} positive integers", *all_in_words(self.conditions()), *self.notes)
        )
