"""``prove``: a formula is at most a limit at every point of some ranges, or the smallest point where it is not.

Boxes of points are bounded from above: a symbol in which the formula is certified to grow stands at its largest value,
one in which it falls at its smallest, the others at their intervals. A box whose bound is within the limit is done;
another one is halved, its lower half first, so that the first point found outside is the smallest in the order in
which the ranges are written. No point is a sample: each is in a box that was bounded, or was looked at itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from symcost.errors import DomainError, SymcostError
from symcost.formulas.prove.boxed import Boxed
from symcost.formulas.symbols import Exact, evaluate
from symcost.reading.numerals import assigned

Point = dict[str, int]
MAX_BOXES = 50_000
DOWN = -1
ENTRY = 100_000
"""Points that are looked at for one inside the domain."""


@dataclass(frozen=True)
class Proof:
    """What is certain: ``counterexample`` is the smallest one, or None; ``largest`` is exact where ``at`` is given.

    Without ``at`` it is an upper bound. ``how`` says in words what was certified.
    """

    counterexample: Point | None
    largest: Exact
    at: Point | None
    how: str

    def __bool__(self) -> bool:
        return self.counterexample is None


def prove(expression: Any, limit: Exact, ranges: Mapping[str, range],
          outside: Callable[[Point], str | None] = lambda point: None) -> Proof:  # fmt: skip
    """Whether ``expression <= limit`` at every point of the ranges that is not ``outside``.

    >>> from symcost.formulas.symbols import parse
    >>> prove(parse("n*d**2 - d"), 500, {"n": range(1, 9), "d": range(2, 8)}).how
    'certified monotone: largest at n=8, d=7'
    >>> prove(parse("n*d**2 - d"), 99, {"n": range(1, 9), "d": range(2, 8)}).counterexample
    {'n': 3, 'd': 6}
    """
    return _Search(sympy.sympify(expression, strict=True), limit, ranges, outside).proof()


class _Search:
    def __init__(self, expression: Any, limit: Exact, ranges: Mapping[str, range],
                 outside: Callable[[Point], str | None]) -> None:  # fmt: skip
        self.expression, self.limit, self.ranges, self.outside = expression, limit, ranges, outside
        self.names = tuple(ranges)
        self.boxes, self.most = 0, None
        for name, values in ranges.items():
            if not values or values[0] < 1 or values.step < 1:
                raise SymcostError(
                    f"the range of {name} must be positive and ascending: {values.start} to {values.stop}"
                )
        whole = {name: (values[0], values[-1]) for name, values in ranges.items()}
        self.boxed = Boxed(expression, whole)
        self.directions = {name: self.boxed.direction(name) for name in ranges}

    def proof(self) -> Proof:
        self._inside()
        refuting = self._first(dict(self.ranges))
        if refuting is not None:
            value = evaluate(self.expression, refuting)
            return Proof(refuting, value, refuting, f"refuted by {assigned(refuting)}")
        corner = self._corner(dict(self.ranges))
        if None not in self.directions.values() and self.outside(corner) is None:
            how = f"certified monotone: largest at {assigned(corner)}" if corner else "exact"
            return Proof(None, evaluate(self.expression, corner), corner, how)
        assert self.most is not None
        boxes = "one box" if self.boxes == 1 else f"{self.boxes} boxes"
        return Proof(None, self.most, None, f"interval bounds over {boxes}: at most this")

    def _inside(self) -> None:
        """Some point lies inside the domain; a limit over none would hold of itself."""
        number, problem = math.prod(map(len, self.ranges.values())), None
        for looked in range(min(number, ENTRY)):
            point = _spread(self.ranges, looked, number)
            problem = self.outside(point)
            if problem is None:
                return
        if number <= ENTRY:
            raise DomainError(f"no point of {_spans(self.ranges)} lies inside the domain: {problem}")
        raise DomainError(
            f"none of {ENTRY} points spread over {_spans(self.ranges)} lies inside the domain ({problem}): narrow the ranges"
        )

    def _first(self, start: dict[str, range]) -> Point | None:
        """The smallest point above the limit, in the order of the names."""
        waiting = [start]
        while waiting:
            box = waiting.pop()
            self.boxes += 1
            if self.boxes > MAX_BOXES:
                raise SymcostError(
                    f"undecided after {MAX_BOXES} boxes of {_spans(self.ranges)}: narrow the ranges, or fix a symbol"
                )
            bound = self._upper(box)
            if bound <= self.limit:
                self.most = bound if self.most is None else max(self.most, bound)
                continue
            wide = next((name for name in self.names if len(box[name]) > 1), None)
            if wide is None:
                point = {name: values[0] for name, values in box.items()}
                if self.outside(point) is None:
                    value = evaluate(self.expression, point)
                    if value > self.limit:
                        return point
                    self.most = value if self.most is None else max(self.most, value)
                continue
            middle = len(box[wide]) // 2
            waiting += [{**box, wide: box[wide][middle:]}, {**box, wide: box[wide][:middle]}]
        return None

    def _corner(self, box: Mapping[str, range]) -> Point:
        """Where the formula is largest, as far as its directions are certified."""
        return {name: values[0] if self.directions[name] == DOWN else values[-1] for name, values in box.items()}

    def _upper(self, box: Mapping[str, range]) -> Exact:
        corner = self._corner(box)
        return self.boxed.bounds({
            name: (corner[name], corner[name]) if self._pinned(name, box) else (values[0], values[-1])
            for name, values in box.items()
        })[1]  # fmt: skip

    def _pinned(self, name: str, box: Mapping[str, range]) -> bool:
        return len(box[name]) == 1 or self.directions[name] is not None


def _spread(ranges: Mapping[str, range], index: int, number: int) -> Point:
    """A point by its index: each of all ``number`` points comes once, and the first few lie far from each other."""
    stride = next(step for step in range(max(1, number * 377 // 610), 2 * number + 1) if math.gcd(step, number) == 1)
    place, point = index * stride % number, {}
    for name, values in ranges.items():
        place, position = divmod(place, len(values))
        point[name] = values[position]
    return point


def _spans(ranges: Mapping[str, range]) -> str:
    return ", ".join(
        f"{name}={v[0]}..{v[-1]}" + (f" in steps of {v.step}" if len(v) > 1 and v.step != 1 else "")
        for name, v in ranges.items()
    )
