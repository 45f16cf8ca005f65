"""Cost tables: rows in execution order, their totals, groups and values at a point."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import sympy

from symcost.conventions import published
from symcost.cost import CONVENTIONS, FULL, METRICS, TEXTBOOK, XLA, ZERO, Cost, check_convention
from symcost.errors import DomainError
from symcost.symbols import Evaluator, integer

Shape = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One operation of a module: its cost under each convention, per execution, and how often it runs.

    ``times`` is the trip count of the loops around it (and of repeated blocks); ``xla_times`` how often XLA's
    analysis counts it. ``source`` says who counted: a rule, a layer, a probe of the compiler, the user's own estimate.
    ``dtype`` is the number type of the result, or of what the row declares (a parameter, state, an input), ``in_dtypes``
    those of the operands: as traced, empty where nobody says. ``written`` marks state to which the program gives
    another value.
    """

    path: str
    op: str
    cost: Cost = ZERO
    textbook: Cost = ZERO
    xla: Cost = ZERO
    times: Any = 1
    xla_times: Any = 1
    ins: tuple[Shape, ...] = ()
    out: Shape = ()
    phase: str = "forward"
    source: str = "rule"
    bound: bool = False
    dtype: str = ""
    in_dtypes: tuple[str, ...] = ()
    written: bool = False

    def under(self, convention: str) -> Cost:
        """The row's whole cost under a convention, repetitions included."""
        per, times = self.per_execution(convention)
        return per if isinstance(times, int) and times == 1 else per * times

    def per_execution(self, convention: str) -> tuple[Cost, Any]:
        """The cost of one execution and the number of executions, under a convention."""
        match check_convention(convention):
            case "textbook":
                return self.textbook, self.times
            case "xla":
                return self.xla, self.xla_times
        return self.cost, self.times


def _exact_sum(parts: Counter[Any]) -> Any:
    """Sum of ``value * number`` with plain integers apart, so that sympy merges each distinct term once."""
    whole = sum(v * k for v, k in parts.items() if isinstance(v, int))
    rest = [v * k for v, k in parts.items() if not isinstance(v, int)]
    return sympy.Add(*(sympy.expand(term) for term in rest), whole) if rest else whole


@dataclass(frozen=True)
class Group:
    """Rows that belong together, and their sum."""

    name: str
    rows: tuple[Row, ...]

    def total(self, convention: str = FULL) -> Cost:
        """Sum of the rows under a convention, a published one too."""
        if convention not in CONVENTIONS:
            return published(convention).total(self.total(TEXTBOOK), self.total(FULL), self.rows)
        return total(self.rows, convention)


def total(rows: Iterable[Row], convention: str = FULL) -> Cost:
    """Exact sum of rows under a convention; equal terms are merged before they are added."""
    parts: dict[str, Counter[Any]] = {metric: Counter() for metric in METRICS}
    distinct: Counter[tuple[Cost, Any]] = Counter(row.per_execution(convention) for row in rows)
    for (cost, times), number in distinct.items():
        for metric, value in cost.items():
            if not (isinstance(value, int) and value == 0):
                parts[metric][value * times] += number
    return Cost(**{metric: _exact_sum(counted) for metric, counted in parts.items()})


class Conditions(ABC):
    """Where a closed form holds."""

    @abstractmethod
    def problem(self, point: Mapping[str, int]) -> str | None:
        """Why a point is outside, or nothing."""

    def check(self, point: Mapping[str, int]) -> None:
        """Raise :class:`DomainError` when a point is outside."""
        problem = self.problem(point)
        if problem:
            raise DomainError(problem)


class CostTable:
    """Rows with totals; the face that layers and traced models share.

    >>> row = Row(path="fc", op="linear", cost=Cost(macs=6, flops=12), textbook=Cost(macs=6, flops=12))
    >>> CostTable([row, row]).macs
    12
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = tuple(rows)
        self._totals: dict[str, Cost] = {}

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows, in execution order."""
        return self._rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def total(self, convention: str = FULL) -> Cost:
        """Sum of all rows under ``"textbook"``, ``"full"`` or ``"xla"``, or as a published convention has it."""
        if convention not in CONVENTIONS:
            return published(convention).total(self.total(TEXTBOOK), self.total(FULL), self.rows)
        if convention not in self._totals:
            self._totals[convention] = total(self.rows, convention)
        return self._totals[convention]

    @property
    def params(self) -> Any:
        """#Parameters, bias and norm included."""
        return self.total(FULL).params

    @property
    def state(self) -> Any:
        """Elements that the model keeps between calls beside its parameters: moving averages, caches."""
        return self.total(FULL).state

    @property
    def macs(self) -> Any:
        """Multiply-accumulates, padding included."""
        return self.total(FULL).macs

    @property
    def ops(self) -> Any:
        """OPs of the lectures: two for each MAC, nothing else."""
        return self.total(TEXTBOOK).ops

    @property
    def flops(self) -> Any:
        """FLOPs under ``full``: two per MAC and every elementwise and reduction operation."""
        return self.total(FULL).flops

    @property
    def transcendentals(self) -> Any:
        """Evaluations of exp, log, tanh, rsqrt, ... under ``full``."""
        return self.total(FULL).transcendentals

    @property
    def activations(self) -> Any:
        """#Activations under ``textbook``: the input and the results of materialising operations."""
        return self.total(TEXTBOOK).activations

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Names of the symbols in any total."""
        found: set[str] = set()
        for convention in (TEXTBOOK, FULL, XLA):
            for value in (number for _, number in self.total(convention).items()):
                found |= {str(s) for s in getattr(value, "free_symbols", ())}
        return tuple(sorted(found))

    def groups(self, key: Callable[[Row], str]) -> list[Group]:
        """Rows grouped by ``key``, in order of first appearance."""
        grouped: dict[str, list[Row]] = {}
        for row in self.rows:
            grouped.setdefault(key(row), []).append(row)
        return [Group(name, tuple(rows)) for name, rows in grouped.items()]

    def by_path(self, depth: int | None = None) -> list[Group]:
        """One group per module path, cut to ``depth`` parts."""
        return self.groups(lambda row: "/".join(row.path.split("/")[:depth]) if row.path else "")

    def by_op(self) -> list[Group]:
        """One group per operation."""
        return self.groups(lambda row: row.op)

    def by_phase(self) -> list[Group]:
        """One group per phase: forward, backward, recompute."""
        return self.groups(lambda row: row.phase)

    def check_point(self, point: Mapping[str, int]) -> dict[str, int]:
        """The point in Python's integers; an unknown symbol and a value that is no positive integer are errors."""
        found = {}
        for name, value in point.items():
            if name not in self.symbols:
                known = ", ".join(self.symbols) or "none"
                raise DomainError(f"unknown symbol {name!r}: the symbols here are {known}")
            whole = integer(value)
            if whole is None or whole < 1:
                raise DomainError(f"{name}={value!r} is outside the domain: {name} must be a positive integer")
            found[name] = whole
        return found

    def subs(self, **point: int) -> CostTable:
        """The table at a point: exact integers where every symbol of a number is given."""
        return Substituted(self, self.check_point(point))

    def compile(self, *names: str) -> Any:
        """The totals as one fast callable on arrays, exact at every point: all that is shown, or the named ones.

        The call takes a column or an integer for every symbol and gives arrays by name; see
        :class:`symcost.sweep.columns.Columns`, which also has the formulas on real numbers for JAX's gradients.

        >>> import symcost as sc
        >>> d, L = sc.symbols("d L")
        >>> costs = sc.table(sc.Repeat(sc.Linear(c_o=d), L), (1, d))
        >>> costs.compile("params")(d=[8, 16], L=3)["params"].tolist()
        [216, 816]
        """
        from symcost.sweep.columns import columns_of

        return columns_of(self, names or None)

    def explain(self, **point: int) -> str:
        """What it costs and why, in words; with a value for every symbol, in numbers."""
        from symcost.report.explain import explain

        return explain(self, **point)

    def plot(self, kind: str = "memory", on: Any = None, dtype: str | None = None, *, at: Mapping[str, int] | None = None,
             batch: str = "n", model: str = "roofline", file: Any = None) -> Any:  # fmt: skip
        """A picture: ``memory``, ``roofline``, ``latency`` or ``energy``; see :mod:`symcost.report.plots`."""
        from symcost.report.plots import plot

        return plot(self, kind, on, dtype, at=at, batch=batch, model=model, file=file)

    def save(self, path: str | Path) -> None:
        """Write the table with its certificate and domain to a JSON file, whole or not at all; ``sc.load`` reads it.

        The keys are documented in :mod:`symcost.report.json`.
        """
        from symcost.report.json import save

        save(self, Path(path))

    def __str__(self) -> str:
        from symcost.report import text

        return text.render(self)

    def _repr_html_(self) -> str:
        from symcost.report import notebook

        return notebook.html(self)

    def _repr_latex_(self) -> str:
        from symcost.report import latex

        return latex.totals(self)


class Substituted(CostTable):
    """A table with values for some symbols; totals are evaluated from the total formulas, rows when asked for."""

    def __init__(self, table: CostTable, point: Mapping[str, int]) -> None:
        super().__init__(())
        self.table, self.point = table, dict(point)
        self._evaluate = Evaluator(self.point)

    def value(self, expression: Any) -> Any:
        """An expression at the point: an integer, or what is left of it when symbols remain."""
        if isinstance(expression, int):
            return expression
        left = {str(s) for s in expression.free_symbols} - set(self.point)
        if left:
            return expression.xreplace(
                {s: self.point[str(s)] for s in expression.free_symbols if str(s) in self.point}
            ).doit()
        return self._evaluate(expression)

    @cached_property
    def _rows_at(self) -> tuple[Row, ...]:
        seen: dict[int, Cost] = {}

        def at(cost: Cost) -> Cost:
            if id(cost) not in seen:
                seen[id(cost)] = cost.map(self.value)
            return seen[id(cost)]

        return tuple(
            replace(row, cost=at(row.cost), textbook=at(row.textbook), xla=at(row.xla), times=self.value(row.times),
                    xla_times=self.value(row.xla_times), out=tuple(self.value(d) for d in row.out),
                    ins=tuple(tuple(self.value(d) for d in shape) for shape in row.ins))
            for row in self.table.rows
        )  # fmt: skip

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows at the point."""
        return self._rows_at

    def total(self, convention: str = FULL) -> Cost:
        """The total formulas at the point."""
        if convention not in self._totals:
            self._totals[convention] = self.table.total(convention).map(self.value)
        return self._totals[convention]
