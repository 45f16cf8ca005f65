"""Sizes at which a program is cut over a mesh: inside the model's own domain, and divided by the axes that cut them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from symcost.costs.cost import Count
from symcost.costs.mesh.plan import Plan, entering
from symcost.costs.parts import Conditions
from symcost.costs.table import CostTable
from symcost.errors import ExpressionError, LiftError
from symcost.formulas.form import Form, as_form
from symcost.formulas.functions import changed
from symcost.formulas.symbols import evaluate
from symcost.reading.nearest import listed
from symcost.tracing.mesh.sides import sizes_of_axes
from symcost.tracing.sampling.sample import LARGE, Point, Values

FACTORS = (1, 2, 3, 5, 7, 4, 6, 9, 8, 12)
"""Sizes are sampled at these times the first ones."""
FIRST, APART = (13, 21, 29, 43, 53), ((1, 9, 81), (1, 3, 9), (1, 1, 1))
"""Sizes that an axis cuts are these times the parts, or what is next to them inside the domain: XLA folds small constants.

In turn they are so far apart that their multiples stand in the same order, by which the partitioner may decide; less far where
arrays of many sizes have no room otherwise."""
ENOUGH, ROOM = 5, 60
"""Values that a size is to have, and what those that it must divide are multiplied by where it has fewer."""


@dataclass(frozen=True)
class Cut:
    """A dimension of an array that enters the program, and the number of parts along each axis that cuts it."""

    size: Count
    axes: tuple[str, ...]
    array: str = ""
    """The path of the array, or nothing of what a module gives."""


@dataclass
class Lattice:
    """Points of a model's symbols and a mesh's axes at which every array is cut evenly."""

    table: CostTable
    plan: Plan
    laid: tuple[Cut, ...] = ()
    """Of arrays inside of the program, those that are laid along axes."""

    def __post_init__(self) -> None:
        self.names: Sequence[str] = self.table.symbols
        self.domain: Conditions | None = self.table.domain
        every = [*self._cuts(), *self.laid]
        self.cuts = [cut for cut in every if _symbols(cut.size)]
        self.numbers = [cut for cut in every if not _symbols(cut.size)]
        """Dimensions whose size is a number, which the axes of a mesh must divide as it is."""

    def _cuts(self) -> Iterator[Cut]:
        for row in self.table.rows:
            if row.source == "input":
                for size, axes in zip(row.out, self.plan.cut(entering(row), len(row.out)), strict=True):
                    if axes:
                        yield Cut(size, axes, entering(row))

    def takes(self, mesh: Mapping[str, int]) -> bool:
        """Whether the axes of a mesh divide the dimensions whose size is a number."""
        return all(int(cut.size) % self._parts(cut, mesh) == 0 for cut in self.numbers)

    def point(self, mesh: Mapping[str, int], apart: Values = APART[0]) -> Point:
        """Sizes that the axes of a mesh of such sizes divide, so far apart. Errors: none were found."""
        return self.divided(self._start(apart), mesh)

    def divided(self, start: Point, mesh: Mapping[str, int]) -> Point:
        """The point, some of whose sizes are multiplied so that the axes of a mesh divide all that they cut."""
        for _ in range(8 * len(self.cuts) + 1):
            broken = next((cut for cut in self.cuts if self._rest(cut, start, mesh)), None)
            if broken is None:
                return start
            start = self._mended(start, broken, mesh)
        raise LiftError("no sizes were found that the axes of the mesh divide: give other axes to the arrays")

    def _start(self, far: Values) -> Point:
        """The first point that the model's form was fitted to, with small sizes where axes cut them."""
        fitted = self.table.certificate.fitted[0] if self.table.certificate.fitted else {}
        point = {name: fitted[name] for name in self.names if name in fitted}
        cut = dict.fromkeys(str(cut.size) for cut in self.cuts if str(cut.size) in point)
        sizes = map(math.prod, zip(itertools.cycle(FIRST), itertools.cycle(far), strict=False))
        apart = dict(zip(cut, sizes, strict=False))
        return self.resized(point, apart)

    def resized(self, point: Point, sizes: Mapping[str, int]) -> Point:
        """The point with other sizes, in turn, or the next ones towards its own that are inside the domain."""
        for name, size in sizes.items():
            between = range(0, abs(point[name].bit_length() - size.bit_length()) + 1)
            steps = (size << k if size < point[name] else size >> k for k in between)
            tried = ({**point, name: value} for value in steps)
            point = next((near for near in tried if self.inside(near)), point)
        return point

    def inside(self, point: Mapping[str, int]) -> bool:
        """Whether a point is in the domain of the model's own form, and no size is 1: of those a program skips steps."""
        return self.domain is None or (self.domain.problem(point) is None and not self.domain.bounds_at(point))

    def _parts(self, cut: Cut, mesh: Mapping[str, int]) -> int:
        return math.prod(mesh[axis] for axis in cut.axes)

    def _rest(self, cut: Cut, point: Mapping[str, int], mesh: Mapping[str, int]) -> int:
        return int(evaluate(cut.size, {name: point[name] for name in _symbols(cut.size)})) % self._parts(cut, mesh)

    def _mended(self, point: Point, cut: Cut, mesh: Mapping[str, int]) -> Point:
        """The point with some of a dimension's sizes multiplied, so that its axes divide it."""
        parts = self._parts(cut, mesh)
        names = [name for name in _symbols(cut.size) if name in point]
        others = [name for name in point if name not in names]
        for number in range(1, len(names) + 1):
            for chosen in itertools.combinations(names, number):
                for more in ((), *itertools.combinations(others, 1), tuple(others)):
                    moved = {
                        **point,
                        **{n: math.lcm(point[n], parts) for n in chosen},
                        **{n: point[n] * parts for n in more},
                    }
                    if self.inside(moved) and not self._rest(cut, moved, mesh):
                        return moved
        size = cut.size if not names else evaluate(cut.size, {name: point[name] for name in names})
        raise LiftError(f"a size of {size} is cut into {parts} parts along {', '.join(cut.axes)}, and no sizes were "
                        "found that these divide: give other axes, or other sizes of the mesh")  # fmt: skip

    def roomy(self, base: Point) -> Point:
        """The point, some of whose sizes are multiplied until every symbol can be sampled alone: ``d`` of ``d/H``."""
        for name in base:
            if len(self._values(base, name)) < ENOUGH:
                larger = ({**base, other: base[other] * ROOM} for other in base if other != name)
                inside = [point for point in larger if self.inside(point)]
                base = max((base, *inside), key=lambda point: len(self._values(point, name)))
        return base

    def values(self, base: Point, structural: Sequence[str] = ()) -> dict[str, Values]:
        """For each symbol the values at which it is sampled, the base's first: inside the domain, and divided by the axes.

        Depths are consecutive, sizes that nothing cuts have little in common, others are multiples of the first.
        """
        return {name: self._values(base, name, name in structural) for name in base}

    def _values(self, base: Point, name: str, structural: bool = False) -> Values:
        first = base[name]
        if not structural and name not in self.cut_symbols:
            plain = (first, *(value for value in LARGE if value != first and self.inside({**base, name: value})))
            if len(plain) > ENOUGH:
                return plain
        options = [first + k for k in range(12)] if structural else [first * k for k in FACTORS]
        return tuple(value for value in options if self.inside({**base, name: value}))

    def told(self, symbols: Sequence[str]) -> str:
        """The sizes that axes of such symbols cut, in words, with their arrays and the axes; of all axes where none has one."""
        mesh = self.plan.mesh
        named = {axis for axis, size in mesh.items() if size in symbols} or {*mesh}
        said: dict[str, dict[str, None]] = {axis: {} for axis in mesh if axis in named}
        for cut in (*self.cuts, *self.numbers):
            for axis in named.intersection(cut.axes):
                said[axis][f"{cut.array or 'what a module gives'} ({cut.size})"] = None
        return "; ".join(f"along {axis} lie {listed(list(sizes))}" for axis, sizes in said.items() if sizes)

    def local(self, plan: Plan) -> dict[str, Form]:
        """The size on one device of a plan of each symbol that its axes cut."""
        mesh = sizes_of_axes(plan)
        parts = {str(each.size): math.prod((mesh[axis] for axis in each.axes), start=as_form(1)) for each in self.cuts}
        return {name: Form.symbol(name) / parts[name] for name in self.names if name in parts}

    def on_device(self, forms: Sequence[Form]) -> Iterator[Form]:
        """Forms of sizes that axes cut, made of those of one device."""
        local = self.local(self.plan)
        for form in forms:
            for name in form.symbols & {*local}:
                try:
                    yield changed(form, lambda atom, name=name: local[name] if atom.name == name else None)
                except ExpressionError:  # it would divide by a sum
                    continue

    @cached_property
    def cut_symbols(self) -> frozenset[str]:
        """The symbols of the sizes that an axis cuts, and those that are divided by one another."""
        quotients = (form for form in getattr(self.domain, "dimensions", ()) if len(form.symbols) > 1)
        divided = (
            name for form in quotients if not form.is_integral or not form.is_polynomial for name in form.symbols
        )
        return frozenset((*divided, *(name for cut in self.cuts for name in _symbols(cut.size))))


def _symbols(size: Count) -> list[str]:
    return [] if isinstance(size, int) else sorted(str(symbol) for symbol in size.free_symbols)
