"""The lower edges of the domain: how small may each symbol be, and which sizes must not outgrow which?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from symcost.formulas.form import Form
from symcost.tracing.domain.domain import stands_above
from symcost.tracing.domain.explorer import Explorer
from symcost.tracing.sampling.sample import Point

LADDER = (1, 2, 4, 7, 12, 24, 33, 48, 64, 97, 128, 161)
MAX_QUOTIENT = 4
EDGES = 3
"""Steps above a lower edge at which the form may still be wrong beside the usual values of the others."""
DESCENTS = 4
"""So often one edge is looked for again beside the others' lower values."""
GROWN, FIRST = (1, 8, 64, 512), 4
"""So many times as large are others, and as many values of one looked at, where a decision by several sizes ends a form."""
MAX_PROPOSALS = 6
MAX_COMPARED = 40  # sizes that are compared with one another


@dataclass
class LowEdge:
    """Lowers one symbol after the other as far as the form agrees with the trace, and writes the edges down."""

    explorer: Explorer
    otherwise: list[Point] = field(default_factory=list)
    _raised_below: bool = False
    """Whether the model raised below an edge: it may work there beside smaller values of the others (heads and key heads)."""

    def __post_init__(self) -> None:
        self.domain = self.explorer.domain
        self.base = self.explorer.base

    def find(self) -> None:
        """The lower edges of sizes and of depths."""
        self._sizes()
        for name in self.explorer.structural:
            self._shallow(name)

    def _shallow(self, name: str) -> None:
        """A depth beside the others' usual values, down from the first that was sampled: the last one that agrees."""
        step = self.domain.step_of(name, self.base)
        for value in range(self.base[name] - step, 0, -step):
            point = {**self.base, name: value}
            if self.domain.problem(point) is None and self.explorer.difference(point) is not None:
                self.domain.at_least[name] = value + step
                return

    def _sizes(self) -> None:
        """The smallest joint point that agrees; else symbol after symbol as low as agrees beside those before it."""
        corner = self.domain.decided({n: self.domain.steps.get(n, 1) for n in self.domain.symbols})
        if self.domain.problem(corner) is None and self.explorer.agrees(corner):
            if not self.explorer.proved:
                self._alone()
            self._quotients()
            return
        lowered = self._descend(self.base)
        # What looked like an edge beside the base may be lower beside other values.
        if self._raised_below or self.domain.ordered or any(len(guard.symbols) > 1 for guard in self.domain.guards):
            for _ in range(DESCENTS):
                before, lowered = lowered, self._descend(lowered)
                if lowered == before:
                    break
        for name, value in lowered.items():
            if value > self.domain.step_of(name, lowered) and not self._met_there(lowered, name):
                least = self._beside_larger(lowered, name) or value
                if least > self.domain.step_of(name, lowered):
                    self.domain.at_least[name] = max(least, self.domain.at_least.get(name, 1))
        self._quotients()
        self._edges()

    def _met_there(self, point: Point, name: str) -> bool:
        """Whether a decision by several sizes ends the form just below: the domain says so, of all values of the others."""
        below = {**point, name: point[name] - self.domain.step_of(name, point)}
        return any(
            len(each.symbols) > 1 and not each.holds(below) for each in self.domain.guards if name in each.symbols
        )

    def _beside_larger(self, point: Point, name: str) -> int | None:
        """The least value beside larger ones of the others, where a decision by several sizes ends the form just below.

        Where ``h + w >= 100`` ends a form at ``w = 99`` beside ``h = 1``, it is right at ``w = 1`` beside a larger ``h``.
        """
        explorer, step = self.explorer, self.domain.step_of(name, point)
        below = {**point, name: point[name] - step}
        ends = (each for each in explorer.seen if len(each.symbols) > 1 and not each.holds(below))
        for each in ends if explorer.proved else ():
            others = sorted(each.symbols & set(explorer.sizes()) - {name})
            for value, k in itertools.product(range(step, min(FIRST * step, below[name]) + 1, step), GROWN):
                far = {**self.base, **{other: k * self.base[other] for other in others}, name: value}
                if explorer.outside(far) or explorer.sampler.growth.is_heavy(far):
                    continue
                if explorer.agrees(far):
                    explorer.met.append(below)
                    return value
                break
        return None

    def _edges(self) -> None:
        """Each lower edge beside the others' usual values: what sizes of 1 excused beside it may be wrong there.

        Where only tensors that a skipped step would make are missing (a slice that takes all), the edge is said to be such.
        """
        explorer = self.explorer
        for name, least in list(self.domain.at_least.items()):
            if name in explorer.structural:
                continue
            step = self.domain.step_of(name, self.base)
            for value in range(least, least + EDGES * step, step):
                point = explorer.alone(name, value)
                if explorer.outside(point) or not explorer.sampler.works(point):
                    break
                if explorer.difference(point) is None or self._spans(name, value, point):
                    break
                self.domain.at_least[name] = point[name] + step

    def _spans(self, name: str, value: int, point: Point) -> bool:
        """Whether all that differs at an edge are steps that move data; the domain then says that they are left out."""
        before = self.domain.spans.get(name)
        self.domain.spans[name] = value
        if self.explorer.difference(point) is None:
            return True
        del self.domain.spans[name]
        if before is not None:
            self.domain.spans[name] = before
        return False

    def _alone(self) -> None:
        """Each symbol of a coarse lattice below and above all others: beside their values it showed one order only."""
        for name in self.explorer.sizes():
            step = self.domain.step_of(name, self.base)
            if math.gcd(*self.explorer.values[name]) == 1:
                continue
            ordered = self.domain.ordered
            if step < self.base[name] and self._lowered(self.base, name, step) is None and self.otherwise:
                good = self._lowest(self.base, name, 1, self.base)
                if self.domain.ordered == ordered:
                    self.domain.at_least[name] = max(good[name], self.domain.at_least.get(name, 1))
            self._raised(name, step)

    def _raised(self, name: str, step: int) -> None:
        """A symbol beside smaller ones: where the form is wrong there, their order or a largest value is a condition."""
        high = 2 * max(self.base[n] for n in self.explorer.sizes())
        above = self.explorer.alone(name, high)
        inside = self.domain.problem(above) is None and not self.explorer.sampler.growth.is_heavy(above)
        inside = inside and self.explorer.sampler.works(above)
        reason = self.explorer.difference(above) if inside else None
        if reason is None:
            return
        last = self.explorer.bisect(name, self.base[name], above[name])
        good, bad = self.explorer.alone(name, last), self.explorer.alone(name, last + step)
        if not self.order(name, good, bad):
            self.domain.at_most[name] = last
            self.domain.notes.append(f"above {name} = {last}: {reason}")

    def _descend(self, start_at: Point) -> Point:
        lowered = dict(start_at)
        for name in self.domain.dividing_first(self.domain.symbols):
            step, start, failed = self.domain.step_of(name, lowered), lowered[name], 0
            for k in LADDER if name not in self.explorer.structural else range(1, start):
                if k * step >= start:
                    break
                point = self._lowered(lowered, name, k * step)
                if point is not None:
                    lowered = self._lowest(lowered, name, failed, point) if k - failed > 1 else point
                    break
                failed = k
            else:
                if start > step and name not in self.explorer.structural:
                    lowered = self._lowest(lowered, name, failed, lowered)
        return lowered

    def _lowered(self, point: Point, name: str, value: int) -> Point | None:
        """The point with a smaller value of one symbol, if the form agrees there."""
        lower = self.domain.decided(self.domain.moved(point, name, value))
        if self.domain.problem(lower) is not None or lower[name] > max(point[name], value):
            return None
        if self.explorer.agrees(lower):
            return lower
        if name not in self.explorer.structural:
            if self.explorer.sampler.works(lower):
                self.otherwise.append(lower)
            else:
                self._raised_below = True
        return None

    def _lowest(self, point: Point, name: str, failed: int, good: Point) -> Point:
        """The lowest multiple that agrees between one that fails and one that agrees."""
        step = self.domain.step_of(name, point)
        high = good[name] // step
        while high - failed > 1:
            middle = (failed + high) // 2
            lower = self._lowered(point, name, middle * step)
            failed, high, good = (middle, high, good) if lower is None else (failed, middle, lower)
        bad = self.domain.moved(point, name, failed * step) if failed else None
        if bad is not None and bad in self.otherwise:
            self.order(name, good, bad)
        return good

    # -- an order between sizes --------------------------------------------------------------------------------
    def order(self, name: str, good: Point, bad: Point) -> bool:
        """Find two sizes of the program whose order changes where the program does, and write the order down.

        A contraction that is reordered, say, once the experts outnumber their capacity. An order that tells all
        points seen apart is a proposal; it counts when it is right about new points, one on each side, whichever symbol
        is moved. An order between sizes of one symbol is none: the symbol's own bound says it.
        """
        for small, large in itertools.islice(self._proposals(good, bad), MAX_PROPOSALS):
            others = sorted((small.symbols | large.symbols) - {name} - set(self.explorer.structural))
            told = [self._right_about(small, large, other, good, bad) for other in others]
            if True in told and False not in told:
                self.domain.ordered = (*self.domain.ordered, (small, large))
                return True
        return False

    def _proposals(self, good: Point, bad: Point) -> Iterator[tuple[Form, Form]]:
        goods = [p for p in (*self.explorer.sampled, *self.explorer.held_out, good) if set(p) == set(good)]
        bads = [bad, *self.otherwise]
        for small, large in itertools.permutations(self.domain.dimensions[:MAX_COMPARED], 2):
            if len(small.symbols | large.symbols) < 2:
                continue
            for shift in (0, 1):
                if all(small.value(p) + shift > large.value(p) for p in bads) and all(
                    small.value(p) + shift <= large.value(p) for p in goods
                ):
                    yield small + shift, large

    def _right_about(self, small: Form, large: Form, other: str, good: Point, bad: Point) -> bool | None:
        """Whether the order holds where the form does when another symbol is moved: a point of each kind decides."""
        inside = self._moved_until(bad, other, small, large, holds=True)
        outside = self._moved_until(good, other, small, large, holds=False)
        if inside is None or outside is None:
            return None
        return self.explorer.agrees(inside) and self.explorer.difference(outside) is not None

    def _moved_until(self, point: Point, name: str, small: Form, large: Form, holds: bool) -> Point | None:
        """The point with another value of one symbol at which the order holds, or does not, as asked."""
        step = self.domain.step_of(name, point)
        multiples: Mapping[int, None] = dict.fromkeys((*LADDER, *(point[name] // step * k for k in (2, 3, 5))))
        for k in multiples:
            moved = self.domain.moved(point, name, k * step)
            as_asked = self.domain.problem(moved) is None and (small.value(moved) <= large.value(moved)) is holds
            if as_asked and self.explorer.sampler.works(moved):
                return moved
        return None

    # -- quotients ---------------------------------------------------------------------------------------------
    def _quotients(self) -> None:
        """Quotients such as ``d/H``: does the form hold where they are 1? (A scale of 1 is folded away.)"""
        for form in self.domain.whole:
            above = [n for n in sorted(form.symbols) if stands_above(form, n) and n in self.explorer.sizes()]
            if len(form.terms) != 1 or len(above) != 1 or len(form.symbols) < 2:
                continue
            (name,) = above
            for quotient in range(1, MAX_QUOTIENT):
                point = {**self.base, name: self.domain.step_of(name, self.base) * quotient}
                least = self.domain.at_least.get(name, 1)
                inside = not self.explorer.outside(point) or (point[name] < least and self.explorer.as_seen(point))
                if not inside or self.explorer.difference(point) is None:
                    break
                self.domain.whole_least[form] = quotient + 1
