"""Symbols that a program halves again and again: every doubling adds as many operations as the one before."""

from __future__ import annotations

from collections.abc import Sequence

from symcost.formulas.functions import has_logarithm
from symcost.tracing.evidence.floats.exact import meant
from symcost.tracing.evidence.guard import Guard
from symcost.tracing.evidence.loops import looped
from symcost.tracing.evidence.record import Recording
from symcost.tracing.fitting.lift import Sampler
from symcost.tracing.sampling.sample import Point, Values

DOUBLED = (4, 8, 16, 32)
"""Sizes with digits alike, at which a program that halves them grows by equal steps, and one of so many layers does not."""
SAMPLED = 32
"""Consecutive sizes: all of five digits or fewer tell the features of digits apart."""
SECOND = 4
"""Where the first steps of a recursion are the last ones too, sizes from here on are sampled instead."""
OCTAVES: Values = (80, 128, 255, 256, 511, 600)
"""Further sizes where those do not tell what is doubled with each digit: both ends of octaves of some digits more."""
BEYOND: Values = (47, 64, 100, 127)
"""Where the form is checked near the samples."""
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


def consecutive(sampler: Sampler, base: Point, name: str, least: int = 1, octaves: Values = ()) -> Values:
    """Sizes to sample, from the first that is halved at all or from a larger one, and a few of more digits."""
    first = max(least, _first(sampler, base, name))
    return (*range(first, first + SAMPLED), *octaves, *(value for value in BEYOND if value >= first + SAMPLED))


def sampled(values: Values) -> int:
    """How many of those sizes are sampled: the others are left to be checked."""
    return len(values) - sum(value in BEYOND for value in values[SAMPLED:])


def _first(sampler: Sampler, base: Point, name: str) -> int:
    """The first size at which the program is another one than at the size before."""
    sizes = {v: len(sampler(p).records) for v in range(1, DOUBLED[1] + 1) if sampler.works(p := {**base, name: v})}
    return next((v for v in sizes if sizes.get(v - 1, sizes[v]) != sizes[v]), min(sizes, default=2))


def suspects(seen: Recording, guards: Sequence[Guard], base: Point) -> frozenset[str]:
    """Symbols that may be halved: loops go on by them, logarithms are counted to, double and half are other programs."""
    own = {name: [guard for guard in guards if guard.symbols == {name}] for name in base}
    octaves = {
        name
        for name, value in base.items()
        if all(any(not guard.holds({name: other}) for guard in own[name]) for other in (2 * value, value // 2))
    }
    counted = (form for made in seen.roundings if (form := meant(made)) is not None)
    return frozenset(octaves.union(looped(guards), *(form.symbols for form in counted if has_logarithm(form))))
