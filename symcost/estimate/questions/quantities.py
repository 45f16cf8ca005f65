"""Quantities that a constraint may name: each a formula of a table, a device and a number type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symcost.costs.size import Bits
from symcost.devices import Device
from symcost.errors import SymcostError
from symcost.estimate.bytes.memory import memory
from symcost.estimate.time.energy import energy
from symcost.estimate.time.latency import latency, throughput
from symcost.reading.choices import LatencyModel, Rule


@dataclass(frozen=True)
class Setting:
    """What a quantity is taken of."""

    costs: Any
    on: str | Device | None = None
    dtype: str | None = None
    weights: str | Bits | None = None
    model: LatencyModel = "roofline"
    rule: Rule = "liveness"
    batch: Any = "n"

    @property
    def device(self) -> str | Device:
        """The device, which must be given."""
        if self.on is None:
            raise SymcostError(
                "latency, throughput and energy need a device: give one, such as on='nvidia-a100-sxm-80gb'"
            )
        return self.on


QUANTITIES: Mapping[str, Callable[[Setting], Any]] = {
    "params": lambda s: s.costs.params,
    "trainable": lambda s: s.costs.trainable,
    "active_params": lambda s: s.costs.active_params,
    "state": lambda s: s.costs.state,
    "macs": lambda s: s.costs.macs,
    "flops": lambda s: s.costs.flops,
    "activations": lambda s: s.costs.activations,
    "peak_activations": lambda s: s.costs.peak(s.rule),
    "weight_bytes": lambda s: memory(s.costs, s.dtype, weights=s.weights, rule=s.rule).weights,
    "activation_bytes": lambda s: memory(s.costs, s.dtype, weights=s.weights, rule=s.rule).activations,
    "state_bytes": lambda s: memory(s.costs, s.dtype, weights=s.weights, rule=s.rule).state,
    "total_bytes": lambda s: memory(s.costs, s.dtype, weights=s.weights, rule=s.rule).total,
    "latency": lambda s: latency(s.costs, s.device, s.dtype, weights=s.weights, model=s.model).seconds,
    "throughput": lambda s: throughput(s.costs, s.device, s.dtype, batch=s.batch, weights=s.weights, model=s.model),
    "energy": lambda s: energy(s.costs, s.device, s.dtype, weights=s.weights, model=s.model).joules,
}
"""``latency`` in seconds, ``throughput`` in examples per second, ``energy`` in joules, the ``_bytes`` by number type, those of
the trace unless given; counts as the table gives them."""
