"""Columns of configurations: what is looked up in tables is what sympy computes, whatever repeats in the columns."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sweep_oracle import FORMULAS, NAMES, value

import symcost as sc
from examples import microcontroller
from symcost.sweeps.numbers.tables import SPREAD, Levels
from symcost.sweeps.question.columns import CompiledFormulas

FAR = 3 * SPREAD
VALUES = st.one_of(st.integers(1, 5), st.sampled_from([1, 40, FAR]), st.integers(1, 2**40))
COLUMNS = st.fixed_dictionaries({name: st.lists(VALUES, min_size=1, max_size=5) for name in NAMES})


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(COLUMNS, FORMULAS, st.integers(0, 2**32 - 1))
def test_every_row_is_what_sympy_computes(pools: dict[str, list[int]], formula: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    columns = {name: random.choice(pool, 150) for name, pool in pools.items()}
    evaluate = CompiledFormulas({"f": formula, "every": sum(sc.symbols("a b c"))}, {})
    try:
        found = evaluate(**{name: columns[name] for name in evaluate.symbols})["f"]
    except sc.ExpressionError as problem:
        assume("could be 0" not in str(problem))
        raise
    points = [dict(zip(NAMES, map(int, row), strict=True)) for row in zip(*(columns[n] for n in NAMES), strict=True)]
    right = {tuple(at.values()): value(formula, at) for at in points}
    assert [right[tuple(at.values())] for at in points] == found.tolist()


def bent(a: Any, most: int) -> Any:
    """Small at both ends of a column, large between them."""
    return a * (most - a) * 10**10


@pytest.mark.parametrize("number", [3, 15, 40, 5000])
def test_what_is_largest_between_the_ends_of_a_column_does_not_wrap(number: int) -> None:
    most = 10**6
    column = [1, most // 2, most - 1, *range(2, number - 1)]
    (a,) = sc.symbols("a")
    found = CompiledFormulas({"f": bent(a, most), "g": sympy.Mod(a, 70) * 10**18}, {})(a=column)
    assert found["f"].tolist() == [bent(value, most) for value in column]
    assert found["g"].tolist() == [value % 70 * 10**18 for value in column]


@pytest.mark.parametrize("column", [[7], [1, 32, 256, 32], [1, SPREAD], [1, SPREAD + 1], [5, FAR, 6]])
def test_places_are_those_of_the_values(column: list[int]) -> None:
    given_column = np.array(column)
    levels = Levels(given_column)
    assert levels.values[levels.places(given_column)].tolist() == column
    assert levels.number == len(levels.values)


def test_columns_need_little_more_memory_than_their_results() -> None:
    compiled = microcontroller.network().compile("params", "macs", "peak_textbook")
    random, number = np.random.default_rng(0), 1_000_000
    columns = {name: random.integers(1, 9, number) * (8 if name.startswith("c") else 1) for name in compiled.symbols}
    columns["r"] = random.choice(range(32, 257, 8), number)
    tracemalloc.start()
    out = compiled(**columns)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 1.2 * sum(column.nbytes for column in out.values())


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 50)), min_size=1, max_size=40), st.booleans())
def test_quotients_are_exact_whether_they_are_whole_or_not(rows: list[tuple[int, int]], whole: bool) -> None:
    """Whole ones fill an array of machine integers; where one is not, all are Python's numbers."""
    rows = [(a * b if whole else a, b) for a, b in rows]
    found = CompiledFormulas({"f": sc.parse("3*a/b + 2*a")}, {})(a=[a for a, _ in rows], b=[b for _, b in rows])["f"]
    assert [Fraction(str(each)) for each in found] == [Fraction(3 * a, b) + 2 * a for a, b in rows]
    assert (found.dtype == "int64") == all(3 * a % b == 0 for a, b in rows)
