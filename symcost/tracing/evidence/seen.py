"""What is seen of a program's decisions: by its sizes, and by the numbers of its layers."""

from __future__ import annotations

from collections.abc import Sequence

from symcost.tracing.evidence.guard import Guard
from symcost.tracing.fitting.lift import Sampler
from symcost.tracing.sampling.depth import Landmarks
from symcost.tracing.sampling.sample import Point


def decisions(sampler: Sampler, base: Point, structural: Sequence[str]) -> list[Guard]:
    """What the program decides by its sizes, as one trace of it shows."""
    return []


def landmarks(sampler: Sampler, base: Point, names: Sequence[str]) -> dict[str, Landmarks]:
    """With what the program compares the numbers of its layers, by the symbol that is their number."""
    return {}
