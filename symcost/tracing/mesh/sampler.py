"""Programs of one device at points: sizes of the model and of the mesh, each asked once of XLA's partitioner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from symcost.costs.mesh.plan import Plan
from symcost.costs.parts import Conditions
from symcost.tracing.fitting.lift import Programs
from symcost.tracing.mesh.instructions import records_of
from symcost.tracing.mesh.partition import partitioned
from symcost.tracing.program.capture import Keys, PointError
from symcost.tracing.program.model import Model
from symcost.tracing.program.records import Program


@dataclass
class MeshSampler(Programs):
    """What one device runs at a point of sizes and axes; ``domain`` says where the model's own form holds."""

    model: Model
    plan: Plan
    domain: Conditions | None
    on_trace: Callable[[int], None] = lambda count: None
    keys: Keys = field(default_factory=dict)
    _seen: dict[tuple[tuple[str, int], ...], Program | PointError] = field(default_factory=dict)

    @property
    def symbols(self) -> Sequence[str]:
        """The model's symbols, then those of the mesh that are none of the model's."""
        return tuple(dict.fromkeys((*self.model.symbols, *self.plan.symbols)))

    @property
    def trains(self) -> bool:
        """Whether the programs have a backward pass."""
        return self.model.mode == "train"

    @property
    def traces(self) -> int:
        """How many programs were partitioned."""
        return sum(isinstance(found, Program) for found in self._seen.values())

    def _made(self, point: Mapping[str, int]) -> Program | PointError:
        found = self._seen[tuple(sorted(point.items()))] = self._partitioned(point)
        self.on_trace(self.traces)
        return found

    def _partitioned(self, point: Mapping[str, int]) -> Program | PointError:
        own = {name: value for name, value in point.items() if name in self.model.symbols}
        outside = self.domain.problem(own) if self.domain is not None else None
        if outside:
            return PointError(outside, point)
        try:
            return records_of(partitioned(self.model, self.plan, point), self.keys)
        except PointError as problem:
            return problem
