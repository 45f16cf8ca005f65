"""Where a saved table's forms hold and how they were checked, as its file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from symcost.costs.parts import Conditions
from symcost.costs.said import NOT_ASKED, Said
from symcost.formulas.conditions import Condition, condition, holds, names
from symcost.formulas.symbols import Evaluator


@dataclass(frozen=True)
class SavedDomain(Conditions):
    """The conditions of a file; ``at`` are the values that the table had when it was saved."""

    text: str
    symbols: tuple[str, ...]
    texts: tuple[str, ...]
    notes: list[str]
    bounds_at_one: frozenset[str]
    spans: dict[str, int]
    at: tuple[tuple[str, int], ...] = ()

    @cached_property
    def _conditions(self) -> list[tuple[set[str], Condition]]:
        read = [condition(text) for text in self.texts]
        return [(names(found), found) for found in read]

    def conditions(self) -> list[str]:
        """Every condition beyond being positive integers."""
        return list(self.texts)

    def problem(self, point: Mapping[str, int]) -> str | None:
        """Why a point is outside, or nothing; conditions on symbols without a value are not checked."""
        whole = {**dict(self.at), **point}
        for symbols, stated in self._conditions:
            if symbols <= set(whole) and not holds(stated, Evaluator(whole)):
                at = ", ".join(f"{name}={whole[name]}" for name in sorted(symbols))
                return f"{at} is outside the domain: {stated.text} must hold"
        return None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class SavedCertificate:
    """How the forms were checked when they were derived."""

    text: str
    traces: int
    fitted: tuple[dict[str, int], ...]
    held_out: tuple[dict[str, int], ...]
    numbers: int
    programs: int
    xla: Said = NOT_ASKED

    def __str__(self) -> str:
        return self.text
