"""Linear systems over the rationals: affine combinations of known columns that give another column exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from symcost.formulas.extent import whole
from symcost.formulas.form import Form

Column = tuple[int, ...]
"""One integer of one record over all sample points."""
PRIME = 2**31 - 19
"""Numbers are compared as remainders by it first, whose products fit into 64 bits."""
AT_ONCE = 2048
"""So many columns are looked at together."""


def affine(column: Column, features: Sequence[Column], sparse: bool = False, surplus: int = 1) -> list[Fraction] | None:
    """Rational coefficients (the constant last) with ``column = sum c_i feature_i + c`` at every point.

    Solved by elimination on as few rows as there are unknowns and checked on the rest; nothing when it does not hold,
    when the features are dependent, or when fewer than ``surplus`` rows are left to check: the more features there
    were to choose from, the more of them it takes. ``sparse`` allows features that do not matter.
    """
    unknowns = len(features) + 1
    rows = list(dict.fromkeys(zip(*features, column, strict=True)))
    if len(rows) < unknowns + surplus:
        return None
    if unknowns == 2:
        return _line(rows)
    solution = _plane(rows) if unknowns == 3 else _solve(rows, unknowns)
    if solution is None or (not sparse and any(c == 0 for c in solution[:-1])):
        return None
    if all(sum(c * v for c, v in zip(solution[:-1], row[:-1], strict=True)) + solution[-1] == row[-1] for row in rows):
        return solution
    return None


def _line(rows: list[tuple[int, ...]]) -> list[Fraction] | None:
    (x0, y0), (x1, y1) = rows[0], rows[1]
    if x0 == x1 or y0 == y1:
        return None
    dx, dy = x1 - x0, y1 - y0
    if any((y - y0) * dx != (x - x0) * dy for x, y in rows):
        return None
    slope = Fraction(dy, dx)
    return [slope, y0 - slope * x0]


def _plane(rows: list[tuple[int, ...]]) -> list[Fraction] | None:
    """The plane on which rows (a, b, y) lie, by integer determinants: a quick answer for most candidates."""
    a0, b0, y0 = rows[0]
    beside = [(a - a0, b - b0, y - y0) for a, b, y in rows[1:]]
    a1, b1, y1 = beside[0]
    normals = ((b1 * y - y1 * b, y1 * a - a1 * y, a1 * b - b1 * a) for a, b, y in beside[1:])
    na, nb, ny = next((normal for normal in normals if any(normal)), (0, 0, 0))
    if ny == 0 or any(na * a + nb * b + ny * y for a, b, y in beside):  # upright: the features follow from one another
        return None
    along, across = Fraction(-na, ny), Fraction(-nb, ny)
    return [along, across, y0 - along * a0 - across * b0]


def fitting(column: Column, firsts: Sequence[Column], seconds: Sequence[Column]) -> Iterator[tuple[int, int]]:
    """Which columns of the one list and of the other may give a column in an affine combination, in order.

    Of any four points that do, a determinant is 0, and the two columns are not one line. Both are computed for all pairs
    at once as remainders by a prime: few pairs are left for :func:`affine` to be exact about.

    >>> list(fitting((5, 8, 11, 15), [(1, 2, 3, 4), (1, 2, 3, 5)], [(1, 1, 1, 2), (1, 2, 2, 2)]))
    [(0, 0), (1, 0)]
    """
    (own,), other = _beside([column]), _beside(seconds)
    for start in range(0, len(firsts), AT_ONCE):
        one = _beside(firsts[start : start + AT_ONCE])
        lead = (one != 0).argmax(1)
        along, across = one[np.arange(len(one)), lead, None], other[:, lead].T
        turns = (along * other[:, k] % PRIME != one[:, k, None] * across % PRIME for k in range(len(own)))
        may = np.logical_or.reduce(list(turns))
        for k in range(len(own) - 2):
            (a, b, c), (x, y, z) = own[k : k + 3], other[:, k : k + 3].T
            minors = ((y * c - z * b) % PRIME, (z * a - x * c) % PRIME, (x * b - y * a) % PRIME)
            may &= sum(np.multiply.outer(one[:, k + i], minor) % PRIME for i, minor in enumerate(minors)) % PRIME == 0
        yield from ((start + int(i), int(j)) for i, j in np.argwhere(may))


def _beside(columns: Sequence[Column]) -> np.ndarray:
    """How far columns are from their first point at the others, as remainders."""
    return np.array([[(value - column[0]) % PRIME for value in column[1:]] for column in columns], np.int64)


def _solve(rows: list[tuple[int, ...]], unknowns: int) -> list[Fraction] | None:
    """Solve ``unknowns`` independent rows picked from ``rows`` by Gaussian elimination."""
    pivots: list[list[Fraction]] = []
    for row in rows:
        vector = [Fraction(v) for v in (*row[:-1], 1, row[-1])]
        for index, pivot in enumerate(pivots):
            lead = next(i for i, v in enumerate(pivot) if v)
            if vector[lead]:
                factor = vector[lead] / pivot[lead]
                vector = [v - factor * p for v, p in zip(vector, pivots[index], strict=True)]
        lead = next((i for i, v in enumerate(vector) if v), None)
        if lead is None:
            continue
        if lead == unknowns:
            return None  # contradiction: no affine form fits
        pivots.append(vector)
        if len(pivots) == unknowns:
            break
    if len(pivots) < unknowns:
        return None
    solution = [Fraction(0)] * unknowns
    for pivot in reversed(pivots):
        lead = next(i for i, v in enumerate(pivot) if v)
        rest = sum((pivot[i] * solution[i] for i in range(unknowns) if i != lead), start=Fraction(0))
        solution[lead] = (pivot[unknowns] - rest) / pivot[lead]
    return solution


def combine(coefficients: Sequence[Fraction], forms: Sequence[Form]) -> Form:
    """The form of an affine combination, the constant's coefficient last."""
    parts = [form * whole(c) for c, form in zip(coefficients, forms, strict=False)]
    return Form.total([*parts, whole(coefficients[-1])])


def power(high: int, low: int, x: int, y: int) -> int | None:
    """``k`` with ``high/low = (x/y)^k`` exactly, for small ``k``."""
    if low == 0 or high == 0:
        return None
    ratio, base = Fraction(high, low), Fraction(x, y)
    return next((k for k in (1, -1, 2, -2, 3, -3) if base**k == ratio), None)
