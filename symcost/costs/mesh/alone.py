"""Where axes of a mesh have one device: the form of the longer axes holds there without the collectives along them.

Which axes those may be was compared with fresh programs when the model was traced: :class:`Alone` keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import sympy

from symcost.costs.evidence import Decision, Evidence
from symcost.costs.mesh.collectives import Collective
from symcost.costs.mesh.plan import Plan
from symcost.costs.parts import Conditions
from symcost.formulas.conditions import Condition, condition, holds, names
from symcost.formulas.symbols import Evaluator, symbol


@dataclass(frozen=True)
class Alone:
    """Symbols of a mesh that may be 1 together, and where the form then holds: every condition, and what was tried."""

    symbols: tuple[str, ...]
    conditions: tuple[str, ...]

    def rows(self, plan: Plan, every: tuple[Collective, ...]) -> Iterator[Collective]:
        """The collectives that are left, along the axes that have more than one device.

        >>> plan = Plan({"data": "X", "model": "Y"})
        >>> both = [Collective(kind="all-reduce", axes=axes, size=size, bytes=8)
        ...         for axes, size in ((("data",), symbol("X")), (("data", "model"), symbol("X") * symbol("Y")))]
        >>> [(each.axes, each.size) for each in Alone(("X",), ()).rows(plan, both)]
        [(('model',), Y)]
        """
        one = {symbol(name): sympy.S.One for name in self.symbols}
        for row in every:
            left = row.map(lambda number: number if isinstance(number, int) else number.xreplace(one))
            if left.size != 1:
                axes = tuple(axis for axis in row.axes if plan.mesh[axis] not in self.symbols)
                yield replace(left, axes=axes)


@dataclass(repr=False)
class WhereAlone(Conditions):
    """The conditions of a form where axes have one device; ``longer`` are those where they have more."""

    longer: Conditions
    alone: Alone

    def __post_init__(self) -> None:
        self.symbols, self.notes = self.longer.symbols, list(self.longer.notes)
        self.bounds_at_one, self.spans = self.longer.bounds_at_one, self.longer.spans
        self.evidence: Mapping[str, Evidence] = self.longer.evidence

    @cached_property
    def _conditions(self) -> list[tuple[set[str], Condition]]:
        return [(names(found), found) for found in map(condition, self.conditions())]

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Those of the longer axes' form."""
        return self.longer.decisions

    def problem(self, point: Mapping[str, int]) -> str | None:
        """Why a point is outside, or nothing; conditions on symbols without a value are not checked."""
        if problem := self.longer.untried(point):
            return problem
        for used, stated in self._conditions:
            if used <= set(point) and not holds(stated, Evaluator(point)):
                at = ", ".join(f"{name}={point[name]}" for name in sorted(used))
                return f"{at} is outside the domain: {stated.text} must hold"
        return None

    def conditions(self) -> list[str]:
        """That the axes have one device, then every other condition."""
        return [*(f"{name} == 1" for name in self.alone.symbols), *self.alone.conditions]

    def untried(self, point: Mapping[str, int]) -> str | None:
        """Why nothing is known of a point that meets every other condition, or nothing."""
        return self.longer.untried(point)

    def __str__(self) -> str:
        return "; ".join((f"{', '.join(self.symbols)} positive integers", *self.conditions(), *self.notes))
