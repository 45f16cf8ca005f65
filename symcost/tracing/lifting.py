"""A model's programs at the values at hand, in closed form: what an attempt samples, and the forms that fit there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from symcost.errors import LiftError
from symcost.formulas.form import Form
from symcost.tracing.counting.active import Share
from symcost.tracing.counting.costing import Costing
from symcost.tracing.counting.structure import Dictionary, Structure
from symcost.tracing.evidence.frames.landmark import Landmarks
from symcost.tracing.evidence.guard import Guard, all_hold
from symcost.tracing.evidence.record import Recording
from symcost.tracing.evidence.told import sizes_seen, untold
from symcost.tracing.fitting.lift import OffLattice, Sampler, SizeLift
from symcost.tracing.options import Options
from symcost.tracing.program.records import Program
from symcost.tracing.sampling.choose import Choice
from symcost.tracing.sampling.depth import HELD_OUT, tells
from symcost.tracing.sampling.halving import sampled
from symcost.tracing.sampling.known import KnownPrograms
from symcost.tracing.sampling.sample import SMALL, STEPS, Point, Values, fixed_values, multiples
from symcost.tracing.sampling.signals import OnTrial

MAX_COARSENINGS = 12


@dataclass
class Lifting:
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
        self.side = tuple(self.within)  # without the decisions that a form turns out to need
        self.costing = Costing()
        self.dictionary = Dictionary()
        self.lifts: list[SizeLift] = []
        self._coarseness: dict[str, int] = {}
        self._period = 1
        self.landmarks: dict[str, Landmarks] = {}
        self.compared: dict[str, Landmarks] = {}  # with what the program compares the structural symbols
        self.halved: list[str] = []  # structural symbols that the program halves again and again
        self.looped: list[str] = []  # sizes that loops of the program's halve
        self.recording = Recording({})
        self._meant: Sequence[Form] = ()
        self.guards: Sequence[Guard] = ()  # what the program decides by its sizes
        self.numbered: dict[Guard, Guard] = {}  # those whose numbers are depths, as they are at every depth
        self.limits: Sequence[Guard] = ()  # depths up to which all that it decides by sizes is known
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

    @property
    def _complete(self) -> bool:
        """Whether all that the program decides by its sizes is known at the base, and what it decides is so there."""
        known = self.recording.proved >= set(self.sizes) and all_hold(self.guards, self.base)
        return self.recording.traced and known and not untold(self.recording)

    @property
    def _proved(self) -> bool:
        """Whether nothing else is to be looked for then: roundings of floats are meant across what they decide."""
        return self._complete and not self._meant

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
                    raise OnTrial(self._unfit(problem)) from None
                if not self._coarsen(problem.symbols):
                    raise LiftError(self._unfit(problem)) from None
                continue
            self.dictionary.learn(lift.programs[0], program)
            self.lifts.append(lift)
            return program
        raise LiftError("no lattice was found on which the sizes have a closed form: give steps={...} or samples={...}")

    def _unfit(self, problem: OffLattice) -> str:
        """Why sizes have no closed form: their numbers, and the line that makes something of them that is not seen."""
        names = problem.symbols or self.sizes
        pins = (
            pin for pin in (*self.recording.texts, *self.recording.pins) if pin.symbols & set(names) and not pin.by_jax
        )
        hidden = next((f"; what becomes of {pin} is not seen" for pin in pins), "")
        return f"no closed form fits these sizes: {problem}{hidden}; give steps={{...}} or samples={{...}} for {', '.join(names)}"

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
        told = {n for n in names if n in self.compared or (n in self.landmarks and tells(self.landmarks[n]))}
        ends = {n: max(len(self.values[n]) - len(HELD_OUT), 1 + along) if n in told else 1 + along for n in names}
        ends.update({name: sampled(self.values[name]) for name in self.halved})
        points = [base, *({**base, n: v} for n in names for v in self.values[n][1 : ends[n]])]
        if len(names) > 1:
            points += [
                {n: self.values[n][min(1 + (i + s) % 2, len(self.values[n]) - 1)] for i, n in enumerate(names)}
                for s in (0, 1)
            ]
        return [dict(p) for p in {tuple(sorted(p.items())): p for p in points}.values()]
