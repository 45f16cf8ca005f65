"""From a model, its closed form and a plan to what one device computes, holds and sends, in closed form.

The program of one device is asked of XLA's partitioner at a few sizes and meshes, aligned record by record, fitted and
compared with fresh programs at points that were held out: the largest meshes and sizes are among them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symcost.costs.dtypes import item_bytes
from symcost.costs.evidence import BOUNDED, Evidence, summary
from symcost.costs.mesh.collectives import Collective
from symcost.costs.mesh.plan import Plan
from symcost.costs.mesh.sharded import Sharded
from symcost.costs.table import CostTable
from symcost.errors import LiftError
from symcost.formulas.form import Form, as_form
from symcost.tracing.checking.certify import Certificate, LineTotals, concrete_totals, differences, in_words
from symcost.tracing.counting.costing import Costing
from symcost.tracing.counting.structure import Dictionary, Line, Structure
from symcost.tracing.domain.domain import Domain, whole_forms
from symcost.tracing.evidence.guard import Guard, all_hold
from symcost.tracing.fitting.align import all_records, same
from symcost.tracing.fitting.lift import OffLattice, SizeLift
from symcost.tracing.lifted import Lifted, Unknown
from symcost.tracing.mesh.box import Box, Ordered
from symcost.tracing.mesh.domain import ASKED, OnDevice
from symcost.tracing.mesh.instructions import COLLECTIVE
from symcost.tracing.mesh.lattice import Lattice
from symcost.tracing.mesh.sampler import MeshSampler
from symcost.tracing.mesh.sides import AXES, MOST_SIDES, SideOfMesh, sides
from symcost.tracing.program.model import Model
from symcost.tracing.program.records import Program
from symcost.tracing.program.stack import with_room
from symcost.tracing.sampling.sample import Point

DEPTHS = 4
FAR_DEPTH = 32
"""A depth up to which it is tried unless more is asked for."""
MOST_ORDERS = 3
"""Decisions by the order of two sizes, each of which makes two sides of one."""
ATTEMPTS = 4
"""A point that contradicts a form becomes a sample of the next one."""
NO_PEAK = "the peak of one device has no closed form yet: ask a compiler with symcost verify --mesh"


class Contradicted(Exception):
    """A held-out point has other numbers than the form."""

    def __init__(self, message: str, point: Point) -> None:
        super().__init__(message)
        self.point = point


@dataclass
class MeshDerivation:
    """Everything on the way from a plan to the closed forms of one device, for each order of the mesh's axes."""

    model: Model
    table: CostTable
    plan: Plan
    upto: Mapping[str, int]
    on_trace: Callable[[int], None]

    def __post_init__(self) -> None:
        self.sampler = MeshSampler(self.model, self.plan, self.table.domain, self.on_trace)
        self.lattice = Lattice(self.table, self.plan)

    def run(self) -> Sharded:
        """The closed forms. Errors: none fits, or one differs from a fresh program."""
        largest = dict.fromkeys(self.plan.symbols, max(AXES))
        sizes = self.lattice.roomy(self.lattice.point(self.plan.sizes(largest)))

        def alike(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
            return same(self.sampler({**sizes, **one}), self.sampler({**sizes, **other}))

        structural = self._structural({**sizes, **sides(self.plan, lambda one, other: True)[0].first})
        waiting = [SideDerivation(self, side, sizes, structural) for side in sides(self.plan, alike)]
        found: list[Sharded] = []
        refused: LiftError | None = None
        while waiting and len(found) < MOST_SIDES:
            side, *waiting = waiting
            try:
                found.append(side.run())
            except Ordered as order:
                waiting = [*side.divided_by(order), *waiting]
            except LiftError as problem:
                refused = refused or problem
        if not found:
            raise refused or LiftError("every order of these sizes is another program: give numbers for some of them")
        return replace(found[0], others=tuple(found[1:]))

    def _structural(self, base: Point) -> list[str]:
        """The model's symbols with which the program changes: depths of what is no loop."""
        first = self.sampler(base)
        found = []
        for name in self.table.symbols:
            if name in self.model.symbols and name not in self.model.input_symbols:
                further = {**base, name: base[name] * 2}
                if self.sampler.works(further) and not same(self.sampler(further), first):
                    found.append(name)
        return found


@dataclass
class SideDerivation:
    """The closed forms of one device where the mesh's axes stand in one order."""

    whole: MeshDerivation
    side: SideOfMesh
    sizes: Point
    structural: Sequence[str]
    order: tuple[Guard, ...] = ()

    def __post_init__(self) -> None:
        self.sampler, self.lattice, self.plan = self.whole.sampler, self.whole.lattice, self.whole.plan
        self.base = {**self.sizes, **self.side.first}
        self.values = {**self.lattice.values(self.sizes, self.structural), **self.side.values()}
        self.whole_parts: dict[str, Form] = {}  # sizes that all devices together must divide, and their parts
        self.fitted: list[Point] = []
        self.extra: list[Point] = []
        self.agreed: list[Point] = []
        self.upto = self.whole.upto
        self.costing = Costing()

    def divided_by(self, found: Ordered) -> list[SideDerivation]:
        """The same where two sizes stand in the order of the base, and where they stand in the other one."""
        if len(self.order) >= MOST_ORDERS:
            raise LiftError(
                f"XLA's partitioner decides by {found.guard} and more: give numbers for some of these sizes"
            )
        here, there = (*self.order, found.guard), (*self.order, found.guard.denied)
        first = {name: found.other[name] for name in self.side.first}
        sizes = {name: found.other[name] for name in self.sizes}
        other = replace(self, order=there, sizes=sizes, side=replace(self.side, first=first))
        return [replace(self, order=here), other]

    def run(self) -> Sharded:
        """The forms that every held-out point agrees with; one that does not is a sample of the next attempt."""
        for attempt in range(ATTEMPTS):
            self.fitted.clear()
            structure = self._structure()
            lines = structure.lines()
            totals = LineTotals(lines)
            box = Box(self, totals)
            try:
                held_out = self._certified(totals)
            except Contradicted as problem:
                box.find_order(problem.point)
                if attempt + 1 == ATTEMPTS or problem.point in self.extra:
                    raise LiftError(
                        f"{problem}; give numbers for the axes of the mesh, or cut other dimensions"
                    ) from None
                if not self._divide(totals, problem.point):
                    self.extra.append(problem.point)
                continue
            return self._made(lines, totals, structure, [*held_out, *box.compared()], box)
        raise AssertionError("the last attempt returns or raises")

    def _divide(self, totals: LineTotals, point: Point) -> bool:
        """Whether the form holds where all devices together divide sizes that some do; of those sizes no more than needed."""
        devices = self.plan.devices(point)
        names = [name for name in sorted(self.lattice.cut_symbols) if point[name] % devices]
        for number in (1, 2):
            for chosen in itertools.combinations(names, number):
                if self.right(totals, {**point, **{name: point[name] * devices for name in chosen}}):
                    self.whole_parts.update({name: Form.symbol(name) / self._parts() for name in chosen})
                    return True
        return False

    def _parts(self) -> Form:
        """The number of devices."""
        sizes = (Form.symbol(size) if isinstance(size, str) else as_form(size) for size in self.plan.mesh.values())
        return math.prod(sizes, start=as_form(1))

    def right(self, totals: LineTotals, point: Point) -> bool:
        """Whether the form has the numbers of a fresh program."""
        if not self.lattice.inside({n: v for n, v in point.items() if n in self.sizes}) or not self.sampler.works(
            point
        ):
            return False
        right = not differences(totals.at(point), concrete_totals(self.sampler(point), self.costing, {}))
        self.agreed += [point] * right
        return right

    def _structure(self) -> Structure:
        """Programs in closed form at every depth."""
        structure, known = Structure(self.structural, self.costing), Dictionary()
        for fixed in _depths(self.base, self.structural):
            program = known.translate(self.sampler({**self.base, **fixed})) if structure.points else None
            if program is None:
                program = self._lift(fixed, known)
            structure.points.append(fixed)
            structure.programs.append(program)
        return structure

    def _lift(self, fixed: Point, known: Dictionary) -> Program:
        sizes = [name for name in self.values if name not in self.structural]
        domain = self.whole.table.domain
        rounded = [form for form in domain.dimensions if not form.is_polynomial] if isinstance(domain, Domain) else []
        sampler: Any = self.sampler  # what it asks of one is there
        within = (*self.side.guards, *self.order)
        lift = SizeLift(sampler, sizes, self.values, fixed, self.extra, rounded, within=within)
        try:
            program = lift.run()
        except OffLattice as problem:
            raise LiftError(
                f"no closed form fits what XLA makes of this plan: {problem}; give numbers for "
                f"{', '.join(problem.symbols or sizes)}, or cut other dimensions"
            ) from None
        known.learn(lift.programs[0], program)
        self.fitted += lift.points
        return program

    def _certified(self, totals: LineTotals) -> list[Point]:
        """The held-out points, at each of which every number is that of a fresh program."""
        found: list[Point] = []
        for point in self._far():
            if (
                not all_hold(self.order, point)
                or not self.sampler.works(point)
                or any(all(p[n] >= v for n, v in point.items()) for p in found)
            ):
                continue
            wrong = differences(totals.at(point), concrete_totals(self.sampler(point), self.costing, {}))
            if wrong:
                at = ", ".join(f"{name}={value}" for name, value in point.items())
                raise Contradicted(f"XLA's partitioner makes another program at {at}: {in_words(wrong[0])}", point)
            found.append(point)
            self.agreed.append(point)
        return found

    def _far(self) -> Iterator[Point]:
        """Points beyond the samples: axes and sizes all together, far sizes and depths, each axis far alone."""
        first, upto = dict(self.side.first), self.whole.upto
        yield self._at(self.side.other(), (3, 7, 5), DEPTHS + 2)
        yield self._at(first, (1,), FAR_DEPTH)
        given = {name: most for name, most in upto.items() if name in self.whole.model.symbols}
        if given:
            yield {**self._at(first, (1,), DEPTHS), **given}

    def _at(self, mesh: Point, factors: Sequence[int], depth: int) -> Point:
        devices = self.plan.devices(mesh)
        further = {
            name: size * factors[number % len(factors)] for number, (name, size) in enumerate(self.sizes.items())
        }
        found = {**self.lattice.divided(self.lattice.resized(self.sizes, further), self.plan.sizes(mesh))}
        found.update({name: math.lcm(found[name], devices) for name in self.whole_parts})
        deep = {name: depth for name in self.structural if self.lattice.inside({**found, name: depth})}
        return {**found, **mesh, **deep}

    def _made(self, lines: Sequence[Line], totals: LineTotals, structure: Structure, held_out: list[Point],
              box: Box) -> Sharded:  # fmt: skip
        table, symbols = self.whole.table, tuple(self.sampler.symbols)
        points = [*self.fitted, *held_out]
        tried = {name: max(point[name] for point in points if name in point) for name in symbols} | box.highest
        evidence = {name: Evidence(BOUNDED, f"tried up to {most}: {ASKED}", most) for name, most in tried.items()}
        forms = {
            size for program in structure.programs for r in all_records(program) for size in r.sizes[: r.facts.start]
        }
        whole = whole_forms((*forms, *self.whole_parts.values()))
        least = {**box.lowest, **dict.fromkeys(self.plan.symbols, 2)}
        cut = Domain(symbols, whole=whole, at_least=least, evidence=evidence,
                     guards=(*self.side.guards, *self.order))  # fmt: skip
        certificate = Certificate(self.sampler.traces, tuple(self.fitted), tuple(held_out), len(totals.forms),
                                  len(structure.points), words=summary(evidence, ()))  # fmt: skip
        computing = [line for line in lines if line.record.key.source != COLLECTIVE]
        lifted = Lifted(
            computing, LineTotals(computing), _no_peaks(), None, certificate, cut, symbols, Unknown({}, {}), {}
        )
        device = lifted.table()
        device.parts = replace(device.parts, domain=OnDevice(table.domain, cut, tried), name=table.parts.name,
                               kinds=table.parts.kinds)  # fmt: skip
        return Sharded(
            self.plan, device, tuple(_collective(line) for line in lines if line.record.key.source == COLLECTIVE)
        )


def _depths(base: Point, structural: Sequence[str]) -> list[Point]:
    """The structural points: the first one, and a few consecutive depths along each."""
    first = {name: base[name] for name in structural}
    more = [{**first, name: base[name] + k} for name in structural for k in range(1, DEPTHS)]
    joint = [{name: base[name] + 1 + number for number, name in enumerate(structural)}] if len(structural) > 1 else []
    return [first, *more, *joint] if structural else [{}]


def _no_peaks() -> dict[tuple[str, str], Any]:
    return {(rule, unit): NO_PEAK for rule in ("liveness", "textbook") for unit in ("elements", "bytes")}


def _collective(line: Line) -> Collective:
    """The row of a collective in closed form."""
    record = line.record
    arrays = record.results
    sent: Any = sum((array.size * item_bytes(array.dtype) for array in arrays), start=0)
    group = record.op().size("group")
    return Collective(
        kind=record.key.op, axes=tuple(map(str, record.key.static)), size=_number(group), bytes=_number(sent),  # pyright: ignore[reportArgumentType]
        times=_number(line.times[0]), path=line.path, phase=record.key.phase, dtype=arrays[0].dtype if arrays else "",
    )  # fmt: skip


def _number(value: Any) -> Any:
    if not isinstance(value, Form):
        return value
    return value.number if isinstance(value.number, int) else value.sympy()


def sharded(model: Model, table: CostTable, plan: Plan, upto: Mapping[str, int] | None,
            on_trace: Callable[[int], None]) -> Sharded:  # fmt: skip
    """What one device of a plan's mesh computes, holds and sends, in the model's sizes and the mesh's.

    Raises :class:`symcost.LiftError` where no closed form fits or one is contradicted, :class:`symcost.SpecError` for a plan that
    does not fit the program.
    """
    return with_room(MeshDerivation(model, table, plan, upto or {}, on_trace).run)
