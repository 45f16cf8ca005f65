"""Spaces, conditions and questions: what is read, and what every mistake is told in one line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symcost as sc
from symcost.formulas.conditions import condition, names
from symcost.formulas.symbols import parse
from symcost.sweeps.question.question import question


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (range(8, 33, 8), [8, 16, 24, 32]),
        ([3, 1], [3, 1]),
        (5, [5]),
        (np.array([1, 2]), [1, 2]),
        ({"from": 2, "to": 6, "step": 2}, [2, 4, 6]),
        ({"to": 3}, [1, 2, 3]),
        ({"multiples_of": 32, "from": 40, "to": 100}, [64, 96]),
        ({"powers_of": 2, "from": 3, "to": 16}, [4, 8, 16]),
        (["small", "large"], ["small", "large"]),
    ],
)
def test_axes_are_ranges_lists_steps_multiples_powers_and_names(given: Any, values: list[Any]) -> None:
    assert list(sc.Space(d=given).axes["d"]) == values


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"d": []}, "the axis d is empty: give it at least one value"),
        ({"d": range(5, 5)}, "the axis d is empty"),
        ({"d": [0, 1]}, "the axis d has the value 0: every value must be a positive integer"),
        ({"d": range(0, 3)}, "the axis d has the value 0"),
        ({"d": [1, 1]}, "the axis d has the value 1 twice"),
        (
            {"d": [0.5]},
            "the axis d has the value 0.5: every value must be a positive integer; for fractions make the numerator",
        ),
        ({"d": [True]}, "the axis d has the value True"),
        ({"d": "64"}, "the axis d='64' must be a range, a list of integers or a list of names"),
        ({"d": None}, "the axis d=None must be a range"),
        ({"d": [1, "a"]}, "the axis d has the value 'a'"),
        ({"d": ["a", 1]}, "the axis d has the value 1: every value must be a name, as its first value is"),
        ({"d": {"upto": 3}}, "the axis d={'upto': 3} is not understood: write {from = 64, to = 1024, step = 64}"),
        ({"d": {"to": 8, "step": 2, "powers_of": 2}}, "is not understood"),
        ({"d": {"to": -8}}, "the axis d has to = -8: it must be a positive integer"),
        ({"d": {"to": 8, "powers_of": 1}}, "the axis d has powers_of = 1: it must be at least 2"),
        ({"d": [2**60]}, "every value must be a positive integer below 2**53 = 9,007,199,254,740,992; in larger units"),
        ({"d-1": [1]}, "'d-1' is not a name for an axis"),
        ({"d": range(1, 10**8)}, "the axis d has 99,999,999 values: at most 10,000,000; use a larger step"),
        ({f"d{i}": range(1, 10**6) for i in range(4)}, "the space has 1.000e.24 configurations"),
    ],
)
def test_an_axis_that_makes_no_sense_is_an_error(axes: dict[str, Any], message: str) -> None:
    with pytest.raises(sc.SpaceError, match=message.replace("[", r"\[").replace("{", r"\{").replace("**", r"\*\*")):
        sc.Space(axes)


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("d % H == 0", {"d", "H"}),
        ("L1 <= L2 < 9", {"L1", "L2"}),
        ("not (a > 1 or b != 2)", {"a", "b"}),
        ("params <= 7_000_000", {"params"}),
    ],
)
def test_conditions_are_comparisons_joined_by_logic(text: str, used: set[str]) -> None:
    assert names(condition(text)) == used


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("d % H", "cannot read 'd % H' as a condition: compare two expressions"),
        ("d % H = 0", "cannot read 'd % H = 0' as a condition"),
        ("a in b", "cannot read 'a in b' as a condition"),
        ("__import__('os') == 1", "cannot read"),
        ("a <= b.c", "cannot read 'b.c'"),
        ("", "cannot read '' as a condition"),
        ("a <= 1e1000", "'1e1000' in a condition is out of range: use an exponent of at most 999"),
        ("a <= 5 kg", "unknown unit 'kg' in '5 kg'"),
        ("a <= b 5", "cannot read 'a <= b 5' as a condition"),
    ],
)
def test_a_condition_that_is_none_is_an_error_and_never_run(text: str, message: str) -> None:
    with pytest.raises(sc.ExpressionError, match=message):
        sc.Space(a=[1], where=[text])


def test_logic_decides_as_python_does() -> None:
    grid = sc.Space(a=range(1, 9), b=range(1, 9))
    text = "not (a % 3 == 0 or b > a) and 2 <= b != 5 and a/b >= 3/2"
    right = [
        (a, b)
        for a in range(1, 9)
        for b in range(1, 9)
        if not (a % 3 == 0 or b > a) and 2 <= b != 5 and Fraction(a, b) >= Fraction(3, 2)
    ]
    assert sorted((row["a"], row["b"]) for row in sc.sweep({"f": "a + b"}, grid, text)) == right
    assert right


FORMULAS = {"f": "a*b"}


@pytest.mark.parametrize(
    ("formulas", "axes", "where", "message"),
    [
        (
            {"f": "a*b"},
            {"a": [1]},
            (),
            "f depends on the symbol b and the space has no axis for it: give it values, as b = ",
        ),
        ({"f": "a*b"}, {"a": [1], "b": [1], "bb": [2]}, (), "the axis bb is no symbol of the costs: did you mean b?"),
        ({"f": "a"}, {"a": [1], "zz": [2]}, (), "the axis zz is no symbol of the costs: their symbols are a"),
        (
            {"f": "a"},
            {"a": [1]},
            "ff <= 1",
            "'ff' is neither an axis of the space nor a number of the costs: did you mean f",
        ),
        ({"f": "g", "g": "f + 1"}, {"a": [1]}, (), "the formula f is defined by itself: f -> g -> f"),
        ({"f": 1.5}, {"a": [1]}, (), "the formula f=1.5 must be a text or an expression of symbols"),
    ],
)
def test_names_that_fit_nothing_are_told_with_their_neighbours(
    formulas: dict[str, Any], axes: dict[str, Any], where: Any, message: str
) -> None:
    with pytest.raises(sc.SpaceError, match=message.replace("(", r"\(").replace("[", r"\[")):
        sc.sweep(formulas, sc.Space(axes), where)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"axes": {"a": 1}}, "give one of network, networks or formulas: there is none"),
        ({"network": "x:y", "formulas": {}, "axes": {}}, "there network and formulas"),
        ({"formulas": {"f": "a"}}, r"there is no table \[axes\]"),
        ({"formulas": {"f": "a"}, "axes": {"a": 1}, "minimise": "f"}, "unknown key 'minimise': did you mean minimize?"),
        ({"formulas": {"f": "a"}, "axes": {"a": 1}, "top": 0}, "top = 0 must be a positive integer"),
        ({"formulas": {"f": "a"}, "axes": {"a": 1}, "where": 3}, "where = 3 must be a text or a list of texts"),
        ({"formulas": ["f"], "axes": {"a": 1}}, r"formulas must be a table, as \[formulas\]"),
    ],
)
def test_a_question_that_is_not_complete_is_an_error(table: dict[str, Any], message: str) -> None:
    with pytest.raises(sc.SpaceError, match=message):
        question(table)


def test_a_file_that_is_no_toml_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text("axes = {")
    with pytest.raises(sc.SpaceError, match=r"space.toml is not TOML: "):
        sc.load_space(tmp_path / "space.toml")
    with pytest.raises(sc.SpaceError, match=r"none.toml cannot be read: No such file"):
        sc.load_space(str(tmp_path / "none.toml"))


def test_a_space_shows_its_size_and_axes() -> None:
    space = sc.Space(d=range(1, 9), H=[1, 2], L=[1], where="d % H == 0")
    assert repr(space) == "Space(16 configurations: d 8, H 2, L 1; d % H == 0)"


def test_text_is_parsed_exactly() -> None:
    assert parse("7_000_000") == 7_000_000
