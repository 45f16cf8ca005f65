"""What plans are compared: tables that were traced with a plan, by name, or a model that is traced in each of its variants."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from symcost.costs.mesh.plan import Plan
from symcost.costs.table import CostTable
from symcost.errors import SpaceError
from symcost.estimate.pod.kept import check_zero
from symcost.reading.numerals import short

NEEDED = "trace with plan=sc.Plan(mesh, shard)"


@dataclass(frozen=True)
class Variant:
    """A table with a plan, by the name that tells it from the others, and a stage of ZeRO beside the plan."""

    name: str
    costs: CostTable
    zero: int

    @property
    def is_trained(self) -> bool:
        """Whether what a device keeps for the backward pass is known."""
        return self.costs.parts.residuals is not None

    def never_alone(self) -> list[str]:
        """Sizes of axes of which no form holds where they are 1, though another axis may have more."""
        assert self.costs.plan is not None
        known = {name for each in self.costs.shorter for name in each.parts.sharded.at_one}
        others = len([size for size in self.costs.plan.mesh.values() if self.costs.point.get(str(size), size) != 1])
        return [
            name for name in self.costs.plan.symbols if name in self.costs.symbols and name not in known and others > 1
        ]


def variants(costs: Any, specs: Sequence[Any], plan: Any, vary: Mapping[str, Sequence[Any]] | None, zero: Any,
             tracing: Mapping[str, Any]) -> list[Variant]:  # fmt: skip
    """Every table with every stage.

    Raises:
        SpaceError: where a table has no plan, or there is none.
    """
    stages = _listed(zero)
    for stage in stages:
        check_zero(stage)
    tables = _tables(costs, specs, plan, vary or {}, tracing)
    for name, table in tables.items():
        if not isinstance(table, CostTable) or table.plan is None:
            which = f"{name!r} of the costs" if name else "this table" if isinstance(table, CostTable) else short(table)
            raise SpaceError(f"{which} has no plan of a mesh: {NEEDED}")
    return [Variant(name, table, stage) for name, table in tables.items() for stage in stages]


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]


def _tables(costs: Any, specs: Sequence[Any], plan: Any, vary: Mapping[str, Sequence[Any]],
            tracing: Mapping[str, Any]) -> dict[str, Any]:  # fmt: skip
    if isinstance(costs, CostTable | Mapping):
        if specs or vary or plan is not None:
            extra = "specs" if specs else "vary" if vary else "plan"
            raise SpaceError(f"{extra} is of a model that is traced: these are costs already, leave it out")
        if isinstance(costs, Mapping) and not costs:
            raise SpaceError("costs={} has no table: give one, or several by name")
        return {"": costs} if isinstance(costs, CostTable) else dict(costs)
    if not callable(costs):
        raise SpaceError(
            f"{short(costs)} is no table of costs and no model: {NEEDED}, or give a model, its inputs and plan="
        )
    plans = {"": plan} if isinstance(plan, Plan) else plan
    if not isinstance(plans, Mapping) or not all(isinstance(each, Plan) for each in plans.values()) or not plans:
        raise SpaceError(f"plan={short(plan)} is no plan: give sc.Plan(mesh, shard), or several by name")
    return {
        ", ".join(part for part in (name, told) if part): _traced(costs, specs, each, given, tracing)
        for told, given in _combined(vary).items()
        for name, each in plans.items()
    }


def _combined(vary: Mapping[str, Sequence[Any]]) -> dict[str, dict[str, Any]]:
    """Every combination of the values of a model's own parameters, by its name in words."""
    for name, values in vary.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise SpaceError(f"vary gives {name} {short(values)}: give a list of values, as {{'remat': [False, True]}}")
    every = (dict(zip(vary, values, strict=True)) for values in itertools.product(*vary.values()))
    return {", ".join(f"{name}={_said(value)}" for name, value in each.items()): each for each in every}


def _said(value: Any) -> str:
    return str(getattr(value, "__name__", value))


def _traced(model: Callable[..., Any], specs: Sequence[Any], plan: Plan, given: Mapping[str, Any],
            tracing: Mapping[str, Any]) -> CostTable:  # fmt: skip
    from symcost.tracing.face import trace

    return trace(partial(model, **given) if given else model, *specs, plan=plan, **{"mode": "train", **tracing})
