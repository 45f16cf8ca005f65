"""Where a saved table's forms hold and how they were checked, as its file says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from symcost.costs.parts import Conditions
from symcost.costs.said import NOT_ASKED, Said
from symcost.errors import ExpressionError
from symcost.formulas.symbols import Exact, evaluate, parse
from symcost.reading.numerals import short

_RELATION = re.compile(r" (==|!=|<=|>=) ")
_HOLDS: Mapping[str, Callable[[Exact, Exact], bool]] = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b,
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """``left relation right`` on two formulas, as domains print their conditions.

    >>> Condition.read("d % H == 0").holds({"d": 12, "H": 5})
    False
    """

    text: str
    left: Any
    relation: str
    right: Any

    @staticmethod
    def read(text: str) -> Condition:
        """The condition of a text, by the safe parser."""
        parts = _RELATION.split(text)
        if len(parts) != 3:
            raise ExpressionError(f"cannot read {short(text)} as a condition: write one comparison, as d % H == 0")
        return Condition(text, parse(parts[0]), parts[1], parse(parts[2]))

    @cached_property
    def symbols(self) -> frozenset[str]:
        """Names in it."""
        return frozenset(str(s) for s in self.left.free_symbols | self.right.free_symbols)

    def holds(self, at: Mapping[str, int]) -> bool:
        """Whether it holds at a point."""
        return _HOLDS[self.relation](evaluate(self.left, at), evaluate(self.right, at))


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
    def _conditions(self) -> list[Condition]:
        return [Condition.read(text) for text in self.texts]

    def conditions(self) -> list[str]:
        """Every condition beyond being positive integers."""
        return list(self.texts)

    def problem(self, point: Mapping[str, int]) -> str | None:
        """Why a point is outside, or nothing; conditions on symbols without a value are not checked."""
        whole = {**dict(self.at), **point}
        for condition in self._conditions:
            if condition.symbols <= set(whole) and not condition.holds(whole):
                at = ", ".join(f"{name}={whole[name]}" for name in sorted(condition.symbols))
                return f"{at} is outside the domain: {condition.text} must hold"
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
