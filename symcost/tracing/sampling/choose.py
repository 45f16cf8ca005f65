"""Which values to sample each symbol at, and which symbols change the program itself."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symcost.tracing.evidence.guard import Guard
from symcost.tracing.evidence.record import Recording, record
from symcost.tracing.fitting.align import same
from symcost.tracing.fitting.lift import Sampler
from symcost.tracing.program.capture import PointError
from symcost.tracing.program.paths import TooManyCalls, call_budget
from symcost.tracing.program.records import Program
from symcost.tracing.sampling.guided import across, allowed, along, guided, mended
from symcost.tracing.sampling.known import KnownPrograms
from symcost.tracing.sampling.sample import (
    GENERIC,
    LARGE_CONSTANTS,
    LARGER,
    SMALL,
    STEPS,
    TRIAL_CALLS,
    WIDE,
    Point,
    Values,
    enlarged,
    first_working,
    multiples,
    role_plans,
)

GUIDED = 4
"""So many plans at which some axes fail are bettered by what the program decides."""
FILLING = (8, 64)
"""So many times as large are inputs sampled where nothing is left of smaller ones."""
FEW_CONSTANTS = 1 << 16
"""Bytes of constants of which nobody asks how they grow."""
UNROLLED_CALLS = 1500
"""Module calls and declared parameters of a trial at sizes of an input that the factory takes too: more may be of a depth."""


class Unrolled(Exception):
    """At the sizes of an input a program is far deeper than a sample should be; ``names`` are those that make it so."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__("a size of the input is a number of layers")
        self.names = names


@dataclass
class Choice:
    """The values of every symbol, and the structural symbols among them.

    ``fixed`` symbols keep the values that the user's options settle, or that alone the model takes. ``first``: values that are
    tried before all others.
    """

    sampler: Sampler
    proof: KnownPrograms
    fixed: dict[str, Values]
    first: Mapping[str, Values] = field(default_factory=dict)
    values: dict[str, Values] = field(default_factory=dict)
    structural: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._made: tuple[dict[str, Values], tuple[str, ...]] | None = None  # what was found, to begin with again
        self._guidance = 0  # how often decisions were asked for values
        self._asked = False  # whether it was asked for all that the model wants, which is the last that is asked
        self.allowed: dict[str, Values] = {}  # of parameters that the model turned out to take few values of
        self.symbols = self.sampler.model.symbols
        self.inputs = self.sampler.model.input_symbols
        self._shared = [n for n in self.inputs if n in self.sampler.model.parameters and n not in self.fixed]

    @property
    def base(self) -> Point:
        """The first sample point."""
        return {name: values[0] for name, values in self.values.items()}

    @property
    def sizes(self) -> list[str]:
        """Symbols whose values leave the program's structure alone."""
        return [name for name in self.symbols if name not in self.structural]

    def make(self) -> None:
        """Find values at which the model works, make them generic, and classify the symbols; what was found before, again."""
        if self._made is None:
            self.values = self._working()
            self._fill()
            self._generalise()
            self._classify()
            self._made = dict(self.values), tuple(self.structural)
        values, structural = self._made
        self.values, self.structural = dict(values), list(structural)

    def _working(self) -> dict[str, Values]:
        """Values at which the model works; a size of the input that is its depth too is sampled like a depth."""
        parameters = [n for n in self.symbols if n not in self.inputs]
        plans = role_plans(self.inputs, parameters, self.fixed, self.sampler.model.coarse_symbols)
        if self.first.keys() == set(self.symbols):
            plans = itertools.chain([{**self.first, **self.fixed}], plans)
        try:
            with call_budget(UNROLLED_CALLS) if self._shared else contextlib.nullcontext():
                found = first_working(plans, self._tried, self._deep, self._alike, self._guided)
        except Unrolled as found:
            self.inputs = [name for name in self.inputs if name not in found.names]
            self._shared = [name for name in self._shared if name not in found.names] if found.names else []
            return self._working()
        self.allowed = {name: values for name, values in self.allowed.items() if found[name] is values}
        self.fixed.update(self.allowed)
        return found

    def _tried(self, point: Point) -> Program:
        """The program at a point; where it is very deep, what makes it so may be a size that input and factory share."""
        try:
            return self.sampler(point)
        except PointError as problem:
            if self._shared and isinstance(problem.__cause__, TooManyCalls):
                self.sampler.forget(point)
                raise Unrolled([n for n in self._shared if self.sampler.works({**point, n: SMALL[0]})]) from None
            raise

    def steady(self, name: str, values: Values) -> bool:
        """Whether the program is the same at the first values along one axis."""
        base = {**self.base, name: values[0]}
        points = [base, *({**base, name: v} for v in values[1:3])]
        if all(self.proof.alike(self.base, point) for point in points):
            return True
        if not all(self.sampler.works(p) for p in points[:2]):
            return False
        programs = [self.sampler(p) for p in points if self.sampler.works(p)]
        return all(same(programs[0], p) for p in programs[1:])

    def _deep(self, base: Point, other: Point) -> bool:
        """Whether two points that can be traced are different programs."""
        return not self.proof.alike(base, other) and not same(self.sampler(base), self.sampler(other))

    def _alike(self, base: Point, other: Point) -> bool:
        """Whether the programs at a base, where the model works, and at another point are known to be one of other sizes."""
        self.proof.look(base)
        return self.proof.alike(base, other)

    def _guided(self, plan: dict[str, Values], failing: Sequence[str]) -> dict[str, Values] | None:
        """The plan with values that the program's own decisions allow, where it was recorded; none ``failing``: all raises."""
        if (self._guidance >= GUIDED and failing) or self._asked or any(name in self.fixed for name in failing):
            return None
        base = {name: values[0] for name, values in plan.items()}
        if not failing:
            self._asked = True
            free = [name for name in self.symbols if name not in (*self.inputs, *self.fixed)]
            if (other := self._mended(plan)) is not None:
                return other
            self.allowed = allowed(record(self.sampler.model, base, alone=True), free)
            return {**plan, **self.allowed} if self.allowed else None
        seen = self.proof.seen(base)
        if seen is None:
            return None
        self._guidance += 1

        return guided(seen, plan, failing, self.inputs, self._recorded)

    def _mended(self, plan: Mapping[str, Values]) -> dict[str, Values] | None:
        """The plan with values that meet what the model asks before it raises, where all of it is seen."""
        free = [name for name in self.symbols if name not in self.fixed]

        def raised(point: Point) -> Recording | None:
            return None if self.sampler.works(point) else record(self.sampler.model, point, alone=True)

        return mended(plan, free, self.inputs, raised, self._recorded)

    def across(self, seen: Recording, decision: Guard, within: Sequence[Guard]) -> dict[str, Values] | None:
        """Values with which a decision falls the other way than it was seen to, where those of several symbols tell it."""
        found = across(seen, self.values, decision, within, self.inputs, self._recorded)
        return found if found and not self.fixed.keys() & found.keys() else None

    def _recorded(self, point: Point) -> Recording | None:
        """What the program decides at a point, or nothing where the model raises there."""
        if not self.sampler.works(point):
            return None
        self.proof.look(point)
        return self.proof.seen(point)

    def _fill(self) -> None:
        """Sample inputs larger where arrays are empty: of a short sequence a chain of windows leaves nothing."""
        free = [name for name in self.inputs if name not in self.fixed]
        for factor, names in itertools.product(FILLING, (*((name,) for name in free), free)):
            if not names or not self.sampler(self.base).has_empty:
                return
            larger = {name: enlarged(self.values[name], factor) for name in names}
            point = {**self.base, **{name: values[0] for name, values in larger.items()}}
            if self.sampler.works(point) and not self.sampler(point).has_empty:
                self.values.update(larger)

    # -- which symbols change the program ----------------------------------------------------------------------
    def _classify(self) -> None:
        """Symbols whose values change the program are structural, unless a coarser lattice keeps it the same."""
        self.structural = [name for name in self.symbols if not self.steady(name, self.values[name])]
        for name in list(self.structural):
            if name in self.fixed:
                continue
            if name not in self.inputs:
                self._reconsider(name)
                continue
            if self._as_seen(name):
                continue
            for step in STEPS:
                values = multiples(step)
                if self.steady(name, values):
                    self.values[name] = values
                    self.structural.remove(name)
                    break
            else:
                self._restart_small(name)

    def _as_seen(self, name: str) -> bool:
        """Whether a size whose values change the program is sampled where it decides as at the base: one of them was special."""
        seen = record(self.sampler.model, self.base, [other for other in self.structural if other != name])
        values = along(name, self.base, lambda point: seen.changed(point) is None) if name in seen.proved else ()
        if not values or not self.steady(name, (self.base[name], *values)):
            return False
        self.values[name] = (self.base[name], *values)
        self.structural.remove(name)
        return True

    def _reconsider(self, name: str) -> None:
        """A parameter whose small values change the program irregularly (clamped widths) may be a size at larger ones.

        A depth adds records with each step; it stays structural without further trials.
        """
        sizes = []
        for value in self.values[name][:4]:
            point = {**self.base, name: value}
            if self.sampler.works(point):
                sizes.append(len(self.sampler(point).records))
        if len(sizes) > 2 and all(a < b for a, b in itertools.pairwise(sizes)):
            return
        for values in (LARGER, multiples(8), multiples(32)):
            with call_budget(TRIAL_CALLS):
                if self.steady(name, values):
                    self.values[name] = values
                    self.structural.remove(name)
                    return

    def _restart_small(self, name: str) -> None:
        """A structural input dimension (an unrolled recurrence) is sampled at small consecutive values."""
        if self.sampler.works({**self.base, name: SMALL[0]}) and self.sampler.works({**self.base, name: SMALL[1]}):
            self.values[name] = SMALL

    # -- more generic values -----------------------------------------------------------------------------------
    def _generalise(self) -> None:
        """Factory parameters that are mere sizes get more generic values, where the model takes them.

        Small ones become generic numbers; very round ones multiples of little more than the others divide, so that
        roundings of the model's own (to a multiple of 256, say) can be seen. One point tells whether a choice is
        possible; all choices are checked along every axis at the end, and the last is taken back while they fail.
        """
        options = {name: self._options(name) for name in self.symbols}
        before: dict[str, Values] = {}
        for name, choices in options.items():
            for values in choices:
                point = {**self.base, name: values[0]}
                if self.proof.alike(self.base, point) or (
                    self.sampler.works(point)
                    and self.sampler(point).constant_bytes <= LARGE_CONSTANTS
                    and self.sampler(point).has_empty <= self.sampler(self.base).has_empty  # patches beyond an image
                ):
                    before[name] = self.values[name]
                    self.values[name] = values
                    break
        while before and not self._works_along_axes(before):
            name, values = before.popitem()
            self.values[name] = values

    def _options(self, name: str) -> tuple[Values, ...]:
        """More generic values for a parameter that is no depth, and for an input that begins where one before it does."""
        values = self.values[name]
        earlier = (
            [self.values[other] for other in self.inputs[: self.inputs.index(name)]] if name in self.inputs else []
        )
        if name not in self.fixed and values in earlier and len(values) > len(self.inputs):
            shift = 2 * earlier.count(values) - 1
            turned = (*values[shift:], *values[:shift])
            return (turned,) if self._is_as_light({**self.base, name: turned[0]}) else ()
        if name in self.inputs or name in self.fixed or values not in (SMALL, WIDE):
            return ()
        if self._deep(self.base, {**self.base, name: values[1]}):
            return ()
        return (GENERIC,) if values is SMALL else tuple(multiples(step) for step in (24, 72, 144))

    def _is_as_light(self, point: Point) -> bool:
        """Whether the program at a point holds few constants, or not many more than at the base: some grow with the inputs."""
        held = max(self.sampler(self.base).constant_bytes, FEW_CONSTANTS)
        return self.sampler.works(point) and self.sampler(point).constant_bytes <= 2 * held

    def _works_along_axes(self, changed: Mapping[str, Values]) -> bool:
        """Whether the changed symbols keep the program, and the model takes the further values of the others."""
        if not all(self.steady(name, self.values[name]) for name in changed):
            return False
        others = [n for n in self.symbols if n not in changed]
        further = ({**self.base, n: v} for n in others for v in self.values[n][1:3])
        return all(self.proof.alike(self.base, point) or self.sampler.works(point) for point in further)
