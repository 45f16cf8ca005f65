"""How small and how large sizes may be: XLA's partitioner weighs sizes against each other, so the corners of a box are compared.

Which operand is gathered, and what is reduced, follows from which is smaller. Between the samples and the corners, each size
small beside large others and the other way round, nothing else was seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from symcost.errors import LiftError
from symcost.formulas.form import Form
from symcost.reading.numerals import assigned
from symcost.tracing.checking.certify import LineTotals
from symcost.tracing.evidence.guard import Guard, all_hold
from symcost.tracing.mesh.lattice import Lattice
from symcost.tracing.mesh.sides import PLACE, SideOfMesh
from symcost.tracing.sampling.sample import Point

SMALL = (2, 16, 128, 1024, 4096)
LARGE = (1 << 16, 1 << 14)
"""Sizes at the corners, and those that are tried where a corner is another program."""
ROUNDS = 40


class Ordered(Exception):
    """The order of two sizes decides what the partitioner does: the one that was seen, and a point in the other one."""

    def __init__(self, guard: Guard, other: Point) -> None:
        super().__init__(str(guard))
        self.guard, self.other = guard, other


class ComparesSide(Protocol):
    """What compares the numbers of a form with a fresh program's."""

    lattice: Lattice
    side: SideOfMesh
    sizes: Point
    structural: Sequence[str]
    order: tuple[Guard, ...]
    fitted: list[Point]
    agreed: list[Point]
    upto: Mapping[str, int]

    def works(self, point: Point) -> bool:
        """Whether there is a program at a point."""
        ...

    def right(self, totals: LineTotals, point: Point) -> bool:
        """Whether the form has the numbers of a fresh program."""
        ...

    def check(self, point: Point) -> None:
        """Compare what was written with the model traced anew."""
        ...


def _sign(value: Any) -> int:
    return (value > 0) - (value < 0)


@dataclass(frozen=True)
class Corner:
    """A point at a corner: which sizes are small there, and the axis of the mesh that is far, if one is."""

    low: frozenset[str]
    axis: str
    point: Point


class Box:
    """The least and the largest value of every size: at each corner the form is compared with a fresh program."""

    def __init__(self, compared: ComparesSide, totals: LineTotals) -> None:
        self._compared, self._totals = compared, totals
        names = [name for name in compared.sizes if name not in compared.structural]
        self._least = {name: min(p[name] for p in compared.fitted) for name in names}
        self._most = {name: max(p[name] for p in compared.fitted) for name in names}
        self._low, self._high = dict.fromkeys(names, SMALL[0]), dict.fromkeys(names, LARGE[0])
        self._axes = {name: [upto] for name, upto in compared.upto.items() if name in compared.side.first}
        self._axes |= {
            name: list(compared.side.meshes.far(name)) for name in compared.side.first if name not in self._axes
        }
        self._looked_at: dict[tuple[tuple[str, int], ...], bool] = {}
        self.lowest: dict[str, int] = {}
        self.highest: dict[str, int] = {}

    def compared(self) -> list[Point]:
        """The corners, all of which agree; what lies beyond one that does not is left out. Errors: those of the samples do not."""
        for _ in range(ROUNDS):
            corners = {tuple(corner.point.items()): corner for corner in self._corners()}
            inside = [each for each in corners.values() if all_hold(self._compared.order, each.point)]
            works = [each for each in inside if self._compared.works(each.point)]
            wrong = next((each for each in works if not self._agrees(each.point)), None)
            if wrong is None:
                for each in works:
                    if each.axis and each.low:  # a model may ask how large its mesh is
                        self._compared.check(each.point)
                return self._settled(works)
            self.find_order(wrong.point)
            if not self._shrunk(wrong):
                raise LiftError(
                    f"XLA's partitioner makes another program at {assigned(wrong.point)}: give numbers for some of these sizes"
                )
        raise LiftError(
            "XLA's partitioner makes other programs of small and large sizes: give numbers for some of them"
        )

    def _agrees(self, point: Point) -> bool:
        """Whether the form is right at a corner, each looked at once."""
        key = tuple(point.items())
        if key not in self._looked_at:
            self._looked_at[key] = self._compared.right(self._totals, point)
        return self._looked_at[key]

    def find_order(self, point: Point) -> None:
        """Raise :class:`Ordered` where two sizes, on one device or whole, stand in another order than at all points that agree."""
        one = self._compared
        agreed = [*one.fitted, *one.agreed]
        for left, right in itertools.combinations(self._sizes(), 2):
            if left.symbols & right.symbols:
                continue
            differ = {_sign(left.value(each) - right.value(each)) for each in agreed}
            here = _sign(left.value(point) - right.value(point))
            if here in differ or len(differ - {0}) != 1:
                continue
            op = (">" if 1 in differ else "<") + ("=" if 0 in differ else "")
            raise Ordered(Guard(left, op, right, PLACE), point)

    def _sizes(self) -> list[Form]:
        """What the partitioner may weigh: sizes that axes cut, on one device, then every size as it is."""
        local = self._compared.lattice.local(self._compared.side.plan)
        return [*(local[name] for name in self._low if name in local), *(Form.symbol(name) for name in self._low)]

    def _corners(self) -> Iterator[Corner]:
        """All sizes small, all large, each small or large beside the others; all small and all large on the farthest meshes."""
        names, first = frozenset(self._low), dict(self._compared.side.first)
        for low in dict.fromkeys((names, frozenset(), *(frozenset({n}) for n in names), *(names - {n} for n in names))):
            yield Corner(low, "", self._at(low, first))
        for axis, sizes in self._axes.items():
            if not sizes:
                continue
            mesh = {**self._compared.side.meshes.least, axis: sizes[0]}
            if self._compared.side.holds(mesh):
                yield Corner(names, axis, self._at(names, mesh))
                yield Corner(frozenset(), axis, self._at(frozenset(), mesh))

    def _at(self, low: frozenset[str], mesh: Point) -> Point:
        one = self._compared
        sizes = {**self._high, **{name: self._low[name] for name in sorted(low)}}
        whole = {**one.sizes, **dict.fromkeys(one.structural, 2)}
        start = one.lattice.resized(one.lattice.resized(whole, sizes), sizes)  # d, then H, may then be smaller
        return {**one.lattice.divided(start, one.side.plan.sizes(mesh)), **mesh}

    def _shrunk(self, wrong: Corner) -> bool:
        """Take the sides that meet at a corner towards the samples: the mesh first, then its small sizes, then the large ones."""
        if wrong.axis:
            self._axes[wrong.axis] = self._axes[wrong.axis][1:]
            return True
        for inner, outer, names, steps in (
            (self._least, self._low, wrong.low, SMALL),
            (self._most, self._high, frozenset(self._high) - wrong.low, LARGE),
        ):
            far = [name for name in sorted(names) if outer[name] != inner[name]]
            for name in far:
                left = [
                    step for step in steps[steps.index(outer[name]) + 1 :] if (step < inner[name]) == (steps is SMALL)
                ]
                outer[name] = left[0] if left else inner[name]
            if far:
                return True
        return False

    def _settled(self, works: Sequence[Corner]) -> list[Point]:
        for name in self._low:  # where another size keeps one from the edge, the domain says so itself: H <= d
            small = [each.point[name] for each in works if name in each.low]
            large = [each.point[name] for each in works if name not in each.low]
            self.lowest[name] = min(small, default=self._least[name])
            self.highest[name] = max([self._most[name], *large])
        return [each.point for each in (*works, *self._on_least_mesh())]

    def _on_least_mesh(self) -> Sequence[Corner]:
        """Corners on the least mesh, whose axes divide smaller sizes: where all have programs, and agree, the box reaches there."""
        one = self._compared
        least, names = dict(one.side.meshes.least), frozenset(self._low)
        if least == dict(one.side.first) or not one.side.holds(least) or one.order:
            return []
        lows = dict.fromkeys((names, *(frozenset({name}) for name in names)))
        found = [Corner(low, "", self._at(low, least)) for low in lows]
        if not all(one.works(each.point) and self._agrees(each.point) for each in found):
            return []
        for each in found:
            self.lowest.update({name: min(self.lowest[name], each.point[name]) for name in each.low})
        return found
