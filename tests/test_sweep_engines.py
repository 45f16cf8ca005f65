"""Every engine gives what brute force by sympy gives: counts, rankings, lists and fronts of random formulas."""

from __future__ import annotations

import math
from typing import Any

import pytest
from effort import needs
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sweep_oracle import FORMULAS, NAMES, axes, feasible, nondominated, value

import symcost as sc

QUICK = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
SLOW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
"""For engines that compile every example."""


def uses_all(*formulas: Any) -> dict[str, Any]:
    """Formulas with one more that names every axis, so that none of them is refused."""
    return {**{f"f{i}": f for i, f in enumerate(formulas)}, "every": "a + b + c"}


def check(engine: str, grid: dict[str, list[int]], f: Any, g: Any, limit: int) -> None:
    """Count, list, ranking and front against the oracle."""
    space, formulas = sc.Space(grid), uses_all(f, g)
    right = feasible(grid, [(f, limit)])
    where = f"f0 <= {limit}"
    assert sc.count(formulas, space, where, engine=engine) == len(right)
    listed = sc.sweep(formulas, space, where, show="f1", engine=engine)
    assert sorted(tuple(row[n] for n in NAMES) for row in listed) == sorted(tuple(at[n] for n in NAMES) for at in right)
    assert all(row["f1"] == value(g, row_axes(row)) for row in listed)
    best = sc.sweep(formulas, space, where, maximize="f1", top=3, show="f1", engine=engine)
    assert [row["f1"] for row in best] == sorted((value(g, at) for at in right), reverse=True)[:3]
    front = sc.pareto(formulas, space, where, minimize="f0", maximize="f1", engine=engine)
    points = {(row["f0"], -row["f1"]) for row in front}
    assert len(points) == len(front)
    assert points == nondominated([(value(f, at), -value(g, at)) for at in right])


def row_axes(row: dict[str, Any]) -> dict[str, int]:
    return {name: row[name] for name in NAMES}


def attempt(engine: str, data: Any, largest: int) -> None:
    grid, f, g = data.draw(axes(largest)), data.draw(FORMULAS), data.draw(FORMULAS)
    values = sorted(value(f, at) for at in feasible(grid, []))
    limit = math.floor(data.draw(st.sampled_from(values)))  # some, not all, are feasible
    try:
        check(engine, grid, f, g, limit)
    except sc.ExpressionError as problem:
        assume("could be 0" not in str(problem))
        raise


@QUICK
@given(st.data())
def test_numpy_agrees_with_sympy(data: st.DataObject) -> None:
    attempt("numpy", data, 40)


@QUICK
@given(st.data())
def test_numpy_agrees_with_sympy_on_integers_of_any_size(data: st.DataObject) -> None:
    attempt("numpy", data, 2**52)


@needs("llvmlite", "the engine of machine code")
@SLOW
@given(st.data())
def test_native_agrees_with_sympy(data: st.DataObject) -> None:
    attempt("native", data, 40)


@needs("llvmlite", "the engine of machine code")
@SLOW
@given(st.data())
def test_native_agrees_with_sympy_on_integers_of_any_size(data: st.DataObject) -> None:
    attempt("native", data, 2**40)


@SLOW
@given(st.data())
def test_jax_agrees_with_sympy(data: st.DataObject) -> None:
    attempt("jax", data, 40)


@pytest.mark.campaign
@SLOW
@given(st.data())
def test_jax_agrees_with_sympy_on_integers_of_any_size(data: st.DataObject) -> None:
    attempt("jax", data, 2**40)


@pytest.mark.parametrize(
    "engine", ["numpy", pytest.param("native", marks=needs("llvmlite", "the engine of machine code"))]
)
@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("a*b <= 4321", lambda a, b: a * b <= 4321),
        ("a*b > 4321", lambda a, b: a * b > 4321),
        ("a*b + b >= 99 and a + b > 40", lambda a, b: a * b + b >= 99 and a + b > 40),
        ("not b//7 + a < 200", lambda a, b: b // 7 + a >= 200),
        ("a - b <= 5", lambda a, b: a - b <= 5),
        ("a >= 9", lambda a, b: a >= 9),
    ],
)
@pytest.mark.parametrize("step", [1, 3])
def test_a_long_last_axis_is_bisected_where_feasibility_turns_once(
    engine: str, condition: str, holds: Any, step: int
) -> None:
    lines, columns = range(1, 301), range(2, 900, step)
    found = sc.count({"f": "a*b"}, sc.Space(a=lines, b=columns), condition, engine=engine)
    assert found == sum(holds(a, b) for a in lines for b in columns)
    assert found.visited < 0.1 * found.size
    listed = sorted(columns, key=lambda b: b % 10)  # in no order, every value is looked at
    assert sc.count({"f": "a*b"}, sc.Space(a=lines, b=listed), condition, engine=engine) == found


@pytest.mark.parametrize(
    "engine", ["numpy", pytest.param("native", marks=needs("llvmlite", "the engine of machine code"))]
)
@pytest.mark.parametrize(
    ("condition", "holds"),
    [("a*b % 7 <= 3", lambda a, b: a * b % 7 <= 3), ("a*b == 60", lambda a, b: a * b == 60),
     ("a <= b and b <= 2*a", lambda a, b: a <= b <= 2 * a), ("a*b <= 90 or b > 800", lambda a, b: a * b <= 90 or b > 800)],
)  # fmt: skip
def test_a_long_last_axis_is_walked_where_feasibility_turns_more_than_once(
    engine: str, condition: str, holds: Any
) -> None:
    found = sc.count({"f": "a*b"}, sc.Space(a=range(1, 301), b=range(2, 900)), condition, engine=engine)
    assert found == sum(holds(a, b) for a in range(1, 301) for b in range(2, 900))


@pytest.mark.parametrize(
    "engine", ["numpy", pytest.param("native", marks=needs("llvmlite", "the engine of machine code"))]
)
def test_fronts_of_three_and_four_objectives_are_those_of_all_pairs(engine: str) -> None:
    grid = {"a": list(range(1, 12)), "b": list(range(1, 12)), "c": list(range(1, 9))}
    formulas = {"w": "a*b + c", "x": "Max(0, 40 - a*c)", "y": "100 - floor(b*c/2) + a", "z": "a + b + c"}
    for names in (("w", "x", "y"), ("w", "x", "y", "z")):
        front = sc.pareto(formulas, sc.Space(grid), "a + b <= 15", minimize=names, engine=engine)
        right = [at for at in feasible(grid, []) if at["a"] + at["b"] <= 15]
        points = nondominated([tuple(value(sc.parse(formulas[n]), at) for n in names) for at in right])
        assert {tuple(row[n] for n in names) for row in front} == points
        assert len(front) == len(points)
