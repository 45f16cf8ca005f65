"""A table whose formulas decide by sizes, as one table for each way to decide: there is no ``Piecewise`` in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import sympy
from sympy.core.relational import Relational

from symcost.costs.cost import Cost
from symcost.costs.parts import Counts
from symcost.costs.rows import Row
from symcost.costs.table import CostTable
from symcost.reading.choices import AnyConvention

MOST = 6
"""Ways to decide that are told apart; of more these are the first."""


@dataclass(frozen=True)
class Branch:
    """Comparisons that hold, or do not."""

    known: Mapping[Any, bool]

    @cached_property
    def _truths(self) -> dict[Any, Any]:
        """The comparisons and their opposites, as sympy has what is true."""
        known = {asked: sympy.true if holds else sympy.false for asked, holds in self.known.items()}
        return {**known, **{sympy.Not(asked): sympy.Not(truth) for asked, truth in known.items()}}

    @cached_property
    def _ranges(self) -> dict[Any, list[tuple[Any, Any]]]:
        """The least and the largest values of every symbol that is compared with numbers, of each comparison."""
        ranges: dict[Any, list[tuple[Any, Any]]] = {}
        for comparison in self._comparisons():
            if (limit := _limit(comparison)) is not None:
                ranges.setdefault(limit[0], []).append(limit[1:])
        return ranges

    def _comparisons(self) -> Iterator[Any]:
        return (asked if holds else sympy.Not(asked) for asked, holds in self.known.items())

    def _range(self, symbol: Any) -> tuple[Any, Any]:
        lows, highs = zip(*self._ranges[symbol], strict=True)
        return max(lows), min(highs)

    def __str__(self) -> str:
        return " and ".join(dict.fromkeys(map(self._told, self._comparisons())))

    def _told(self, comparison: Any) -> str:
        """A comparison, or all that is known of a symbol which several compare with numbers."""
        limit = _limit(comparison)
        if limit is None:
            return _written(comparison)
        low, high = self._range(limit[0])
        if low == high:
            return f"{limit[0]} = {low}"
        if len(self._ranges[limit[0]]) == 1:
            return _written(comparison)
        return " and ".join(
            [*([f"{limit[0]} >= {low}"] if low > 1 else []), *([f"{limit[0]} <= {high}"] if high.is_finite else [])]
        )

    def value(self, formula: Any) -> Any:
        """A formula where they are so."""
        if isinstance(formula, int) or not formula.has(sympy.Piecewise):
            return formula
        found = formula.xreplace({**self._truths, **self._implied(formula)})
        return int(found) if found.is_Integer else found

    def _implied(self, formula: Any) -> dict[Any, Any]:
        """What is true of other comparisons of the same symbols with numbers."""
        truths: dict[Any, Any] = {}
        for asked in formula.atoms(Relational) if self._ranges else ():
            if (limit := _limit(asked)) is not None and limit[0] in self._ranges:
                symbol, low, high = limit
                least, most = self._range(symbol)
                if low <= least and most <= high:
                    truths[asked] = sympy.true
                elif most < low or high < least:
                    truths[asked] = sympy.false
        return truths

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
    """The ways in which formulas decide, in their order, at most one more than ``MOST``; none where they decide nothing.

    >>> from symcost.formulas.symbols import parse
    >>> [str(way) for way in branches([parse("Piecewise((n, n <= 4096), (4096, True))")])]
    ['n <= 4096', 'n > 4096']
    >>> [str(way) for way in branches([parse("Piecewise((9, L >= 3), (Piecewise((4, L >= 2), (1, True)), True))")])]
    ['L >= 3', 'L = 2', 'L = 1']
    """
    decided = list(islice(_all_ways(list(values), {}), MOST + 1))
    return [Branch(known) for known in decided] if len(decided) > 1 else []


def _all_ways(values: Sequence[Any], known: Mapping[Any, bool]) -> Iterator[Mapping[Any, bool]]:
    """What must be known so that none of several formulas decides anything."""
    if not values:
        yield known
        return
    first, *others = values
    for longer in _ways(Branch(known).value(first), known):
        yield from _all_ways(others, longer)


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


def _limit(comparison: Any) -> tuple[Any, Any, Any] | None:
    """The symbol of a comparison with an integer, and its least and largest value there; symbols are positive integers."""
    left, right = comparison.args
    if right.is_Symbol and left.is_Integer:
        comparison, left, right = comparison.reversed, right, left
    if not (left.is_Symbol and right.is_Integer):
        return None
    least = {sympy.Ge: right, sympy.Gt: right + 1}.get(type(comparison))
    most = {sympy.Le: right, sympy.Lt: right - 1}.get(type(comparison))
    if least is None and most is None:
        return None
    return left, sympy.S.One if least is None else least, sympy.oo if most is None else most


def _written(comparison: Any) -> str:
    return f"{comparison.lhs} {comparison.rel_op} {comparison.rhs}"
