"""Certification and the edges of the domain: where does the closed form still equal a fresh trace?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symcost.errors import LiftError
from symcost.formulas.form import Form
from symcost.tracing.domain.agreement import Agreement
from symcost.tracing.domain.further import Further
from symcost.tracing.domain.low import LowEdge
from symcost.tracing.domain.special import Special
from symcost.tracing.domain.spread import Spread
from symcost.tracing.domain.together import both_moved
from symcost.tracing.evidence.guard import Guard, all_hold
from symcost.tracing.fitting.align import same
from symcost.tracing.fitting.lift import PointError
from symcost.tracing.program.spec import where
from symcost.tracing.sampling.sample import MODERATE, TINY, Point, Values, divisors
from symcost.tracing.sampling.signals import Branch, Counterexample, Irregular

HIGH = 1009
MULTIPLES = (2, 4)
"""What models ask of sizes by which they divide them when their parameters are made."""
ROUND = 256
FACTORS = (2, 3, 4, 8, 16, 64)


@dataclass
class Explorer(Agreement):
    """Compares the closed form with concrete traces, and writes what it finds into the domain."""

    rounded: tuple[str, ...] = ()  # symbols inside roundings
    settled: bool = False  # whether multiples that the form needs may become conditions
    constants: Sequence[int] = ()  # sizes of the program that no symbol changes
    widths: Sequence[str] = ()  # symbols that may meet them
    given: frozenset[str] = frozenset()  # symbols whose multiples are meant: the user's, and widths split into heads
    upto: Mapping[str, int] = field(default_factory=dict)  # how far to try symbols of which only trials tell
    far: Mapping[str, Values] = field(default_factory=dict)  # single values to try of others
    proved: bool = False  # whether every decision was seen and no size was guessed: nothing is searched for then
    seen: Sequence[Guard] = ()  # decisions that are looked at by themselves

    def certify(self) -> list[Point]:
        """Check a far joint point above and one below, narrowing the domain until both agree."""
        if not self.base:
            self.require({})
            self.witness.offer({})
            return []
        if not self.proved:
            self._lattice()
        self._high()
        self._together()
        Further(self, self.upto, self.far).check()
        if self.rounded:
            Spread(self, self.rounded).check()
        if not self.proved:
            self._round()
        LowEdge(self).find()
        if self.patterned:
            self.shallow()
        if not self.proved:
            Special(self).check(self.widths, self.constants)
        Special(self).check_numbers(self.sizes())
        fresh = [p for p in self.held_out if p not in self.sampled]
        if not fresh:
            raise LiftError(
                f"no held-out point inside the domain could be traced ({self.domain}): give samples={{...}}"
            )
        return fresh

    def outside(self, point: Point) -> bool:
        """Whether nothing is to be looked for at a point: it is out of the domain, or beyond a decision that was seen."""
        return self.domain.problem(point) is not None or not self.as_seen(point)

    def as_seen(self, point: Point) -> bool:
        """Whether every decision that was seen falls at a point as it did."""
        return all_hold(self.seen, point)

    def _together(self) -> None:
        for point in both_moved(self.totals.forms.values(), self.structural, self.base):
            if self.domain.problem(point) is None and self.sampler.works(point) and (reason := self.difference(point)):
                raise Irregular(f"the closed form is not right at {where(point)}: {reason}")

    # -- the edges ---------------------------------------------------------------------------------------------
    def _point(self, shift: int, scale: Mapping[str, int]) -> Point:
        deep = {n: self._further(n, shift) for n in self.structural}
        return self.domain.generic_point(shift, deep, scale)

    def _further(self, name: str, index: int) -> int:
        """One of the values that no sample had, or the last one."""
        sampled = {point.get(name) for point in self.sampled}
        fresh = [value for value in self.values[name] if value not in sampled] or [self.values[name][-1]]
        return fresh[min(index, len(fresh) - 1)]

    def _lattice(self) -> None:
        """Symbols that were sampled on multiples: does the form hold between them? Else the multiple is a condition."""
        coarse = {n: math.gcd(*self.values[n]) for n in self.sizes() if math.gcd(*self.values[n]) > 1}
        if not coarse:
            return
        found = {} if self.settled else {n: step for n, step in coarse.items() if n not in self.given}
        for name in found:
            if self.domain.step_of(name, self.base) > 1 and not self.domain.divided(name):
                self._try_multiples(name, 1)  # d/3 may be a rounding, unlike d/H: only the model says
        shallow = {n: self.base[n] for n in self.structural}
        for _ in range(2):
            point = self._near(shallow)
            if self.agrees(point):
                return
            for name in self.sizes():  # relations between symbols that no sample showed
                alone = self.alone(name, point[name])
                if not self.sampler.works(alone):
                    self._follows(name, alone[name])
        self._between(found)
        for name, step in coarse.items():
            others = {n: self.base[n] for n in self.domain.symbols if n != name}
            for candidate in divisors(step):
                self.domain.steps[name] = candidate
                point = self._near(others)
                if self.domain.problem(point) is None and self.agrees(point):
                    break
            else:
                self.domain.steps[name] = step
        self.domain.steps = {n: s for n, s in self.domain.steps.items() if s > 1}

    def _near(self, fixed: Point) -> Point:
        """A generic point not below the base, or a smaller one where that would hold too much."""
        point = self.domain.generic_point(0, fixed, self.base)
        return self.domain.generic_point(0, fixed, {}, (3, 2, 1)) if self.sampler.growth.is_heavy(point) else point

    def _between(self, coarse: Mapping[str, int]) -> None:
        """Points between the multiples that were sampled, where the program is the same and the form is wrong."""
        for name, sampled in coarse.items():
            step = self.domain.step_of(name, self.base)
            if sampled % step == 0 and sampled != step:
                self._try_multiples(name, step)

    def _try_multiples(self, name: str, step: int) -> None:
        first = self.base[name] // step
        points = [{**self.base, name: (first + k) * step} for k in (1, 3, 7, first + 2, first + 5)]
        points = [p for p in points if self.sampler.works(p) and same(self.sampler(p), self.sampler(self.base))]
        reasons = [reason for p in points if (reason := self.difference(p)) is not None]
        if reasons:
            raise Counterexample(reasons[0], points, between=True)

    def _high(self) -> None:
        """A far joint point; where it fails, the largest value along each axis that still agrees."""
        scale = {n: self._far(n) if len(self.values[n]) > 3 else self.base[n] for n in self.sizes()}
        point = self._decided_alike(self._point(1, scale))
        while self.too_large(point) and any(s > 1 for s in scale.values()):
            scale = {n: max(self.base[n] if s > self.base[n] else 1, s // 4) for n, s in scale.items()}
            point = self._decided_alike(self._point(1, scale))
        if not self.sampler.works(point):
            point = self._evened(point)
        if self.agrees(point):
            return
        for name in self.sizes():
            alone = self.alone(name, point[name])
            if self.domain.decides(alone) or self.outside(alone):
                continue
            reason = self.difference(alone)
            if reason is None or self.too_large(alone):
                continue
            self.ends(name, alone, reason)
        # The far point itself where the narrower domain still has it, and one that lies inside in any case.
        for far in (point, self._point(2, {n: min(s, self.domain.at_most.get(n, s)) for n, s in scale.items()})):
            if self.outside(far) or self.too_large(far) or self.agrees(far):
                continue
            shallow = {**far, **{n: self.base[n] for n in self.structural}}
            reason = self.difference(shallow)
            if reason is not None:
                self.refit(shallow, reason)
            uneven = reason is None and shallow != far  # it is the further layers that differ
            raise (Irregular if uneven else LiftError)(
                f"the closed form is not right at {where(far)}: {self.difference(far)}"
            )

    def ends(self, name: str, alone: Point, reason: str) -> None:
        """A size up to which the form is right: beyond its largest value it is wrong at a point."""
        self.refit(alone, reason)
        if self._follows(name, alone[name]):
            return
        last = self.bisect(name, self.largest_sample(name), alone[name])
        self.domain.at_most[name] = Special(self).spanned(name, last)
        self.agrees(self.alone(name, self.domain.at_most[name]))
        self.domain.notes.append(f"above {name} = {self.domain.at_most[name]}: {reason}")

    def _decided_alike(self, point: Point) -> Point:
        """The point, or one near it at which every decision is as it was seen: what breaks one grows, or is as at the base."""
        for _ in range(2 * len(self.seen)):
            broken = next((guard for guard in self.seen if not guard.holds(point)), None)
            if broken is None:
                break
            names = sorted(broken.symbols & set(self.base))
            grown = (self.domain.moved(point, n, factor * point[n]) for n in names for factor in FACTORS)
            small = (self.domain.moved(point, n, self.base[n]) for n in names)
            base = {**point, **{n: self.base[n] for n in names}}
            point = next((each for each in (*grown, *small) if broken.holds(each)), base)
        return point

    def _evened(self, point: Point) -> Point:
        """The point, or where the model raises for an odd size there, one of its multiples: such alone are in the domain.

        An initialiser that asks for that is not seen to decide it.
        """
        for name, factor in itertools.product(self.sizes(), MULTIPLES):
            even, odd = ({**point, name: k * point[name]} for k in (factor, factor + 1))
            if any(known[name] % factor for known in self.sampled) or not all_hold(self.seen, even):
                continue
            if self.sampler.works(even) and not self.sampler.works(odd):
                self.domain.whole = (*self.domain.whole, Form.symbol(name) / factor)
                return even
        return point

    def too_large(self, point: Point) -> bool:
        """Whether the arrays that the model holds are too many there, for the machine or to wait for."""
        if self.sampler.growth.is_heavy(point):
            return True
        try:
            self.sampler(point)
        except PointError as problem:
            return isinstance(problem.__cause__, MemoryError)
        return False

    def _far(self, name: str) -> int:
        """A far value: not out of proportion where the model took small inputs only (constants grow with them)."""
        if self.values[name] in (MODERATE, TINY):
            return 4 * self.base[name]
        return max(HIGH, 2 * self.base[name])

    def refit(self, point: Point, reason: str) -> None:
        """A point of the very same program that the form gets wrong is a sample that was missing."""
        if self.sampler.works(point) and same(self.sampler(point), self.sampler(self.base)):
            raise Counterexample(reason, [point])

    def _follows(self, name: str, value: int) -> bool:
        """Whether a value that raises alone works beside a larger value of another parameter, and writes down why.

        Beside a multiple only, the one divides the other (groups and channels); beside any larger value, the one may
        not exceed the other (a sequence and the block it must fit).
        """
        for other in self.sizes():
            if other == name or other in self.sampler.model.input_symbols:
                continue
            moved = [self.domain.moved({**self.base, name: value}, other, factor * value) for factor in (3, 4)]
            multiple = next(filter(self.as_seen, moved), moved[0])
            if not (self.sampler.works(multiple) and self.agrees(multiple)):
                continue
            step = self.domain.step_of(other, self.base)
            beside = [
                size for m, k in ((1, 1), (1, 2), (2, 1), (2, 2)) if (size := (m * value // step + k) * step) % value
            ]
            larger = next((size for size in beside if self.as_seen({**multiple, other: size})), beside[0])
            if self.agrees({**multiple, other: larger}):
                self.domain.ordered = (*self.domain.ordered, (Form.symbol(name), Form.symbol(other)))
            else:
                self.domain.whole = (*self.domain.whole, Form.symbol(other) / Form.symbol(name))
            return True
        return False

    def bisect(self, name: str, good: int, bad: int) -> int:
        """The largest value that agrees between one that does and one that does not, on the symbol's step."""
        step = self.domain.step_of(name, self.base)
        low, high = good // step, -(-bad // step)
        while high - low > 1:
            middle = (low + high) // 2
            if self.difference(self.alone(name, middle * step)) is None:
                low = middle
            else:
                high = middle
        return low * step

    def alone(self, name: str, value: int) -> Point:
        """The base with one symbol moved to about ``value``, and what must follow it."""
        step = self.domain.step_of(name, self.base)
        return self.domain.moved(self.base, name, -(-value // step) * step)

    def _round(self) -> None:
        """Multiples of a power of two, where programs like to branch (padding to a chunk that is then nothing)."""
        point = {n: self._rounded(n) for n in self.sizes()}
        point.update({n: self._further(n, 0) for n in self.structural})
        if self.outside(point) or self.agrees(point):
            return None
        for name in self.sizes():
            alone = self.alone(name, self._rounded(name))
            reason = self.difference(alone) if not self.outside(alone) else None
            if reason is not None and not self.sampler.works(alone):
                continue  # the model raises there: a matter of its own constraints
            if reason is not None:
                self.refit(alone, reason)
                if Special(self).isolated(name, alone[name]):
                    return self._round()
                raise Branch(f"the program is another one at {where(alone)}: {reason}", name, alone[name])
        return None

    def _rounded(self, name: str) -> int:
        """A multiple of 256 (or of the symbol's own step) inside its bounds, if there is one."""
        step = math.lcm(ROUND, self.domain.steps.get(name, 1))
        for form in self.domain.whole:
            if name in form.symbols:
                step = math.lcm(step, math.gcd(*self.values[name]))
        least = -(-max(self.domain.at_least.get(name, 1), self.base[name]) // step) * step
        while least in self.domain.other_than.get(name, ()):
            least += step
        high = self.domain.at_most.get(name)
        return least if high is None or least <= high else self.base[name]
