"""How small and how large sizes may be: XLA's partitioner weighs sizes against each other, so the corners of a box are compared.

Which operand is gathered, and what is reduced, follows from which is smaller. Between the samples and the corners, each size
small beside large others and the other way round, nothing else was seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from symcost.errors import LiftError
from symcost.formulas.form import Form
from symcost.tracing.checking.certify import LineTotals
from symcost.tracing.evidence.guard import Guard, all_hold
from symcost.tracing.mesh.lattice import Lattice
from symcost.tracing.mesh.sampler import MeshSampler
from symcost.tracing.mesh.sides import PLACE, SideOfMesh
from symcost.tracing.sampling.sample import Point

SMALL = (2, 16, 128)
LARGE = (1 << 16, 1 << 14)
ROUNDS = 24


class Ordered(Exception):
    """The order of two sizes decides what the partitioner does: the order at the base, and sizes that stand in the other one."""

    def __init__(self, guard: Guard, turned: Point) -> None:
        super().__init__(str(guard))
        self.guard, self.turned = guard, turned


class ComparesSide(Protocol):
    """What compares the numbers of a form with a fresh program's."""

    lattice: Lattice
    sampler: MeshSampler
    side: SideOfMesh
    sizes: Point
    structural: Sequence[str]
    order: tuple[Guard, ...]
    fitted: list[Point]

    def right(self, totals: LineTotals, point: Point) -> bool:
        """Whether the form has the numbers of a fresh program."""
        ...


class Box:
    """The least and the largest value of every size: at each corner the form is compared with a fresh program."""

    def __init__(self, compared: ComparesSide, totals: LineTotals) -> None:
        self._compared, self._totals = compared, totals
        names = [name for name in compared.sizes if name not in compared.structural]
        self._least = {name: min(p[name] for p in compared.fitted) for name in names}
        self._most = {name: max(p[name] for p in compared.fitted) for name in names}
        self._low, self._high = dict.fromkeys(names, SMALL[0]), dict.fromkeys(names, LARGE[0])
        self.lowest: dict[str, int] = {}
        self.highest: dict[str, int] = {}

    def compared(self) -> list[Point]:
        """The corners, all of which agree; what lies beyond one that does not is left out. Errors: those of the samples do not."""
        for _ in range(ROUNDS):
            corners = {tuple(point.items()): (low, point) for low, point in self._corners()}
            inside = [each for each in corners.values() if all_hold(self._compared.order, each[1])]
            works = [(low, point) for low, point in inside if self._compared.sampler.works(point)]
            wrong = next((each for each in works if not self._compared.right(self._totals, each[1])), None)
            if wrong is None:
                return self._settled(works)
            self._find_order(wrong[1])
            if not self._shrunk(*wrong):
                at = ", ".join(f"{name}={value}" for name, value in wrong[1].items())
                raise LiftError(
                    f"XLA's partitioner makes another program at {at}: give numbers for some of these sizes"
                )
        raise LiftError(
            "XLA's partitioner makes other programs of small and large sizes: give numbers for some of them"
        )

    def _find_order(self, point: Point) -> None:
        """Raise :class:`Ordered` where a point differs because two sizes stand in another order there than at the base."""
        one = self._compared
        base = {**one.sizes, **one.side.first}
        for small, large in itertools.permutations(sorted(self._low), 2):
            if base[small] < base[large] and point[small] > point[large]:
                turned = {**one.sizes, small: one.sizes[large], large: one.sizes[small]}
                apart = {**base, small: base[large] * 4, large: base[large]}
                inside = one.lattice.inside(turned)
                if inside and not self._agrees({**base, **turned}) and not self._agrees(apart):
                    equal = {**base, small: base[large]}
                    op = "<=" if self._agrees(equal) else "<"
                    raise Ordered(Guard(Form.symbol(small), op, Form.symbol(large), PLACE), turned)

    def _agrees(self, point: Point) -> bool:
        """Whether the form is right at a point, or there is no program to say."""
        return not self._compared.sampler.works(point) or self._compared.right(self._totals, point)

    def _corners(self) -> Iterator[tuple[frozenset[str], Point]]:
        names = frozenset(self._low)
        for low in dict.fromkeys((names, frozenset(), *(frozenset({n}) for n in names), *(names - {n} for n in names))):
            sizes = {**self._high, **{name: self._low[name] for name in sorted(low)}}
            yield low, self._at(sizes)

    def _at(self, sizes: Mapping[str, int]) -> Point:
        one = self._compared
        whole = {**one.sizes, **dict.fromkeys(one.structural, 2)}
        start = one.lattice.resized(one.lattice.resized(whole, sizes), sizes)  # d, then H, may then be smaller
        return {**one.lattice.divided(start, one.side.plan.sizes(one.side.first)), **one.side.first}

    def _shrunk(self, low: frozenset[str], point: Point) -> bool:
        """Take the sides that meet at a corner towards the samples: its small sizes first, then the large ones."""
        for inner, outer, names, steps in (
            (self._least, self._low, low, SMALL),
            (self._most, self._high, frozenset(self._high) - low, LARGE),
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

    def _settled(self, works: list[tuple[frozenset[str], Point]]) -> list[Point]:
        for name in self._low:
            small = [point[name] for low, point in works if name in low]
            large = [point[name] for low, point in works if name not in low]
            self.lowest[name] = max(small) if small else self._least[name]
            self.highest[name] = max(self._most[name], min(large)) if large else self._most[name]
        return [point for _, point in works]
