"""Formulas on columns of configurations: exact results, in chunks that stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from symcost.errors import SpaceError
from symcost.estimate.questions.names import Metrics
from symcost.estimate.questions.planned import is_planned
from symcost.estimate.questions.resolve import resolved
from symcost.formulas.graph.graph import Graph
from symcost.formulas.graph.lower import Lowering
from symcost.formulas.graph.ranges import Ranges, Span, Values
from symcost.formulas.symbols import parse, symbol
from symcost.sweeps.numbers.arithmetic import fractions
from symcost.sweeps.numbers.nearest import NearestColumn, parts_of
from symcost.sweeps.numbers.program import plain
from symcost.sweeps.numbers.tables import Tables
from symcost.sweeps.numbers.tiers import INT, NAMES, Tiers
from symcost.sweeps.question.dependents import dependents
from symcost.sweeps.question.limits import Limits
from symcost.sweeps.question.space import texts

CHUNK = 1 << 13
"""At most so many configurations at a time."""
LEAST, SHARE = 1 << 8, 16
"""Fewer than that at a time where the results are short: intermediates take about this share of their memory."""

FEW = 16
"""A column of so many values is bounded by each of them, a longer one by its ends."""


class CompiledFormulas:
    """A callable on arrays: exact values of formulas at every configuration.

    The kind of number of every intermediate is chosen from the smallest and largest value of each column, so nothing
    overflows or rounds; results are int64 where they fit, otherwise arrays of Python's integers (or fractions). With
    ``limits`` a configuration outside of them is an error, and nothing is told of any.

    >>> import symcost as sc
    >>> n, d = sc.symbols("n d")
    >>> costs = sc.table(sc.Linear(c_o=d), (n, d)).compile()
    >>> costs(n=1, d=[10, 10**10])["macs"]
    array([100, 100000000000000000000], dtype=object)
    """

    def __init__(
        self,
        shown: Mapping[str, Any],
        formulas: Mapping[str, Any],
        limits: Limits | None = None,
        nearest: Iterable[str] = (),
    ) -> None:
        self.shown, self.formulas, self.limits = dict(shown), dict(formulas), limits
        self.nearest = frozenset(nearest)
        """Names of formulas whose values are asked for as the float64 that is nearest to each."""
        free = {str(s) for f in [*shown.values(), *formulas.values()] for s in f.free_symbols}
        self.symbols = tuple(sorted(free - set(formulas)))
        """Names of the columns that a call needs."""
        self.also = () if limits is None else tuple(name for name in limits.symbols if name not in self.symbols)
        """Names of columns that a call may give too: only the limits are about them."""
        self.numbers: dict[str, str] = {}
        """By formula, the kind of number that the last call used."""

    @cached_property
    def _order(self) -> tuple[str, ...]:
        """Symbols from the one on which most of the formulas depend: what is looked up is about the first ones."""
        counted = dependents(self.shown.values(), self.formulas, self.symbols)
        return tuple(sorted(self.symbols, key=lambda name: (-counted[name], name)))

    @cached_property
    def _parts(self) -> dict[str, list[Any]]:
        """Of what is asked for as float64 the formulas whose maximum it is, in symbols of columns alone."""
        found = {}
        for name in self.shown:
            if name in self.nearest:
                formula = self.shown[name]
                for inner, made in reversed(self.formulas.items()):  # each needs those before it
                    formula = formula.xreplace({symbol(inner): made})
                found[name] = parts_of(formula)
        return found

    def __call__(self, **columns: Any) -> dict[str, Any]:
        """Values by formula; a column is an array or a list of positive integers, or one integer for all.

        Raises:
            DomainError: where a configuration lies outside of the limits, as far as its columns tell.
            SpaceError: for columns that are missing, too many, or no positive integers.
        """
        given = self._columns(columns)
        length = max((len(c) for c in given.values()), default=1)
        order = (*self._order, *(name for name in self.also if name in given))
        graph = Graph()
        ranges = Ranges([_values(given[name]) for name in order])
        lower = Lowering(graph, ranges, order, self.formulas)
        tiers = Tiers(ranges)
        rounded = {name: NearestColumn([*map(lower, parts)], tiers) for name, parts in self._parts.items()}
        exact = {name: formula for name, formula in self.shown.items() if name not in rounded}
        quotients = {name: ratio for name, formula in exact.items() if _is_short(ratio := lower(formula), tiers)}
        roots = {name: lower.value(formula) for name, formula in exact.items() if name not in quotients}
        inside = None
        if self.limits is not None and (open_ := self.limits.nodes(lower, ranges, given)):
            inside = graph.chain("and", open_)
        sides = [side for ratio in quotients.values() for side in (ratio.above, ratio.below)]
        sides += [side for column in rounded.values() for side in column.sides]
        asked = [*roots.values(), *sides, *([] if inside is None else [inside])]
        self.numbers = {name: NAMES[tiers.largest([root])] for name, root in roots.items()}
        self.numbers |= {name: NAMES[tiers.largest([each.above, each.below])] for name, each in quotients.items()}
        self.numbers |= {name: NAMES[tiers.largest(column.sides)] for name, column in rounded.items()}
        kinds = {name: tiers(root) for name, root in roots.items()}
        results = {name: np.empty(length, dtype=np.int64 if kinds[name] <= INT else object) for name in roots}
        results |= {name: np.empty(length, dtype=np.int64) for name in quotients}
        results |= {name: np.empty(length) for name in rounded}
        with np.errstate(over="ignore"):  # the words of two-word numbers wrap on purpose
            tables = Tables(graph, tiers, asked, [given[name] for name in order], length)
            chunk = min(CHUNK, max(LEAST, length * len(results) // (SHARE * tables.program.live)))
            for start in range(0, length, chunk):
                stop = min(start + chunk, length)
                looked_up = tables.at(start, stop)
                if inside is not None and self.limits is not None and not looked_up[inside.index].all():
                    self.limits.refuse(start + int(np.argmin(looked_up[inside.index])), given)
                for name, root in roots.items():
                    results[name][start:stop] = plain(looked_up[root.index], kinds[name])
                for name, column in rounded.items():
                    results[name][start:stop] = column.at(looked_up)
                for name, ratio in quotients.items():
                    above, below = (plain(looked_up[side.index], tiers(side)) for side in (ratio.above, ratio.below))
                    whole = above // below
                    if results[name].dtype != object and (whole * below != above).any():
                        results[name] = results[name].astype(object)
                    results[name][start:stop] = whole if results[name].dtype != object else fractions(above, below)
        if self.limits is not None:
            self.limits.ask(given, length)
        return {name: results[name] for name in self.shown}

    def _columns(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        for name in {*columns} - {*self.also} ^ {*self.symbols}:
            if name in columns:
                raise self._foreign(name)
            raise SpaceError(f"no values for the symbol {name}: give a column or an integer, as {name}=1")
        given = {name: _column(name, values) for name, values in columns.items()}
        lengths = {len(c) for c in given.values()} - {1}
        if len(lengths) > 1:
            shown = ", ".join(f"{name} has {len(c)}" for name, c in given.items() if len(c) > 1)
            raise SpaceError(f"the columns have different lengths: {shown}")
        return given

    def relaxed(self, **point: Any) -> dict[str, Any]:
        """The formulas on real numbers in JAX, to be differentiated: floors and ceilings are left out.

        >>> import jax, symcost as sc
        >>> n, d = sc.symbols("n d")
        >>> costs = sc.table(sc.Linear(c_o=d), (n, d)).compile()
        >>> float(jax.grad(lambda d: costs.relaxed(n=2.0, d=d)["macs"])(8.0))
        32.0
        """
        from symcost.sweeps.question.relaxed import evaluate

        for name in point:
            if name not in self.symbols and name not in self.formulas:
                raise self._foreign(name)
        return {name: evaluate(formula, point, self.formulas) for name, formula in self.shown.items()}

    def _foreign(self, name: str) -> SpaceError:
        return SpaceError(f"{name!r} is no symbol of these formulas: they need {', '.join(self.symbols) or 'none'}")

    def __repr__(self) -> str:
        return f"CompiledFormulas({', '.join(self.shown)} of {', '.join(self.symbols)})"


def _is_short(ratio: Any, tiers: Tiers) -> bool:
    """Whether it is a quotient, both sides of which have 64 bits."""
    return not ratio.is_integer and max(tiers(ratio.above), tiers(ratio.below)) <= INT


def _column(name: str, values: Any) -> Any:
    column = np.atleast_1d(np.asarray(values))
    if column.ndim != 1 or column.dtype.kind not in "iu" or column.size == 0:
        raise SpaceError(
            f"the column {name} must be positive integers: it has dtype {column.dtype}, shape {column.shape}"
        )
    low, high = int(column.min()), int(column.max())
    if low < 1 or high >= 2**63:
        raise SpaceError(
            f"the column {name} has the value {low if low < 1 else high}: every value must be in 1 to 2**63"
        )
    return column.astype(np.int64, copy=False)


def _values(column: Any) -> Values:
    """A short column's values, and of a long one between which they lie: to try each would take longer than it saves."""
    if len(column) <= FEW:
        return sorted({*map(int, column)})
    return Span(int(column.min()), int(column.max()))


def columns_of(costs: Any, names: Iterable[str] | None = None, checked: bool = True,
               options: Mapping[str, Any] = MappingProxyType({})) -> CompiledFormulas:  # fmt: skip
    """The callable of a cost table's numbers: those that are shown, or the named ones, in its domain where ``checked``.

    Times, energies and rates, on the device of the ``options``, are no counts: they are float64 numbers.
    """
    metrics = Metrics(costs, options=options)
    shown = {name: parse(name) for name in (texts("the names", names) if names is not None else metrics.shown())}
    formulas = resolved(metrics, metrics.symbols, shown.values())
    planned = is_planned(metrics, (), map(str, shown))
    measured = [name for name, asked in shown.items() if _is_measured(metrics, asked)]
    return CompiledFormulas(shown, formulas, Limits.of(costs, planned) if checked else None, measured)


def _is_measured(metrics: Metrics, asked: Any) -> bool:
    """Whether a formula is of times or energies."""
    dimensions = (metrics.dimension(str(s)) or {} for s in asked.free_symbols)
    return any({"seconds", "joules"} & {*each} for each in dimensions)
