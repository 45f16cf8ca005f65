"""Fitted sizes beside derived ones: a form that agrees with all traces may still be wrong where none of them was.

What a rule derives in closed form from shapes holds at every size, so it is compared with what was fitted all over the
domain, by arithmetic alone.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping

from symcost.formulas.form import Form
from symcost.tracing.domain.domain import Domain
from symcost.tracing.sampling.sample import Point

SCALES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 233, 1009)
MANY = 300
"""Joint points of more than two symbols."""


def unlike(pairs: Iterable[tuple[Form, Form]], domain: Domain, base: Mapping[str, int]) -> Point | None:
    """A point inside the domain at which the forms of a pair have different values, if one is found."""
    points: dict[tuple[str, ...], list[Point]] = {}
    for fitted, derived in pairs:
        names = tuple(sorted(fitted.symbols | derived.symbols))
        if names not in points:
            points[names] = [p for p in _points(names, domain, base) if domain.problem(p) is None]
        for point in points[names]:
            if fitted.value(point) != derived.value(point):
                return point
    return None


def _points(names: tuple[str, ...], domain: Domain, base: Mapping[str, int]) -> Iterator[Point]:
    """The base with some symbols moved across scales: two of them on a grid, more of them at random."""
    chance = random.Random(len(names))
    joint = ([chance.choice(SCALES) for _ in names] for _ in range(MANY))
    for scales in itertools.product(SCALES, repeat=len(names)) if len(names) <= 2 else joint:
        point = dict(base)
        for name, scale in zip(domain.dividing_first(names), scales, strict=True):
            point = domain.moved(point, name, scale * domain.step_of(name, point))
        yield point
