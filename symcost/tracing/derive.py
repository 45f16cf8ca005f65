"""The main job: sample, lift, count blocks, certify."""

from __future__ import annotations

import contextlib
import gc
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symcost.costs.dtypes import item_bytes
from symcost.costs.table import CostTable
from symcost.errors import LiftError
from symcost.formulas.dominance import telling_points
from symcost.formulas.form import Form
from symcost.tracing.checking.certify import Certificate, LineTotals
from symcost.tracing.checking.derived import unlike
from symcost.tracing.checking.referee import Witness
from symcost.tracing.counting import liveness, memory
from symcost.tracing.counting.active import Share, conditions, read_shares, shared
from symcost.tracing.counting.costing import Costing
from symcost.tracing.counting.structure import Dictionary, Structure
from symcost.tracing.domain.bounds import Explorer
from symcost.tracing.domain.domain import Domain, whole_forms
from symcost.tracing.domain.meanings import constants, dimensions, met, split
from symcost.tracing.domain.spread import rounded_symbols
from symcost.tracing.fitting.align import all_records, same
from symcost.tracing.fitting.lift import OffLattice, Sampler, SizeLift
from symcost.tracing.lifted import Lifted, Unknown
from symcost.tracing.program.records import Program
from symcost.tracing.program.spec import where
from symcost.tracing.program.stack import with_room
from symcost.tracing.sampling.choose import Choice
from symcost.tracing.sampling.sample import LARGE, SMALL, STEPS, Point, Values, check_positive, fixed_values, multiples
from symcost.tracing.sampling.signals import Branch, Counterexample, Irregular, OnTrial

MAX_COARSENINGS = 12
MAX_ROUNDS = 8
MAX_PERIOD = 4
BEYOND = (17, 21, 22, 27)
"""Structural values beyond the consecutive ones, to check what was fitted to those."""


@dataclass
class Options:
    """What the user may say about sampling, and whether XLA is asked in the end."""

    samples: Mapping[str, Sequence[int]] | None = None
    steps: Mapping[str, int] | None = None
    at_least: Mapping[str, int] | None = None
    referee: bool = True


@dataclass(frozen=True)
class Found:
    """A certified closed form, and the point that the referee may look at."""

    lifted: Lifted
    witness: Witness


@dataclass
class Derivation:
    """Everything on the way from a model to its closed form."""

    sampler: Sampler
    options: Options
    shares: Sequence[Share] = ()

    def __post_init__(self) -> None:
        self.symbols = self.sampler.model.symbols
        self.costing = Costing()
        self.dictionary = Dictionary()
        self.lifts: list[SizeLift] = []
        self._coarseness: dict[str, int] = {}
        self._period = 1
        self._patterned = False  # whether consecutive values of the structural symbols are sampled
        self.extra: list[Point] = []  # counterexamples of earlier attempts
        self._on_trial = False  # whether they lie between the multiples that were sampled, and may be given up
        self._settled = False
        self._derive = False  # windows on maps smaller than their kernel, in closed form
        self._rounded_names: tuple[str, ...] = ()
        self.fixed = fixed_values(
            self.symbols,
            self.options.samples,
            self.options.steps,
            self.options.at_least,
            self.sampler.model.input_symbols,
        )
        self.choice = Choice(self.sampler, self.fixed)

    @property
    def values(self) -> dict[str, Values]:
        """The values at which each symbol is sampled."""
        return self.choice.values

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

    def run(self) -> CostTable:
        """The closed form, or a :class:`LiftError`, which says too what was too large to be traced."""
        try:
            return self._run()
        except LiftError as problem:
            if self.sampler.refused and self.sampler.refused not in str(problem):
                raise LiftError(f"{problem}; larger points were left out, where {self.sampler.refused}") from None
            raise

    def _run(self) -> CostTable:
        self.choice.make()
        found = self._settle()
        derivable = any(record.origin for record in all_records(self.lifts[0].programs[0]))
        if derivable and found.lifted.domain.at_least and not self._derive:
            found = self._wider(found)
        lifted = found.lifted.refereed(found.witness.ask) if self.options.referee else found.lifted
        return lifted.table()

    def _wider(self, found: Found) -> Found:
        """Sizes whose lower bound may come of maps smaller than a kernel: the form that counts those too, if it holds."""
        self._derive = True
        try:
            other = self._certified()
        except LiftError:
            return found
        low, lower = found.lifted.domain.at_least, other.lifted.domain.at_least
        gained = any(lower.get(n, 1) < low[n] for n in low) and all(lower.get(n, 1) <= low.get(n, 1) for n in lower)
        return other if gained else found

    def _settle(self) -> Found:
        """Attempts with better values each time, until one is certified."""
        for _ in range(MAX_ROUNDS):
            try:
                return self._certified()
            except Branch as branch:
                self._follow(branch)
                self.extra.clear()
            except Irregular as problem:
                if not (self._pattern() or self._progression()):
                    raise LiftError(str(problem)) from None
            except Counterexample as found:
                self._on_trial = found.between
                self.extra += [{name: point[name] for name in self.sizes} for point in found.points]
            except OnTrial:
                self._on_trial, self._settled = False, not self._enlarged()
                self.extra.clear()
        try:
            return self._certified()
        except Counterexample as found:
            raise LiftError(
                f"the closed form is not right at {where(found.points[0])}: {found}; give samples={{...}} or steps={{...}} "
                f"for {', '.join(self._rounded_names or self.sizes)}"
            ) from None

    def _enlarged(self) -> bool:
        """Sample the parameters inside roundings at larger values, once: small ones may be clamped or corrected."""
        names = [n for n in self._rounded_names if n in self.sizes and n not in (*self.fixed, *self.choice.inputs)]
        moved = [n for n in names if self.values[n] is not LARGE and self.choice.steady(n, LARGE)]
        self.values.update(dict.fromkeys(moved, LARGE))
        return bool(moved)

    def _pattern(self) -> bool:
        """Sample consecutive values of the structural symbols, once: every second or sixth layer may be another one."""
        free = [n for n in self.structural if n not in self.fixed and self.values[n] == SMALL]
        if self._patterned or self._period > 1 or len(free) < len(self.structural):
            return False
        self._patterned = True
        self.values.update(dict.fromkeys(free, (*SMALL, *BEYOND)))
        self.extra.clear()
        return True

    def _progression(self) -> bool:
        """Sample the structural symbols at every second, third or fourth value: layers may alternate."""
        self._period, self._patterned = self._period + 1, False
        free = [n for n in self.structural if n not in self.fixed]
        if self._period > MAX_PERIOD or not free:
            return False
        for name in free:
            self.values[name] = tuple(self._period * k for k in range(1, 9))
        self.extra.clear()
        return self.sampler.works(self.base)

    def _follow(self, branch: Branch) -> None:
        """Keep to the multiples where the program is the one found there: the values that people use."""
        for step in STEPS:
            if branch.name in self.fixed or branch.value % step:
                continue
            values = multiples(step)
            if self.choice.steady(branch.name, values) and same(
                self.sampler({**self.base, branch.name: values[0]}),
                self.sampler({**self.base, branch.name: branch.value}),
            ):
                self.values[branch.name] = values
                return
        raise LiftError(f"{branch}; give steps={{{branch.name!r}: ...}} for the values that you mean")

    def _certified(self) -> Found:
        """One attempt with the values at hand."""
        self.lifts.clear()
        structure = self._structure()
        lines = structure.lines()
        totals = LineTotals(lines)
        domain = Domain(tuple(self.symbols), whole=self._whole(structure), dimensions=dimensions(structure.programs[0]))
        if self._period > 1:
            domain.steps.update({n: self._period for n in self.structural if n not in self.fixed})
        peaks = {
            (rule, unit): self._peak(structure, rule, unit)
            for rule in ("liveness", "textbook")
            for unit in ("elements", "bytes")
        }
        residuals = self._residuals(structure)
        macs = {name: why for program in structure.programs for name, why in program.unknown_macs.items()}
        unknown = Unknown(structure.programs[0].unknown_trips, macs)
        self._rounded_names = self._rounded(structure)
        explorer = Explorer(self.sampler, self.costing, totals, domain, peaks, self.values, self.structural, unknown.symbols,
                            self._sampled(structure), self._rounded_names, self._settled,
                            constants(structure.programs[0]), self._widths(structure.programs[0]), self._patterned,
                            frozenset(self.fixed) | split(structure.programs[0]))  # fmt: skip
        held_out = explorer.certify()
        if not self._derive and unlike((pair for lift in self.lifts for pair in lift.both_ways), domain, self.base):
            self._derive = True  # no trace was made where they differ
            return self._certified()
        certificate = Certificate(
            self.sampler.traces,
            tuple(self._sampled(structure)),
            tuple(held_out),
            len(totals.forms),
            len(structure.points),
        )
        domain.ordered = (*domain.ordered, *(pair for pair in conditions(self.shares) if pair not in domain.ordered))
        used = shared(lines, self.shares)
        made = Lifted(lines, totals, peaks, residuals, certificate, domain, tuple(self.symbols), unknown, used)
        return Found(made, explorer.witness)

    # -- lifting -----------------------------------------------------------------------------------------------
    def _lift(self, fixed: Point) -> Program:
        """The program at one structural point, in closed form over the sizes; coarser lattices where needed."""
        for _ in range(MAX_COARSENINGS):
            lift = SizeLift(self.sampler, self.sizes, self.values, fixed, self.extra, self._derive)
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
        structure = Structure(self.structural, self.costing, patterned=self._patterned)
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
        points = [base, *({**base, n: v} for n in names for v in self.values[n][1 : 1 + along])]
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


@contextlib.contextmanager
def rare_collections() -> Iterator[None]:
    """Python's collector runs rarely inside: traces make millions of objects that live on, and each full run counts them."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def derive(
    model: Any, options: Options, on_trace: Callable[[int], None], active: Mapping[str, Any] | None = None
) -> CostTable:
    """Closed form of a model; ``active`` gives shares of its parameters by pattern."""
    check_positive("axes", model.axes)
    shares = read_shares(active, model.symbols)
    with rare_collections():
        return with_room(Derivation(Sampler(model, on_trace), options, shares).run)
