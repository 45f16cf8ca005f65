"""Everything of one model on one device: what the device has no numbers for is kept as the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from symcost.costs.size import Bits
from symcost.costs.table import CostTable
from symcost.devices import Device, device
from symcost.errors import SymcostError
from symcost.estimate.bytes.fit import Fit, check_computes, fits
from symcost.estimate.bytes.memory import MemoryUse, memory
from symcost.estimate.bytes.types import Types, types_of
from symcost.estimate.time.efficiency import efficiency_of
from symcost.estimate.time.energy import Energy, energy
from symcost.estimate.time.latency import Latency, examples, latency, launch_of
from symcost.estimate.time.work import check_model
from symcost.reading.choices import MODELS, LatencyModel, Rule

PROCESS = "horowitz-45nm"


@dataclass(frozen=True)
class Estimate:
    """What was asked of one model on one device; parts that the device has no numbers for say why.

    ``batch``: examples of one pass, where an input says how many.
    """

    name: str
    costs: Any
    latencies: Mapping[str, Latency | SymcostError]
    energies: Mapping[str, Energy | SymcostError]
    memory: MemoryUse | SymcostError
    fit: Fit | SymcostError
    chosen: str
    batch: Any = None
    types: Types | None = None

    def throughput(self, timing: Latency) -> Any:
        """Examples per second at a latency, or None."""
        return None if self.batch is None else self.batch / timing.seconds


def estimate(
    costs: CostTable, name: str, on: str | Device, dtype: str | None = None, *, weights: str | Bits | None = None,
    model: LatencyModel = "roofline", efficiency: Any = None, overhead: Any = None, rule: Rule = "liveness",
) -> Estimate:  # fmt: skip
    """Latency under every model, energy by the device and by the 45 nm table, memory, and whether it fits.

    ``overhead``: seconds to launch a kernel in the place of the device's own.
    """
    where = device(on) if overhead is None else replace(device(on), overhead=launch_of(overhead) or None)
    types = types_of(costs, dtype, weights)
    check_computes(where, costs, dtype, types)
    efficiency_of(efficiency)
    check_model(model)
    energies = {PROCESS: PROCESS} if where.name == PROCESS else {where.name: where, PROCESS: PROCESS}
    return Estimate(
        name=name,
        costs=costs,
        latencies={
            each: _or_why(lambda each=each: latency(
                costs, where, dtype, model=each, weights=weights, efficiency=efficiency)) for each in MODELS
        },
        energies={
            each: _or_why(lambda at=at: energy(
                costs, at, dtype, model=model, weights=weights, efficiency=efficiency))
            for each, at in energies.items()
        },
        memory=_or_why(lambda: memory(costs, dtype, weights=weights, rule=rule)),
        fit=_or_why(lambda: fits(costs, where, dtype, weights=weights, rule=rule)),
        chosen=model,
        batch=examples(costs),
        types=types,
    )  # fmt: skip


def _or_why(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except SymcostError as problem:
        return problem
