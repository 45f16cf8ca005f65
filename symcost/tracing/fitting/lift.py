"""One class of aligned traces lifted to closed form in its size symbols."""

from __future__ import annotations

import gc
import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symcost.errors import LiftError
from symcost.formulas.form import Form
from symcost.tracing.constants import HEAVY, Growth, limit
from symcost.tracing.evidence.guard import Guard, all_hold
from symcost.tracing.evidence.places import own_line
from symcost.tracing.evidence.stand_ins.shadows import of_models
from symcost.tracing.fitting.align import Columns, describe, facts_both_ways, lifted, same
from symcost.tracing.fitting.fit import Fitter
from symcost.tracing.program.capture import Keys, PointError, capture, too_large, traced
from symcost.tracing.program.model import Model
from symcost.tracing.program.probe import probe
from symcost.tracing.program.records import Program
from symcost.tracing.program.repeated.tables import current
from symcost.tracing.sampling.sample import Point, Values

MAX_EXTRA, MAX_REJECTED, DOUBTS = 16, 5, 3
MOST_COMPARED = 1_500_000
"""Values of forms that are compared before a model is given up: they take some 20 seconds."""
MAX_JOINT, MAX_APART, MAX_WAYS = 6, 200, 4000
"""Joint points that are traced, at which rivals are compared, and that are looked at."""
NEAR, DENSE = (*range(1, 18), *range(19, 300, 12)), tuple(range(1, 600))
"""How many steps from the base rival forms are compared: few first, all where those tell nothing."""


class Programs(ABC):
    """Programs of one model at points, each asked for once."""

    model: Model
    compared = 0
    """How many values of forms were compared to tell them apart."""
    _seen: dict[tuple[tuple[str, int], ...], Program | PointError]

    def __call__(self, point: Mapping[str, int]) -> Program:
        """The program at a point, or the :class:`PointError` of one at which there is none."""
        program = self._seen.get(tuple(sorted(point.items())))
        if program is None:
            program = self._made(point)
        if isinstance(program, PointError):
            raise program.with_traceback(None)  # which would grow with each time
        return program

    def works(self, point: Mapping[str, int]) -> bool:
        """Whether there is a program at a point."""
        try:
            self(point)
        except PointError:
            return False
        return True

    @abstractmethod
    def _made(self, point: Mapping[str, int]) -> Program | PointError:
        """Make the program at a point, or the error of it, and remember which."""


@dataclass
class Sampler(Programs):
    """Traces a model at points, each once."""

    model: Model
    on_trace: Callable[[int], None] = lambda count: None
    keys: Keys = field(default_factory=dict)
    macs: dict[tuple[Any, ...], str] = field(default_factory=dict)  # symbols of kernels whose MACs are not known
    traces: int = 0

    def __post_init__(self) -> None:
        self.refused = ""  # why the first point that was too large was
        limit()  # what is no amount of memory is told before anything is traced
        self.growth = Growth()
        self._seen: dict[tuple[tuple[str, int], ...], Program | PointError] = {}
        self._latest = Program()
        self._failed: PointError | None = None
        self._left = 0  # bytes of arrays that were let go, until they are collected: that takes its time

    def anew(self, point: Mapping[str, int]) -> None:
        """Trace at a point with a copy of the model, which remembers nothing: all of the user's code runs again."""
        program, copy = self._seen.get(tuple(sorted(point.items()))), replace(self.model)
        if program is None:
            program = self._trace(point, copy)
        elif isinstance(program, Program):
            traced(copy, point)
        if isinstance(program, PointError):
            raise program

    def forget(self, point: Mapping[str, int]) -> None:
        """Trace at a point again when it is asked for the next time: it was given up for its length alone."""
        self._seen.pop(tuple(sorted(point.items())), None)

    def _made(self, point: Mapping[str, int]) -> Program | PointError:
        return self._trace(point, self.model)

    def _trace(self, point: Mapping[str, int], model: Model) -> Program | PointError:
        try:
            if (why := self.growth.problem(point)) is not None:
                raise too_large(point, why)
            tables = current()
            tables.look(of_models)
            program = capture(model, point, self.keys, probe, self.macs)
            if not tables.look(of_models):  # a factory that imported its model only now: what it made was not seen
                self.growth.add(point, (*program.constants, *tables.held()))
            self._latest.closed = None  # jaxprs are large: one is kept
            self._latest = program
        except PointError as problem:
            program = problem
            if isinstance(problem.__cause__, MemoryError):
                self.refused = self.refused or str(problem.__cause__)
            problem.line = own_line(problem.__cause__)
            self._left += 0 if self._failed is None else self._failed.leave()
            self._failed = problem  # its frames hold arrays of the model's: those of the latest are kept
            if self._left > HEAVY:
                gc.collect()
                self._left = 0
        self._seen[tuple(sorted(point.items()))] = program
        self.traces += 1
        self.on_trace(self.traces)
        return program


class OffLattice(LiftError):
    """The columns of some symbols have no form at these values; a coarser lattice of them may have one."""

    def __init__(self, message: str, symbols: Sequence[str], derivable: bool = False) -> None:
        super().__init__(message)
        self.symbols = tuple(symbols)
        self.derivable = derivable  # whether some of the columns can be derived from others instead of fitted


@dataclass
class SizeLift:
    """The program in closed form over its size symbols, with structural symbols held fixed."""

    sampler: Programs
    sizes: Sequence[str]
    values: Mapping[str, Values]
    fixed: Mapping[str, int] = field(default_factory=dict)
    extra: Sequence[Point] = ()
    meant: Sequence[Form] = ()  # roundings that the program was seen to make
    derive: bool = False  # facts in the shapes, where they have a closed form
    within: Sequence[Guard] = ()  # decisions that fall as they were seen
    proved: Sequence[Form] | None = None  # every size of every array where all are known: two points tell them apart
    seen: Sequence[Guard] = ()  # what is decided then
    floats: bool = False  # whether some are made of floats, which are meant across what they decide: samples tell

    def __post_init__(self) -> None:
        self.base: Point = {**{name: self.values[name][0] for name in self.sizes}, **self.fixed}
        self.points: list[Point] = [self.base]
        self.programs: list[Program] = [self.sampler(self.base)]
        self._used: dict[str, int] = {}
        self._far: Point = {}  # the joint point, until its values have been sampled one by one
        self._rejected: list[Point] = []
        self._doubted = 0
        self.fitter = Fitter(self.sizes, [self.base])
        self.both_ways: list[tuple[Form, Form]] = []  # facts as they were fitted and as they are derived
        self.exact = False  # whether every size is one that is meant: none was guessed from its values

    def run(self) -> Program:
        """Sample, fit, and sample again where forms still disagree or are missing."""
        sparse = self.proved is not None and not self.floats and len(self.sizes) > 1 and self._joint()
        if not sparse:
            self._axes()
            if len(self.sizes) > 1:
                self._joint()
        for point in self.extra:
            self._add({**point, **self.fixed})
        self._check_varied()
        for _ in range(MAX_EXTRA):
            columns = Columns(tuple(self.programs), tuple(self.points), self.derive)
            previous = self.fitter if self.fitter.points == self.points[: len(self.fitter.points)] else None
            self.fitter = Fitter(self.sizes, self.points, self.programs[0].strides, previous=previous,
                                 meant=self.meant, sizes=self.proved or ())  # fmt: skip
            leftover = self.fitter.fit_all(columns.distinct())
            if leftover and sparse:  # facts beside the sizes: they are fitted as ever
                sparse = False
                self._axes()
                continue
            if leftover:
                # The columns that depend on the fewest symbols say whose fault it is; products follow from them.
                depends = [self.fitter.depends(column) for column in leftover]
                if not all(depends) and self._apart():
                    continue
                fewest = min(map(len, depends))
                names = sorted({n for d in depends if len(d) == fewest for n in d}, key=self.sizes.index)
                if not any(self._extend(name, 1) for name in names) and not (
                    self.proved is not None and self._inside()
                ):
                    raise OffLattice(describe(columns, leftover), names, columns.could_derive(leftover))
                continue
            rival = self._rival()
            if rival is None or len(self._rejected) > MAX_REJECTED:
                if self.proved is not None and self.fitter.guessed(columns.shapes(), self.floats) and self._kept():
                    continue
                made = lifted(columns, self.fitter)  # what is told apart in other programs only is alike in this one
                self.both_ways = [] if self.derive else facts_both_ways(columns, self.fitter)
                self.exact = self.proved is not None and not self.floats and self.fitter.all_meant
                return made
            if not self._add({**self.base, **rival}):
                self._rejected.append(dict(rival))
        last, left = columns, leftover or self.fitter.rival_forms  # pyright: ignore[reportPossiblyUnboundVariable]  # MAX_EXTRA is not 0
        raise OffLattice(describe(last, left), self.sizes)

    def _rival(self) -> Mapping[str, int] | None:
        """The point that tells most of the forms apart that agree so far, if any does.

        Raises:
            LiftError: where so many forms were compared that an answer is not to be waited for.
        """
        for points in self._further():
            forms = self.fitter.rival_forms.values()
            self.sampler.compared += len(points) * sum(map(len, forms))
            if self.sampler.compared > MOST_COMPARED:
                names = ", ".join(sorted({name for rivals in forms for form in rivals for name in form.symbols}))
                raise LiftError(f"sizes that are rounded again and again have too many forms that agree at the samples: trace at "
                                f"one value of {names}, or give samples={{...}} for the few that you mean")  # fmt: skip
            if (found := self.fitter.rivals(points)) is not None:
                return found
        return None

    def _further(self) -> Iterator[list[Point]]:
        """Points at which rival forms may differ: near the base along each axis, farther, and away from all axes."""
        yield self._candidates(NEAR)
        yield self._candidates(DENSE)
        if self.proved is not None:
            yield [p for p in itertools.islice(self._met(), MAX_APART) if p not in self._rejected]

    def _candidates(self, steps: Sequence[int]) -> list[Point]:
        """Points along each axis, near the base first; where all decisions are known, those at which they fall alike."""
        found = []
        for name in self.sizes:
            step = _step(self.values[name])
            start = self.base[name]
            for k in steps:
                point = {**{n: self.base[n] for n in self.sizes}, name: start + k * step}
                if point not in self._rejected and all_hold(self.seen, {**point, **self.fixed}):
                    found.append(point)
        return found

    def _met(self) -> Iterator[Point]:
        """Points at which every size is another one and all is decided as it was seen."""
        ways = itertools.product(*([v for v in self.values[name] if v != self.base[name]] for name in self.sizes))
        points = (dict(zip(self.sizes, way, strict=True)) for way in itertools.islice(ways, MAX_WAYS))
        return (point for point in points if all_hold(self.seen, {**point, **self.fixed}))

    def _extend(self, name: str, number: int) -> bool:
        """Sample ``number`` further values along one axis; values at which the model raises are passed over."""
        added = 0
        values = self.values[name]
        while added < number:
            index = self._used.get(name, 0) + 1
            self._used[name] = index
            if index >= len(values):
                return added > 0
            added += self._add({**self.base, name: values[index]})
        return True

    def _kept(self) -> bool:
        """Keep to samples at which the program decides as it was seen to: steps were guessed from others."""
        kept = [i for i, point in enumerate(self.points) if all_hold(self.seen, point)]
        if 0 not in kept:
            return False
        alike = len(kept) == len(self.points)
        if alike or (self.floats and self._doubted < DOUBTS):  # of such steps many are to be seen
            self._doubted += 1
            found = [self._extend(name, 2) for name in self.sizes] if self._doubted <= DOUBTS else []
            if alike or any(found):
                return any(found)
        return self._inside()

    def _inside(self) -> bool:
        """Keep to samples at which the program decides as at the base, where there are others."""
        inside = [i for i, point in enumerate(self.points) if all_hold(self.seen, point)]
        if 0 not in inside or len(inside) == len(self.points):
            return False
        self.within = (*self.within, *self.seen)
        self.points, self.programs = [self.points[i] for i in inside], [self.programs[i] for i in inside]
        self._used.clear()
        self._axes()
        return True

    def _axes(self) -> None:
        """Two further values along each axis."""
        for name in self.sizes:
            self._extend(name, 2)

    def _joint(self) -> bool:
        """One point more at which every size is another one, where there is one."""
        for point in itertools.islice(self._joint_points(), MAX_JOINT):
            if self._add({**point, **self.fixed}):
                self._far = point
                return True
        return False

    def _joint_points(self) -> Iterator[Point]:
        """Points at which every size is another one: a few by rule, then such that all is decided as it was seen."""
        for shift in (0, 1, 2):
            point = {}
            for index, name in enumerate(self.sizes):
                values = self.values[name]
                # Further values need not divide one another: parameters keep to those that the axes use.
                further = 3 + shift + index if name in self.sampler.model.input_symbols else 1 + (shift + index) % 3
                point[name] = values[min(further, len(values) - 1)]
            yield point
        if self.seen:
            yield from self._met()

    def _check_varied(self) -> None:
        """Nothing is known of a size that has one value at all points."""
        alone = [name for name in self.sizes if all(point[name] == self.base[name] for point in self.points)]
        if alone:
            value = self.base[alone[0]]
            raise OffLattice(f"no value of {alone[0]} but {value} was found with which the program is the same", alone)

    def _apart(self) -> bool:
        """Sample the joint point's values one by one: a column (rounded up to a large multiple) changed there only."""
        far, self._far = self._far, {}
        added = [self._add({**self.base, name: value}) for name, value in far.items()]
        return any(added)

    def _add(self, point: Point) -> bool:
        """Sample a point unless the model raises there, is another program or decides otherwise."""
        if point in self.points or not all_hold(self.within, point):
            return False
        try:
            program = self.sampler(point)
        except PointError:
            return False
        if not same(program, self.programs[0]):
            return False
        self.points.append(point)
        self.programs.append(program)
        return True


def _step(values: Values) -> int:
    return math.gcd(*values)
