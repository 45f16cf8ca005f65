"""Equality of formulas: expansion, and Hermite's identity between floors."""

from __future__ import annotations

import pytest

import symcost as sc
from symcost.formulas.compared.equality import difference


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("n*(h + 1)", "h*n + n"),
        ("ceiling(h/2)", "h - floor(h/2)"),
        ("floor((h + 1)/2)", "h - floor(h/2)"),
        ("floor(h/3) + floor((h + 1)/3) + floor((h + 2)/3)", "h"),
        ("floor((h - 1)/4)", "floor((h + 3)/4) - 1"),
        ("c*floor(h/2)*ceiling(w/2)", "c*floor(h/2)*(w - floor(w/2))"),
        ("floor((r + 15)/32)", "ceiling(r/16) - ceiling(r/32)"),
        ("floor(-h/2)", "floor(h/2) - h"),
        ("ceiling(3*ceiling(r/4)/2)", "ceiling(r/4) + ceiling(r/8)"),
        ("floor(floor((h + 1)/2)/2)", "floor((h + 1)/4)"),
        ("Max(a*b, c)", "Max(c, b*a)"),
    ],
)
def test_equal_formulas_are_equal(left: str, right: str) -> None:
    assert sc.equal(sc.parse(left), sc.parse(right))


@pytest.mark.parametrize(("left", "right"), [("h", "w"), ("floor(h/2)", "ceiling(h/2)"), ("Max(a, b)", "Max(a, b, c)")])
def test_other_formulas_are_not(left: str, right: str) -> None:
    assert not sc.equal(sc.parse(left), sc.parse(right))


def test_what_is_left_of_a_difference_is_shown() -> None:
    assert difference(sc.parse("2*h"), sc.parse("h")) == sc.symbols("h")[0]
    assert difference(3, 3) == 0
    assert difference(sc.parse("floor(n/d)"), sc.parse("floor(n/d)")) == 0  # a quotient of symbols stays as it is
