"""Fronts, however their points arrive: those of all pairs, of equal points the one of the smallest number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from effort import needs
from hypothesis import given, settings
from hypothesis import strategies as st
from sweep_oracle import nondominated

import symcost as sc
from symcost.sweeps.answers.front import Archive, front, near
from symcost.sweeps.answers.partial import Partial

SIZES = st.integers(1, 900)


def cloud(seed: int, number: int, count: int, values: int) -> list[Any]:
    """Points near a front, some of them equal."""
    random = np.random.default_rng(seed)
    columns = [random.integers(0, values, number) for _ in range(count - 1)]
    return [*columns, (count - 1) * values - sum(columns) + random.integers(0, max(1, values // 4), number)]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), SIZES, st.integers(2, 4), st.sampled_from([3, 12, 100]), st.integers(1, 6))
def test_an_archive_holds_the_front_of_all_it_was_given(
    seed: int, number: int, count: int, values: int, turns: int
) -> None:
    columns = cloud(seed, number, count, values)
    numbers = np.random.default_rng(seed + 1).permutation(number)  # parts may arrive in any order
    archive, total = Archive(count), Partial("front")
    for places in np.array_split(np.arange(number), turns):
        given_columns = [column[places] for column in columns]
        archive.add(numbers[places], given_columns)
        own = front(given_columns)
        part = Partial("front", 0, 0, numbers[places][own], [column[own] for column in given_columns])
        total = total.joined(part, 0)
    smallest: dict[tuple[int, ...], int] = {}
    for index, point in zip(numbers.tolist(), zip(*(c.tolist() for c in columns), strict=True), strict=True):
        smallest[point] = min(index, smallest.get(point, index))
    right = {point: smallest[point] for point in nondominated(list(smallest))}
    assert (
        dict(zip(zip(*(c.tolist() for c in archive.objectives), strict=True), archive.index.tolist(), strict=True))
        == right
    )
    assert sorted(zip(*(c.tolist() for c in total.objectives), strict=True)) == sorted(right)


@needs("llvmlite", "the engine of machine code")
@pytest.mark.parametrize("scale", [1, 10**9, 10**22])
@pytest.mark.parametrize("count", [3, 4])
def test_machine_code_and_numpy_trace_the_same_front(count: int, scale: int) -> None:
    formulas = {
        "w": f"{scale}*(a*b + c*d)", "x": f"{scale}*(41 - a) + b*d", "y": "100*a + c*c - 3*b*d", "z": "a + b - c + 9*d",
    }  # fmt: skip
    names = list(formulas)[:count]
    space = sc.Space(a=range(1, 41), b=range(1, 12), c=range(1, 12), d=range(1, 6))
    fronts = [
        sc.pareto(formulas, space, f"w <= {300 * scale}", minimize=names, engine=engine, workers=1, show=names)
        for engine in ("native", "numpy")
    ]
    assert [found.engine for found in fronts] == ["native", "numpy"]
    assert len(fronts[0]) > 32
    assert fronts[0].rows == fronts[1].rows


def test_near_points_follow_each_other() -> None:
    columns = cloud(1, 500, 3, 10**6)
    order = near(columns)
    assert sorted(order.tolist()) == list(range(500))

    def apart(places: Any) -> Any:
        return sum(np.abs(np.diff(column[places])).sum() for column in columns)

    assert apart(order) < apart(np.arange(500)) / 2
