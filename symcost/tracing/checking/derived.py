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

SCALES = (*range(1, 49), 53, 55, 60, 64, 72, 89, 96, 128, 210, 224, 233, 256, 384, 420, 512, 1009)
"""All small values, whose remainders show other periods, and some large ones."""
MANY = 400
"""Joint points of several symbols."""


def unlike(pairs: Iterable[tuple[Form, Form]], domain: Domain, base: Mapping[str, int]) -> Point | None:
    """A point inside the domain at which the forms of a pair have different values, if one is found."""
    points: dict[tuple[str, ...], list[Point]] = {}
    for fitted, derived in pairs:
        names = tuple(sorted(fitted.symbols | derived.symbols))
        if names not in points:
            points[names] = list(points_inside(names, domain, base))
        for point in points[names]:
            if fitted.value(point) != derived.value(point):
                return point
    return None


def points_inside(names: tuple[str, ...], domain: Domain, base: Mapping[str, int]) -> Iterator[Point]:
    """Points of the domain all over the scales of some symbols."""
    return (point for point in _points(names, domain, base) if domain.problem(point) is None)


def _points(names: tuple[str, ...], domain: Domain, base: Mapping[str, int]) -> Iterator[Point]:
    """The base with some symbols moved across scales: one alone at all of them, several together at random."""
    chance = random.Random(len(names))
    ordered = domain.dividing_first(names)
    alone = ({name: scale} for name in ordered for scale in SCALES)
    joint = ({name: chance.choice(SCALES) for name in ordered} for _ in range(MANY if len(names) > 1 else 0))
    for scales in itertools.chain(alone, joint):
        point = dict(base)
        for name, scale in scales.items():
            point = domain.moved(point, name, scale * domain.step_of(name, point))
        yield point
