"""Special values: where a size equals one of the program's own, the program may be another one there and only there.

A residual block needs no projection where its input is as wide as its output; a table that is used whole needs no slice.
Samples are generic and do not meet such values, so they are looked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from symcost.formulas.form import Form, as_form
from symcost.tracing.domain.explorer import Explorer
from symcost.tracing.evidence.guard import guard
from symcost.tracing.program.spec import where
from symcost.tracing.sampling.sample import Point
from symcost.tracing.sampling.signals import Branch

NEAR = 300  # how far the next value of a dimension is looked for
MULTIPLES = (2, 3)  # of a value, at which the form must be right for the value to be the exception

MAKINGS: tuple[Callable[[float], float], ...] = (float, lambda x: 1 / x, lambda x: x * x, lambda x: 1 / (x * x))
"""What is linear in a size of a number that was made of it: itself, one part in so many, a root, one by a root."""
NEARLY = 1e-3
"""A size that comes out of numbers in floating point is a whole one within so much; a trace then judges it."""


def neutral(sizes: Sequence[int], known: Sequence[Sequence[Any]]) -> set[int]:
    """Sizes at which a number, known at two sizes, would be 0 or 1: places to look at, whatever the number is there.

    >>> sorted(neutral([10, 20], [[9.0, 0.1], [19.0, 0.05]]))
    [1, 2, 30]
    """
    found: set[int] = set()
    if len(known[0]) != len(known[1]):
        return found
    for a, b in zip(*([float(number) for number in numbers] for numbers in known), strict=True):
        if a == b or not (math.isfinite(a) and math.isfinite(b)):
            continue
        for target in (0.0, 1.0):
            for made in MAKINGS:
                try:
                    low, high, wanted = made(a), made(b), made(target)
                    size = sizes[0] + (wanted - low) * (sizes[1] - sizes[0]) / (high - low)
                except (ZeroDivisionError, OverflowError):
                    continue
                if round(size) > 0 and abs(size - round(size)) <= NEARLY * max(1.0, abs(size)):
                    found.add(round(size))
    return found


@dataclass
class Special:
    """Compares the form with the program at single values that a generic sample does not meet."""

    explorer: Explorer

    def check(self, names: Sequence[str], constants: Sequence[int]) -> None:
        """All widths at once as large as each constant; what differs is an exception, or the form is wrong."""
        explorer = self.explorer
        for value in constants if names else ():
            point = dict(explorer.base)
            for name in explorer.domain.dividing_first(names):
                if value % explorer.domain.step_of(name, point) == 0:
                    point = explorer.domain.moved(point, name, value)
            if not self._differs(point):
                continue
            for name in names:
                alone = explorer.alone(name, value)
                reason = self._differs(alone)
                if reason:
                    explorer.refit(alone, reason)
                    if not self.isolated(name, alone[name]):
                        raise Branch(f"the program is another one at {where(alone)}: {reason}", name, alone[name])

    def check_numbers(self, names: Sequence[str]) -> None:
        """Sizes at which a number that the program makes of them (``n - 1``) is 0 or 1, where an equation may vanish."""
        explorer = self.explorer
        if all(explorer.sampler(point).numbers == explorer.sampler(explorer.base).numbers for point in self._others()):
            return
        for name in names:
            samples = [explorer.alone(name, value) for value in dict.fromkeys(explorer.values[name][:2])]
            if len(samples) < 2 or not all(explorer.sampler.works(point) for point in samples):
                continue
            known = [explorer.sampler(point).numbers for point in samples]
            sizes = neutral([point[name] for point in samples], known)
            points = {alone[name]: alone for size in sizes if (alone := explorer.alone(name, size))}
            wrong = {value: reason for value, point in points.items() if (reason := self._differs(point))}
            for value, reason in wrong.items():
                if self._right_after(name, value, points):
                    before = explorer.domain.other_than.get(name, frozenset())
                    explorer.domain.other_than[name] = before | {value}
                elif not self._other_dimension(name, value):
                    raise Branch(f"the program is another one at {where(points[value])}: {reason}", name, value)

    def _others(self) -> list[Point]:
        """The samples that differ from the base in sizes alone; the base where there are none."""
        explorer = self.explorer
        deep = {name: explorer.base[name] for name in explorer.structural}
        return [point for point in explorer.sampled if {**point, **deep} == point]

    def _other_dimension(self, name: str, value: int) -> bool:
        """Exclude what a dimension is at a value (``r//16 = 13``) where the form is right at its other values."""
        explorer = self.explorer
        here = explorer.alone(name, value)
        for form in explorer.domain.dimensions:
            if form.symbols != {name} or form == Form.symbol(name):
                continue
            size = form.value(here)
            near = [explorer.alone(name, value + k) for k in range(1, NEAR)]
            others = [point for point in near if form.value(point) != size][: len(MULTIPLES)]
            found = guard(form, "!=", as_form(size)) if isinstance(size, int) else None
            if found is not None and others and all(explorer.agrees(point) for point in others):
                explorer.domain.guards = (*explorer.domain.guards, found)
                return True
        return False

    def _right_after(self, name: str, value: int, apart: Collection[int]) -> bool:
        """Whether the form is right at the next sizes above one, those apart that are looked at by themselves."""
        explorer = self.explorer
        step = explorer.domain.step_of(name, explorer.base)
        beside = [size for k in range(1, 2 + len(apart) + len(MULTIPLES)) if (size := value + k * step) not in apart]
        return all(explorer.agrees(explorer.alone(name, size)) for size in beside[: len(MULTIPLES)])

    def _differs(self, point: Point) -> str | None:
        """Why the form is wrong at a point inside the domain where the model works, or nothing."""
        explorer = self.explorer
        if explorer.outside(point) or not explorer.sampler.works(point):
            return None
        return explorer.difference(point)

    def isolated(self, name: str, value: int) -> bool:
        """Whether the form is right at multiples of a value at which it is wrong; the value then leaves the domain."""
        explorer = self.explorer
        if not all(explorer.agrees(explorer.alone(name, k * value)) for k in MULTIPLES):
            return False
        known = explorer.domain.other_than.get(name, frozenset())
        explorer.domain.other_than[name] = known | {value}
        return True

    def ends(self, name: str, alone: Point, reason: str) -> None:
        """A size up to which the form is right: beyond its largest value it is wrong at a point."""
        explorer = self.explorer
        explorer.refit(alone, reason)
        if explorer.follows(name, alone[name]):
            return
        last = explorer.bisect(name, explorer.largest_sample(name), alone[name])
        explorer.domain.at_most[name] = self.spanned(name, last)
        explorer.agrees(explorer.alone(name, explorer.domain.at_most[name]))
        explorer.domain.notes.append(f"above {name} = {explorer.domain.at_most[name]}: {reason}")

    def spanned(self, name: str, last: int) -> int:
        """The next value after the last one that agrees, where all that differs there are steps that move data."""
        explorer = self.explorer
        point = explorer.alone(name, last + 1)
        if not explorer.sampler.works(point):
            return last
        explorer.domain.spans[name] = point[name]
        if explorer.difference(point) is None:
            return point[name]
        del explorer.domain.spans[name]
        return last
