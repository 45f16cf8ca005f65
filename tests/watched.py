"""Programs that are watched, in each way in which this Python tells of lines."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from symcost.tracing.evidence.frames import watch as frames
from symcost.tracing.evidence.frames.watch import watch

WAYS = [frames.Tracing, *([frames.Monitoring] if hasattr(sys, "monitoring") else [])]


@pytest.fixture(params=WAYS, ids=lambda kind: kind.__name__.lower(), autouse=True)
def way(request: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Each way in which this Python tells of lines."""
    monkeypatch.setattr(frames, "way", lambda: request.param)
    return request.param


def runs(program: Any, *depths: int) -> list[frames.Observations]:
    """A program watched at several depths."""
    return [watch(lambda L=L: program(L), {"n": 2, "L": L}) for L in depths]
