"""Where a closed form holds: bounds, steps and divisibility, each in words and each checked."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import sympy

from symcost.costs.evidence import Decision, Evidence, beyond, untold
from symcost.costs.fresh import PEAK
from symcost.costs.parts import Conditions
from symcost.formulas.among import all_in_words, among
from symcost.formulas.form import Form
from symcost.tracing.evidence.guard import Guard, multiples_once

Point = dict[str, int]
MOST_TRIED = 64
"""Points at which a polynomial is tried."""
NEAR = 5000
"""How far a value is looked for at which the program decides as it was seen to."""


@dataclass(repr=False)
class Domain(Conditions):
    """Positive integers with lower and upper bounds, steps, an order, and quotients that must be whole.

    ``whole`` holds forms such as ``d/H`` that are sizes of the program and so must be integers; ``ordered`` pairs of
    which the first may not be larger than the second: a sequence and the block it must fit, two sizes whose order
    decides which program it is.
    """

    symbols: tuple[str, ...]
    at_least: dict[str, int] = field(default_factory=dict)
    at_most: dict[str, int] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    whole: tuple[Form, ...] = ()
    whole_least: dict[Form, int] = field(default_factory=dict)
    ordered: tuple[tuple[Form, Form], ...] = ()
    notes: list[str] = field(default_factory=list)
    bounds_at_one: frozenset[str] = frozenset()
    """Metrics that are upper bounds, not exact, where a size is 1."""
    dimensions: tuple[Form, ...] = ()
    """Symbolic sizes of the program's arrays."""
    other_than: dict[str, frozenset[int]] = field(default_factory=dict)
    """Single values at which the program is another one: a width that equals the next stage's needs no shortcut."""
    spans: dict[str, int] = field(default_factory=dict)
    """Values at which a slice spans its whole table, so that the step is left out."""

    guards: tuple[Guard, ...] = ()
    """What the program decided by its sizes, as it was seen: beyond, it is another one."""
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    """What stands behind each symbol."""
    shallow: Mapping[str, int] = field(default_factory=dict)
    """Depths up to which a peak is an upper bound: not every kind of layer occurs yet."""
    tried: dict[str, int] = field(default_factory=dict)
    """The largest value of each bounded symbol that was tried."""
    only: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Every value that was tried of symbols whose other values may be anything: the program makes texts or keys of them."""

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What the program was seen to decide by its sizes, and the lines that do."""
        return tuple(made(guard) for guard in self.guards)

    @property
    def uncomputed(self) -> tuple[Decision, ...]:
        """Those decisions that no condition can say: they compute with floats, or with roundings of them."""
        return tuple(made(guard) for guard in self.guards if not guard.readable)

    def note(self, text: str) -> None:
        """Add a remark; one of each kind is enough."""
        if not any(known.split(" (")[0] == text.split(" (")[0] for known in self.notes):
            self.notes.append(text)

    def has_one(self, point: Mapping[str, int]) -> bool:
        """Whether some size is 1 or spans its table at a point: a program may skip a step that only moves data."""
        if any(value in (1, self.spans.get(name)) for name, value in point.items()):
            return True
        return any(form.value(point) == 1 for form in self.dimensions if form.symbols <= set(point))

    def problem(self, point: Mapping[str, int]) -> str | None:
        """Why a point is outside, or nothing; symbols without a value are not checked."""
        for name, value in point.items():
            low, high, step = self.at_least.get(name, 1), self.at_most.get(name), self.steps.get(name, 1)
            if value < low:
                return f"{name}={value} is outside the domain: {name} must be at least {low}"
            if high is not None and value > high:
                return f"{name}={value} is outside the domain: {name} must be at most {high}"
            if value % step:
                return f"{name}={value} is outside the domain: {name} must be a multiple of {step}"
            if value in self.other_than.get(name, ()):
                return f"{name}={value} is outside the domain: the program is another one there; trace it at {name}={value}"
        names = point.keys()
        for small, large in self.ordered:
            if small.symbols | large.symbols <= names and small.value(point) > large.value(point):
                at = ", ".join(f"{n}={point[n]}" for n in sorted(small.symbols | large.symbols))
                return f"{at} is outside the domain: {small} must be at most {large}"
        for form in self.whole:
            if form.symbols <= names and not isinstance(form.value(point), int):
                at = ", ".join(f"{n}={point[n]}" for n in sorted(form.symbols))
                return f"{at} is outside the domain: {form} is a size and must be an integer"
        for form, least in self.whole_least.items():
            if form.symbols <= names and form.value(point) < least:
                at = ", ".join(f"{n}={point[n]}" for n in sorted(form.symbols))
                return f"{at} is outside the domain: {form} must be at least {least}"
        for guard in self.guards:
            if guard.symbols <= names and not guard.holds(point):
                at = ", ".join(f"{n}={point[n]}" for n in sorted(guard.symbols))
                return f"{at} is outside the domain: {_ordered(guard)} must hold, or the program is another one{guard.place.behind}"
        return self.untried(point)

    def untried(self, point: Mapping[str, int]) -> str | None:
        """Why nothing is known of a point that meets every other condition: it was not tried, or lies beyond; or nothing."""
        for name, most in self.tried.items():
            if point.get(name, 0) > most:
                value, why = point[name], self.evidence[name].why.partition(": ")[2]
                cure = f'trace further with upto={{"{name}": {value}}}, or compare this point with check=True'
                return beyond(name, value, most, why, cure)
        for name, values in self.only.items():
            if point.get(name, next(iter(values), 0)) not in values:
                value, why = point[name], self.evidence[name].why.partition(": ")[2]
                return untold(name, value, why)
        return None

    def bounds_at(self, point: Mapping[str, int]) -> frozenset[str]:
        """What is an upper bound at a point: metrics of programs that skip a step, and the peak where its notes say so."""
        shallow = bool(self.shallow) and all(point.get(name, most + 1) <= most for name, most in self.shallow.items())
        one = self.has_one(point)
        return (self.bounds_at_one if one else frozenset()) | (frozenset({PEAK}) if one or shallow else frozenset())

    def decides_otherwise(self, point: Mapping[str, int]) -> bool:
        """Whether one of :attr:`uncomputed` falls otherwise at a point."""
        guards = (guard for guard in self.guards if not guard.readable)
        return any(guard.symbols <= set(point) and not guard.holds(point) for guard in guards)

    def decides(self, point: Mapping[str, int]) -> bool:
        """Whether the program was seen to decide otherwise at a point."""
        return any(guard.symbols <= set(point) and not guard.holds(point) for guard in self.guards)

    def decided(self, point: Point) -> Point:
        """The point, or one near it at which every decision of one symbol is as it was seen."""
        for guard in self.guards:
            if len(guard.symbols) == 1 and guard.symbols <= set(point) and not guard.holds(point):
                (name,) = guard.symbols
                step = self.steps.get(name, 1)
                near = (point[name] + sign * k * step for k in range(1, NEAR) for sign in (1, -1))
                inside = (v for v in near if v > 0 and not self.decides({name: v}))
                point = {**point, name: next(inside, point[name])}
        return point

    def conditions(self) -> list[str]:
        """Every condition as an expression that the safe parser could read, beyond being positive integers."""
        wholes = {form: (name, _denominator(form, {})) for form in self.whole for name in form.symbols
                  if form == Form.symbol(name) / _denominator(form, {})}  # fmt: skip
        known = {
            name: math.lcm(self.steps.get(name, 1), *(k for n, k in wholes.values() if n == name))
            for name in self.symbols
        }
        guards, steps = multiples_once([guard for guard in self.guards if guard.readable], known)
        grown = {name for name in self.symbols if steps[name] > known[name]}  # told by a decision then
        texts = []
        for name in self.symbols:
            if self.at_least.get(name, 1) > 1:
                texts.append(f"{name} >= {self.at_least[name]}")
            if name in self.at_most:
                texts.append(f"{name} <= {self.at_most[name]}")
            if self.steps.get(name, 1) > 1 and name not in grown:
                texts.append(f"{name} % {self.steps[name]} == 0")
            texts += [f"{name} != {value}" for value in sorted(self.other_than.get(name, ()))]
        bounded = [f"{form} >= {least}" for form, least in self.whole_least.items()]
        texts += [f"{small} <= {large}" for small, large in self.ordered]
        texts += [f"{name} <= {most}" for name, most in self.tried.items() if name not in (*self.at_most, *self.only)]
        texts += [among(name, sorted(values)) for name, values in self.only.items()]
        whole = [form for form in self.whole if form not in wholes or wholes[form][0] not in grown]
        decided = [text for guard in guards if (text := _ordered(guard)) not in texts]
        return list(dict.fromkeys((*texts, *map(_divides, whole), *bounded, *decided)))

    def __str__(self) -> str:
        names = ", ".join(self.symbols)
        unread = [str(guard) for guard in self.guards if not guard.readable and guard.by != "rounding"]
        floats = [str(guard) for guard in self.guards if guard.by == "rounding"]
        if len(floats) > 1:
            floats = [f"{floats[0]} and {len(floats) - 1} more floats are as exact numbers are"]
        parts = [
            f"{names} positive integers" if names else "one program",
            *all_in_words(self.conditions()),
            *unread,
            *floats,
            *self.notes,
        ]
        if self.bounds_at_one:
            metrics = ", ".join(sorted(self.bounds_at_one))
            whole = "".join(f" or {name} is {value}" for name, value in self.spans.items())
            parts.append(f"where a size is 1{whole}, {metrics} are upper bounds")
        return "; ".join(parts)

    def step_of(self, name: str, point: Mapping[str, int]) -> int:
        """What a symbol must be a multiple of beside the others' values at a point."""
        others = {n: v for n, v in point.items() if n != name}
        above = (form for form in self.whole if stands_above(form, name))
        return math.lcm(self.steps.get(name, 1), *(_denominator(form, others) for form in above))

    def divided(self, name: str) -> bool:
        """Whether a symbol must be a multiple of another one, such as ``d`` of ``H``."""
        return any(e < 0 for form in self.whole if name in form.symbols for mono in form.terms for _, e in mono)

    def moved(self, point: Mapping[str, int], name: str, value: int) -> Point:
        """The point with another value of one symbol; what stands above it in a quotient or the order follows."""
        new = {**point, name: value}
        for small, large in self._ordered_symbols():
            if name in (small, large) and new[small] > new[large]:
                other, down = (large, 0) if name == small else (small, 1)
                step = self.step_of(other, new)
                new[other] = (new[name] // step if down else -(-new[name] // step)) * step
        below, followed = [name], {name}
        while below:
            moved = below.pop(0)
            for form in self.whole:
                if moved not in form.symbols or stands_above(form, moved):
                    continue
                for other in sorted(form.symbols - followed):
                    if stands_above(form, other):
                        step = self.step_of(other, new)
                        new[other] = max(-(-new[other] // step), 3) * step  # quotients of 1 are special
                        below.append(other)
                        followed.add(other)
        return new

    def _ordered_symbols(self) -> list[tuple[str, str]]:
        """The pairs of the order that are plain symbols."""
        return [(str(a), str(b)) for a, b in self.ordered if str(a) in self.symbols and str(b) in self.symbols]

    def generic_point(
        self,
        shift: int,
        fixed: Mapping[str, int],
        scale: Mapping[str, int],
        primes: tuple[int, ...] = (7, 11, 13, 5, 17, 19),
    ) -> Point:
        """A point inside with values that share little: ``shift`` picks another one; ``scale`` bounds from below."""
        turned = itertools.cycle(primes[shift % len(primes) :] + primes[: shift % len(primes)])
        point = dict(fixed)
        for name in self.dividing_first([n for n in self.symbols if n not in fixed]):
            step = self.step_of(name, point)
            least = max(self.at_least.get(name, 1), scale.get(name, 1), *(
                point[small] for small, large in self._ordered_symbols() if large == name and small in point))  # fmt: skip
            factor = next(turned)
            while step * factor < least:
                factor = factor * 2 + 1
            value = step * factor
            high = self.at_most.get(name)
            if high is not None and value > high:
                value = high // step * step
            point[name] = value
        return self.decided(point)

    def dividing_first(self, names: Iterable[str]) -> list[str]:
        """Symbols such that what stands below a quotient, or must be smaller, comes before what stands above it."""
        waiting, ordered = list(names), []
        while waiting:
            below = {n: {o for f in self.whole if stands_above(f, n) for o in f.symbols if not stands_above(f, o)}
                     | {small for small, large in self._ordered_symbols() if large == n} for n in waiting}  # fmt: skip
            ready = [n for n in waiting if not below[n] & set(waiting)] or waiting[:1]
            ordered += ready
            waiting = [n for n in waiting if n not in ready]
        return ordered


def made(guard: Guard, text: str = "") -> Decision:
    """A decision as it is told."""
    return Decision(text or str(guard), tuple(sorted(guard.symbols)), guard.place.short if guard.place.file else "")


def _ordered(guard: Guard) -> str:
    """A decision as the conditions are told: of two sizes the smaller one first, as in ``k <= E``."""
    sizes = {Form.symbol(name) for name in guard.symbols}
    turned = guard.op == ">=" and {guard.left, guard.right} == sizes and len(sizes) == 2
    return f"{guard.right} <= {guard.left}" if turned else str(guard)


def stands_above(form: Form, name: str) -> bool:
    """Whether a symbol stands above the line in a quotient."""
    _, rest = form.split_integral()
    return any(e > 0 for mono in rest.terms for atom, e in mono if name in Form({((atom, 1),): 1}).symbols)


def _denominator(form: Form, point: Mapping[str, int]) -> int:
    """What the numerator must be a multiple of: constants below, and the symbols below that have values."""
    result = 1
    for mono, coefficient in form.terms.items():
        below = Fraction(coefficient).denominator
        for atom, exponent in mono:
            if exponent < 0:
                value = Form({((atom, 1),): 1})
                if value.symbols <= set(point):
                    base = value.value(point)
                    below *= int(base) ** -exponent
        result = math.lcm(result, below)
    return result


def _divides(form: Form) -> str:
    """``d/H`` as ``d % H == 0``; sums over a common denominator."""
    numerator, denominator = sympy.fraction(sympy.together(form.sympy()))
    return f"{_bracketed(numerator)} % {_bracketed(denominator)} == 0"


def _bracketed(expression: sympy.Expr) -> str:
    return str(expression) if expression.is_Symbol or expression.is_Integer else f"({expression})"


def whole_forms(forms: Iterable[Form]) -> tuple[Form, ...]:
    """The quotients among sizes that must be integers, without those that others imply: squares of them, too.

    >>> r = Form.symbol("r")
    >>> print(*whole_forms([r**2 / 256, r / 16, 3 * r / 16, r * (r - 1) / 2]))
    r/16
    """
    rests = {_reduced(form.split_integral()[1]) for form in forms}
    quotients = [r for r in rests if r.terms and r.is_polynomial and not r.is_integral and not _whole_everywhere(r)]
    quotients.sort(key=lambda r: (len(r.terms), -max(Fraction(c).denominator for c in r.terms.values()), len(r.symbols),
                              max(abs(Fraction(c).numerator) for c in r.terms.values()), str(r)))  # fmt: skip
    needed: list[Form] = []
    for rest in quotients:
        if not any(_implied(rest, k) for k in needed):
            needed.append(rest)
    return tuple(rest for rest in needed if not any(_implied(rest, k**2) for k in needed if k != rest))


def whole_over(programs: Sequence[Iterable[Form]], fit: Callable[[Sequence[int]], Form | None]) -> tuple[Form, ...]:
    """The quotients that must be integers, of programs at several depths: ``d/2``, ``d/3``, ``d/4`` at ``H = 2, 3, 4`` are ``d/H``.

    ``fit`` gives the form that has some numbers, one of each program, or nothing where they have none.

    >>> d, H = Form.symbol("d"), Form.symbol("H")
    >>> print(*whole_over([[d / 2], [d / 3], [d / 4]], lambda column: H if column == [2, 3, 4] else None))
    d/H
    >>> print(*whole_over([[d / 2], [d / 4], [d / 8]], lambda column: None))
    d/8
    """
    found = [whole_forms(forms) for forms in programs]
    every = list(dict.fromkeys(form for forms in found for form in forms))
    for above in dict.fromkeys(_numerator(form) for form in every):
        below = [math.lcm(*(_denominator(form, {}) for form in forms if _numerator(form) == above)) for forms in found]
        fitted = fit(below) if above is not None and len(set(below)) > 1 else None
        if above is not None and fitted is not None and len(fitted.terms) == 1:
            every = [form for form in every if _numerator(form) != above] + [above / fitted]
    return whole_forms(every)


def _numerator(form: Form) -> Form | None:
    """What is divided by a number; nothing of sums, and where a symbol stands below."""
    ((mono, _),) = form.terms.items() if len(form.terms) == 1 else (((), 0),)
    return Form({mono: 1}) if mono and all(e > 0 for _, e in mono) else None


def _whole_everywhere(form: Form) -> bool:
    """Whether a polynomial is whole at all integers, ``F*(F - 1)/2``: at one value more of each symbol than its degree tells."""
    powers = [(atom.name, e) for _, factors in form.atoms() for atom, e in factors]
    if any(e < 0 for _, e in powers):
        return False
    most = {name: max(e for other, e in powers if other == name) for name in form.symbols}
    if math.prod(degree + 1 for degree in most.values()) > MOST_TRIED:
        return False
    points = itertools.product(*(range(1, degree + 2) for degree in most.values()))
    return all(Fraction(form.value(dict(zip(most, point, strict=True)))).denominator == 1 for point in points)


def _reduced(form: Form) -> Form:
    """``11 g/4`` asks no more than ``g/4``: numerators that share nothing with the denominator do not matter."""
    if len(form.terms) != 1:
        return form
    ((mono, coefficient),) = form.terms.items()
    if any(e < 0 for _, e in mono):
        return form
    return Form({mono: Fraction(1, Fraction(coefficient).denominator)})


def _implied(form: Form, known: Form) -> bool:
    """Whether ``form`` is an integral multiple of ``known`` plus something integral."""
    if len(known.terms) != 1:
        return False
    quotient = form / known
    return quotient.is_integral
