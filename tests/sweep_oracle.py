"""Brute force over spaces by sympy's own replacement: it shares no code with the engines. Random formulas for it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy
from hypothesis import strategies as st

import symcost as sc

A, B, C = sc.symbols("a b c")
NAMES = ("a", "b", "c")


def configurations(axes: Mapping[str, Sequence[int]]) -> Iterator[dict[str, int]]:
    """Every combination of the axes' values."""
    for values in itertools.product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


def value(expression: Any, at: Mapping[str, int]) -> Fraction:
    """An expression at a configuration, by sympy, from the inside out: ``subs`` takes a Piecewise in a floor apart."""
    found = sympy.sympify(expression).xreplace({sc.symbols(name)[0]: sympy.Integer(v) for name, v in at.items()})
    assert found.is_Rational, found
    return Fraction(int(found.p), int(found.q))


def feasible(axes: Mapping[str, Sequence[int]], limits: Sequence[tuple[Any, int]]) -> list[dict[str, int]]:
    """Configurations at which every expression is at most its limit."""
    return [at for at in configurations(axes) if all(value(e, at) <= limit for e, limit in limits)]


def nondominated(points: Sequence[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """The points that no other one improves on, by comparing all pairs."""
    distinct = set(points)
    return {p for p in distinct if not any(q != p and all(x <= y for x, y in zip(q, p, strict=True)) for q in distinct)}


def _combined(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    two = st.tuples(parts, parts)
    divisors = st.integers(2, 7)
    return st.one_of(
        two.map(lambda p: p[0] + p[1]),
        two.map(lambda p: p[0] - p[1]),
        two.map(lambda p: p[0] * p[1]),
        two.map(lambda p: sympy.Max(*p)),
        two.map(lambda p: sympy.Min(*p)),
        st.tuples(parts, divisors).map(lambda p: sympy.floor(p[0] / p[1])),
        st.tuples(parts, divisors).map(lambda p: sympy.ceiling(p[0] / p[1])),
        st.tuples(parts, divisors).map(lambda p: sympy.Mod(p[0], p[1])),
        st.tuples(parts, st.sampled_from(NAMES)).map(lambda p: sympy.floor(p[0] / sc.symbols(p[1])[0])),
        st.tuples(parts, parts, parts).map(lambda p: sympy.Piecewise((p[0], p[1] > p[2]), (p[2], True))),
        st.tuples(parts, st.fractions(-3, 3, max_denominator=5)).map(lambda p: p[0] * sympy.Rational(str(p[1]))),
    )


FORMULAS = st.recursive(
    st.one_of(st.sampled_from((A, B, C)), st.integers(-9, 9).map(sympy.Integer)), _combined, max_leaves=8
)
"""Formulas of a, b and c, some of them fractions."""


def axes(largest: int, most: int = 5) -> st.SearchStrategy[dict[str, list[int]]]:
    """Values of the three axes."""
    one = st.lists(st.integers(1, largest), min_size=1, max_size=most, unique=True)
    return st.fixed_dictionaries(dict.fromkeys(NAMES, one))
