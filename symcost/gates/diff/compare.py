"""The difference of two cost tables: totals, and modules that were added, removed or changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy

from symcost.costs.cost import METRICS, SPLITS, TEXTBOOK, TOLD, TOTAL, XLA, ZERO
from symcost.costs.table import CostTable
from symcost.errors import DomainError, SymcostError
from symcost.estimate.questions.quantities import QUANTITIES
from symcost.estimate.questions.setting import Setting
from symcost.formulas.compared.equality import equal
from symcost.formulas.symbols import evaluate
from symcost.reading.choices import Convention
from symcost.views import Viewed

WANTED: tuple[tuple[str, Convention], ...] = (
    *((name, told.convention) for name, told in TOLD.items() if told.place <= TOTAL), ("macs", TEXTBOOK), ("flops", XLA),
)  # fmt: skip
"""The totals that are compared."""
PEAKS = (("liveness", "bytes"), ("textbook", "bytes"))
PLANNED = tuple(
    known.name for known in QUANTITIES.values() if known.planned and not known.timed and known.name != "device_state"
)
"""What is compared of a device where both tables have a plan."""
ADDED, REMOVED, CHANGED = "added", "removed", "changed"


@dataclass(frozen=True)
class Change:
    """One quantity before and after: formulas, their difference, and their values at the points asked for."""

    name: str
    old: Any
    new: Any
    values: tuple[tuple[Any, Any], ...] = ()

    @cached_property
    def difference(self) -> Any:
        """``new - old``, expanded; 0 where they are equal, however they are written."""
        if equal(self.old, self.new):
            return 0
        change = sympy.expand(sympy.sympify(self.new, strict=True) - sympy.sympify(self.old, strict=True))
        return int(change) if change.is_Integer else change

    def __bool__(self) -> bool:
        return self.difference != 0


@dataclass(frozen=True)
class ModuleChange:
    """A module that is not as it was."""

    path: str
    state: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, repr=False)
class Difference(Viewed, kind="difference"):
    """Two tables compared: true where anything differs."""

    old: str
    new: str
    points: tuple[Mapping[str, int], ...]
    totals: tuple[Change, ...]
    modules: tuple[ModuleChange, ...]
    symbols: tuple[tuple[str, ...], tuple[str, ...]]
    withdrawn: tuple[str, ...] = ()
    """Figures that were not compared, as one of the tables has none that may be used: which table, and why."""

    def __bool__(self) -> bool:
        return bool(self.modules) or any(self.totals)

    def __repr__(self) -> str:
        return f"<Difference of {self.old} and {self.new}: {'costs differ' if self else 'equal'}>"


def compare(old: CostTable, new: CostTable, points: Sequence[Mapping[str, int]] = (),
            names: tuple[str, str] = ("old", "new")) -> Difference:  # fmt: skip
    """What the change from one table to another costs.

    >>> import symcost as sc
    >>> n, d = sc.symbols("n d")
    >>> found = compare(sc.table(sc.Linear(c_o=d), (n, d)), sc.table(sc.Linear(c_o=2 * d), (n, d)))
    >>> found.totals[0].name, found.totals[0].difference
    ('params (full)', d**2 + d)
    """
    known = {*old.symbols, *new.symbols}
    for point in points:
        for name in point:
            if name not in known:
                raise DomainError(f"unknown symbol {name!r}: the two tables have {', '.join(sorted(known)) or 'none'}")
        for costs in (old, new):
            own = {name: value for name, value in point.items() if name in costs.symbols}
            costs.subs(**own)  # refuses what is outside of the domain
    totals = [
        Change(f"{metric} ({convention})", *(getattr(costs.total(convention), metric) for costs in (old, new)))
        for metric, convention in WANTED
        if convention in old.conventions
        and convention in new.conventions
        and (metric not in SPLITS or any(getattr(costs.total(convention), SPLITS[metric]) != 0 for costs in (old, new)))
    ]
    totals += [Change(f"peak {unit} ({rule})", *both) for rule, unit in PEAKS if (both := _peaks(old, new, rule, unit))]
    totals += [Change(name, *both) for name in PLANNED if (both := _on_device(old, new, name))]
    return Difference(
        old=names[0], new=names[1], points=tuple(points), modules=tuple(_modules(old, new, points)),
        totals=tuple(_valued(change, points) for change in totals if change.old != 0 or change.new != 0),
        symbols=(old.symbols, new.symbols),
        withdrawn=tuple(f"{name}: {why}" for name, costs in zip(names, (old, new), strict=True)
                        for why in costs.withdrawn.values()),
    )  # fmt: skip


def _peaks(old: Any, new: Any, rule: str, unit: str) -> tuple[Any, Any] | None:
    try:
        return old.peak(rule, unit), new.peak(rule, unit)
    except (AttributeError, SymcostError):  # a table without peaks: there is nothing to compare
        return None


def _on_device(old: CostTable, new: CostTable, name: str) -> tuple[Any, Any] | None:
    """What a device of each table's mesh has, where both have one."""
    try:
        before, after = (QUANTITIES[name](Setting(costs)) for costs in (old, new))
    except SymcostError:  # a table without a plan, or of several forms
        return None
    return before, after


def _valued(change: Change, points: Sequence[Mapping[str, int]]) -> Change:
    values = tuple((_value(change.old, point), _value(change.new, point)) for point in points)
    return Change(change.name, change.old, change.new, values)


def _value(expression: Any, point: Mapping[str, int]) -> Any:
    missing = sorted({str(s) for s in getattr(expression, "free_symbols", ())} - set(point))
    if missing:
        raise DomainError(f"the point has no value for {', '.join(missing)}: give every symbol one")
    return evaluate(expression, point)


def _modules(old: CostTable, new: CostTable, points: Sequence[Mapping[str, int]]) -> list[ModuleChange]:
    """Paths in the order of the new table, those that are gone behind them."""
    before, after = ({group.name: group for group in costs.by_path()} for costs in (old, new))
    modules = []
    for path in [*after, *(path for path in before if path not in after)]:
        state = ADDED if path not in before else REMOVED if path not in after else CHANGED
        first, second = (side[path].total() if path in side else ZERO for side in (before, after))
        changes = [Change(metric, getattr(first, metric), getattr(second, metric)) for metric in METRICS]
        if state != CHANGED or any(changes):
            modules.append(ModuleChange(path, state, tuple(_valued(change, points) for change in changes if change)))
    return [module for module in modules if module.changes]
