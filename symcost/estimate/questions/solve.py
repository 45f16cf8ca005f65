"""The largest or smallest size under constraints, exact: bisection on integers where it is certified, else enumeration.

A constraint ``f <= c`` whose ``f`` never falls holds up to some size and no further: the size is found by doubling and
halving. What is not certified monotone is tried size by size over a range that must be given. Roots of floats are
never taken.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

from symcost.costs.exact import at_point
from symcost.costs.size import Bits
from symcost.costs.table import CostTable
from symcost.devices import Device
from symcost.errors import DomainError, SymcostError
from symcost.estimate.questions.constraint import read
from symcost.estimate.questions.names import Metrics
from symcost.estimate.questions.planned import domain_of, is_planned
from symcost.estimate.questions.reach import Reach, reach
from symcost.estimate.questions.setting import Setting, setting
from symcost.formulas.conditions import Compare, Condition, compares, holds, names, rewritten
from symcost.formulas.prove.growth import FAR, monotone_from
from symcost.formulas.symbols import Evaluator
from symcost.reading.choices import LatencyModel, Rule
from symcost.reading.given import checked
from symcost.reading.nearest import check_symbols
from symcost.reading.numerals import is_positive
from symcost.views import Viewed

MAX_STEPS = 1 << 16
UP, DOWN = "up", "down"


@dataclass(frozen=True, repr=False)
class Solution(Viewed, kind="solution"):
    """The size found, the point where it stands, what each constraint comes to there, and how it was found."""

    symbol: str
    value: int
    at: Mapping[str, int]
    constraints: tuple[tuple[str, Fraction, Fraction], ...]
    method: str
    compared: str = ""
    """What was compared with a fresh trace at the point, in words."""

    def __int__(self) -> int:
        return self.value

    __index__ = __int__

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value}" for name, value in self.at.items() if name != self.symbol)
        lines = [f"{self.symbol} = {self.value}" + (f" at {given}" if given else "") + f" ({self.method})"]
        lines += [f"  {text}: {shown(left)} against {shown(right)}" for text, left, right in self.constraints]
        lines += [f"  {self.compared}"] if self.compared else []
        return "\n".join(lines)


def shown(value: Fraction) -> str:
    """A number for people: an integer as it is, a fraction in six digits."""
    return f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):.6g}"


@checked
def solve(
    costs: CostTable,
    where: str | Sequence[str],
    *,
    largest: str | None = None,
    smallest: str | None = None,
    given: Mapping[str, int] | None = None,
    within: range | Sequence[int] | None = None,
    on: str | Device | None = None,
    dtype: str | None = None,
    weights: str | Bits | None = None,
    model: LatencyModel = "roofline",
    rule: Rule = "liveness",
    batch: Any = "n",
    optimizer: str = "sgd",
    zero: int = 0,
    check: bool = False,
) -> Solution:
    """The largest (or smallest) value of one symbol for which every constraint holds.

    ``given`` has a value for every other symbol that a constraint depends on.

    ``where``: conditions such as ``"params <= 25 M"``, ``"latency <= 10 ms"``, ``"throughput >= 100"`` (examples per second, of
    ``batch``), ``"energy <= 1e-3"`` (joules), ``"weight_bytes + activation_bytes <= 8e9 and d % 64 == 0"`` or ``"fits"``
    (every memory of the device), as :mod:`symcost.formulas.conditions` reads them, over the quantities of
    :mod:`symcost.estimate.questions.quantities` and the table's symbols. ``on``, ``dtype``, ``weights``, ``model``
    and ``rule`` are those of the estimates, ``optimizer`` and ``zero`` those of training. ``within``: the candidates, where a
    constraint is not certified monotone.
    ``check``: whether every number at the point is compared with a fresh trace of the model there, as in ``costs.subs``.

    Raises:
        SymcostError: where not one symbol is looked for, another has no value, or no value meets the constraints.
        DomainError: where the symbol is none of the table's.

    >>> from symcost.models import gpt2
    >>> found = solve(gpt2(d="d", L="L", H=1), "params <= 25_000_000", largest="d", given=dict(L=12))
    >>> print(found)
    d = 274 at L=12 (bisection, certified monotone)
      params <= 25_000_000: 24,905,230 against 25,000,000
    """
    name = wanted(costs.symbols, largest, smallest)
    others = dict(given or {})
    texts = [where] if isinstance(where, str) else list(where)
    planned = is_planned(Metrics(costs), [text for text in texts if isinstance(text, str)], ())
    options = {"dtype": dtype, "device": on, "weights": weights, "latency_model": model, "rule": rule, "batch": batch,
               "optimizer": optimizer, "zero": zero}  # fmt: skip
    options = {name: value for name, value in options.items() if value is not None}
    ask = partial(_solved, name, others, texts, within, largest is not None, planned)
    found: list[Solution] = []
    refused: list[SymcostError] = []
    for each in costs.sides if planned else [costs]:  # of which at most one holds at a point
        try:
            found.append(ask(setting(each, options, checked=True)))
        except SymcostError as problem:
            refused.append(problem)
    if not found:
        raise refused[0]
    best = (max if largest else min)(found, key=int)
    return replace(best, compared=costs.subs(check=True, **best.at).parts.compared) if check else best


def _solved(name: str, others: Mapping[str, int], texts: Sequence[str], within: Any, largest: bool, planned: bool,
            asked: Setting) -> Solution:  # fmt: skip
    """The solution of a table, in one form of its program on a mesh where that is asked about."""
    outside = _outside(asked.costs, name, others, planned)
    constraints = read(texts, asked)
    fixed = [_fixed(constraint, others) for constraint in constraints]
    _check_given(fixed, name)
    domain = domain_of(asked.costs, planned)
    beside = {**asked.costs.point, **others}
    problem = _Problem(name, others, fixed, outside, reach(domain, name, beside), _tried_to(domain, name))
    for size in within or ():
        if not is_positive(size):
            raise SymcostError(f"within has {size!r}: give positive integers, as range(1, 4097)")
    value, method = problem.largest(within) if largest else problem.smallest(within)
    at = {**others, name: value}
    values = Evaluator(at)
    listed = (each for sides in fixed for each in compares(sides))
    sides = tuple((c.text, Fraction(values(c.left)), Fraction(values(c.right))) for c in listed)
    return Solution(name, value, at, sides, method)


def wanted(symbols: Sequence[str], largest: str | None, smallest: str | None) -> str:
    """The symbol that is looked for, one of these."""
    if (largest is None) == (smallest is None):
        raise SymcostError("solve looks for one symbol: give largest= or smallest=, one of them")
    name = largest or smallest or ""
    check_symbols([name], symbols, DomainError)
    return name


def _outside(
    costs: CostTable, name: str, others: Mapping[str, int], planned: bool
) -> Callable[[Mapping[str, int]], str | None]:
    """Why a point lies outside the domain, as far as its symbols say."""
    costs.check_point(others)
    if name in others:
        raise SymcostError(f"{name} is looked for and given as {others[name]}: give it or look for it")
    domain = domain_of(costs, planned)
    return (lambda point: domain.problem(point)) if domain is not None else (lambda point: None)


def _tried_to(domain: Any, name: str) -> int | None:
    """How far a symbol was tried, where that is a limit of its domain."""
    evidence = None if domain is None else domain.evidence.get(name)
    return None if evidence is None else evidence.most


def _check_given(constraints: Sequence[Condition], name: str) -> None:
    """Every symbol that a constraint depends on has a value."""
    used = {used for constraint in constraints for used in names(constraint)}
    if left := sorted(used - {name}):
        raise SymcostError(f"solve needs a number for {', '.join(left)}: give {', '.join(f'{n}=...' for n in left)}")


def _fixed(constraint: Condition, others: Mapping[str, int]) -> Condition:
    return rewritten(constraint, lambda each: each.map(lambda side: at_point(side, others)), lambda word: word)


@dataclass(frozen=True)
class _Problem:
    """Constraints in one symbol."""

    name: str
    others: Mapping[str, int]
    constraints: Sequence[Condition]
    problem_at: Callable[[Mapping[str, int]], str | None]
    reach: Reach
    most: int | None = None
    """How far the symbol was tried, beyond which nothing is known of it."""

    def holds(self, value: int) -> bool:
        at = Evaluator({self.name: value})
        return all(holds(constraint, at) for constraint in self.constraints)

    def allowed(self, value: int) -> bool:
        return self.problem_at({**self.others, self.name: value}) is None

    def largest(self, within: Any) -> tuple[int, str]:
        if within is not None:
            return self._tried(sorted(within, reverse=True))
        start, sides = self._certified()
        low = start if self._all(sides, DOWN, start) else None
        if low is None:
            return self._tried(range(start - 1, 0, -1))
        high = low
        while self._all(sides, DOWN, high):
            low, high = high, 2 * high
            if self.most is not None and low >= self.most:
                break
            if high > FAR:
                raise SymcostError(f"there is no largest {self.name}: the constraints hold for every larger size")
        low = self._between(low, high, lambda value: self._all(sides, DOWN, value))
        low = low if self.most is None else min(low, self.most)
        size = self._stepped(low, max(low - MAX_STEPS, start))
        if start > 1 and (size is None or not self.holds(size)):
            return self._tried(range(start - 1, 0, -1))
        return self._checked(size)

    def smallest(self, within: Any) -> tuple[int, str]:
        if within is not None:
            return self._tried(sorted(within))
        start, sides = self._certified()
        for value in range(1, start):
            if self.holds(value) and self.allowed(value):
                return value, "enumeration"
        high = start
        while not self._all(sides, UP, high):
            high *= 2
            if high > FAR:
                raise self._none(range(high, high + 1))
        low = self._between(high, start - 1, lambda value: self._all(sides, UP, value)) if high > start else high
        return self._checked(self._stepped(low, low + MAX_STEPS))

    def _certified(self) -> tuple[int, list[tuple[Condition, str]]]:
        """From where every constraint and bound of the domain is monotone, and to which side each one holds."""
        starts, sides = [1], []
        for constraint in (*self.constraints, *self.reach.bounds):
            turn = None
            if isinstance(constraint, Compare) and constraint.op not in ("==", "!="):
                turn = monotone_from(constraint.difference, self.name)
            if turn is None:
                raise SymcostError(
                    f"{constraint.text!r} is not certified monotone in {self.name}: give the sizes to try, as "
                    f"within=range(1, 4097)"
                )
            start, direction = turn
            starts.append(start)
            below = isinstance(constraint, Compare) and constraint.op in ("<=", "<")
            sides.append((constraint, DOWN if (direction >= 0) == below else UP))
        return max(starts), sides

    def _all(self, sides: Sequence[tuple[Condition, str]], side: str, value: int) -> bool:
        at = Evaluator({self.name: value})
        return all(holds(constraint, at) for constraint, own in sides if own == side)

    @staticmethod
    def _between(good: int, bad: int, holds: Callable[[int], bool]) -> int:
        while abs(bad - good) > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if holds(middle) else (good, middle)
        return good

    def _stepped(self, first: int, last: int) -> int | None:
        return next(filter(self.allowed, self.reach.values(first, last)), None)

    def _checked(self, size: int | None) -> tuple[int, str]:
        if size is None or not self.holds(size):
            raise self._none()
        return size, "bisection, certified monotone"

    def _tried(self, candidates: Sequence[int]) -> tuple[int, str]:
        for value in candidates:
            if self.allowed(value) and self.holds(value):
                return value, "enumeration"
        raise self._none(sorted(candidates))

    def _none(self, candidates: Sequence[int] = ()) -> SymcostError:
        """That no size will do, with the constraints that the first one that the model takes breaks, and by how much."""
        allowed = (value for value in itertools.chain(candidates, range(1, MAX_STEPS)) if self.allowed(value))
        value = next(allowed, None)
        if value is None:
            return SymcostError(
                f"no {self.name} satisfies the constraints: the formulas hold at none of the sizes tried"
            )
        at = Evaluator({self.name: value})
        broken = [
            f"{each.text} does not hold ({shown(Fraction(at(each.left)))} against {shown(Fraction(at(each.right)))})"
            for constraint in self.constraints if not holds(constraint, at)
            for each in compares(constraint) if not holds(each, at)
        ]  # fmt: skip
        said = f"at {self.name}={value} {' and '.join(broken)}" if broken else "none of the sizes tried does"
        return SymcostError(f"no {self.name} satisfies the constraints: {said}; relax one")
