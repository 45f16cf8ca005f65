"""Level 1: the closed form at a point against the program as written, lowered and not yet optimised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from symcost.hlo import HloCost, analyse, parse, pointer_of
from symcost.hlo.attribution import attributed, branches_as_one
from symcost.hlo.bridge import Pair, Place, by_module
from symcost.hlo.ir import Module
from symcost.hlo.products import Products, products
from symcost.hlo.text import HloError
from symcost.table import CostTable, Row
from symcost.trace.paths import template
from symcost.verify.verdict import LOWERED, Check, ModuleRow

METRICS = ("flops", "transcendentals")
XLA = "XLA's cost analysis"
TEXT = "the lowered program"


@dataclass(frozen=True)
class Written:
    """The lowered program: its module with every instruction attributed, XLA's own figures of it, and our count.

    ``once`` takes loop bodies once, as XLA does.
    """

    module: Module
    analysis: Mapping[str, float]
    pointer: int
    once: HloCost

    @classmethod
    def of(cls, text: str, analysis: Mapping[str, float], paths: Sequence[str | None], jaxlib: str) -> Written:
        """Read the text; ``paths`` are the modules of the program's arguments."""
        module, pointer = attributed(parse(text), paths), pointer_of(jaxlib)
        return cls(module, analysis, pointer, analyse(module, pointer=pointer))

    @cached_property
    def whole(self) -> HloCost | None:
        """Every trip; nothing when the program does not say how often a loop runs."""
        try:
            return analyse(self.module, trips=True, calls=True, pointer=self.pointer)
        except HloError:
            return None

    @cached_property
    def products(self) -> dict[Place, Products]:
        """Products by module and phase."""
        return products(self.module)


def emulation(target: str, cost: HloCost, analysis: Mapping[str, float], metrics: Iterable[str]) -> list[Check]:
    """XLA's float32 figures against ours, bit for bit; a figure below zero is one that XLA does not print."""
    names = {"flops": cost.float32.flops, "transcendentals": cost.float32.transcendentals,
             "bytes accessed": cost.float32.bytes}  # fmt: skip
    because = "emulated float32 of our own walk: a difference says that XLA's rules have changed"
    return [
        Check(level=1 if target == LOWERED else 2, target=target, metric=f"{metric} in float32",
              ours=int(max(names[metric], 0)), theirs=int(analysis.get(metric) or 0), witness=XLA, because=because)
        for metric in metrics
    ]  # fmt: skip


def totals(costs: CostTable, written: Written) -> list[Check]:
    """The closed form's totals against the program's, once as XLA counts loops and once with every trip."""
    total = costs.total("xla")
    checks = [
        Check(level=1, target=LOWERED, metric=metric, ours=getattr(total, metric), theirs=getattr(written.once, metric),
              witness=TEXT) for metric in METRICS
    ]  # fmt: skip
    loops = [row for row in costs.rows if row.times != row.xla_times]
    if loops and written.whole is not None and not written.whole.unknown:
        ours = [sum(getattr(row.xla, metric) * row.times for row in costs.rows) for metric in METRICS]
        checks += [
            Check(level=1, target=LOWERED, metric=f"{metric}, every trip", ours=number,
                  theirs=getattr(written.whole, metric), witness=TEXT) for metric, number in zip(METRICS, ours, strict=True)
        ]  # fmt: skip
    return checks


def modules(costs: CostTable, written: Written) -> tuple[list[ModuleRow], dict[str, dict[str, tuple[int, int]]]]:
    """Module by module, and, where one differs, our operations beside their opcodes."""
    alike = any("#" in row.path for row in costs.rows)
    ours = _by_place(costs.rows, alike)
    branches = any(row.bound for row in costs.rows)  # a conditional is one row, at the place where it stands
    once = analyse(branches_as_one(written.module), pointer=written.pointer) if branches else written.once
    theirs = _merged(by_module(once), alike)
    rows: list[ModuleRow] = []
    operations: dict[str, dict[str, tuple[int, int]]] = {}
    for place in dict.fromkeys([*ours, *theirs]):
        mine, found = ours.get(place, {}), theirs.get(place, {})
        for part, metric in enumerate(METRICS):
            left, right = (sum(pair[part] for pair in side.values()) for side in (mine, found))
            if left or right:
                rows.append(ModuleRow(LOWERED, *place, metric, left, right, "" if left == right else "not explained"))
            if left != right:
                name = f"{place[0] or '(itself)'}, {place[1]}, {metric}"
                own = {f"our {op}": (pair[part], 0) for op, pair in mine.items() if pair[part]}
                other = {f"their {op}": (0, pair[part]) for op, pair in found.items() if pair[part]}
                operations[name] = {**own, **other}
    return rows, operations


def misplaced(rows: Iterable[ModuleRow]) -> list[Check]:
    """Operations that the two sides count in different modules or phases: none."""
    rows = list(rows)
    return [
        Check(level=1, target=LOWERED, metric=f"{metric} in other modules", ours=0,
              theirs=sum(abs(row.difference) for row in rows if row.metric == metric), witness=TEXT,
              because="every module's own count is compared") for metric in METRICS
    ]  # fmt: skip


def _by_place(rows: Iterable[Row], alike: bool) -> dict[Place, dict[str, Pair]]:
    found: dict[Place, dict[str, Pair]] = {}
    for row in rows:
        cost = row.under("xla")
        if cost.flops or cost.transcendentals:
            _add(
                found,
                (template(row.path) if alike else row.path, row.phase),
                row.op,
                (cost.flops, cost.transcendentals),
            )
    return found


def _merged(places: Mapping[Place, Mapping[str, Pair]], alike: bool) -> dict[Place, dict[str, Pair]]:
    """The same under template paths, where blocks share a row."""
    found: dict[Place, dict[str, Pair]] = {}
    for (path, phase), opcodes in places.items():
        for opcode, pair in opcodes.items():
            _add(found, (template(path) if alike else path, phase), opcode, pair)
    return found


def _add(found: dict[Place, dict[str, Pair]], place: Place, name: str, pair: Any) -> None:
    rows = found.setdefault(place, {})
    before = rows.get(name, (0, 0))
    rows[name] = (before[0] + pair[0], before[1] + pair[1])
