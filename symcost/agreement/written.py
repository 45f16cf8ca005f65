"""Level 1: the closed form at a point against the program as written, lowered and not yet optimised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from symcost.agreement.check import LOWERED, Check, ModuleRow
from symcost.costs.cost import Cost
from symcost.costs.rows import Row
from symcost.costs.table import CostTable
from symcost.hlo import HloCost, analyse, parse, pointer_of
from symcost.hlo.counting.tally import accumulate
from symcost.hlo.explaining.attribution import attributed, branches_as_one
from symcost.hlo.explaining.bridge import Pair, Place, by_module
from symcost.hlo.explaining.products import Products, products
from symcost.hlo.reading.ir import Module
from symcost.hlo.reading.scopes import template
from symcost.hlo.reading.text import HloError

METRICS = ("flops", "transcendentals")
XLA = "XLA's cost analysis"
TEXT = "the lowered program"
OPTIMISED = "the optimised program"


@dataclass(frozen=True)
class Written:
    """The lowered program: its module with every instruction attributed, XLA's own figures of it, and our count.

    ``once`` takes loop bodies once, as XLA does, and a kernel for what its author states.
    """

    module: Module
    analysis: Mapping[str, float]
    pointer: int
    once: HloCost

    @classmethod
    def of(cls, text: str, analysis: Mapping[str, float], paths: Sequence[str | None], jaxlib: str) -> Written:
        """Read the text; ``paths`` are the modules of the program's arguments."""
        module, pointer = attributed(parse(text), paths), pointer_of(jaxlib)
        return cls(module, analysis, pointer, analyse(module, calls=True, stated=False, pointer=pointer))

    @cached_property
    def whole(self) -> HloCost | None:
        """Every trip; nothing when the program does not say how often a loop runs."""
        try:
            return analyse(self.module, trips=True, calls=True, stated=False, pointer=self.pointer)
        except HloError:
            return None

    def counted(self, costs: CostTable, trips: bool) -> HloCost:
        """The module counted as a table's rows stand: a conditional is one row, at the place where it is."""
        if any(row.bound for row in costs.rows):
            return analyse(branches_as_one(self.module), trips=trips, calls=True, stated=False, pointer=self.pointer)
        if not trips:
            return self.once
        assert self.whole is not None
        return self.whole

    @cached_property
    def products(self) -> dict[Place, Products]:
        """Products by module and phase."""
        return products(self.module)


def emulation(target: str, cost: HloCost, analysis: Mapping[str, float], metrics: Iterable[str]) -> list[Check]:
    """XLA's float32 figures against ours, bit for bit; one below zero is also right where XLA leaves it out."""
    names = {"flops": cost.float32.flops, "transcendentals": cost.float32.transcendentals,
             "bytes accessed": cost.float32.bytes}  # fmt: skip
    because = "emulated float32 of our own walk: a difference says that XLA's rules have changed"
    return [
        Check(level=1 if target == LOWERED else 2, target=target, metric=f"{metric} in float32",
              ours=int(names[metric] if theirs else max(names[metric], 0)), theirs=theirs, witness=XLA, because=because)
        for metric in metrics for theirs in [int(analysis.get(metric) or 0)]
    ]  # fmt: skip


def totals(costs: CostTable, written: Written) -> list[Check]:
    """The closed form's totals against the program's, once as XLA counts loops and once with every trip."""
    total = costs.total("xla")
    checks = [
        Check(level=1, target=LOWERED, metric=metric, ours=getattr(total, metric), theirs=getattr(written.once, metric),
              witness=TEXT) for metric in METRICS
    ]  # fmt: skip
    hidden = [uncounted(LOWERED, written.once)] if written.once.unknown else []
    return checks + hidden + _every_trip(costs, written)


def uncounted(target: str, cost: HloCost) -> Check:
    """Calls of which nobody can tell what they compute: none."""
    because = f"not counted: {', '.join(sorted(set(cost.unknown)))}" if cost.unknown else ""
    return Check(level=1 if target == LOWERED else 2, target=target, metric="library calls of unknown work", ours=0,
                 theirs=len(cost.unknown), witness=TEXT if target == LOWERED else OPTIMISED, because=because)  # fmt: skip


def _every_trip(costs: CostTable, written: Written) -> list[Check]:
    """The same with loops times their trips, where every loop is one of the program's own.

    Left out are modules with an operation whose lowered form has a loop of its own (random numbers).
    """
    whole = written.whole
    if whole is None or whole.unknown or all(row.times == row.xla_times for row in costs.rows):
        return []
    alike = _alike(costs)
    hidden = {_place(row.path, row.phase, alike) for row in costs.rows if _once(row).flops != _operations(row.cost)}
    ours = _by_place(costs.rows, alike, lambda row: _once(row) * row.times)
    theirs = _merged(by_module(written.counted(costs, trips=True)), alike)
    because = "modules that draw random numbers left out" if hidden else ""
    return [
        Check(level=1, target=LOWERED, metric=f"{metric}, every trip", ours=_sum(ours, part, hidden),
              theirs=_sum(theirs, part, hidden), witness=TEXT, because=because) for part, metric in enumerate(METRICS)
    ]  # fmt: skip


def _once(row: Row) -> Cost:
    """One execution as XLA counts it."""
    return row.per_execution("xla")[0]


def _operations(cost: Cost) -> Any:
    """What XLA would count of an operation with all its trips: integers too, padding trimmed."""
    return cost.flops + cost.int_ops - 2 * cost.padding_macs


def _sum(places: Mapping[Place, Mapping[str, Pair]], part: int, without: set[Place]) -> int:
    return sum(pair[part] for place, ops in places.items() if place not in without for pair in ops.values())


def modules(costs: CostTable, written: Written) -> tuple[list[ModuleRow], dict[str, dict[str, tuple[int, int]]]]:
    """Module by module, and, where one differs, our operations beside their opcodes."""
    alike = _alike(costs)
    ours = _by_place(costs.rows, alike, lambda row: row.under("xla"))
    theirs = _merged(by_module(written.counted(costs, trips=False)), alike)
    rows: list[ModuleRow] = []
    operations: dict[str, dict[str, tuple[int, int]]] = {}
    for place in dict.fromkeys([*ours, *theirs]):
        mine, found = ours.get(place, {}), theirs.get(place, {})
        for part, metric in enumerate(METRICS):
            left, right = (sum(pair[part] for pair in side.values()) for side in (mine, found))
            if not (left or right):
                continue
            row = ModuleRow(LOWERED, *place, metric, left, right, "" if left == right else "not explained")
            rows.append(row)
            if row.difference:
                own = {f"our {op}": (pair[part], 0) for op, pair in mine.items() if pair[part]}
                other = {f"their {op}": (0, pair[part]) for op, pair in found.items() if pair[part]}
                operations[row.place] = {**own, **other}
    return rows, operations


def misplaced(rows: Iterable[ModuleRow]) -> list[Check]:
    """Operations that the two sides count in different modules or phases: none."""
    rows = list(rows)
    return [
        Check(level=1, target=LOWERED, metric=f"{metric} in other modules", ours=0,
              theirs=sum(abs(row.difference) for row in rows if row.metric == metric), witness=TEXT,
              because="every module's own count is compared") for metric in METRICS
    ]  # fmt: skip


def _alike(costs: CostTable) -> bool:
    """Whether blocks share a row: then the numbers in all paths are left out."""
    return any("#" in row.path for row in costs.rows)


def _place(path: str, phase: str, alike: bool) -> Place:
    return template(path) if alike else path, phase


def _by_place(rows: Iterable[Row], alike: bool, count: Callable[[Row], Cost]) -> dict[Place, dict[str, Pair]]:
    found: dict[Place, dict[str, Pair]] = {}
    for row in rows:
        cost = count(row)
        if cost.flops or cost.transcendentals:
            pair: Any = cost.flops, cost.transcendentals
            accumulate(found.setdefault(_place(row.path, row.phase, alike), {}), row.op, pair)
    return found


def _merged(places: Mapping[Place, Mapping[str, Pair]], alike: bool) -> dict[Place, dict[str, Pair]]:
    """The same under template paths, where blocks share a row."""
    found: dict[Place, dict[str, Pair]] = {}
    for (path, phase), opcodes in places.items():
        for opcode, pair in opcodes.items():
            accumulate(found.setdefault(_place(path, phase, alike), {}), opcode, pair)
    return found
