"""From a model, its closed form and a plan to what one device computes, holds and sends, in closed form.

The program of one device is asked of XLA's partitioner at a few sizes and meshes, aligned record by record, fitted and
compared with fresh programs at points that were held out: the largest meshes and sizes are among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from symcost.costs.mesh.plan import Plan
from symcost.costs.mesh.sharded import Sharded
from symcost.costs.table import CostTable
from symcost.errors import LiftError, SpecError
from symcost.system.stack import with_room
from symcost.tracing.fitting.align import same
from symcost.tracing.fitting.fit import Fitter
from symcost.tracing.mesh.box import Ordered
from symcost.tracing.mesh.lattice import APART, Cut, Lattice
from symcost.tracing.mesh.sampler import MeshSampler, Miswritten
from symcost.tracing.mesh.side import MOST_ORDERS, SideDerivation, ToCut
from symcost.tracing.mesh.sides import MOST_SIDES, Meshes, sides
from symcost.tracing.program.capture import PointError, traced
from symcost.tracing.program.model import Model
from symcost.tracing.sampling.sample import Point


@dataclass
class MeshDerivation:
    """Everything on the way from a plan to the closed forms of one device, for each order of the mesh's axes."""

    model: Model
    table: CostTable
    plan: Plan
    upto: Mapping[str, int]
    on_trace: Callable[[int], None]

    def __post_init__(self) -> None:
        empties = any(size == 0 for row in self.table.rows for size in row.out)
        self.sampler = MeshSampler(self.model, self.plan, self.table.domain, self.on_trace, empties=empties)
        self.lattice = Lattice(self.table, self.plan, tuple(self._laid()))

    def _laid(self) -> Iterator[Cut]:
        """The dimensions that axes cut of what modules give, as what was given at the points of the model's own form tells."""
        if not self.model.constrained:
            return
        points = [dict(point) for point in self.table.certificate.fitted]
        found: list[dict[tuple[str, int, int], int]] = []
        axes: dict[tuple[str, int, int], tuple[str, ...]] = {}
        for point in points:
            traced(self.model, point)
            self.model.constrained.check()
            found.append({place: size for place, size, _ in self.model.constrained.cuts()})
            axes |= {place: along for place, _, along in self.model.constrained.cuts()}
        fitter = Fitter(self.table.symbols, points)
        for place, along in axes.items():
            column = tuple(sizes.get(place, 0) for sizes in found)
            form = fitter.fit(column) if all(column) else None  # of a deeper block the first one tells as much
            if form is not None:
                yield Cut(form.sympy(), along)

    def run(self) -> Sharded:
        """The closed forms. Errors: none fits, or one differs from a fresh program, or the mesh has one device."""
        if all(size == 1 for size in self.plan.mesh.values()):
            raise SpecError(
                f"a mesh of {' x '.join(f'{axis}=1' for axis in self.plan.mesh)} has one device, over which nothing is cut: "
                "leave the plan out, or give an axis a symbol or more devices"
            )
        try:
            return self._derived()
        except Miswritten:
            self.sampler.trace_all()
            return self._derived()

    def _derived(self) -> Sharded:
        meshes = Meshes(self.plan, self.lattice.takes)
        meshes.check(self.lattice.numbers)
        sizes = self._sizes(meshes)

        def alike(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
            return same(self.sampler({**sizes, **one}), self.sampler({**sizes, **other}))

        self.sampler.structural = structural = self._structural({**sizes, **meshes.first})
        whole = ToCut(self.table, self.plan, self.upto, self.sampler, self.lattice)
        waiting = [SideDerivation(whole, side, sizes, structural) for side in sides(meshes, alike)]
        forms: list[Sharded] = []
        refused: LiftError | None = None
        while waiting and len(forms) < MOST_SIDES:
            side, *waiting = waiting
            try:
                forms.append(side.run())
            except Ordered as order:
                if len(side.order) < MOST_ORDERS:
                    waiting = [*side.divided_by(order), *waiting]
                else:
                    refused = refused or LiftError(
                        f"XLA's partitioner decides by {order}, too: give numbers for some sizes"
                    )
            except LiftError as problem:
                refused = refused or problem
        if not forms:
            raise refused or LiftError("every order of these sizes is another program: give numbers for some of them")
        return replace(forms[0], others=tuple(forms[1:]))

    def _sizes(self, meshes: Meshes) -> Point:
        """Sizes that the largest axes divide, as far apart as arrays have room. Errors: they have none."""
        largest = self.plan.sizes({name: max(meshes.sizes(name)) for name in self.plan.symbols})
        problem = ""
        for apart in APART:
            sizes = self.lattice.roomy(self.lattice.point(largest, apart))
            try:
                self.sampler({**sizes, **meshes.first})
                return sizes
            except PointError as no:
                problem = problem or str(no)
        raise LiftError(f"{problem}: give numbers for some of these sizes")

    def _structural(self, base: Point) -> list[str]:
        """The model's symbols with which the program changes: depths of what is no loop."""
        first = self.sampler(base)
        found = []
        for name in self.table.symbols:
            if name in self.model.symbols and name not in self.model.input_symbols:
                further = {**base, name: base[name] * 2}
                if self.sampler.works(further) and not same(self.sampler(further), first):
                    found.append(name)
        return found


def sharded(model: Model, table: CostTable, plan: Plan, upto: Mapping[str, int] | None,
            on_trace: Callable[[int], None]) -> Sharded:  # fmt: skip
    """What one device of a plan's mesh computes, holds and sends, in the model's sizes and the mesh's.

    Raises :class:`symcost.LiftError` where no closed form fits or one is contradicted, :class:`symcost.SpecError` for a plan that
    does not fit the program.
    """
    return with_room(MeshDerivation(model, table, plan, upto or {}, on_trace).run)
