"""Programs of one device at points: sizes of the model and of the mesh, each asked once of XLA's partitioner.

The model is traced at a few points. Once these tell what its lowered program is at any sizes, that is written instead, and
compared with the model traced anew where :meth:`MeshSampler.check` is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from symcost.costs.mesh.plan import Plan
from symcost.costs.parts import Conditions
from symcost.formulas.form import Form
from symcost.reading.numerals import so_many
from symcost.tracing.fitting.align import all_records, same
from symcost.tracing.fitting.lift import Programs
from symcost.tracing.mesh.asking.laid import Laid
from symcost.tracing.mesh.asking.lowered import LoweredProgram, LoweredText
from symcost.tracing.mesh.asking.partition import check_elements, check_mesh, lowered
from symcost.tracing.mesh.instructions import records_of
from symcost.tracing.program.capture import Keys, PointError
from symcost.tracing.program.model import Model
from symcost.tracing.program.records import Program
from symcost.tracing.sampling.sample import Point

Key = tuple[tuple[str, int], ...]


class Miswritten(Exception):
    """A program that was written is another one than that of the model traced anew."""


@dataclass
class MeshSampler(Programs):
    """What one device runs at a point of sizes and axes; ``domain`` says where the model's own form holds."""

    model: Model
    plan: Plan
    domain: Conditions | None
    on_trace: Callable[[int], None] = lambda count: None
    keys: Keys = field(default_factory=dict)
    writes: bool = True
    """Whether programs are written once they are known."""
    structural: Sequence[str] = ()
    empties: bool = False
    """Whether the model has arrays without elements itself."""
    _seen: dict[Key, Program | PointError] = field(default_factory=dict)
    _lowered: dict[Key, LoweredProgram] = field(default_factory=dict)
    _written: dict[Key, LoweredText | None] = field(default_factory=dict)
    _at: set[Key] = field(default_factory=set)
    """Points at which programs were written."""

    @property
    def symbols(self) -> Sequence[str]:
        """The model's symbols, then those of the mesh that are none of the model's."""
        return tuple(dict.fromkeys((*self.model.symbols, *self.plan.symbols)))

    @property
    def trains(self) -> bool:
        """Whether the programs have a backward pass."""
        return self.model.mode == "train"

    @property
    def traces(self) -> int:
        """How many programs were partitioned."""
        return sum(isinstance(found, Program) for found in self._seen.values())

    @property
    def words(self) -> str:
        """At how many points the lowered program was written, where there are some."""
        number = sum(isinstance(self._seen[key], Program) for key in self._at)
        return (
            f"; at {so_many(number, 'point')} the lowered program is that of others with its sizes put in"
            if number
            else ""
        )

    def learn(self, points: Sequence[Point], factors: Sequence[Form]) -> None:
        """Learn of the programs at points, alike but for sizes, what is lowered at any; ``factors`` are sizes of whole arrays."""
        key = self._structure(points[0])
        programs = [self._lowered[_key(point)] for point in points if _key(point) in self._lowered]
        if self.writes and key not in self._written and len(programs) == len(points):
            sizes = [name for name in self.symbols if name not in self.structural]
            self._written[key] = LoweredText.of(programs, points, sizes, factors)
            self._lowered.clear()

    def check(self, point: Point) -> None:
        """Compare a program that was written with the model traced anew. Errors: :class:`Miswritten`."""
        if _key(point) not in self._at:
            return
        there, anew = self(point), self._read(lowered(self.model, self.plan, point))
        sizes = ([record.sizes for record in all_records(each)] for each in (there, anew))
        if not same(there, anew) or len(set(map(tuple, sizes))) > 1:
            raise Miswritten

    def trace_all(self) -> None:
        """Trace the model at every point from now on, also at those at which programs were written."""
        self.writes = False
        self._written.clear()
        for key in self._at:
            self._seen.pop(key, None)
        self._at.clear()

    def _made(self, point: Mapping[str, int]) -> Program | PointError:
        found = self._seen[_key(point)] = self._partitioned(point)
        self.on_trace(self.traces)
        return found

    def _partitioned(self, point: Mapping[str, int]) -> Program | PointError:
        own = {name: value for name, value in point.items() if name in self.model.symbols}
        outside = self.domain.problem(own) if self.domain is not None else None
        if outside:
            return PointError(outside, point)
        try:
            written = self._written.get(self._structure(point))
            if written is not None:
                self._at.add(_key(point))
                return self._held(self._read(self._rewritten(written, point)), point)
            program = lowered(self.model, self.plan, point)
            if self.writes and self._structure(point) not in self._written:
                self._lowered[_key(point)] = program
            return self._held(self._read(program), point)
        except PointError as problem:
            return problem

    def _held(self, program: Program, point: Mapping[str, int]) -> Program:
        """The program, unless an array that has elements as a whole has none on a device: of those nothing is sent."""
        if not self.empties and any(0 in record.sizes[: record.facts.start] for record in all_records(program)):
            raise PointError("an array has no elements on a device: give larger sizes", point)
        return program

    def _structure(self, point: Mapping[str, int]) -> Key:
        return tuple((name, point[name]) for name in self.structural)

    def _read(self, program: LoweredProgram) -> Program:
        return records_of(program.partitioned(), self.keys)

    def _rewritten(self, written: LoweredText, point: Mapping[str, int]) -> LoweredProgram:
        """The program that is known, at a point. Errors: what :func:`lowered` says of such sizes."""
        mesh = self.plan.sizes(point)
        check_mesh(mesh, point)
        check_elements(written.largest(point), point)
        entering = written.entering(point)
        names = [f"{each.role}/{each.path}" for each in entering]
        Laid.of(self.plan, mesh, names, [each.shape for each in entering], point)
        return written.at(point, mesh)


def _key(point: Mapping[str, int]) -> Key:
    return tuple(sorted(point.items()))
