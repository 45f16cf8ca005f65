"""How long it takes: computation against memory, kernel by kernel, exact in the model's symbols.

``T = max(T_computation, T_memory)`` with ``T_computation = operations / (operations per second)`` and
``T_memory = weights / bandwidth + (input + output) / bandwidth``: the lectures' formula for the whole model, and the
same for every kernel (Williams, Waterman, Patterson: Roofline, CACM 2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy

from symcost.costs.dtypes import BYTE
from symcost.costs.exact import larger, rational, value_at
from symcost.costs.size import Bits, Width, width_of
from symcost.costs.table import CostTable
from symcost.devices import Device, Rates, device
from symcost.devices.device import exact_number
from symcost.errors import SymcostError
from symcost.estimate.bytes.types import computing, main_type, types_of
from symcost.estimate.time.efficiency import ConstantEfficiency, Efficiency, efficiency_of
from symcost.estimate.time.work import Kernel, kernels
from symcost.formulas.graph.leading import brief
from symcost.formulas.symbols import symbol
from symcost.formulas.units import as_number, physical, rounded
from symcost.reading.choices import LatencyModel
from symcost.reading.given import checked_but
from symcost.reading.numerals import short
from symcost.views import Viewed


@dataclass(frozen=True)
class KernelTime:
    """One kernel on a device: seconds of computing, of moving, and of launching, for one execution."""

    kernel: Kernel
    compute: Any
    memory: Any
    overhead: Any
    moved: Any
    apart: bool = False
    """Whether computing and moving add up, as rates that were measured do; the roofline has them at once."""

    @property
    def seconds(self) -> Any:
        """The larger of computing and moving, or their sum as measured, and the launch, for all executions."""
        longest = self.compute + self.memory if self.apart else larger(self.compute, self.memory)
        return (longest + self.overhead) * self.kernel.times

    @property
    def bound(self) -> str:
        """What it waits for: ``compute``, ``memory``, or ``depends`` while its symbols leave it open."""
        return _bound(self.compute, self.memory)

    @property
    def intensity(self) -> Any:
        """Arithmetic intensity: operations per byte moved."""
        return sympy.cancel(sympy.sympify(self.kernel.operations, strict=True) / self.moved)


@dataclass(frozen=True, repr=False)
class Latency(Viewed, kind="latency"):
    """Seconds of one pass, exact; ``steps`` are its kernels.

    >>> from symcost.models import alexnet
    >>> found = latency(alexnet(n="n"), "nvidia-a100-sxm-80gb", model="whole")
    >>> found.seconds
    Max(22637713*n/304687500000, 1713*n/509750000 + 1904833/15929687500)
    >>> print(found)
    22637713*n/304687500000 + … s on nvidia-a100-sxm-80gb (whole, float32); ideal: full peak, no launch cost
    """

    steps: tuple[KernelTime, ...]
    device: Device
    dtype: str
    model: str
    costs: CostTable = field(repr=False, compare=False)
    types: str = ""
    """Which number types these are, and whether they are as given, as traced or assumed."""
    assumed: str = ""
    """Which share of the peak is taken to be reached, and what a launch costs."""

    @cached_property
    def seconds(self) -> Any:
        """The sum over the kernels."""
        return sympy.Add(*(step.seconds for step in self.steps))

    @property
    def compute(self) -> Any:
        """Seconds of computing alone."""
        return whole(self.steps, "compute")

    @property
    def memory(self) -> Any:
        """Seconds of moving alone."""
        return whole(self.steps, "memory")

    @property
    def overhead(self) -> Any:
        """Seconds of launching."""
        return whole(self.steps, "overhead")

    @property
    def bound(self) -> str:
        """What the whole waits for, by the kernels' sums."""
        return _bound(self.compute, self.memory)

    def value(self, **point: int) -> Fraction:
        """Exact seconds at a point; a symbol left free is an error."""
        return value_at(self.costs, self.seconds, point, "the latency")

    def __str__(self) -> str:
        if as_number(self.seconds) is not None:
            said = f"{physical(self.seconds, 's')}, bound by {self.bound},"
        else:
            said = f"{brief(self.seconds)} s"
        return f"{said} on {self.device.name} ({self.model}, {self.dtype}); {self.assumed}"


def whole(steps: Sequence[Any], part: str) -> Any:
    """A part of what kernels take, over all their executions."""
    return sympy.expand(sympy.Add(*(getattr(step, part) * step.kernel.times for step in steps)))


def _bound(compute: Any, memory: Any) -> str:
    longest = larger(compute, memory)
    return "depends" if isinstance(longest, sympy.Max) else "compute" if longest == compute else "memory"


@checked_but("costs")
def latency(
    costs: CostTable,
    on: str | Device,
    dtype: str | None = None,
    *,
    model: LatencyModel = "roofline",
    weights: str | Bits | None = None,
    efficiency: Any = None,
    overhead: Any = None,
) -> Latency:
    """Seconds of one pass on a device, exact in the table's symbols.

    Numbers move in their own types and are computed at the peak of their operands' type, as traced: what has no MACs and
    a type without a published peak at that of the products, and ``float32`` where none of it is published, as on TPUs, at
    that of the widest narrower float; ``assumed`` says so. ``dtype`` gives one type to operations and activations,
    ``weights`` one to the weights: a number type, bits, or a mapping from paths to bits (mixed precision, ``""`` for every
    other layer). Layers have no types and are taken as float32.
    ``model``: ``whole`` (the lectures' formula), ``roofline`` (the sum over operations), ``fused`` (elementwise
    chains through memory once). ``efficiency``: the share of the peak that is reached, a number or a
    :class:`~symcost.estimate.time.efficiency.Saturating` curve; unless given, the rates that the device was measured at, where
    it was (not for the whole model), or all of the peak.
    ``overhead``: seconds to launch a kernel; the device's own unless given, and none for the whole model.

    Raises:
        DeviceError: where the device is unknown, or lacks a peak or a bandwidth that is needed.
        SymcostError: where there is no table of operations, or an argument is another.

    >>> from symcost.models import alexnet
    >>> latency(alexnet(), "nvidia-a100-sxm-80gb", "int8", model="whole").seconds
    7833457/254875000000
    """
    where = device(on)
    rate = efficiency_of(efficiency)
    launch = _overhead(where, overhead, model)
    run = kernels(costs, model)
    types = types_of(costs, dtype, weights)
    computed = computing(run, types, where.peak)
    at_peak_of = where.computes_in if dtype is None else str
    if types.activations is not None:
        where.operations(at_peak_of(types.activations))
    bandwidth = tuple(rational(where.bandwidth(what)) for what in ("weights", "activations"))
    sizes = width_of(costs, types.weights), types.activations
    measured = where.measured if efficiency is None and model != "whole" else {}
    timed = dict.fromkeys(computed(kernel) for kernel in run if kernel.operations != 0 and kernel.kind not in measured)
    return Latency(
        tuple(
            _measured(kernel, measured[kernel.kind], sizes, None if overhead is None else launch)
            if kernel.kind in measured
            else _step(kernel, _peak(where, kernel, at_peak_of(computed(kernel))), bandwidth, sizes, rate, launch)
            for kernel in run
        ),
        where, main_type(run, types), model, costs, types.text,
        ", ".join([_assumed(rate, launch if overhead is not None or not measured else None, bool(measured)),
                   *(where.stand_ins(timed) if dtype is None else [])]),
    )  # fmt: skip


def _assumed(rate: Efficiency, launch: Any, measured: bool) -> str:
    """The share of the peak and the launch, in words."""
    if measured:
        parts = ["rates as measured"]
    elif isinstance(rate, ConstantEfficiency):
        parts = ["full peak" if rate.share == 1 else f"{rounded(100 * rate.share)} % of the peak"]
    else:
        parts = ["share of the peak as given"]
    if launch is not None:
        parts.append("no launch cost" if launch == 0 else f"launch of {physical(launch, 's')} a kernel")
    return f"{'ideal: ' if parts == ['full peak', 'no launch cost'] else ''}{', '.join(parts)}"


_Sizes = tuple[Width, str | None]
"""Bits of the weights, and the one type of all activations, if there is one."""


def _peak(where: Device, kernel: Kernel, dtype: str) -> Any:
    """Operations per second; a kernel without any needs no peak."""
    return sympy.Integer(1) if kernel.operations == 0 else rational(where.operations(dtype))


def _step(kernel: Kernel, peak: Any, bandwidth: Any, sizes: _Sizes, rate: Efficiency, launch: Any) -> KernelTime:
    weights, activations = _bytes(kernel, sizes)
    moving = weights / bandwidth[0] + activations / bandwidth[1]
    return _timed(kernel, rate.work(kernel) / peak, moving, launch, weights + activations)


def _measured(kernel: Kernel, rates: Rates, sizes: _Sizes, launch: Any) -> KernelTime:
    """A kernel at the rates that its kind was measured at; a part without a rate takes no time."""
    weights, activations = _bytes(kernel, sizes)
    own = rational(rates.overhead or Fraction(0)) if launch is None else launch
    moving = _over(weights, rates.weights) + _over(activations, rates.activations)
    return _timed(kernel, _over(kernel.operations, rates.operations), moving, own, weights + activations, apart=True)


def _timed(kernel: Kernel, compute: Any, memory: Any, launch: Any, moved: Any, apart: bool = False) -> KernelTime:
    return KernelTime(kernel, sympy.expand(compute), sympy.expand(memory), launch, sympy.expand(moved), apart)


def _bytes(kernel: Kernel, sizes: _Sizes) -> tuple[Any, Any]:
    return kernel.weight_bits(sizes[0]) / BYTE, sympy.Rational(1, BYTE) * kernel.activation_bits(sizes[1])


def _over(amount: Any, rate: Fraction | None) -> Any:
    return sympy.Integer(0) if rate is None else amount / rational(rate)


def _overhead(where: Device, given: Any, model: str) -> Any:
    if given is None:
        return rational(where.overhead or Fraction(0)) if model != "whole" else sympy.Integer(0)
    return rational(launch_of(given))


def launch_of(given: Any) -> Fraction:
    """Seconds to launch a kernel, as given.

    Raises:
        SymcostError: where it is no number of seconds, 0 or more.

    >>> launch_of("5e-6")
    Fraction(1, 200000)
    """
    seconds = exact_number(given)
    if seconds is None or seconds < 0:
        raise SymcostError(f"overhead={given} must be seconds, 0 or more: give a number such as '5e-6'")
    return seconds


def examples(costs: CostTable) -> Any:
    """How many examples one pass takes: the leading size of the first input; None where no input has one."""
    shapes = (row.out for row in costs.rows if row.op.partition(" ")[0] == "input" and row.out)
    return next((sympy.sympify(shape[0], strict=True) for shape in shapes), None)


@checked_but("costs")
def throughput(
    costs: CostTable, on: str | Device, dtype: str | None = None, *, batch: Any = "n", model: LatencyModel = "roofline",
    weights: str | Bits | None = None, efficiency: Any = None, overhead: Any = None,
) -> Any:  # fmt: skip
    """Examples per second: the batch over the seconds it takes. ``batch`` is the symbol's name, or a number.

    Lower latency and higher throughput do not imply each other: one example in 50 ms is 20 a second, four at once in
    100 ms are 40.

    Raises:
        SymcostError: where ``batch`` is neither a number nor a symbol of the table.

    >>> from symcost.models import alexnet
    >>> throughput(alexnet(n=4), "nvidia-h100-sxm", batch=4) == 4 / latency(alexnet(n=4), "nvidia-h100-sxm").seconds
    True
    """
    timing = latency(costs, on, dtype, model=model, weights=weights, efficiency=efficiency, overhead=overhead)
    return _batch(costs, batch) / timing.seconds


def _batch(costs: Any, batch: Any) -> Any:
    if isinstance(batch, int) and not isinstance(batch, bool) and batch > 0:
        return sympy.Integer(batch)
    point = costs.point
    if isinstance(batch, str) and batch in point:
        return sympy.Integer(point[batch])
    if not isinstance(batch, str) or batch not in costs.symbols:
        known = ", ".join(costs.symbols) or "none"
        raise SymcostError(f"batch={short(batch)} is neither a number nor a symbol of the table ({known}): give one")
    return symbol(batch)
