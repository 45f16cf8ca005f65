"""How deep to sample a symbol that changes the program: past everything that the program compares its layers' numbers with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from symcost.tracing.sampling.sample import SMALL, Values

CONSECUTIVE = 12
"""A period up to which every depth of two periods is sampled; of a longer one the ends of each."""
DEEPEST = 130
"""A depth beyond which nothing is sampled: what is compared there stays unseen, and bounds what is claimed."""
HELD_OUT = (3, 7)
"""How far beyond the deepest sample the form is checked."""


@dataclass(frozen=True)
class Landmarks:
    """What a program compares the numbers of its layers, or their number, with.

    ``values``: in orders, equalities and memberships (``i < 20``, ``i in (3, 7)``, ``i >= L - 8``); ``moduli``: of
    remainders (``i % 8``); ``seen``: whether any comparison saw a layer's number at all.
    """

    values: frozenset[int] = frozenset()
    moduli: frozenset[int] = frozenset()
    seen: bool = False

    @property
    def deepest(self) -> int:
        """The largest of them."""
        return max((*self.values, *self.moduli), default=0)


def beyond(found: Landmarks) -> tuple[Landmarks, Values]:
    """The remainders alone, and depths that lie above every value."""
    rest = Landmarks(frozenset(), found.moduli, found.seen)
    least = max(found.values, default=0) + 1
    return rest, tuple(least + depth - SMALL[0] for depth in depths(rest))


def depths(found: Landmarks) -> Values:
    """Depths to sample: small ones, both sides of every value, and two periods of every remainder.

    >>> depths(Landmarks(frozenset({24})))
    (2, 3, 4, 5, 23, 24, 25, 26, 27, 28, 31, 35)
    """
    wanted = {*SMALL[:4]}
    for value in found.values:
        wanted.update(range(max(1, value - 1), value + 5))
    for period in found.moduli:
        wanted.update(_periods(period))
    kept = sorted(depth for depth in wanted if depth <= DEEPEST)
    first = [depth for depth in kept if depth >= SMALL[0]]
    return (*first, *(first[-1] + further for further in HELD_OUT))


def _periods(period: int) -> Collection[int]:
    """Depths at which a remainder of this period shows itself."""
    if period <= CONSECUTIVE:
        return range(2, 2 * period + 4)
    return {k * period + near for k in (1, 2) for near in (-1, 0, 1, 2)}
