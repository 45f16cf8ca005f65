"""Symbols that a program halves again and again: every doubling adds as many operations as the one before."""

from __future__ import annotations

from symcost.tracing.fitting.lift import Sampler
from symcost.tracing.sampling.sample import Point, Values

DOUBLED = (4, 8, 16, 32)
"""Sizes with digits alike, at which a program that halves them grows by equal steps, and one of so many layers does not."""
HALVED: Values = (*range(2, 34), 47, 64, 100, 127)
"""All sizes of five digits or fewer, which tell the features of digits apart, and a few of more."""
SAMPLED = 32
FAR = (256, 1000, 4095, 8192, 50_000, 65_536, 131_071, 1 << 20)
"""Where the form is checked: each costs a trace of as many levels as it has digits."""


def halves(sampler: Sampler, base: Point, name: str) -> bool:
    """Whether a program grows by equal steps wherever a symbol is doubled."""
    sizes = []
    for value in DOUBLED:
        point = {**base, name: value}
        if not sampler.works(point):
            return False
        sizes.append(len(sampler(point).records))
        if len(sizes) > 2 and not 0 < sizes[-1] - sizes[-2] == sizes[-2] - sizes[-3]:
            return False
    return True
