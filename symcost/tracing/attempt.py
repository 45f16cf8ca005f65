"""One attempt at a closed form: sample, lift, count blocks, certify, at the values at hand."""

from __future__ import annotations

import math
from fractions import Fraction

from symcost.costs.dtypes import item_bytes
from symcost.costs.evidence import BOUNDED, Evidence
from symcost.costs.said import Certificate
from symcost.errors import LiftError
from symcost.formulas.compared.dominance import telling_points
from symcost.formulas.form import Form, as_form, floor
from symcost.tracing.beyond import Piece
from symcost.tracing.checking.certify import LineTotals
from symcost.tracing.checking.derived import unlike
from symcost.tracing.counting import liveness, memory
from symcost.tracing.counting.active import conditions
from symcost.tracing.counting.structure import Structure
from symcost.tracing.domain.bounds import certify
from symcost.tracing.domain.domain import Domain, whole_over
from symcost.tracing.domain.evidence import evidence
from symcost.tracing.domain.explorer import Explorer
from symcost.tracing.domain.meanings import constants, dimensions, met, split
from symcost.tracing.domain.spread import rounded_symbols
from symcost.tracing.evidence.floats.exact import meant, sure
from symcost.tracing.evidence.floats.meaning import claims
from symcost.tracing.evidence.floats.steps import spans
from symcost.tracing.evidence.guard import Guard, Rounding, guard
from symcost.tracing.evidence.seen import unseen, untold_by_jax
from symcost.tracing.evidence.told import sizes_seen
from symcost.tracing.fitting.align import all_records
from symcost.tracing.lifted import Unknown
from symcost.tracing.lifting import Lifting
from symcost.tracing.program.records import Program
from symcost.tracing.sampling.depth import tells
from symcost.tracing.sampling.halving import FAR
from symcost.tracing.sampling.sample import Point, Values
from symcost.tracing.sampling.signals import Irregular

MAX_CHEAP = 400
"""Records of a program that is traced at a few sizes more without being asked."""
TYPICAL: Values = (2048, 3000, 4096, 5000, 8192, 10_000, 16_384, 32_768, 50_000, 65_536)
"""Sizes that people ask for."""
FURTHER = 40
"""Steps from the base at which most of a rounding must be what its form says."""


class Attempt(Lifting):
    """The closed form that fits at the values at hand, and where it holds."""

    def certified(self) -> Piece:
        """One attempt with the values at hand."""
        self.lifts.clear()
        structure = self._structure()
        lines = structure.lines()
        totals = LineTotals(lines)
        self._check_periods(totals)
        domain = Domain(tuple(self.symbols), whole=self._whole(structure), dimensions=dimensions(structure.programs[0]),
                        guards=(*self.within, *self.limits))  # fmt: skip
        if self._period > 1:
            domain.steps.update({n: self._period for n in self.structural if n not in self.fixed})
        for name in (n for n in self.structural if n in self.fixed):
            seen = self.landmarks.get(name)
            # between depths that were given the layers may be others
            if seen is None or tells(seen) or not seen.complete:
                apart = _apart(name, self.fixed[name])
                domain.guards = (*domain.guards, *apart)
                domain.steps |= {} if apart else {name: math.gcd(*self.fixed[name])}
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
        held_out = certify(explorer)
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
        domain.evidence = evidence(self.symbols, self.recording, self.landmarks, tried, self._unexplained, self._digital,
                                   {name: _deepest(name, seen.reach, domain) for name, seen in self.landmarks.items()})  # fmt: skip
        domain.tried = {name: most for name, most in tried.items() if domain.evidence[name].word == BOUNDED}
        points = [*certificate.fitted, *certificate.held_out]
        depths = {n: seen for n, seen in self.landmarks.items() if n not in {*(self.options.upto or {}), *self.halved}}
        domain.only = {name: frozenset(point[name] for point in points)
                       for name in unseen(self.recording, depths).intersection((*self.sizes, *depths))}  # fmt: skip
        self._tried_deep(domain, explorer)
        return Piece(lines, peaks, residuals, certificate, domain, unknown, explorer)

    def _tried_deep(self, domain: Domain, explorer: Explorer) -> None:
        """Sizes that were tried beside a shallow program, beside the deepest that was: they stand where the form is right there."""
        deepest = {name: max(domain.only[name]) for name in self.structural if name in domain.only}
        why = "its layers take numbers of an array that was made of sizes"
        guessed = {n: most for n, most in deepest.items() if domain.evidence[n].word != BOUNDED}
        said = {n: Evidence(BOUNDED, f"tried up to {most:,}: {why}", most) for n, most in guessed.items()}
        domain.evidence, domain.tried = {**domain.evidence, **said}, {**domain.tried, **guessed}
        right = dict(domain.only)
        for name in [name for name in domain.only if name in self.sizes and deepest]:
            beside = ((value, {**self.base, **deepest, name: value}) for value in sorted(domain.only[name]))
            right[name] = frozenset(value for value, point in beside if explorer.difference(point) is None)
        domain.only = right

    def _upto(self) -> Point:
        """How far the form is tried along the symbols of which nothing else tells it."""
        none = dict.fromkeys(self.symbols, 0)
        words = evidence(self.symbols, self.recording, self.landmarks, none, self._unexplained, self._digital)
        return {name: most for name, most in (self.options.upto or {}).items() if words[name].word == BOUNDED}

    def _far(self) -> dict[str, Values]:
        """Values far away at which the form is compared with the program, where nothing tells it and a trace is cheap."""
        few = len(self.lifts[0].programs[0].records) <= MAX_CHEAP
        by_jax = untold_by_jax(self.recording) if few else frozenset()
        free = [name for name in self.choice.inputs if name in by_jax and name in self.sizes and name not in self.fixed]
        return {**dict.fromkeys(free, TYPICAL), **dict.fromkeys(self._digital, FAR)}

    @property
    def _digital(self) -> list[str]:
        """Symbols that are halved again and again: how often depends on their binary digits."""
        return [*self.halved, *self.looped]

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

    def _check_periods(self, totals: LineTotals) -> None:
        """Layers come again after the periods that the program was seen to compare with: another one is a guess at its samples."""
        free = [name for name in self.compared if name not in (*self.halved, *self.fixed)]
        periods = {n: seen.period for n in free if (seen := self.landmarks.get(n)) is not None and seen.complete}
        for form in totals.forms.values() if periods else ():
            for inside in form.floor_arguments():
                for name in periods.keys() & inside.symbols if inside.is_polynomial else ():
                    parts = math.lcm(*(Fraction(c).denominator for c in inside.terms.values()))
                    if periods[name] % parts:
                        raise Irregular(
                            f"layers follow {floor(inside)} at the samples, and no comparison was seen that makes it"
                        )

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
        shares = dict.fromkeys(claim for seen in self.landmarks.values() for claim in seen.claims)
        return [*found, *claims(self.recording), *shares]

    def _as_fitted(self, made: Rounding) -> Form | None:
        """The form that a rounding of no exact meaning has near the samples, or nothing where it has none."""
        form = self.lifts[0].fitter.fit(tuple(made.value(point) for point in self.lifts[0].points))
        if form is None:
            return None
        said = Guard(made, "==", form, made.place, "rounding")
        near = [dict(zip(self.sizes, (self.base[n] + k * math.gcd(*self.values[n]) for n in self.sizes), strict=True))
                for k in range(1, FURTHER)]  # fmt: skip
        if 2 * sum(said.holds({**self.base, **point}) for point in near) < len(near):
            raise LiftError(f"{made} has no closed form{made.place.behind}: give samples={{...}} or steps={{...}} for the "
                            f"values that you mean of {', '.join(sorted(made.symbols))}")  # fmt: skip
        return form

    def _whole(self, structure: Structure) -> tuple[Form, ...]:
        return whole_over(
            [[size for r in all_records(p) for size in r.sizes] for p in structure.programs], structure.fit
        )

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


def _apart(name: str, values: Values) -> list[Guard]:
    """That a symbol leaves the remainder that values at equal distances leave: 10, 16, 22 ask for ``depth % 6 == 4``.

    Multiples of the distance ask for nothing here: they are told as steps.
    """
    step = math.gcd(*(value - values[0] for value in values))
    rest = values[0] % step if step > 1 else 0
    size = Form.symbol(name)
    asked = guard(size - step * floor(size / step), "==", as_form(rest)) if rest else None
    return [asked] if asked is not None else []


def _deepest(name: str, reach: int, domain: Domain) -> int:
    """The depth that is to be tried: past all that layers are compared with, or the last one before that in the domain."""
    return next((depth for depth in range(reach, 0, -1) if not domain.decides({name: depth})), reach)
