"""Digital lines: which floor of a straight line passes through these integers?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

MAX_STEP = 512
MIN_ROWS, MIN_ROUNDED_ROWS = 5, 6
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


def rounded_forms(
    column: Sequence[int], values: Sequence[Fraction]
) -> Iterator[tuple[int, int | Fraction, int | Fraction, int]]:
    """``(q, alpha, beta, c)`` with ``column = q floor(alpha value + beta) + c``: floor, half-up and ceiling.

    ``alpha`` is the simplest fraction that every row allows. ``c`` is 0, or the remainder of the column modulo ``q``.
    """
    rows = sorted(set(zip(values, column, strict=True)))
    if len(rows) < MIN_ROUNDED_ROWS:
        return
    common = math.gcd(*(y - rows[0][1] for _, y in rows))
    for q in dict.fromkeys((1, common)):
        if q == 0:
            continue
        c = rows[0][1] % q
        for beta in (Fraction(0), Fraction(1, 2)):
            low = max((Fraction((y - c) // q) - beta) / x for x, y in rows)
            high = min((Fraction((y - c) // q) + 1 - beta) / x for x, y in rows)
            if low < high:
                alpha = simplest_between(low, high)
                if all(q * math.floor(alpha * x + beta) + c == y for x, y in rows):
                    yield q, _plain(alpha), _plain(beta), c
        # a ceiling: values whose products are m/den become floor(alpha x + (den - 1)/den)
        low = max(Fraction((y - c) // q - 1) / x for x, y in rows)
        high = min(Fraction((y - c) // q) / x for x, y in rows)
        if low <= high:
            alpha = high if low == high else simplest_between(low, high, right=True)
            if all(q * math.ceil(alpha * x) + c == y for x, y in rows):
                yield -q, _plain(-alpha), 0, c


def simplest_between(low: Fraction, high: Fraction, right: bool = False) -> Fraction:
    """The fraction of smallest denominator in ``[low, high)``, or in ``(low, high]`` with ``right``.

    >>> simplest_between(Fraction(31, 100), Fraction(34, 100))
    Fraction(1, 3)
    """
    denominator = 1
    while True:
        numerator = math.floor(low * denominator) + 1 if right else math.ceil(low * denominator)
        value = Fraction(numerator, denominator)
        if (value <= high) if right else (value < high):
            return value
        denominator += 1


def _plain(value: Fraction) -> int | Fraction:
    return value.numerator if value.denominator == 1 else value
