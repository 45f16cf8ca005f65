"""A metric of a table as a formula, and what each module contributes to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from symcost.costs.cost import FULL, TEXTBOOK
from symcost.costs.dtypes import ASSUMED, bits_of
from symcost.costs.size import bytes_of, model_size, param_bits, state_bits, trained_size
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.estimate.bytes.memory import MemoryUse, memory
from symcost.estimate.bytes.states import states_of
from symcost.estimate.bytes.training import training_memory
from symcost.estimate.bytes.types import types_of
from symcost.estimate.time.energy import energy
from symcost.estimate.time.latency import latency
from symcost.estimate.time.work import kernels
from symcost.gates.budgets.options import COUNTED, PEAKS, TIMED

Parts = list[tuple[str, Any]]


@dataclass(frozen=True)
class Setting:
    """A table, and the options of a budget: device, number types, bits, density, model of latency, rule, convention."""

    costs: Any
    options: Mapping[str, Any]

    def option(self, name: str, default: Any) -> Any:
        """An option, or what it is unless given."""
        return self.options.get(name, default)

    @property
    def dtype(self) -> str | None:
        """Number type of operations and activations, if one is given."""
        return self.option("dtype", None)

    @property
    def weights(self) -> Any:
        """Bits or number type of the weights, if one is given."""
        return self.option("bits", self.option("weights", None))

    @property
    def convention(self) -> str:
        """Convention of counting."""
        return self.option("convention", FULL)


def _timed(s: Setting) -> Any:
    return latency(s.costs, s.option("device", None), s.dtype, model=s.option("latency_model", "roofline"),
                   weights=s.option("weights", None))  # fmt: skip


def _powered(s: Setting) -> Any:
    return energy(s.costs, s.option("device", None), s.dtype, model=s.option("latency_model", "roofline"),
                  weights=s.option("weights", None))  # fmt: skip


def _size(s: Setting) -> Any:
    return model_size(s.costs, types_of(s.costs, s.dtype, s.weights).weights, s.option("density", 1))


def _used(s: Setting) -> MemoryUse:
    return memory(s.costs, s.dtype, weights=s.weights, rule=s.option("rule", "liveness"))


def _trained(s: Setting) -> Any:
    kept = training_memory(s.costs, dtype=s.dtype)
    moments = trained_size(s.costs, bits_of(s.dtype or ASSUMED))  # of the optimizer, as sc.training_memory makes them
    return kept.total + states_of(s.option("optimizer", "sgd")).bytes(moments)


def _total(metric: str) -> Callable[[Setting], Any]:
    return lambda s: getattr(s.costs.total(s.convention), metric)


FORMULAS: Mapping[str, Callable[[Setting], Any]] = {
    **{metric: _total(metric) for metric in COUNTED if metric != "activations"},
    "activations": lambda s: s.costs.total(s.option("convention", TEXTBOOK)).activations,
    "peak_activations": lambda s: s.costs.peak(s.option("rule", "liveness")),
    "model_size": _size,
    "state_bytes": lambda s: _used(s).state,
    "activation_bytes": lambda s: _used(s).activations,
    "total_bytes": lambda s: _size(s) + _used(s).activations + _used(s).state,
    "training_bytes": _trained,
    "latency": lambda s: _timed(s).seconds,
    "energy": lambda s: _powered(s).joules,
}
"""Every metric as an exact formula in the table's symbols, in bytes, seconds and joules where it has a unit."""


SIZES: Mapping[str, Callable[[CostTable, Any], Iterator[tuple[str, Any, Any]]]] = {
    "model_size": param_bits, "state_bytes": state_bits,
}  # fmt: skip
"""What a module has of a size in bytes."""


def formula(metric: str, costs: CostTable, options: Mapping[str, Any]) -> Any:
    """The metric's formula."""
    if metric in PEAKS and costs.parts.peak is None:
        raise SymcostError(f"{metric}: this table knows no peak of activations")
    return FORMULAS[metric](Setting(costs, options))


def parts(metric: str, costs: CostTable, options: Mapping[str, Any]) -> Parts:
    """What each module has of a metric: its share of a sum, or what it needs at once for a peak.

    Parameters stand for what follows from them, the largest input plus output of a kernel for a peak of activations. What is
    kept for the backward pass is known of the whole model alone: training memory names no modules.
    """
    s = Setting(costs, options)
    if metric == "training_bytes":
        return []
    if metric in PEAKS:
        return [(kernel.path, kernel.read + kernel.written) for kernel in kernels(costs, "fused")]
    spent = _powered(s).steps if metric == "energy" else ()
    if spent:
        return [(step.kernel.path, step.joules) for step in spent]
    if metric in TIMED:  # energy by power is that of the time
        return [(step.kernel.path, step.seconds) for step in _timed(s).steps]
    if metric in SIZES:
        bits = types_of(costs, s.dtype, s.weights).weights
        return [(path, bytes_of([(rate, number)])) for path, rate, number in SIZES[metric](costs, bits)]
    convention = s.option("convention", TEXTBOOK if metric == "activations" else FULL)
    return [(group.name, getattr(group.total(convention), metric)) for group in costs.by_path()]
