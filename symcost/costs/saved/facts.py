"""Where a saved table's forms hold, as its file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from symcost.costs.evidence import Decision, Evidence, beyond
from symcost.costs.parts import Conditions
from symcost.errors import DomainError
from symcost.formulas.among import in_words
from symcost.formulas.conditions import Condition, condition, holds, names
from symcost.formulas.symbols import Evaluator


@dataclass(frozen=True, repr=False)
class SavedDomain(Conditions):
    """The conditions of a file; ``at`` are the values that the table had when it was saved."""

    text: str
    symbols: tuple[str, ...]
    texts: tuple[str, ...]
    notes: list[str]
    bounds_at_one: frozenset[str]
    spans: dict[str, int]
    at: tuple[tuple[str, int], ...] = ()
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()  # type: ignore[assignment]
    uncomputed: tuple[Decision, ...] = ()  # type: ignore[assignment]

    @cached_property
    def _conditions(self) -> list[tuple[set[str], Condition]]:
        """Those that are not met already at the point of the table, and say more than how far was tried."""
        tried = {f"{name} <= {each.most}" for name, each in self.evidence.items() if each.most is not None}
        read = [condition(text) for text in self.texts if text not in tried]
        return [(names(found), found) for found in read if not names(found) <= set(dict(self.at))]

    def conditions(self) -> list[str]:
        """Every condition beyond being positive integers."""
        return list(self.texts)

    def problem(self, point: Mapping[str, int]) -> str | None:
        """Why a point is outside, or nothing; conditions on symbols without a value are not checked."""
        whole = {**dict(self.at), **point}
        for symbols, stated in self._conditions:
            if symbols <= set(whole) and not holds(stated, Evaluator(whole)):
                at = ", ".join(f"{name}={whole[name]}" for name in sorted(symbols))
                return f"{at} is outside the domain: {in_words(stated.text)} must hold"
        for decision in self.uncomputed:
            if set(decision.symbols) <= set(whole) and not set(decision.symbols) <= set(dict(self.at)):
                at = ", ".join(f"{name}={whole[name]}" for name in decision.symbols)
                return (f"{at} may be outside the domain: {decision} computes with floats, which a file has no place for; trace "
                        "the model with sc.trace and ask there")  # fmt: skip
        return self.untried(point)

    def decides_otherwise(self, point: Mapping[str, int]) -> bool:
        """What a file cannot compute it does not know."""
        if problem := self.problem(point):
            raise DomainError(problem)
        return False

    def untried(self, point: Mapping[str, int]) -> str | None:
        """Why nothing is known of a point that meets every other condition: it lies beyond what was tried; or nothing."""
        for name, each in self.evidence.items():
            if each.most is not None and point.get(name, 0) > each.most and name not in dict(self.at):
                value, why = point[name], each.why.partition(": ")[2]
                cure = f'trace the model further with upto={{"{name}": {value}}}, and save that'
                return beyond(name, value, each.most, why, cure)
        return None

    def __str__(self) -> str:
        return self.text
