"""How deep to sample a symbol that changes the program: past everything that the program compares its layers' numbers with."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from symcost.tracing.evidence.frames.landmark import Landmarks
from symcost.tracing.sampling.sample import SMALL, Values

CONSECUTIVE, LONGEST = 12, 40
"""A period up to which every depth of two periods is sampled, of a longer one the ends of each; and up to which that is done
where those do not tell which layers of a period are others."""
ENOUGH = 11
"""As many depths as it takes to tell a floor from a line."""
DEEPEST = 130
"""A depth beyond which nothing is sampled: what is compared there stays unseen, and bounds what is claimed."""
HELD_OUT = (3, 7)
"""How far beyond the deepest sample the form is checked."""


def tells(found: Landmarks) -> bool:
    """Whether there is anything to sample past."""
    return bool(found.values or found.moduli or found.shares)


def beyond(found: Landmarks) -> tuple[Landmarks, Values]:
    """The remainders alone, and depths that lie above every value and one period: only then may layers repeat."""
    rest = replace(found, thresholds=frozenset(), ends=frozenset(), lengths=frozenset())
    return rest, tuple(lowest(found) + depth - SMALL[0] for depth in depths(rest))


def lowest(found: Landmarks) -> int:
    """The least depth that lies above every value, remainder and share: a share of less than all begins later, ``(D - 2) // 6``."""
    return max((*found.values, *found.moduli, *found.shares), default=0) + math.lcm(*found.shares)


def depths(found: Landmarks, consecutive: int = CONSECUTIVE) -> Values:
    """Depths to sample: small ones, both sides of every value, and two periods of every remainder and share.

    Of periods up to ``consecutive`` every depth is one.

    >>> depths(Landmarks(thresholds=frozenset({24})))
    (2, 3, 4, 5, 23, 24, 25, 26, 27, 28, 31, 35)
    >>> depths(Landmarks(shares=frozenset({2})))
    (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 17)
    """
    wanted = {*SMALL[:4]}
    for value in found.values:
        wanted.update(range(max(1, value - 1), value + 5))
    for period in found.moduli | found.shares | {found.period} - {1}:
        wanted.update(_periods(period, consecutive))
    kept = sorted(depth for depth in wanted if depth <= DEEPEST)
    first = [depth for depth in kept if depth >= SMALL[0]]
    return (*first, *(first[-1] + further for further in HELD_OUT))


def _periods(period: int, consecutive: int) -> Collection[int]:
    """Depths at which a remainder of this period shows itself."""
    if period <= consecutive:
        return range(2, max(2 * period + 4, ENOUGH))
    return {k * period + near for k in (1, 2) for near in (-1, 0, 1, 2)}
