"""Whether a closed form is right at a point: every number of it beside a fresh trace there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symcost.errors import ExpressionError, LiftError
from symcost.formulas.form import Form
from symcost.tracing.checking.certify import LineTotals, concrete_totals, differences, in_words
from symcost.tracing.checking.referee import Witness
from symcost.tracing.counting import liveness
from symcost.tracing.counting.costing import Costing
from symcost.tracing.counting.structure import template_key
from symcost.tracing.domain.domain import Domain
from symcost.tracing.fitting.align import flat
from symcost.tracing.fitting.lift import PointError, Sampler
from symcost.tracing.program.records import Program
from symcost.tracing.program.spec import where
from symcost.tracing.sampling.sample import Point, Values

Peaks = dict[tuple[str, str], "list[Form] | str"]
BESIDE = 3
"""Steps to the sizes beside a point at which the form must be right for a bound at the point to be believed."""
TRIPS = 3
"""Value given to the symbols of unknown trip counts and MACs while checking."""
INTERMEDIATE = frozenset({"activations", "bytes_read", "bytes_written"})
"""What counts intermediate tensors: where a size is 1, a program may skip a step that moves data and computes nothing."""


@dataclass
class Agreement:
    """Compares a closed form with concrete traces; what is an upper bound alone is told to the domain."""

    sampler: Sampler
    costing: Costing
    totals: LineTotals
    domain: Domain
    peaks: Peaks
    values: Mapping[str, Values]
    structural: Sequence[str]
    unknown: Sequence[str]  # symbols of what the program does not say
    sampled: Sequence[Point]
    patterned: bool = False  # whether layers follow a pattern, of which shallow programs have not seen every kind

    def __post_init__(self) -> None:
        self.base = {name: values[0] for name, values in self.values.items()}
        self.held_out: list[Point] = []
        self.bounded: list[Point] = []  # where steps are skipped, so that what counts tensors is an upper bound
        self.witness = Witness(self.sampler)
        self.few_layers: Point = {}  # the deepest program in which a kind of layer is missing

    def sizes(self) -> list[str]:
        """Symbols whose values leave the program's structure alone."""
        return [n for n in self.domain.symbols if n not in self.structural]

    def largest_sample(self, name: str) -> int:
        """The largest value of a symbol that the form was fitted to."""
        return max(p[name] for p in self.sampled if name in p)

    def difference(self, point: Point) -> str | None:
        """Why the form is not right at a point (the model raises, or numbers differ), or nothing."""
        try:
            program = self.sampler(point)
        except PointError as problem:
            return str(problem)
        if self.becomes_empty(point):
            return "an array is empty"
        known = {**point, **dict.fromkeys(self.unknown, TRIPS)}
        try:
            if any(not isinstance(f.value(point), int) for f in self.domain.whole):
                return "a size is not an integer"
            found = differences(self.totals.at(known), concrete_totals(program, self.costing, known))
        except (ZeroDivisionError, ExpressionError):
            return "a quotient or a logarithm of sizes has no value"
        places = self._skips(program, point) if found and self.domain.has_one(point) else frozenset()
        skipped = [d for d in found if d[0][0] in places and d[0][2] in INTERMEDIATE and d[1] > d[2]]
        wrong = [d for d in found if d not in skipped]
        if wrong:
            return in_words(wrong[0])
        if skipped and not self._right_beside(point):
            return f"{in_words(skipped[0])}, and beside it, where no size is 1, the form is not right either"
        self.domain.bounds_at_one |= {metric for (_, _, metric), _, _ in skipped}
        self.bounded += [point] if skipped else []
        self._compare_peaks(program, point)
        return None

    def _skips(self, program: Program, point: Point) -> frozenset[str]:
        """Modules in which a program lacks operations that it has at the base's sizes: a step was skipped there.

        XLA skips steps of its own, such as a slice of everything. Where none is missing the form has no excuse: the same
        program has another size than the form says.
        """
        try:
            usual = self.sampler({**self.base, **{n: point[n] for n in self.structural}})
        except PointError:
            return frozenset()
        before, here = (
            Counter((template_key(r.key), r.xla_times != 0) for r in flat(each.records)) for each in (usual, program)
        )
        return frozenset(key.path for key, _ in before - here)

    def _right_beside(self, point: Point) -> bool:
        """Whether the form is right at the nearest larger sizes of which none is 1, if the model takes such."""
        for further in range(1, BESIDE + 1):
            near = dict(point)
            for name in self.domain.dividing_first(self.sizes()):
                near = self.domain.moved(near, name, near[name] + further * self.domain.step_of(name, near))
            inside = self.domain.problem(near) is None and not self.domain.has_one(near)
            if inside and self.sampler.works(near) and not self.becomes_empty(near):
                return self.difference(near) is None
        return True

    def becomes_empty(self, point: Point) -> bool:
        """Whether arrays that have elements at the base have none at a point."""
        return _has_empty(self.sampler(point)) and not _has_empty(self.sampler(self.base))

    def _compare_peaks(self, program: Program, point: Point) -> None:
        """Peaks that differ at a point are withdrawn, or called a bound where only degenerate sizes fall below them."""
        for (rule, unit), candidates in self.peaks.items():
            if isinstance(candidates, str):
                continue
            theirs = max(liveness.peak_sizes(program, self.costing, rule, unit), default=0)
            ours = max(f.value(point) for f in candidates)
            shallow = {n: point[n] for n in self.structural if point[n] <= self.largest_sample(n)}
            if ours > theirs and self.domain.has_one(point):
                # Tensors that happen to have equal sizes share memory: the form stays an upper bound there.
                self.domain.note(f"peaks are upper bounds where sizes of 1 coincide ({where(point)})")
            elif ours > theirs and self.patterned and shallow:
                self._has_few_layers(shallow)
            elif ours != theirs:
                self.peaks[rule, unit] = (
                    f"the {rule} peak in {unit} has no closed form that holds everywhere: at {where(point)} the form says "
                    f"{ours}, the trace {theirs}"
                )

    def _has_few_layers(self, point: Point) -> None:
        """Say up to which depth not every kind of layer occurs: the deepest such program that was seen."""
        deepest = {n: max(most, point.get(n, 0)) for n, most in (self.few_layers or point).items()}
        before = self.few_layers
        self.few_layers = self.domain.shallow = deepest
        self.domain.notes[:] = [note for note in self.domain.notes if note != _few(before)]
        self.domain.note(_few(deepest))

    def agrees(self, point: Point) -> bool:
        """Whether the form is exact at a point; such points are part of the certificate."""
        if self.difference(point) is not None:
            return False
        if point not in self.held_out and point not in self.bounded:
            self.held_out.append(point)
            if point not in self.sampled:
                self.witness.offer(point)
        return True

    def require(self, point: Point) -> None:
        """Raise where the form is not right at a point."""
        problem = self.difference(point)
        if problem:
            raise LiftError(f"the closed form is not right at {where(point)}: {problem}")

    def shallow(self) -> None:
        """The programs of few layers, deepest first: where not every kind occurs yet, a peak may be a bound only."""
        for point in reversed([p for p in self.sampled if all(p[n] == self.base[n] for n in self.sizes())]):
            self.difference(point)


def _few(depths: Point) -> str:
    return f"peaks are upper bounds up to {where(depths)}: not every kind of layer occurs yet"


def _has_empty(program: Program) -> bool:
    """Whether some array has no elements: windows that do not fit, batches of nothing."""
    return any(0 in array.shape for record in (*program.inputs, *program.records) for array in record.results)
