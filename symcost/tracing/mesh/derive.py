"""From a model, its closed form and a plan to what one device computes, holds and sends, in closed form.

The program of one device is asked of XLA's partitioner at a few sizes and meshes, aligned record by record, fitted and
compared with fresh programs at points that were held out: the largest meshes and sizes are among them.
"""

from __future__ import annotations

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
from symcost.formulas.form import Form
from symcost.tracing.checking.certify import Certificate, LineTotals, concrete_totals, differences, in_words
from symcost.tracing.counting.costing import Costing
from symcost.tracing.counting.structure import Dictionary, Line, Structure
from symcost.tracing.domain.domain import Domain, whole_forms
from symcost.tracing.fitting.align import all_records, same
from symcost.tracing.fitting.lift import OffLattice, SizeLift
from symcost.tracing.lifted import Lifted, Unknown
from symcost.tracing.mesh.domain import ASKED, OnDevice
from symcost.tracing.mesh.instructions import COLLECTIVE
from symcost.tracing.mesh.lattice import AXES, Lattice
from symcost.tracing.mesh.partition import MOST_DEVICES
from symcost.tracing.mesh.sampler import MeshSampler
from symcost.tracing.program.model import Model
from symcost.tracing.program.records import Program
from symcost.tracing.program.stack import with_room
from symcost.tracing.sampling.sample import Point, Values

FAR_AXIS = 256
"""The size of an axis, beside others of 2, up to which it is tried unless more is asked for."""
DEPTHS = 4
FAR_DEPTH, FAR_SIZES = 32, (1 << 17, 1 << 12)
"""A depth, and other sizes, up to which at least it is tried unless more is asked for; less where there is no such program."""
NO_PEAK = "the peak of one device has no closed form yet: ask a compiler with symcost verify --mesh"


@dataclass
class MeshDerivation:
    """Everything on the way from a plan to the closed forms of one device."""

    model: Model
    table: CostTable
    plan: Plan
    upto: Mapping[str, int]
    on_trace: Callable[[int], None]

    def __post_init__(self) -> None:
        self.sampler = MeshSampler(self.model, self.plan, self.table.domain, self.on_trace)
        self.lattice = Lattice(self.table, self.plan)
        self.symbols = tuple(self.sampler.symbols)
        self.costing = Costing()

    def run(self) -> Sharded:
        """The closed forms. Errors: none fits, or one differs from a fresh program."""
        axes: dict[str, Values] = dict.fromkeys(self.plan.symbols, AXES)
        largest = self.plan.sizes({name: max(values) for name, values in axes.items()})
        base = {**self.lattice.point(largest), **{name: values[0] for name, values in axes.items()}}
        structural = self._structural(base)
        values = {**self.lattice.values(base, structural), **axes}
        structure = self._structure(base, values, structural)
        lines = structure.lines()
        totals = LineTotals(lines)
        held_out = self._certified(totals, structural)
        return self._made(lines, totals, structure, held_out)

    def _structural(self, base: Point) -> list[str]:
        """The model's symbols with which the program changes: depths of what is no loop."""
        first = self.sampler(base)
        found = []
        for name in self.table.symbols:
            if name not in self.model.symbols or name in self.model.input_symbols:
                continue
            further = {**base, name: base[name] * 2}
            if self.sampler.works(further) and not same(self.sampler(further), first):
                found.append(name)
        return found

    def _structure(self, base: Point, values: Mapping[str, Values], structural: Sequence[str]) -> Structure:
        """Programs in closed form at every depth."""
        structure, known = Structure(structural, self.costing), Dictionary()
        sizes = [name for name in values if name not in structural]
        for fixed in _depths(base, structural):
            program = known.translate(self.sampler({**base, **fixed})) if structure.points else None
            if program is None:
                program = self._lift({**values, **{n: (base[n],) for n in sizes if not values[n]}}, sizes, fixed, known)
            structure.points.append(fixed)
            structure.programs.append(program)
        return structure

    def _lift(self, values: Mapping[str, Values], sizes: Sequence[str], fixed: Point, known: Dictionary) -> Program:
        lift = SizeLift(self.sampler, sizes, values, fixed)  # pyright: ignore[reportArgumentType]
        try:
            program = lift.run()
        except OffLattice as problem:
            raise LiftError(
                f"no closed form fits what XLA makes of this plan: {problem}; give numbers for "
                f"{', '.join(problem.symbols or sizes)}, or cut other dimensions"
            ) from None
        known.learn(lift.programs[0], program)
        self._fitted = [*getattr(self, "_fitted", ()), *lift.points]
        return program

    def _certified(self, totals: LineTotals, structural: Sequence[str]) -> list[Point]:
        """The held-out points, at each of which every number is that of a fresh program."""
        found = []
        for point in self._far(structural):
            if not self.sampler.works(point) or any(all(p[n] >= v for n, v in point.items()) for p in found):
                continue
            wrong = differences(totals.at(point), concrete_totals(self.sampler(point), self.costing, {}))
            if wrong:
                at = ", ".join(f"{name}={value}" for name, value in point.items())
                raise LiftError(f"XLA's partitioner makes another program at {at}: {in_words(wrong[0])}; give numbers for the "
                                "axes of the mesh, or cut other dimensions")  # fmt: skip
            found.append(point)
        if not found:
            raise LiftError("no held-out point could be cut over a mesh: give other axes to the arrays")
        return found

    def _far(self, structural: Sequence[str]) -> Iterator[Point]:
        """Points beyond the samples: axes and sizes all together, far sizes and depths, each axis far alone."""
        names = self.plan.symbols
        near = {name: (8, 4, 16)[number % 3] if len(names) < 3 else 4 for number, name in enumerate(names)}
        twos = dict.fromkeys(names, 2)
        room = MOST_DEVICES // self.plan.devices(twos) * 2 if names else 0
        yield self._at(near, (3, 7, 5), dict.fromkeys(structural, DEPTHS + 2))
        base = self.lattice.point(self.plan.sizes(twos))
        for size in FAR_SIZES:
            factors = [-(-size // value) for value in base.values()]
            yield self._at(twos, factors, dict.fromkeys(structural, FAR_DEPTH))
        for name in names:
            most = self.upto.get(name, min(FAR_AXIS, room))
            yield self._at({**twos, name: most}, (2, 5, 3), dict.fromkeys(structural, DEPTHS + 1))
        given = {name: most for name, most in self.upto.items() if name in self.model.symbols}
        if given:
            yield {**self._at(twos, (1,), {}), **given}

    def _at(self, mesh: Point, factors: Sequence[int], depths: Point) -> Point:
        found = self.lattice.point(self.plan.sizes(mesh), factors)
        return {
            **found,
            **mesh,
            **{name: depth for name, depth in depths.items() if self.lattice.inside({**found, name: depth})},
        }

    def _made(self, lines: Sequence[Line], totals: LineTotals, structure: Structure, held_out: list[Point]) -> Sharded:
        points = [*self._fitted, *held_out]
        tried = {name: max(point[name] for point in points if name in point) for name in self.symbols}
        evidence = {name: Evidence(BOUNDED, f"tried up to {most}: {ASKED}", most) for name, most in tried.items()}
        forms = {
            size for program in structure.programs for r in all_records(program) for size in r.sizes[: r.facts.start]
        }
        cut = Domain(self.symbols, whole=whole_forms(forms), at_least=dict.fromkeys(self.plan.symbols, 2),
                     evidence=evidence)  # fmt: skip
        domain = OnDevice(self.table.domain, cut, tried)
        certificate = Certificate(self.sampler.traces, tuple(self._fitted), tuple(held_out), len(totals.forms),
                                  len(structure.points), words=summary(evidence, ()))  # fmt: skip
        computing = [line for line in lines if line.record.key.source != COLLECTIVE]
        lifted = Lifted(
            computing, LineTotals(computing), _no_peaks(), None, certificate, cut, self.symbols, Unknown({}, {}), {}
        )
        device = lifted.table()
        device.parts = replace(device.parts, domain=domain, name=self.table.parts.name, kinds=self.table.parts.kinds)
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
