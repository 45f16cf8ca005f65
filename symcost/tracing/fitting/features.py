"""What columns are made of: dimensions, lines, and lines that bend where a program compares."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from fractions import Fraction

from symcost.formulas.form import Form
from symcost.formulas.functions import positive_part
from symcost.tracing.fitting.solve import Column

BESIDE = (-1, 0, 1, 2)
"""Where a line may bend beside a value that is compared: ``i < k`` and ``i <= k``, and at the layer after it."""


def column_of(form: Form, points: Sequence[Mapping[str, int]]) -> Column | None:
    """The whole numbers that a form is at points, or nothing where it has no value at one, or a fraction."""
    try:
        values = [form.value(point) for point in points]
    except ZeroDivisionError:  # what stands below is clamped elsewhere: max(1, d // 64)
        return None
    return tuple(map(int, values)) if all(isinstance(value, int) for value in values) else None


def is_dimension(form: Form) -> bool:
    """Whether it looks like one dimension: a single atom with coefficient 1, shifted by a constant at most."""
    leading = [(mono, c) for mono, c in form.terms.items() if mono != ()]
    return len(leading) == 1 and leading[0][1] == 1 and len(leading[0][0]) == 1 and leading[0][0][0][1] == 1


def is_line(form: Form) -> bool:
    """Whether it is a dimension of a map whose size is a multiple of a symbol: ``5 k + floor((k + 2)/3)``."""
    leading = [(mono, c) for mono, c in form.terms.items() if mono != ()]
    degree_one = all(isinstance(c, int) and c > 0 and len(mono) == 1 and mono[0][1] == 1 for mono, c in leading)
    return degree_one and len(leading) <= 2 and not is_dimension(form)


def bends(
    column: Column, points: Sequence[Mapping[str, int]], names: AbstractSet[str], where: Mapping[str, AbstractSet[int]]
) -> Form | None:
    """A line that bends or jumps where the program compares: ``c0 n + sum c_k Max(0, n - k) + c``.

    Every bend between two samples must lie at a value of a comparison or beside one, and the last piece must be seen
    to be a line.
    """
    name = next(iter(names), "")
    allowed = where.get(name)
    value_at = dict(sorted(zip((point[name] for point in points), column, strict=True))) if allowed else {}
    if not allowed or len(names) > 1 or len(value_at) < 4:
        return None
    slopes = [(a, Fraction(value_at[b] - value_at[a], b - a)) for a, b in itertools.pairwise(value_at)]
    first, slope = slopes[0]
    turns = {k: after - before for (_, before), (k, after) in itertools.pairwise(slopes) if after != before}
    if turns and allowed >= set(turns) and slopes[-1][1] == slopes[-2][1] and slope.denominator == 1:
        line = slope.numerator * (Form.symbol(name) - first) + value_at[first]
        return Form.total([line, *(turn * positive_part(Form.symbol(name) - k) for k, turn in turns.items())])
    return None
