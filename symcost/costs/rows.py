"""The rows of a cost table: operations with their costs under each convention, and exact sums of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symcost.costs.conventions import published
from symcost.costs.cost import CONVENTIONS, FULL, METRICS, TEXTBOOK, ZERO, Cost, Count, check_convention
from symcost.errors import LiftError
from symcost.reading.choices import AnyConvention, Convention
from symcost.reading.given import checked

Shape = tuple[Count, ...]


@dataclass(frozen=True)
class Withdrawn:
    """In the place of a cost that must not be used: the error for whoever asks for it."""

    why: str

    def map(self, function: Callable[[Any], Any]) -> Withdrawn:
        """Itself: there is no number in it."""
        return self


@dataclass(frozen=True, kw_only=True)
class Row:
    """One operation of a module: its cost under each convention, per execution, and how often it runs.

    ``times`` is the trip count of the loops around it (and of repeated blocks); ``xla_times`` how often XLA's
    analysis counts it. ``source`` says who counted: a rule, a layer, a probe of the compiler, the user's own estimate.
    ``dtype`` is the number type of the result, or of what the row declares (a parameter, state, an input), ``in_dtypes``
    those of the operands: as traced, empty where nobody says. ``written`` marks state to which the program gives
    another value.

    >>> Row(path="fc", op="linear", cost=Cost(macs=6, flops=12), times=3).under("full").flops
    36
    """

    path: str
    op: str
    cost: Cost = ZERO
    textbook: Cost = ZERO
    xla: Cost | Withdrawn = ZERO
    times: Count = 1
    xla_times: Count = 1
    ins: tuple[Shape, ...] = ()
    out: Shape = ()
    phase: str = "forward"
    source: str = "rule"
    bound: bool = False
    dtype: str = ""
    in_dtypes: tuple[str, ...] = ()
    written: bool = False

    def map(self, function: Callable[[Any], Any], cost: Callable[[Any], Any] | None = None) -> Row:
        """The row with ``function`` applied to every number; ``cost`` to whole costs, unless to each of their numbers."""
        costs = cost or (lambda whole: whole.map(function))
        return replace(
            self, cost=costs(self.cost), textbook=costs(self.textbook), xla=costs(self.xla), times=function(self.times),
            xla_times=function(self.xla_times), out=tuple(map(function, self.out)),
            ins=tuple(tuple(map(function, shape)) for shape in self.ins))  # fmt: skip

    def under(self, convention: Convention) -> Cost:
        """The row's whole cost under a convention, repetitions included."""
        per, times = self.per_execution(convention)
        return per if isinstance(times, int) and times == 1 else per * times

    def per_execution(self, convention: Convention) -> tuple[Cost, Count]:
        """The cost of one execution and the number of executions, under a convention.

        Raises :class:`symcost.LiftError` where the row's figures under ``"xla"`` are withdrawn.
        """
        match check_convention(convention):
            case "textbook":
                return self.textbook, self.times
            case "xla":
                if isinstance(self.xla, Withdrawn):
                    raise LiftError(self.xla.why)
                return self.xla, self.xla_times
        return self.cost, self.times


def running(rows: Sequence[Row]) -> list[int]:
    """A number of every row by which they stand as they run: what declares parameters and inputs, listed first, stands last.

    Declarations are listed by name: they do not settle the order of modules.
    """
    return [index + len(rows) if row.source == "input" else index for index, row in enumerate(rows)]


def _exact_sum(parts: Counter[Any]) -> Count:
    """Sum of ``value * number`` with plain integers apart, so that sympy merges each distinct term once."""
    whole = sum(v * k for v, k in parts.items() if isinstance(v, int))
    rest = [v * k for v, k in parts.items() if not isinstance(v, int)]
    return sympy.Add(*(sympy.expand(term) for term in rest), whole) if rest else whole


@dataclass(frozen=True)
class Group:
    """Rows that belong together, and their sum."""

    name: str
    rows: tuple[Row, ...]

    @checked
    def total(self, convention: AnyConvention = FULL) -> Cost:
        """Sum of the rows under a convention, a published one too."""
        if convention in CONVENTIONS:
            return total(self.rows, convention)
        return published(convention).total(self.total(TEXTBOOK), self.total(FULL), self.rows)


def total(
    rows: Iterable[Row], convention: Convention = FULL, add: Callable[[Counter[Any]], Count] = _exact_sum
) -> Cost:
    """Exact sum of rows under a convention; equal terms are merged before ``add`` makes one number of them."""
    parts: dict[str, Counter[Any]] = {metric: Counter() for metric in METRICS}
    distinct: Counter[tuple[Cost, Any]] = Counter(row.per_execution(convention) for row in rows)
    for (cost, times), number in distinct.items():
        for metric, value in cost.items():
            if not (isinstance(value, int) and value == 0):
                parts[metric][value * times] += number
    return Cost(**{metric: add(counted) for metric, counted in parts.items()})
