"""One attempt at a closed form: sample, lift, count blocks, certify, at the values at hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symcost.costs.dtypes import item_bytes
from symcost.costs.evidence import BOUNDED
from symcost.errors import LiftError, SymcostError
from symcost.formulas.compared.dominance import telling_points
from symcost.formulas.form import Form, floor
from symcost.reading.numerals import short
from symcost.tracing.checking.certify import Certificate, LineTotals
from symcost.tracing.checking.derived import unlike
from symcost.tracing.counting import liveness, memory
from symcost.tracing.counting.active import Share, conditions
from symcost.tracing.counting.costing import Costing
from symcost.tracing.counting.structure import Dictionary, Structure
from symcost.tracing.domain.bounds import Explorer
from symcost.tracing.domain.domain import Domain, whole_forms
from symcost.tracing.domain.evidence import evidence
from symcost.tracing.domain.meanings import constants, dimensions, met, split
from symcost.tracing.domain.spread import rounded_symbols
from symcost.tracing.evidence.floats.exact import meant, sure
from symcost.tracing.evidence.floats.meaning import claims
from symcost.tracing.evidence.floats.steps import spans
from symcost.tracing.evidence.frames.landmark import Landmarks
from symcost.tracing.evidence.guard import Guard, Rounding, all_hold, guard
from symcost.tracing.evidence.record import Recording
from symcost.tracing.evidence.seen import unseen, untold_by_jax
from symcost.tracing.evidence.told import sizes_seen
from symcost.tracing.fitting.align import all_records
from symcost.tracing.fitting.lift import OffLattice, Sampler, SizeLift
from symcost.tracing.lifted import Unknown
from symcost.tracing.pieces import Piece
from symcost.tracing.program.records import Program
from symcost.tracing.sampling.choose import Choice
from symcost.tracing.sampling.depth import HELD_OUT, tells
from symcost.tracing.sampling.halving import FAR, SAMPLED
from symcost.tracing.sampling.known import KnownPrograms
from symcost.tracing.sampling.sample import (
    SMALL,
    STEPS,
    Point,
    Values,
    check_known,
    check_positive,
    fixed_values,
    multiples,
)
from symcost.tracing.sampling.signals import OnTrial

MAX_COARSENINGS = 12
PIECES = 4
"""Of how many pieces a form may be, unless more are allowed."""
MAX_CHEAP = 400
"""Records of a program that is traced at a few sizes more without being asked."""
TYPICAL: Values = (2048, 3000, 4096, 5000, 8192, 10_000, 16_384, 32_768, 50_000, 65_536)
"""Sizes that people ask for."""
FURTHER = 40
"""Steps from the base at which most of a rounding must be what its form says."""


@dataclass
class Options:
    """What the user may say about sampling, and whether XLA is asked in the end."""

    samples: Mapping[str, Sequence[int]] | None = None
    steps: Mapping[str, int] | None = None
    at_least: Mapping[str, int] | None = None
    referee: bool = True
    max_pieces: int = PIECES
    upto: Mapping[str, int] | None = None
    first: Mapping[str, Values] = field(default_factory=dict)
    """Values that worked on another side of a decision, which are tried before all others."""

    def check(self, symbols: Sequence[str]) -> None:
        """Raise for what is no number of pieces, and no value to reach of a symbol that there is."""
        if isinstance(self.max_pieces, bool) or not isinstance(self.max_pieces, int) or self.max_pieces < 1:
            raise SymcostError(f"max_pieces={short(self.max_pieces)} must be a positive integer: choose another value")
        check_positive("upto", self.upto)
        check_known("upto", self.upto, symbols)

    def beside(self, symbols: Sequence[str], samples: Mapping[str, Values], first: Mapping[str, Values]) -> Options:
        """The same with other samples for some symbols, and without those of symbols that there are none of."""
        given = {**(self.samples or {}), **samples}

        def kept(values: Mapping[str, Any] | None) -> dict[str, Any]:
            return {name: value for name, value in (values or {}).items() if name in symbols}

        return Options(kept(given), kept(self.steps), kept(self.at_least), self.referee, self.max_pieces,
                       kept(self.upto), kept(first))  # fmt: skip


@dataclass
class Attempt:
    """A model sampled at values, and the closed form that fits there."""

    sampler: Sampler
    options: Options
    shares: Sequence[Share] = ()
    decided: Sequence[Guard] = ()
    """Decisions of which this is one side."""
    within: Sequence[Guard] = ()
    """The side that it is."""

    def __post_init__(self) -> None:
        self.symbols = self.sampler.model.symbols
        self.costing = Costing()
        self.dictionary = Dictionary()
        self.lifts: list[SizeLift] = []
        self._coarseness: dict[str, int] = {}
        self._period = 1
        self.landmarks: dict[str, Landmarks] = {}
        self.compared: dict[str, Landmarks] = {}  # with what the program compares the structural symbols
        self.halved: list[str] = []  # structural symbols that the program halves again and again
        self.recording = Recording({})
        self._meant: Sequence[Form] = ()
        self.guards: Sequence[Guard] = ()  # what the program decides by its sizes
        self._above: dict[str, Landmarks] | None = None  # what they were compared with, once sampled above all of it
        self._patterned = False  # whether consecutive values of the structural symbols are sampled
        self.extra: list[Point] = []  # counterexamples of earlier attempts
        self._on_trial = False  # whether they lie between the multiples that were sampled, and may be given up
        self._settled = False
        self._least = 1  # of sizes that are floors of several symbols
        self._derive = False  # windows on maps smaller than their kernel, in closed form
        self._rounded_names: tuple[str, ...] = ()
        self.fixed = fixed_values(
            self.symbols,
            self.options.samples,
            self.options.steps,
            self.options.at_least,
            self.sampler.model.input_symbols,
        )
        self.proof = KnownPrograms(self.sampler)
        self.choice = Choice(self.sampler, self.proof, self.fixed, self.options.first)

    @property
    def values(self) -> dict[str, Values]:
        """The values at which each symbol is sampled."""
        return self.choice.values

    @property
    def patterned(self) -> bool:
        """Whether layers follow a pattern, of which shallow programs have not seen every kind."""
        return self._patterned or bool(self.compared or self.halved)

    @property
    def _unexplained(self) -> list[str]:
        """Structural symbols that layers follow a pattern in, which no comparison of the program's was seen to make."""
        sampled = self._patterned or self._period > 1
        return [name for name in self.structural if sampled and name not in (*self.compared, *self.fixed)]

    @property
    def structural(self) -> list[str]:
        """Symbols whose values change the program."""
        return self.choice.structural

    @property
    def base(self) -> Point:
        """The first sample point."""
        return self.choice.base

    @property
    def sizes(self) -> list[str]:
        """Symbols whose values leave the program's structure alone."""
        return self.choice.sizes

    def certified(self) -> Piece:
        """One attempt with the values at hand."""
        self.lifts.clear()
        structure = self._structure()
        lines = structure.lines()
        totals = LineTotals(lines)
        domain = Domain(tuple(self.symbols), whole=self._whole(structure), dimensions=dimensions(structure.programs[0]),
                        guards=tuple(self.within))  # fmt: skip
        if self._period > 1:
            domain.steps.update({n: self._period for n in self.structural if n not in self.fixed})
        for name in (n for n in self.structural if n in self.fixed):
            seen = self.landmarks.get(name)
            if seen is None or tells(seen) or not seen.complete:
                domain.steps[name] = math.gcd(
                    *self.fixed[name]
                )  # between multiples that were given the layers may be others
        existing = self._existing()
        domain.guards = (*domain.guards, *self._as_rounded(), *existing)
        peaks = {
            (rule, unit): self._peak(structure, rule, unit)
            for rule in ("liveness", "textbook")
            for unit in ("elements", "bytes")
        }
        residuals = self._residuals(structure)
        macs = {name: why for program in structure.programs for name, why in program.unknown_macs.items()}
        unknown = Unknown(structure.programs[0].unknown_trips, macs)
        self._rounded_names = self._rounded(structure)
        first = structure.programs[0]
        explorer = Explorer(
            self.sampler, self.costing, totals, domain, peaks, self.values, self.structural, unknown.symbols,
            self._sampled(structure), self.patterned, rounded=self._rounded_names, settled=self._settled,
            constants=constants(first), widths=self._widths(first), given=frozenset(self.fixed) | split(first),
            upto=self._upto(), far=self._far(), proved=self._proved and all(lift.exact for lift in self.lifts),
            seen=(*self.guards, *existing) if self._proved else ())  # fmt: skip
        held_out = explorer.certify()
        if not self._derive and unlike((pair for lift in self.lifts for pair in lift.both_ways), domain, self.base):
            self._derive = True  # no trace was made where they differ
            return self.certified()
        certificate = Certificate(
            self.sampler.traces,
            tuple(self._sampled(structure)),
            tuple(held_out),
            len(totals.forms),
            len(structure.points),
        )
        domain.ordered = (*domain.ordered, *(pair for pair in conditions(self.shares) if pair not in domain.ordered))
        tried = {n: max(p[n] for p in (*certificate.fitted, *certificate.held_out) if n in p) for n in self.symbols}
        domain.evidence = evidence(self.symbols, self.recording, self.landmarks, tried, self._unexplained, self.halved)
        domain.tried = {name: most for name, most in tried.items() if domain.evidence[name].word == BOUNDED}
        points = [*certificate.fitted, *certificate.held_out]
        depths = {n: seen for n, seen in self.landmarks.items() if n not in {*(self.options.upto or {}), *self.halved}}
        domain.only = {name: frozenset(point[name] for point in points)
                       for name in unseen(self.recording, depths).intersection((*self.sizes, *depths))}  # fmt: skip
        return Piece(lines, peaks, residuals, certificate, domain, unknown, explorer)

    def _upto(self) -> Point:
        """How far the form is tried along the symbols of which nothing else tells it."""
        none = dict.fromkeys(self.symbols, 0)
        words = evidence(self.symbols, self.recording, self.landmarks, none, self._unexplained, self.halved)
        return {name: most for name, most in (self.options.upto or {}).items() if words[name].word == BOUNDED}

    def _far(self) -> dict[str, Values]:
        """Values far away at which the form is compared with the program, where nothing tells it and a trace is cheap."""
        few = len(self.lifts[0].programs[0].records) <= MAX_CHEAP
        by_jax = untold_by_jax(self.recording) if few else frozenset()
        free = [name for name in self.choice.inputs if name in by_jax and name in self.sizes and name not in self.fixed]
        return {**dict.fromkeys(free, TYPICAL), **dict.fromkeys(self.halved, FAR)}

    @property
    def _complete(self) -> bool:
        """Whether all that the program decides by its sizes is known at the base, and what it decides is so there."""
        known = self.recording.proved >= set(self.sizes) and all_hold(self.guards, self.base)
        return self.recording.traced and known

    @property
    def _proved(self) -> bool:
        """Whether nothing else is to be looked for then: roundings of floats are meant across what they decide."""
        return self._complete and not self._meant

    # -- lifting -----------------------------------------------------------------------------------------------
    def _existing(self) -> list[Guard]:
        """No array is empty, nor of one where that is another program: sizes made of ``floor(d/H)`` ask for ``d >= H``."""
        if not self._proved:
            return []
        products = [form for form in sizes_seen(self.recording, self.base, self.guards) if len(form.terms) == 1]
        floors = (x for form in products for x in form.floor_arguments())
        inside = dict.fromkeys(x for x in floors if len(x.symbols) > 1 and len(x.terms) == 1)
        least = [x for x in inside if not any((ratio := (x / y).number) is not None and ratio > 1 for y in inside)]
        made = (guard(floor(x), ">=", self._least) for x in least)
        return [each for each in made if each is not None and each not in self.guards and each.holds(self.base)]

    def _as_rounded(self) -> list[Guard]:
        """Each rounded float is what its form says: Python's floats round otherwise than exact numbers here and there."""
        found = []
        for made in self.recording.roundings:
            if not made.symbols <= set(self.recording.symbols) or sure(made):
                continue
            form = meant(made)
            if form is None and not (made.symbol == "" and spans(made, self.recording.base)):
                form = self._as_fitted(made)
            if form is not None:
                found.append(Guard(made, "==", form, made.place, "rounding"))
        return [*found, *claims(self.recording)]

    def _as_fitted(self, made: Rounding) -> Form | None:
        """The form that a rounding of no exact meaning has near the samples, or nothing where it has none."""
        form = self.lifts[0].fitter.fit(tuple(made.value(point) for point in self.lifts[0].points))
        if form is None:
            return None
        said = Guard(made, "==", form, made.place, "rounding")
        near = [dict(zip(self.sizes, (self.base[n] + k * math.gcd(*self.values[n]) for n in self.sizes), strict=True))
                for k in range(1, FURTHER)]  # fmt: skip
        if 2 * sum(said.holds({**self.base, **point}) for point in near) < len(near):
            raise LiftError(f"{made} has no closed form ({made.place}): give samples={{...}} or steps={{...}} for the "
                            f"values that you mean of {', '.join(sorted(made.symbols))}")  # fmt: skip
        return form

    def _lift(self, fixed: Point) -> Program:
        """The program at one structural point, in closed form over the sizes; coarser lattices where needed."""
        for _ in range(MAX_COARSENINGS):
            proved = (sizes_seen(self.recording, self.base, self.guards), self.guards) if self._complete else (None, ())
            lift = SizeLift(self.sampler, self.sizes, self.values, fixed, self.extra, self._meant, self._derive,
                            self.within, *proved, bool(self._meant))  # fmt: skip
            try:
                program = lift.run()
            except OffLattice as problem:
                if problem.derivable:
                    self._derive = True
                    continue
                if self._on_trial:
                    raise OnTrial(str(problem)) from None
                if not self._coarsen(problem.symbols):
                    raise LiftError(
                        f"no closed form fits these sizes: {problem}; give steps={{...}} or samples={{...}} for "
                        f"{', '.join(problem.symbols or self.sizes)}"
                    ) from None
                continue
            self.dictionary.learn(lift.programs[0], program)
            self.lifts.append(lift)
            return program
        raise LiftError("no lattice was found on which the sizes have a closed form: give steps={...} or samples={...}")

    def _coarsen(self, names: Sequence[str]) -> bool:
        """Move the first symbol that can be coarsened to the next lattice on which the model works."""
        for name in names:
            if name in self.fixed or name in self.structural:
                continue
            current = self._coarseness.get(name, 0)
            for index in range(current, len(STEPS)):
                values = multiples(STEPS[index])
                if math.gcd(*self.values[name]) % STEPS[index] == 0:
                    continue  # no coarser than what was tried
                self._coarseness[name] = index + 1
                if self.choice.steady(name, values):
                    self.values[name] = values
                    return True
        return False

    def _structure(self) -> Structure:
        """Programs in closed form at every structural point."""
        structure = Structure(self.structural, self.costing, patterned=self.patterned, compared=self.compared)
        for fixed in self._structural_points():
            concrete_point = {**self.base, **fixed}
            program = None
            if structure.points and self.sampler.works(concrete_point):
                program = self.dictionary.translate(self.sampler(concrete_point))
            if program is None:
                if structure.points and not self.sampler.works(concrete_point):
                    continue
                program = self._lift(fixed)
            structure.points.append(fixed)
            structure.programs.append(program)
        return structure

    def _structural_points(self) -> list[Point]:
        names = self.structural
        if not names:
            return [{}]
        base = {n: self.values[n][0] for n in names}
        along = len(SMALL) - 1 if self._patterned else 3 if len(names) == 1 else 2
        ends = {n: len(self.values[n]) - len(HELD_OUT) if n in self.compared else 1 + along for n in names}
        ends.update(dict.fromkeys(self.halved, SAMPLED))
        points = [base, *({**base, n: v} for n in names for v in self.values[n][1 : ends[n]])]
        if len(names) > 1:
            points += [
                {n: self.values[n][min(1 + (i + s) % 2, len(self.values[n]) - 1)] for i, n in enumerate(names)}
                for s in (0, 1)
            ]
        return [dict(p) for p in {tuple(sorted(p.items())): p for p in points}.values()]

    def _whole(self, structure: Structure) -> tuple[Form, ...]:
        forms = {size for program in structure.programs for r in all_records(program) for size in r.sizes}
        return whole_forms(forms)

    def _rounded(self, structure: Structure) -> tuple[str, ...]:
        program = structure.programs[0]
        forms = {size for r in all_records(program) for size in r.sizes if isinstance(size, Form)}
        parameters = set(self.symbols) - set(self.sampler.model.input_symbols)
        return rounded_symbols(forms, parameters, self.lifts[0].programs[0].strides)

    def _widths(self, program: Program) -> list[str]:
        """Parameters that size the weights of more than one module, and are no sizes of the input."""
        meeting = met(program)
        return [name for name in self.sizes if name not in self.choice.inputs and name in meeting]

    def _sampled(self, structure: Structure) -> list[Point]:
        points = [p for lift in self.lifts for p in lift.points]
        points += [{**self.base, **fixed} for fixed in structure.points]
        return [dict(p) for p in {tuple(sorted(p.items())): p for p in points}.values()]

    # -- folds -------------------------------------------------------------------------------------------------
    def _peak(self, structure: Structure, rule: str, unit: str) -> list[Form] | str:
        """Candidates of a peak over all symbols, or why there are none."""
        points = telling_points(self.base, self.sizes)
        lists = [liveness.peak_sizes(program, self.costing, rule, unit) or [0] for program in structure.programs]
        marks = [
            liveness.landmarks(p, self.costing, rule, unit) if structure.symbols else {} for p in structure.programs
        ]
        try:
            return memory.over_structure(lists, marks, structure, points)
        except LiftError as problem:
            return f"the {rule} peak has no closed form over {', '.join(self.structural)}: {problem}"

    def _residuals(self, structure: Structure) -> Form | None:
        if self.sampler.model.mode != "train":
            return None
        forms = [
            Form.total(array.size * item_bytes(array.dtype) for r in program.residuals for array in r.results)
            for program in structure.programs
        ]
        return forms[0] if not structure.symbols else structure.fit_forms(forms, ("residuals",))
