"""The formula of a size, from its values at few points: the simplest of few kinds."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from symcost.formulas.form import Form, floor
from symcost.tracing.evidence.frames.roles import Point


def fitted(values: Sequence[int], points: Sequence[Point]) -> Form | None:
    """A form that takes these values at these points; nothing where no simple one does.

    Symbols that have the same values at all points cannot be told apart: they are in no form.

    >>> fitted([12, 20], [{"d": 24, "H": 2}, {"d": 40, "H": 2}])
    d/2
    >>> fitted([8, 10], [{"d": 24, "H": 3}, {"d": 40, "H": 4}])
    d/H
    >>> fitted([49, 81], [{"r": 7}, {"r": 9}])
    r**2
    >>> fitted([3, 5], [{"n": 3, "d": 3}, {"n": 5, "d": 5}])
    """
    columns = {name: tuple(point.get(name) for point in points) for name in points[0]}
    alike = Counter(columns.values())
    names = [name for name, column in columns.items() if len(set(column)) > 1 and alike[column] == 1]
    for form in _candidates(names, values, points):
        if all(form.value(point) == value for point, value in zip(points, values, strict=True)):
            return form
    return None


def _candidates(names: Sequence[str], values: Sequence[int], points: Sequence[Point]) -> Iterator[Form]:
    """Forms through the first point (and the second, for lines), the simplest first."""
    forms = {name: Form.symbol(name) for name in names}
    first, value = points[0], values[0]
    yield from forms.values()
    for name, form in forms.items():
        yield form * _plain(Fraction(value, first[name]))
    for name, form in forms.items():
        yield form + (value - first[name])
    for a, b in itertools.permutations(names, 2):
        yield forms[a] / forms[b]
        yield floor(forms[a] / forms[b])
    for a, b in itertools.combinations_with_replacement(names, 2):
        yield forms[a] * forms[b]
        yield forms[a] * forms[b] * _plain(Fraction(value, first[a] * first[b]))
    if len(points) > 2:
        yield from _lines(forms, values, points)


def _lines(forms: dict[str, Form], values: Sequence[int], points: Sequence[Point]) -> Iterator[Form]:
    """Lines over one symbol through two points: a third one must check them."""
    for name, form in forms.items():
        across = {point[name]: value for point, value in zip(points, values, strict=True)}
        if len(across) > 2:
            (x0, y0), (x1, y1) = list(across.items())[:2]
            slope = Fraction(y1 - y0, x1 - x0)
            yield form * _plain(slope) + _plain(y0 - slope * x0)
            yield floor(form * _plain(slope) + _plain(y0 - slope * x0))


def _plain(value: Fraction) -> int | Fraction:
    return value.numerator if value.denominator == 1 else value
