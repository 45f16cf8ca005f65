"""Linear systems over the rationals: affine combinations of known columns that give another column exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symcost.formulas.extent import whole
from symcost.formulas.form import Form

Column = tuple[int, ...]
"""One integer of one record over all sample points."""


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
    if unknowns == 3 and not _coplanar(rows):
        return None
    solution = _solve(rows, unknowns)
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


def _coplanar(rows: list[tuple[int, ...]]) -> bool:
    """Whether rows (a, b, y) lie on one plane, by integer determinants: the quick no for most candidates."""
    a0, b0, y0 = rows[0]
    a1, b1, y1 = rows[1][0] - a0, rows[1][1] - b0, rows[1][2] - y0
    a2, b2, y2 = rows[2][0] - a0, rows[2][1] - b0, rows[2][2] - y0
    na, nb, ny = b1 * y2 - y1 * b2, y1 * a2 - a1 * y2, a1 * b2 - b1 * a2
    return all(na * (a - a0) + nb * (b - b0) + ny * (y - y0) == 0 for a, b, y in rows[3:])


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
