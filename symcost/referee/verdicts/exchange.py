"""A plan's collectives against those of a compiled program: by kind and axes, on one device, to the byte."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from symcost.agreement.check import Check
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.hlo import Module
from symcost.hlo.explaining.arrays import arrays, totals
from symcost.hlo.explaining.exchange import Cause, explained
from symcost.hlo.explaining.sorts import has_top_k, of_sorts, written_as_sorts
from symcost.referee.compilers.compile import Placement
from symcost.referee.compilers.source import ProgramSource
from symcost.tracing.derive import Fresh
from symcost.tracing.mesh.asking.lowered import Partitioned
from symcost.tracing.mesh.asking.partition import partitioned

WITNESS = "the compiled program"
Along = tuple[str, tuple[str, ...]]
"""A kind of collective, and the axes along which devices exchange."""


@dataclass(frozen=True)
class Exchange:
    """What the closed form of a plan says that one device exchanges at a point that has a value for every symbol."""

    costs: CostTable
    at: Mapping[str, int]

    @property
    def mesh(self) -> Mapping[str, int]:
        """The size of each axis."""
        assert self.costs.plan is not None
        return self.costs.plan.sizes(self.at)

    @property
    def placement(self) -> Placement:
        """Where the arrays of the plan go: gradients lie as the parameters that they change."""
        assert self.costs.plan is not None
        return Placement(self.mesh, plan=self.costs.plan)

    def on_mesh(self, source: ProgramSource) -> ProgramSource:
        """The program of a source on the mesh of the plan."""
        return replace(source, mesh=self.mesh, explicit=self.costs.plan if source.explicit else None)

    @cached_property
    def _here(self) -> CostTable:
        """The closed form at the point."""
        return self.costs.subs(**{name: self.at[name] for name in self.costs.symbols if name in self.at})

    @cached_property
    def predicted(self) -> dict[Along, int]:
        """Bytes by kind and axes."""
        return {along: int(size) for along, size in self._here.communication.items()}

    @cached_property
    def device(self) -> CostTable:
        """What one device computes and holds at the point."""
        return self._here.per_device

    @cached_property
    def cut(self) -> Partitioned | str:
        """The program as it was cut, of which a compiler makes another one; or why there is none to look at."""
        return self._cut(sorts=False)

    @cached_property
    def _with_sorts(self) -> Partitioned | str:
        """The same with sorts in the place of ``top_k``."""
        return self._cut(sorts=True)

    def _cut(self, sorts: bool) -> Partitioned | str:
        fresh = self.costs.parts.fresh
        assert isinstance(fresh, Fresh)
        assert self.costs.plan is not None
        try:
            return partitioned(fresh.model, self.costs.plan, self.at, sorts)
        except SymcostError as problem:
            return str(problem)

    def checks(self, target: str, compiled: Module) -> list[Check]:
        """One comparison of each kind along each axis; what a compiler changes is named, and counted on our side too."""
        made = totals(arrays(compiled, self.mesh))
        differs = made != self.predicted
        unknown = f"no difference has a name here: {self.cut}" if differs and isinstance(self.cut, str) else ""
        changes = self._changes(self.cut.module, compiled) if differs and not isinstance(self.cut, str) else []
        found = []
        for kind, axes in dict.fromkeys((*self.predicted, *made)):
            named = _by_cause(change for change in changes if (change.kind, change.axes) == (kind, axes))
            ours = self.predicted.get((kind, axes), 0) + sum(named.values())
            because = "; ".join(f"{size:+,} {cause}" for cause, size in named.items()) or unknown
            found.append(Check(level=3, target=target, metric=f"{kind} bytes along {' and '.join(axes)}", ours=ours,
                               theirs=made.get((kind, axes), 0), witness=WITNESS, because=because))  # fmt: skip
        return found

    def _changes(self, cut: Module, compiled: Module) -> list[Cause]:
        """What leads from the program as it was cut to the compiled one."""
        if has_top_k(cut) and not isinstance(self._with_sorts, str):
            again = self._with_sorts.module
            if written_as_sorts(cut, again, compiled):
                return [*of_sorts(cut, again, self.mesh), *explained(again, compiled, self.mesh).changes]
        return explained(cut, compiled, self.mesh).changes


def _by_cause(changes: Iterable[Cause]) -> dict[str, int]:
    """Bytes of changes by their cause."""
    named: dict[str, int] = {}
    for change in changes:
        named[change.because] = named.get(change.because, 0) + change.bytes
    return named
