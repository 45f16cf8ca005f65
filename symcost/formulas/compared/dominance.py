"""Which of many closed forms can be the largest: those that no other one dominates for all positive symbols."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from symcost.formulas.atoms import Mono
from symcost.formulas.compared.many import Many
from symcost.formulas.form import Form, as_form

MAX_COMPARED = 24
NEARLY = 1e-9
MAX_DENOMINATOR = 1000


def undominated(sizes: Sequence[Any], points: Sequence[Mapping[str, int]]) -> list[Form]:
    """The forms that can be the largest somewhere: those that no other dominates for all positive symbols."""
    many = Many.of(list(dict.fromkeys(as_form(size) for size in sizes)), points)
    low, high = many.values - many.off, many.values + many.off
    rows = sorted(range(len(many.forms)), key=lambda row: tuple(many.values[row]), reverse=True)
    largest: list[int] = []
    for row in rows:
        form = many.forms[row]
        above = np.nonzero((high[largest] >= low[row]).all(axis=1))[0] if largest else ()
        if not any(dominates(many.forms[largest[index]], form) for index in above):
            below = (high[row] >= low[largest]).all(axis=1) if largest else ()
            largest = [r for r, it in zip(largest, below, strict=True) if not (it and dominates(form, many.forms[r]))]
            largest.append(row)
    return [form for _, form in _extreme([(tuple(many.values[row]), many.forms[row]) for row in largest])]


def _extreme(kept: list[tuple[tuple[Any, ...], Form]]) -> list[tuple[tuple[Any, ...], Form]]:
    """Without the forms below a weighted mean of two others: such a form is never the only maximum.

    Values at the points propose the weight; the comparison itself is exact.
    """
    if len(kept) > MAX_COMPARED:
        return kept  # all pairs against each would take long; a maximum of more forms is as right
    index = 0
    while index < len(kept):
        values, form = kept[index]
        others = kept[:index] + kept[index + 1 :]
        if any(
            (w := _weight(a, b, values)) is not None
            and dominates(w.numerator * left + (w.denominator - w.numerator) * right, w.denominator * form)
            for (a, left), (b, right) in itertools.combinations(others, 2)
        ):
            kept = others
        else:
            index += 1
    return kept


def _weight(a: Sequence[Any], b: Sequence[Any], below: Sequence[Any]) -> Fraction | None:
    """A simple weight ``w`` in [0, 1] for which the numbers allow ``w a + (1 - w) b >= below``, if there is one.

    It is a proposal, so floats do: whoever asks compares exactly.
    """
    low, high = 0.0, 1.0
    for x, y, z in zip(a, b, below, strict=True):
        if x == y:
            if x < z:
                return None
        elif x > y:
            low = max(low, (z - y) / (x - y))
        else:
            high = min(high, (y - z) / (y - x))
        if low > high + NEARLY:
            return None
    return Fraction((low + high) / 2).limit_denominator(MAX_DENOMINATOR)


def dominates(large: Form, small: Form) -> bool:
    """Whether ``large >= small`` for all symbols >= 1, by covering every negative term of the difference.

    >>> n, d = Form.symbol("n"), Form.symbol("d")
    >>> dominates(3 * n * d, n * d + n), dominates(n, d)
    (True, False)
    """
    difference = (large - small).terms
    positive = {m: c for m, c in difference.items() if c > 0}
    for mono, coefficient in difference.items():
        need = -coefficient
        if need <= 0:
            continue
        for other, have in list(positive.items()):
            if have > 0 and _divides(mono, other):
                taken = min(have, need)
                positive[other] = have - taken
                need -= taken
                if not need:
                    break
        if need:
            return False
    return True


def _divides(small: Mono, large: Mono) -> bool:
    """Whether every atom's exponent in ``small`` is at most that in ``large``."""
    exponents = dict(large)
    return all(e <= exponents.pop(a, 0) for a, e in small) and all(e >= 0 for e in exponents.values())


def telling_points(base: Mapping[str, int], symbols: Sequence[str]) -> list[dict[str, int]]:
    """The base, and points where one symbol or two outgrow the others: what dominates everywhere dominates there."""
    grown = [*((n,) for n in symbols), *itertools.combinations(symbols, 2)]
    return [dict(base), *({**base, **{n: 1000 * base[n] for n in names}} for names in grown)]


def largest(values: Sequence[Any]) -> Any:
    """The maximum: an integer where all are, else a ``Max`` as it stands."""
    if all(isinstance(value, int) for value in values):
        return max(values, default=0)
    return values[0] if len(values) == 1 else sympy.Max(*values, evaluate=False)
