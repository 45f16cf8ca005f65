"""Digital lines: which rounding of a straight line passes through these integers?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from symcost.formulas.extent import whole
from symcost.formulas.form import Form, floor
from symcost.formulas.functions import maximum

MAX_STEP = 512
MIN_ROWS, MIN_ROUNDED_ROWS, MIN_LEVELS = 5, 6, 4
"""Distinct points that it takes: a slope is a real number, and many lines pass between few integers."""


def shifts_of_floor(
    column: Sequence[int], values: Sequence[int], strides: Sequence[int]
) -> Iterator[tuple[int, int, int, int]]:
    """``(q, s, a, c)`` with ``column = q floor((value + a)/s) + c`` and ``0 <= a < s``.

    ``q`` is the greatest common divisor of the differences or 1; the slope bounds ``s``. Floor, ceiling and round
    half up come before other shifts, and steps that are products of the program's own strides before other steps.
    """
    rows = sorted(set(zip(values, column, strict=True)))
    if len(rows) < MIN_ROWS or len({v for v, _ in rows}) != len(rows):
        return
    (x0, y0), (x1, y1) = rows[0], rows[-1]
    common = math.gcd(*(y - y0 for _, y in rows))
    if common == 0 or y1 <= y0 or x1 <= x0:
        return
    for q in dict.fromkeys((1, common)):
        rise, run = (y1 - y0) // q, x1 - x0
        # floor gains over a run of x differ from run/s by less than one
        low, high = max(2, -(-run // (rise + 1))), (run // (rise - 1) if rise > 1 else min(MAX_STEP, run))
        steps = sorted(range(low, min(high, MAX_STEP) + 1), key=lambda s: (not composed(s, strides), s))
        usual = [(s, a) for s in steps for a in dict.fromkeys((0, s - 1, s // 2))]
        for step, a in itertools.chain(usual, ((s, a) for s in steps for a in range(s))):
            c = y0 - q * ((x0 + a) // step)
            if all(q * ((x + a) // step) + c == y for x, y in rows):
                yield q, step, a, c


def composed(step: int, strides: Sequence[int]) -> bool:
    """Whether a step is a product of the strides (1 is)."""
    for s in strides:
        while step % s == 0:
            step //= s
    return step == 1


@dataclass(frozen=True)
class Rounding:
    """``q Max(least, [alpha value]) + c``, where the bracket rounds by a rule of :data:`RULES`."""

    q: int
    alpha: Fraction
    rule: str
    least: int | None
    c: int

    def __call__(self, value: Form) -> Form:
        """The rounding of a form."""
        steps = value * whole(self.alpha)
        parts = {
            "down": [floor(steps)],
            "half up": [floor(steps + Fraction(1, 2))],
            "up": [-floor(-steps)],
            "divisible": [floor(steps + Fraction(1, 2)), -floor(-steps * Fraction(9, 10))],
        }[self.rule]
        return self.q * maximum([*parts, *([] if self.least is None else [self.least])]) + self.c


RULES = ("down", "half up", "up", "divisible")
"""``divisible`` is MobileNet's and EfficientNet's: half up, but never more than a tenth below."""
Edge = tuple[Fraction, int]
"""A bound, and whether it is meant from above (1), exactly (0) or from below (-1)."""


def roundings(column: Sequence[int], values: Sequence[Fraction]) -> Iterator[Rounding]:
    """Roundings that make the column of the values, plain ones first, then those that have a least result.

    ``alpha`` is the simplest fraction that every row allows. ``c`` is 0, or the remainder of the column modulo ``q``.
    """
    rows = sorted(set(zip(values, column, strict=True)))
    if len(rows) < MIN_ROUNDED_ROWS:
        return
    common = math.gcd(*(y - rows[0][1] for _, y in rows))
    least = min(column)
    clamped = [None, least] if column.count(least) > 1 and len(set(column)) >= MIN_LEVELS else [None]
    for bound, q in itertools.product(clamped, [q for q in dict.fromkeys((1, common)) if q]):
        c = rows[0][1] % q
        low_end = None if bound is None else (bound - c) // q
        counts = [(x, (y - c) // q) for x, y in rows]
        if low_end is None or low_end > 0:
            for rule in RULES:
                alpha = _slope(counts, rule, low_end)
                if alpha is not None:
                    yield Rounding(q, alpha, rule, low_end, c)


def _slope(rows: Sequence[tuple[Fraction, int]], rule: str, least: int | None) -> Fraction | None:
    """The simplest ``alpha`` with ``[alpha x] = k`` in every row, or at most ``k`` where that is the least."""
    reaches = [(x, k, *_reach(rule, k)) for x, k in rows]
    low = max([(Fraction(0), 1), *((first / x, side) for x, k, (first, side), _ in reaches if k != least)])
    high = min((last / x, side) for x, _, _, (last, side) in reaches)
    return simplest_between(low, high) if low <= high else None


def _reach(rule: str, k: int) -> tuple[Edge, Edge]:
    """The first and the last value that a rule rounds to ``k``."""
    half = Fraction(1, 2)
    if rule == "down":
        return (Fraction(k), 0), (Fraction(k + 1), -1)
    if rule == "up":
        return (Fraction(k - 1), 1), (Fraction(k), 0)
    nearest = (k - half, 0), (k + half, -1)
    if rule == "half up":
        return nearest
    return min(nearest[0], (Fraction(10 * (k - 1), 9), 1)), min(nearest[1], (Fraction(10 * k, 9), 0))


def simplest_between(low: Edge, high: Edge) -> Fraction:
    """The fraction of smallest denominator between two bounds, the first not above the second.

    >>> simplest_between((Fraction(31, 100), 0), (Fraction(34, 100), -1))
    Fraction(1, 3)
    """
    denominator = 1
    while True:
        scaled = low[0] * denominator
        value = Fraction(math.floor(scaled) + 1 if low[1] else math.ceil(scaled), denominator)
        if (value, 0) <= high:
            return value
        denominator += 1
