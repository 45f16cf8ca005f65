"""The closed forms of one device where the mesh's axes, and the sizes that decide, stand in one order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from symcost.costs.dtypes import item_bytes
from symcost.costs.evidence import BOUNDED, Evidence, summary
from symcost.costs.mesh.plan import Plan
from symcost.costs.mesh.sharded import Sharded
from symcost.costs.table import CostTable
from symcost.errors import LiftError
from symcost.formulas.form import Form, as_form
from symcost.reading.numerals import assigned
from symcost.tracing.checking.certify import Certificate, LineTotals, concrete_totals, differences, in_words
from symcost.tracing.counting.costing import Costing
from symcost.tracing.counting.structure import Dictionary, Structure
from symcost.tracing.domain.domain import Domain, whole_forms
from symcost.tracing.evidence.guard import Guard, all_hold
from symcost.tracing.fitting.align import all_records
from symcost.tracing.fitting.lift import OffLattice, SizeLift
from symcost.tracing.mesh.box import Box, Ordered
from symcost.tracing.mesh.domain import ASKED, OnDevice
from symcost.tracing.mesh.few import Few
from symcost.tracing.mesh.lattice import Lattice
from symcost.tracing.mesh.made import made
from symcost.tracing.mesh.sampler import MeshSampler
from symcost.tracing.mesh.short import alone
from symcost.tracing.mesh.sides import SideOfMesh, sizes_of_axes
from symcost.tracing.program.records import Program
from symcost.tracing.sampling.sample import Point

DEPTHS = 4
FAR_DEPTH = 32
"""A depth up to which it is tried unless more is asked for."""
MOST_ORDERS = 3
"""Decisions by the order of two sizes, each of which makes two sides of one."""
ATTEMPTS = 4
"""A point that contradicts a form becomes a sample of the next one."""


class Contradicted(Exception):
    """A held-out point has other numbers than the form."""

    def __init__(self, message: str, point: Point) -> None:
        super().__init__(message)
        self.point = point


@dataclass(frozen=True)
class ToCut:
    """A model that is to be cut: its own closed form, the plan, how far it is to be tried, and who is asked."""

    table: CostTable
    plan: Plan
    upto: Mapping[str, int]
    sampler: MeshSampler
    lattice: Lattice


@dataclass
class SideDerivation:
    """The closed forms of one device where the mesh's axes stand in one order."""

    whole: ToCut
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
            held_out += box.compared()
            if not held_out:
                raise LiftError("no held-out point could be cut over a mesh: give other axes to the arrays")
            domain = self._domain(structure, box, held_out)
            words = summary(domain.evidence, ()) + self.sampler.words
            certificate = Certificate(self.sampler.traces, tuple(self.fitted), tuple(held_out), len(totals.forms),
                                      len(structure.points), words=words)  # fmt: skip
            kept = self._residuals(structure, held_out)
            found = made(self.whole.table, self.plan, lines, domain, certificate, kept)
            return replace(found, alone=tuple(alone(self, lines, domain, partial(self._is_kept, kept))))
        raise AssertionError("the last attempt returns or raises")

    def _divide(self, totals: LineTotals, point: Point) -> bool:
        """Whether the form holds where all devices together divide sizes that some do; of those sizes no more than needed."""
        devices = self.plan.devices(point)
        names = [name for name in sorted(self.lattice.cut_symbols) if point[name] % devices]
        for number in (1, 2):
            for chosen in itertools.combinations(names, number):
                if self.right(totals, {**point, **{name: point[name] * devices for name in chosen}}):
                    every = math.prod(sizes_of_axes(self.plan).values(), start=as_form(1))
                    self.whole_parts.update({name: Form.symbol(name) / every for name in chosen})
                    return True
        return False

    def works(self, point: Point) -> bool:
        """Whether there is a program at a point."""
        return self.sampler.works(point)

    def program(self, point: Point) -> Program:
        """What one device runs at a point."""
        return self.sampler(point)

    def check(self, point: Point) -> None:
        """Compare what was written with the model traced anew, as :meth:`MeshSampler.check` does."""
        self.sampler.check(point)

    def right(self, totals: LineTotals, point: Point) -> bool:
        """Whether the form has the numbers of a fresh program."""
        own = {name: value for name, value in point.items() if name in self.sizes}
        if not self.lattice.inside(own) or not self.sampler.works(point):
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

    def _residuals(self, structure: Structure, held_out: Sequence[Point]) -> Form | None:
        """Bytes that one device keeps for the backward pass, where every held-out point has them too."""
        if not self.sampler.trains:
            return None
        forms = [kept_bytes(program) for program in structure.programs]
        try:
            found = structure.fit_forms(forms, ("residuals",)) if structure.symbols else forms[0]
        except LiftError:
            return None
        right = all(found.value(point) == kept_bytes(self.sampler(point)).number for point in held_out)
        return found if right else None

    def _is_kept(self, kept: Form | None, point: Point) -> bool:
        """Whether one device keeps as many bytes at a point as is told, if it is."""
        return kept is None or kept.value(point) == kept_bytes(self.sampler(point)).number

    def _lift(self, fixed: Point, known: Dictionary) -> Program:
        sizes = [name for name in self.values if name not in self.structural]
        domain = self.whole.table.domain
        rounded = [form for form in domain.dimensions if not form.is_polynomial] if isinstance(domain, Domain) else []
        within = (*self.side.guards, *self.order)
        factors = (*domain.dimensions, *self.lattice.on_device(rounded)) if isinstance(domain, Domain) else ()
        few = Few(self.sampler, {name: self.values[name] for name in sizes}, fixed, self._accepts)
        program = few.lifted(factors) if not self.extra else None
        if few.programs:
            self.sampler.learn(few.points, factors)
        if program is not None:
            known.learn(few.programs[0], program)
            self.fitted += few.points
            return program
        lift = SizeLift(self.sampler, sizes, self.values, fixed, self.extra, rounded, within=within)
        try:
            program = lift.run()
        except OffLattice as problem:
            raise LiftError(
                f"no closed form fits what XLA makes of this plan: {problem}. {self.lattice.told(problem.symbols)}: "
                f"give numbers for {', '.join(problem.symbols or sizes)}, or cut other dimensions; of an array of which the "
                "program takes parts, as queries, keys and values of one kernel, give these a dimension of their own"
            ) from None
        known.learn(lift.programs[0], program)
        self.fitted += lift.points
        return program

    def _accepts(self, point: Point) -> bool:
        """Whether a point may be a sample: inside the model's own domain, and on this side."""
        mesh = {name: point[name] for name in self.side.first}
        own = {name: point[name] for name in self.sizes}
        within = (*self.side.guards, *self.order)
        return self.side.fits(mesh) and all_hold(within, point) and self.lattice.inside(own)

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
                raise Contradicted(
                    f"XLA's partitioner makes another program at {assigned(point)}: {in_words(wrong[0])}", point
                )
            self.sampler.check(point)
            found.append(point)
            self.agreed.append(point)
        return found

    def _far(self) -> Iterator[Point]:
        """Points beyond the samples: axes and sizes all together, far sizes and depths, each axis far alone."""
        first, upto = dict(self.side.first), self.whole.upto
        yield self._at(self.side.other(), (3, 7, 5), DEPTHS + 2)
        yield self._at(first, (1,), FAR_DEPTH)
        given = {name: most for name, most in upto.items() if name in self.sampler.model.symbols}
        if given:
            yield {**self._at(first, (1,), DEPTHS), **given}

    def _at(self, mesh: Point, factors: Sequence[int], depth: int) -> Point:
        devices = self.plan.devices(mesh)
        further = {
            name: size * factors[number % len(factors)] for number, (name, size) in enumerate(self.sizes.items())
        }
        sizes = {**self.lattice.divided(self.lattice.resized(self.sizes, further), self.plan.sizes(mesh))}
        sizes.update({name: math.lcm(sizes[name], devices) for name in self.whole_parts})
        deep = {name: depth for name in self.structural if self.lattice.inside({**sizes, name: depth})}
        return {**sizes, **mesh, **deep}

    def _domain(self, structure: Structure, box: Box, held_out: Sequence[Point]) -> OnDevice:
        """Where the forms hold: sizes that are whole on every device, in the orders and as far as was compared."""
        symbols, points = tuple(self.sampler.symbols), [*self.fitted, *held_out]
        tried = {name: max(point[name] for point in points if name in point) for name in symbols} | box.highest
        evidence = {name: Evidence(BOUNDED, f"tried up to {most}: {ASKED}", most) for name, most in tried.items()}
        records = [record for program in structure.programs for record in all_records(program)]
        sizes = {size for record in records for size in record.sizes[: record.facts.start]}
        cut = Domain(
            symbols, whole=whole_forms((*sizes, *self.whole_parts.values())), evidence=evidence,
            whole_least=dict.fromkeys(self._rounded(sizes), 1),
            at_least={**box.lowest, **dict.fromkeys(self.plan.symbols, 2)}, guards=(*self.side.guards, *self.order),
        )  # fmt: skip
        return OnDevice(self.whole.table.domain, cut, tried)

    def _rounded(self, sizes: Iterable[Form]) -> list[Form]:
        """Sizes that are rounded after axes have cut them, and may be 0; none of those that others are a factor of."""
        axes, found = {*self.plan.symbols}, list[Form]()
        for size in sorted(sizes, key=lambda form: len(str(form))):
            rounded = size.symbols & axes and not size.is_polynomial
            if rounded and not any(len(each.terms) == 1 and (size / each).is_polynomial for each in found):
                found.append(size)
        return found


def kept_bytes(program: Program) -> Form:
    """Bytes of what a program keeps for the backward pass."""
    return Form.total(array.size * item_bytes(array.dtype) for record in program.residuals for array in record.results)


def _depths(base: Point, structural: Sequence[str]) -> list[Point]:
    """The structural points: the first one, and a few consecutive depths along each."""
    first = {name: base[name] for name in structural}
    more = [{**first, name: base[name] + k} for name in structural for k in range(1, DEPTHS)]
    joint = [{name: base[name] + 1 + number for number, name in enumerate(structural)}] if len(structural) > 1 else []
    return [first, *more, *joint] if structural else [{}]
