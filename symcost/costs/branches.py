"""A table whose formulas decide by sizes, as one table for each way to decide: there is no ``Piecewise`` in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sympy
from sympy.core.relational import Relational

from symcost.costs.cost import Cost
from symcost.costs.parts import Counts
from symcost.costs.rows import Row
from symcost.costs.table import CostTable
from symcost.reading.choices import AnyConvention

MOST = 6
"""Ways to decide that are told apart; where there are more, formulas stay as they are."""


@dataclass(frozen=True)
class Branch:
    """Comparisons that hold, or do not."""

    known: Mapping[Any, bool]

    @cached_property
    def _truths(self) -> dict[Any, Any]:
        """The comparisons and their opposites, as sympy has what is true."""
        known = {asked: sympy.true if holds else sympy.false for asked, holds in self.known.items()}
        return {**known, **{sympy.Not(asked): sympy.Not(truth) for asked, truth in known.items()}}

    def __str__(self) -> str:
        return " and ".join(_written(asked if holds else sympy.Not(asked)) for asked, holds in self.known.items())

    def value(self, formula: Any) -> Any:
        """A formula where they are so."""
        if isinstance(formula, int) or not formula.has(sympy.Piecewise):
            return formula
        found = formula.xreplace(self._truths)
        return int(found) if found.is_Integer else found

    def table(self, costs: CostTable) -> CostTable:
        """A table where they are so, without rows that never run there."""
        parts, counts = costs.parts, _Decided(costs, self)
        peak, kept = parts.peak, parts.residuals
        return CostTable.of(counts, replace(
            parts, symbols=costs.symbols, withdrawn=costs.withdrawn,
            peak=peak and (lambda rule, unit: self.value(peak(rule, unit))),
            residuals=kept and (lambda: self.value(kept())),
        ))  # fmt: skip


class _Decided(Counts):
    """The counts of a table on one branch."""

    def __init__(self, costs: CostTable, branch: Branch) -> None:
        super().__init__()
        self.costs, self.branch = costs, branch

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that run there."""
        there = (row.map(self.branch.value) for row in self.costs.rows)
        return tuple(row for row in there if row.times != 0)

    def counted(self, convention: AnyConvention) -> Cost:
        """The total's formulas there."""
        return self.costs.total(convention).map(self.branch.value)

    published = counted


def branches(values: Iterable[Any]) -> list[Branch]:
    """The ways in which formulas decide, in their order; none where they decide nothing, or in too many ways.

    >>> from symcost.formulas.symbols import parse
    >>> [str(way) for way in branches([parse("Piecewise((n, n <= 4096), (4096, True))")])]
    ['n <= 4096', 'n > 4096']
    """
    decided: list[Mapping[Any, bool]] = [{}]
    for value in values:
        decided = [longer for known in decided for longer in _ways(Branch(known).value(value), known)]
        if len(decided) > MOST:
            return []
    return [Branch(known) for known in decided] if len(decided) > 1 else []


def _ways(value: Any, known: Mapping[Any, bool]) -> Iterator[Mapping[Any, bool]]:
    """What must be known beside what is, so that a formula decides nothing."""
    pieces = [] if isinstance(value, int) else sorted(value.atoms(sympy.Piecewise), key=sympy.default_sort_key)
    asked = next((part for piece in pieces for part in _comparisons(piece)), None)
    if asked is None:
        yield known
        return
    for holds in (True, False):
        yield from _ways(Branch({asked: holds}).value(value), {**known, asked: holds})


def _comparisons(piece: Any) -> Iterator[Any]:
    for _, condition in piece.args:
        yield from sorted(condition.atoms(Relational), key=sympy.default_sort_key)


def _written(comparison: Any) -> str:
    return f"{comparison.lhs} {comparison.rel_op} {comparison.rhs}"
