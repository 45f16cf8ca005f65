"""Axes of one device: whether the form of longer axes holds there, without the collectives along them.

XLA's partitioner is asked as at longer axes: at the first sizes, at other ones, and at the corners of the box of sizes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from symcost.costs.dtypes import item_bytes
from symcost.costs.mesh.alone import Alone
from symcost.costs.mesh.plan import Plan
from symcost.errors import LiftError, SymcostError
from symcost.formulas.form import Form, as_form
from symcost.tracing.checking.certify import LineTotals
from symcost.tracing.counting.structure import Line
from symcost.tracing.evidence.guard import Guard, all_hold
from symcost.tracing.mesh.box import Box, ComparesSide, Ordered
from symcost.tracing.mesh.domain import OnDevice
from symcost.tracing.mesh.instructions import COLLECTIVE
from symcost.tracing.mesh.lattice import Lattice
from symcost.tracing.mesh.sides import Meshes, SideOfMesh
from symcost.tracing.program.records import Program, Record
from symcost.tracing.sampling.sample import Point

FURTHER = 3
"""Other sizes are so many times the first ones."""
FEW, MANY = 2, 256
"""Sizes between which an order of axes is to hold, where some have one device."""
Sent = dict[tuple[str, tuple[str, ...]], Any]


class Shortened(ComparesSide, Protocol):
    """A form of longer axes, and the programs of one device."""

    def program(self, point: Point) -> Program:
        """What one device runs at a point."""
        ...


def alone(of: Shortened, lines: Sequence[Line], domain: OnDevice, kept: Callable[[Point], bool]) -> Iterator[Alone]:
    """Each choice of axes that may have one device beside others that have more, with the conditions there.

    ``kept`` tells whether what a device keeps for the backward pass is as the form says at a point.
    """
    plan = of.side.plan
    if domain.uncomputed:
        return  # what no condition says could not be said there
    for number in range(1, len(plan.symbols) + 1):
        for names in itertools.combinations(plan.symbols, number):
            short = replace(plan, mesh={axis: 1 if size in names else size for axis, size in plan.mesh.items()})
            if all(size == 1 for size in short.mesh.values()) or not _in_order(of, names):
                continue
            try:
                yield Alone(names, tuple(_Short(of, names, short, lines, kept).conditions(domain)))
            except (SymcostError, Ordered):  # another program: such meshes are left out
                continue


def _in_order(of: ComparesSide, names: Sequence[str]) -> bool:
    """Whether every order of sizes in which the form holds is kept where these axes have one device."""
    mine = [guard for guard in (*of.side.guards, *of.order) if {*guard.symbols} & {*names}]
    return all(
        {*guard.symbols} <= {*of.side.plan.symbols}
        and all(
            all_hold([guard], {**dict.fromkeys(guard.symbols, size), **dict.fromkeys(names, 1)}) for size in (FEW, MANY)
        )
        for guard in mine
    )


def _sent(records: Sequence[tuple[Record, Any]], plan: Plan, names: Sequence[str]) -> Sent:
    """Bytes by kind and axes, without those along axes of one device alone."""
    found: Sent = {}
    for record, times in records:
        axes = tuple(axis for axis in map(str, record.key.static) if plan.mesh[axis] not in names)
        size = sum((each.size * item_bytes(each.dtype) for each in record.results), start=0)
        if axes:
            key = record.key.op, axes
            found[key] = found.get(key, 0) + size * times
    return found


@dataclass
class _Short:
    """A form beside fresh programs in which some axes have one device; it compares as :class:`ComparesSide` does."""

    of: Shortened
    names: tuple[str, ...]
    plan: Plan
    lines: Sequence[Line]
    kept: Callable[[Point], bool]
    agreed: list[Point] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lattice: Lattice = self.of.lattice
        self.sizes, self.structural, self.fitted, self.upto = (
            self.of.sizes,
            self.of.structural,
            self.of.fitted,
            self.of.upto,
        )
        self.order: tuple[Guard, ...] = self.of.order
        self.side = SideOfMesh(meshes := Meshes(self.plan, self.lattice.takes), meshes.first)
        self.one = dict.fromkeys(self.names, 1)
        left = [line for line in self.lines if line.record.key.source != COLLECTIVE or self._axes(line)]
        self.totals = LineTotals(left)
        sending = [(line.record, line.times[0]) for line in left if line.record.key.source == COLLECTIVE]
        self.sent = _sent(sending, self.of.side.plan, self.names)

    def _axes(self, line: Line) -> list[str]:
        """The axes of a collective that have more devices."""
        return [axis for axis in map(str, line.record.key.static) if self.of.side.plan.mesh[axis] not in self.names]

    def works(self, point: Point) -> bool:
        """Whether there is a program where the axes have one device."""
        return self.of.works({**point, **self.one})

    def right(self, totals: LineTotals, point: Point) -> bool:
        """Whether the form has the numbers of a fresh program there: costs by module, bytes by kind and axes, what is kept."""
        there = {**point, **self.one}
        if not self.of.right(totals, there):
            return False
        records = [record for record in self.of.program(there).records if record.key.source == COLLECTIVE]
        theirs = _sent([(record, record.times) for record in records], self.of.side.plan, self.names)
        ours = {key: Form.value(as_form(size), there) for key, size in self.sent.items()}
        is_right = {key: size for key, size in ours.items() if size} == theirs and self.kept(there)
        self.agreed += [point] * is_right
        return is_right

    def check(self, point: Point) -> None:
        """Compare what was written there with the model traced anew."""
        self.of.check({**point, **self.one})

    def conditions(self, domain: OnDevice) -> Iterator[str]:
        """Where the form holds. Errors: it does not at points inside of the box of sizes."""
        for mesh in (self.side.first, self.side.other()):
            point = self._at(mesh)
            if not self.works(point) or not self.right(self.totals, point):
                raise LiftError(f"another program is made where {', '.join(self.names)} have one device")
            if mesh == self.side.first:
                self.check(point)
        box = Box(self, self.totals)
        box.compared()
        sides = [f"{name} {op} {size[name]}" for op, size in ((">=", box.lowest), ("<=", box.highest)) for name in size]
        least = {f"{name} >= {FEW}" for name in self.names}
        yield from dict.fromkeys(text for text in (*domain.conditions(), *sides) if text not in least)

    def _at(self, mesh: Mapping[str, int]) -> Point:
        further = {name: size * FURTHER for name, size in self.sizes.items() if name not in self.structural}
        sizes = self.sizes if mesh == self.side.first else self.lattice.resized(self.sizes, further)
        return {**self.lattice.divided(sizes, self.side.plan.sizes(mesh)), **mesh}
