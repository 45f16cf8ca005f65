"""A closed form beside the program: points are compared with fresh traces, and what is found is written into the domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symcost.formulas.form import Form
from symcost.formulas.prove.halving import last_good
from symcost.tracing.domain.agreement import Agreement
from symcost.tracing.evidence.guard import Guard, all_hold
from symcost.tracing.fitting.align import same
from symcost.tracing.fitting.lift import PointError
from symcost.tracing.program.paths import TooManyCalls, call_budget
from symcost.tracing.sampling.sample import TRIAL_CALLS, Point, Values
from symcost.tracing.sampling.signals import Counterexample

DEEPER = 4
"""So many times as many module calls as a sample has operations: a program of more is far deeper than any sample."""


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
    met: list[Point] = field(default_factory=list)  # where one of them ends the form: it is wrong there

    def outside(self, point: Point) -> bool:
        """Whether nothing is to be looked for at a point: it is out of the domain, or beyond a decision that was seen."""
        return self.domain.problem(point) is not None or not self.as_seen(point)

    def as_seen(self, point: Point) -> bool:
        """Whether every decision that was seen falls at a point as it did."""
        return all_hold(self.seen, point)

    def further(self, name: str, index: int) -> int:
        """One of the values that no sample had, or the last one."""
        sampled = {point.get(name) for point in self.sampled}
        fresh = [value for value in self.values[name] if value not in sampled] or [self.values[name][-1]]
        return fresh[min(index, len(fresh) - 1)]

    def too_large(self, point: Point) -> bool:
        """Whether the arrays that the model holds are too many there, for the machine or to wait for."""
        if self.sampler.growth.is_heavy(point):
            return True
        try:
            with call_budget(self._calls):
                self.sampler(point)
        except PointError as problem:
            return isinstance(problem.__cause__, MemoryError | TooManyCalls)
        return False

    @property
    def _calls(self) -> int:
        """Module calls and parameters of a program that is not much deeper than any sample."""
        return max(TRIAL_CALLS, *(DEEPER * len(self.sampler(point).records) for point in self.sampled))

    def refit(self, point: Point, reason: str) -> None:
        """A point of the very same program that the form gets wrong is a sample that was missing."""
        if self.sampler.works(point) and same(self.sampler(point), self.sampler(self.base)):
            raise Counterexample(reason, [point])

    def follows(self, name: str, value: int) -> bool:
        """Whether a value that raises alone works beside a larger value of another parameter, and writes down why.

        Beside a multiple only, the one divides the other (groups and channels); beside any larger value, the one may
        not exceed the other (a sequence and the block it must fit).
        """
        for other in self.sizes():
            if other == name or other in self.sampler.model.input_symbols:
                continue
            moved = [self.domain.moved({**self.base, name: value}, other, factor * value) for factor in (3, 4)]
            multiple = next(filter(self.as_seen, moved), moved[0])
            if self.too_large(multiple) or not (self.sampler.works(multiple) and self.agrees(multiple)):
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

        def agrees(steps: int) -> bool:
            return self.difference(self.alone(name, steps * step)) is None

        return last_good(good // step, -(-bad // step), agrees) * step

    def alone(self, name: str, value: int) -> Point:
        """The base with one symbol moved to about ``value``, and what must follow it."""
        step = self.domain.step_of(name, self.base)
        return self.domain.moved(self.base, name, -(-value // step) * step)
