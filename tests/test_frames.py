"""Watched frames: what a program's own lines decide, seen without calling anything of the program's."""

from __future__ import annotations

from typing import Any

import pytest
from depth_programs import ROWS

from symcost.tracing.evidence import frames
from symcost.tracing.evidence.frames import watch
from symcost.tracing.evidence.landmarks import landmarks

WAYS = [frames.Tracing, *([frames.Monitoring] if hasattr(__import__("sys"), "monitoring") else [])]


@pytest.fixture(params=WAYS, ids=lambda kind: kind.__name__.lower(), autouse=True)
def way(request: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Each way in which this Python tells of lines."""
    monkeypatch.setattr(frames, "way", lambda: request.param)
    return request.param


PARTS = ("thresholds", "ends", "moduli", "lengths")


def runs(program: Any, *depths: int) -> list[frames.Observations]:
    """A program watched at several depths."""
    return [watch(lambda L=L: program(L), {"n": 2, "L": L}) for L in depths]


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
