"""The search behind ``solve``: bisection where every constraint is certified monotone, steps over remainders, else trial."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from symcost.errors import SymcostError
from symcost.estimate.questions.reach import Reach
from symcost.formulas.conditions import Compare, Condition, compares, holds
from symcost.formulas.prove.growth import FAR, monotone_from
from symcost.formulas.prove.halving import last_good
from symcost.formulas.prove.period import period
from symcost.formulas.symbols import Evaluator

MAX_STEPS = 1 << 16
UP, DOWN = "up", "down"


def shown(value: Fraction) -> str:
    """A number for people: an integer as it is, a fraction in six digits."""
    return f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):.6g}"


@dataclass(frozen=True)
class SizeSearch:
    """Constraints in one symbol, and where its values may be."""

    name: str
    others: Mapping[str, int]
    constraints: Sequence[Condition]
    problem_at: Callable[[Mapping[str, int]], str | None]
    reach: Reach
    most: int | None = None
    """How far the symbol was tried, beyond which nothing is known of it."""

    def holds(self, value: int) -> bool:
        """Whether every constraint holds at a value."""
        at = Evaluator({self.name: value})
        return all(holds(constraint, at) for constraint in self.constraints)

    def allowed(self, value: int) -> bool:
        """Whether the formulas hold at a value."""
        return self.problem_at({**self.others, self.name: value}) is None

    def largest(self, within: Any) -> tuple[int, str]:
        """The largest value and how it was found."""
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
        low = last_good(low, high, lambda value: self._all(sides, DOWN, value))
        low = low if self.most is None else min(low, self.most)
        size = self._stepped(low, max(low - MAX_STEPS, start))
        if start > 1 and (size is None or not self.holds(size)):
            return self._tried(range(start - 1, 0, -1))
        return self._checked(size)

    def smallest(self, within: Any) -> tuple[int, str]:
        """The smallest value and how it was found."""
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
        low = last_good(high, start - 1, lambda value: self._all(sides, UP, value)) if high > start else high
        return self._checked(self._stepped(low, low + MAX_STEPS))

    def _certified(self) -> tuple[int, list[tuple[Condition, str]]]:
        """From where every constraint and bound of the domain is monotone, and to which side each one holds."""
        starts, sides = [1], []
        for constraint in (*self.constraints, *self.reach.bounds):
            if constraint in self._again:
                continue
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

    @cached_property
    def _again(self) -> list[Condition]:
        """Constraints that fall the same way after some values: those are stepped over."""
        return [each for each in self.constraints if (period(each, self.name) or FAR) <= MAX_STEPS]

    def _stepped(self, first: int, last: int) -> int | None:
        """The first value from one to another that the domain allows, and whose remainders are asked for."""
        for value in self.reach.values(first, last):
            at = Evaluator({self.name: value})
            if all(holds(each, at) for each in self._again) and self.allowed(value):
                return value
        return None

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
