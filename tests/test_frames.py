"""Landmarks: what a program's own lines decide about depths."""

from __future__ import annotations

import random
from typing import Any

import pytest
from depth_programs import ROWS
from hypothesis import example, given, settings
from hypothesis import strategies as st
from watched import runs, way  # noqa: F401 - a fixture of every test here

from symcost.tracing.evidence.frames.landmark import Landmarks
from symcost.tracing.evidence.frames.landmarks import landmarks
from symcost.tracing.evidence.frames.watch import watch

PARTS = ("thresholds", "ends", "moduli", "shares", "lengths")


@pytest.mark.parametrize("name", ROWS)
def test_one_run_at_a_small_depth_finds_all_landmarks(name: str) -> None:
    row = ROWS[name]
    found = landmarks(runs(row.program, 5), ["L"])["L"]
    assert found.complete == row.alone
    assert found.saw_index >= row.saw_index
    if row.alone:
        assert all(getattr(row, part) <= getattr(found, part) for part in PARTS)


@pytest.mark.parametrize("depths", [(5, 3), (3, 4, 5)], ids=str)
@pytest.mark.parametrize("name", ROWS)
def test_two_runs_find_the_landmarks_and_nothing_else(name: str, depths: tuple[int, ...]) -> None:
    row = ROWS[name]
    found = landmarks(runs(row.program, *depths), ["L"])["L"]
    assert {part: getattr(found, part) for part in PARTS} == {part: getattr(row, part) for part in PARTS}
    assert (found.saw_index, found.unread) == (row.saw_index, ())


def two_stages(a: int, b: int) -> list[bool]:
    first = [i > 9 for i in range(a)]
    return first + [j == b - 2 for j in range(b)]


def test_a_depth_that_was_not_changed_keeps_what_may_be_its() -> None:
    points = ({"a": 3, "b": 6}, {"a": 4, "b": 6}, {"a": 3, "b": 7})
    seen = [watch(lambda p=p: two_stages(**p), p) for p in points]
    found = landmarks(seen, ["a", "b"])
    assert (found["a"].thresholds, found["a"].ends) == ({9}, set())
    assert (found["b"].thresholds, found["b"].ends) == (set(), {2})
    unchanged = landmarks(seen[:2], ["a", "b"])
    assert (unchanged["a"].thresholds, unchanged["b"].ends) == ({9}, {2})


def test_a_shadowed_name_is_not_the_function_of_pythons() -> None:
    def program(L: int) -> int:
        min = lambda *values: sum(values)  # noqa: A001, E731
        return min(L, 9)

    assert landmarks(runs(program, 5, 3), ["L"])["L"] == Landmarks()


def dropped(L: int, quiet: bool) -> list[float]:
    """Layers that are left out by chance, unless it is to be quiet."""
    kept = []
    for _ in range(L):
        chance = random.random()
        if not quiet and (chance < 0.1):
            continue
        kept.append(chance if quiet or chance > 0.2 else 0.0)
    return kept


@pytest.mark.parametrize("quiet", [True, False])
def test_what_python_does_not_come_to_behind_a_flag_decides_nothing(quiet: bool) -> None:
    found = landmarks(runs(lambda L: dropped(L, quiet), 5, 7), ["L"])["L"]
    assert found.complete == quiet


def test_a_decision_that_was_not_understood_is_named() -> None:
    def program(L: int) -> list[bool]:
        return [f"layer_{i}" == "layer_4" for i in range(L)]

    found = landmarks(runs(program, 5, 3), ["L"])["L"]
    assert (found.complete, found.saw_index) == (False, True)
    assert found.unread[0].startswith("f'layer_{i}' == 'layer_4' (test_frames.py:")


# -- the law that a landmark is for ------------------------------------------------------------------------------

NUMBERS = st.integers(0, 40)
PARTS_OF_A_CONDITION: dict[str, Any] = {
    "first": lambda k: lambda i, L: i < k,
    "shifted": lambda k: lambda i, L: i + 2 >= k,
    "one": lambda k: lambda i, L: i == k,
    "last": lambda k: lambda i, L: i >= L - k,
    "from the end": lambda k: lambda i, L: L - i > k,
    "every": lambda k: lambda i, L: i % (k % 9 + 1) == k % 3,
    "groups": lambda k: lambda i, L: i // (k % 9 + 1) > k // 5,
    "among": lambda k: lambda i, L: i in (k, k + 3, 2 * k),
    "deep": lambda k: lambda i, L: k < L,
    "even depth": lambda k: lambda i, L: L % (k % 5 + 1) == 0,
    "half": lambda k: lambda i, L: 2 * i < L - k,
    "two thirds": lambda k: lambda i, L: 3 * i < 2 * L + k % 4,
    "bits": lambda k: lambda i, L: bool(i & (k % 7)),
    "squares": lambda k: lambda i, L: i * i > k,
    "clamped": lambda k: lambda i, L: min(i, k) == k,
    "growing": lambda k: lambda i, L: 2**i > 100 * k,
}


@settings(deadline=None)  # computing index by index takes as long as the machine is busy
@given(
    st.lists(st.tuples(st.sampled_from(sorted(PARTS_OF_A_CONDITION)), NUMBERS), min_size=1, max_size=3), st.booleans()
)
@example([("half", 0), ("last", 5)], False)  # they meet at a depth of ten
@example([("two thirds", 0), ("last", 7)], True)
def test_layers_past_the_landmarks_follow_one_pattern(parts: list[tuple[str, int]], both: bool) -> None:
    conditions = [PARTS_OF_A_CONDITION[name](number) for name, number in parts]

    def program(L: int) -> list[bool]:
        told = [[condition(i, L) for condition in conditions] for i in range(L)]  # none is left out
        return [all(row) if both else any(row) for row in told]

    found = landmarks(runs(program, 3, 5), ["L"])["L"]
    assert found.complete
    start, period = found.reach, found.period
    counts = [sum(program(L)) for L in range(start, start + 6 * period + 1)]
    steps = {(k % period, counts[k + period] - counts[k]) for k in range(5 * period)}
    assert len(steps) == period
