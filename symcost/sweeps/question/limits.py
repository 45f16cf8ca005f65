"""Where a closed form holds, on columns: a configuration outside is an error, as it is at a point, and no number."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symcost.costs.parts import Conditions
from symcost.errors import DomainError, SpaceError
from symcost.estimate.questions.planned import domain_of
from symcost.formulas.conditions import Condition, condition, holds, names, put
from symcost.formulas.graph.graph import Node
from symcost.formulas.graph.lower import Lowering
from symcost.formulas.graph.ranges import Ranges
from symcost.formulas.symbols import Evaluator
from symcost.reading.numerals import assigned
from symcost.sweeps.question.uncomputed import MOST_POINTS

CURE = "give points of the domain, or compile with checked=False to get the formulas' values everywhere"


@dataclass(frozen=True)
class Limits:
    """The domain of a table with values at ``point``, in the ``symbols`` that are left."""

    domain: Conditions
    point: Mapping[str, int]
    symbols: tuple[str, ...]
    conditions: tuple[Condition, ...]

    @classmethod
    def of(cls, costs: Any, planned: bool = False) -> Limits | None:
        """The limits of a table, ``planned`` of a device of its plan; None where it says nothing of where its formulas hold."""
        domain = domain_of(costs, planned)
        if domain is None:
            return None
        conditions = map(condition, domain.conditions())
        there = (put(each, costs.point) for each in conditions)
        return cls(domain, dict(costs.point), tuple(costs.symbols), tuple(each for each in there if names(each)))

    def nodes(self, lower: Lowering, ranges: Ranges, given: Collection[str]) -> list[Node]:
        """A logical node for each condition on these symbols that their smallest and largest values do not settle."""
        asked = [each for each in self.conditions if names(each) <= {*given}]
        return [node for node in map(lower.holds, asked) if not ranges(node)[0]]

    def refuse(self, row: int, columns: Mapping[str, Any]) -> None:
        """Raise for a configuration outside."""
        at = _at(columns, row)
        known = {**self.point, **at}
        problem = self.domain.problem(known) if set(self.domain.symbols) <= set(known) else None
        if problem is None:
            failing = " and ".join(text for text in self.domain.conditions() if not _holds(text, known))
            told = assigned(at)
            problem = f"{told} is outside the domain: {failing} must hold"
        raise DomainError(f"row {row}: {problem}; {CURE}")

    def ask(self, columns: Mapping[str, Any], length: int) -> None:
        """Raise where the program was seen to decide otherwise by what no condition says, such as roundings of floats.

        Raises:
            DomainError: for the first such configuration.
            SpaceError: where there are too many to be asked one by one.
        """
        for decision in self.domain.uncomputed:
            own = [name for name in decision.symbols if name in columns]
            if not own or not set(decision.symbols) <= {*columns, *self.point}:
                continue
            table = np.stack([np.broadcast_to(columns[name], length) for name in own])
            different, first = np.unique(table, axis=1, return_index=True)
            if different.shape[1] > MOST_POINTS:
                raise SpaceError(
                    f"{decision} computes with floats, which is asked point by point at up to {MOST_POINTS:,} points: "
                    f"{', '.join(own)} have {different.shape[1]:,}; give fewer of them at a time, or compile with checked=False"
                )
            fixed = {name: self.point[name] for name in decision.symbols if name not in own}
            wrong = [
                int(first[i]) for i, values in enumerate(different.T.tolist())
                if self.domain.decides_otherwise({**fixed, **dict(zip(own, values, strict=True))})
            ]  # fmt: skip
            if wrong:
                self.refuse(min(wrong), columns)


def _at(columns: Mapping[str, Any], row: int) -> dict[str, int]:
    return {name: int(column[row if len(column) > 1 else 0]) for name, column in columns.items()}


def _holds(text: str, point: Mapping[str, int]) -> bool:
    """Whether a condition holds, as far as the point has values for it."""
    read = condition(text)
    return not names(read) <= set(point) or holds(read, Evaluator(point))
