"""Domains in two pieces: on either side of a decision the program is another one, and holds under conditions of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symcost.costs.table import Conditions
from symcost.formulas.conditions import Compare, condition
from symcost.tracing.domain.evidence import Evidence
from symcost.tracing.evidence.guard import Guard

BESIDE = {"<=": 0, ">=": 0, "==": 0, "!=": 1, ">": 1, "<": -1}
"""What is added to one side of a comparison to meet it."""


@dataclass
class Pieces(Conditions):
    """The conditions of ``there`` where a guard holds, and those of ``elsewhere`` where it does not."""

    guard: Guard
    there: Any
    elsewhere: Any

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the symbols."""
        return tuple(dict.fromkeys((*self.there.symbols, *self.elsewhere.symbols)))

    @property
    def notes(self) -> list[str]:
        """Remarks of both."""
        return list(dict.fromkeys((*self.there.notes, *self.elsewhere.notes)))

    @property
    def bounds_at_one(self) -> frozenset[str]:
        """Metrics that are upper bounds where a size is 1."""
        return self.there.bounds_at_one | self.elsewhere.bounds_at_one

    @property
    def evidence(self) -> dict[str, Evidence]:
        """What stands behind each symbol: the weaker of both."""
        here, there = self.there.evidence, self.elsewhere.evidence
        return {name: here[name].weaker(there[name]) if {name} <= {*here} & {*there} else {**here, **there}[name]
                for name in self.symbols}  # fmt: skip

    def at(self, point: Mapping[str, int]) -> Any:
        """The conditions that count at a point, or nothing while its side is not known."""
        if not self.guard.symbols <= set(point):
            return None
        return self.there if self.guard.holds(point) else self.elsewhere

    def problem(self, point: Mapping[str, int]) -> str | None:
        """Why a point is outside, or nothing; while its side is not known both must object."""
        side = self.at(point)
        if side is not None:
            return side.problem(point)
        first, second = self.there.problem(point), self.elsewhere.problem(point)
        return first if first and second else None

    def conditions(self) -> list[str]:
        """Every condition as one comparison, those of one side with a neutral value on the other."""
        ours, others = self._apart()
        common = [text for text in self.there.conditions() if text in self.elsewhere.conditions()]
        asked = f"{self.guard}"
        return [
            *common,
            *(_where(text, f"{asked}", holds=True) for text in ours),
            *(_where(text, asked, holds=False) for text in others),
        ]

    def _apart(self) -> tuple[list[str], list[str]]:
        """Conditions of one side alone, without what says which side it is."""
        here, there = self.there.conditions(), self.elsewhere.conditions()
        sides = {str(self.guard), str(self.guard.denied)}
        ours = [text for text in here if text not in there and text not in sides]
        return ours, [text for text in there if text not in here and text not in sides]

    def __str__(self) -> str:
        ours, others = self._apart()
        common = [text for text in self.there.conditions() if text in self.elsewhere.conditions()]
        parts = [f"{', '.join(self.symbols)} positive integers", *common]
        parts += [f"where {self.guard}: {', '.join(ours)}"] if ours else []
        parts += [f"where {self.guard.denied}: {', '.join(others)}"] if others else []
        if self.bounds_at_one:
            parts.append(f"where a size is 1, {', '.join(sorted(self.bounds_at_one))} are upper bounds")
        return "; ".join([*parts, *self.notes])


def _where(text: str, guard: str, holds: bool) -> str:
    """A comparison that counts on one side of a guard: on the other its left side is a value that meets it."""
    read, asked = condition(text), condition(guard)
    assert isinstance(read, Compare) and isinstance(asked, Compare)
    neutral = f"({read.right}) + {BESIDE[read.op]}" if BESIDE[read.op] else str(read.right)
    there, elsewhere = (str(read.left), neutral) if holds else (neutral, str(read.left))
    return f"Piecewise(({there}, {_relation(asked)}), ({elsewhere}, True)) {read.op} {read.right}"


def _relation(asked: Compare) -> str:
    """A comparison as a Piecewise has it."""
    sides = f"{asked.left}, {asked.right}"
    return {"==": f"Eq({sides})", "!=": f"Ne({sides})"}.get(asked.op, f"{asked.left} {asked.op} {asked.right}")
