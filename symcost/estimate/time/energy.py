"""What it draws: operations and data movement by an energy table, or measured power for the time it takes.

By table (Horowitz: Computing's energy problem, ISSCC 2014): every MAC is a multiply and an add, every other FLOP an
add, and every word between the processor and its memory costs what the level costs. By power: watts times seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy

from symcost.costs.dtypes import arithmetic, bits_of
from symcost.costs.exact import rational, value_at
from symcost.costs.size import Bits, Width, width_of
from symcost.costs.table import CostTable
from symcost.devices import Device, Energies, device
from symcost.devices.device import HOLDS
from symcost.errors import DeviceError, SymcostError
from symcost.estimate.bytes.types import computing, main_type, types_of
from symcost.estimate.time.latency import latency, whole
from symcost.estimate.time.work import Kernel, kernels
from symcost.formulas.graph.leading import brief
from symcost.formulas.units import as_number, physical
from symcost.reading.choices import LatencyModel
from symcost.reading.given import checked_but
from symcost.views import Viewed

WORD = 32


@dataclass(frozen=True)
class EnergyStep:
    """Joules of one kernel: of its operations and of its movement, for one execution."""

    kernel: Kernel
    compute: Any
    movement: Any

    @property
    def joules(self) -> Any:
        """For all executions."""
        return (self.compute + self.movement) * self.kernel.times


@dataclass(frozen=True, repr=False)
class Energy(Viewed, kind="energy"):
    """Joules of one pass, exact; ``steps`` are its kernels. By power there are no steps, and no split."""

    device: Device
    dtype: str
    costs: CostTable = field(repr=False, compare=False)
    steps: tuple[EnergyStep, ...] = ()
    powered: Any = None
    types: str = ""
    """Which number types these are, and whether they are as given, as traced or assumed."""

    @cached_property
    def joules(self) -> Any:
        """All of it."""
        return self.powered if self.powered is not None else sympy.expand(sympy.Add(*(s.joules for s in self.steps)))

    def __repr__(self) -> str:
        said = physical(self.joules, "J") if as_number(self.joules) is not None else f"{brief(self.joules)} J"
        return f"<Energy {said} by {self.device.name} ({self.dtype})>"

    def _part(self, name: str) -> Any:
        if self.powered is not None:
            raise SymcostError(
                f"device {self.device.name} gives power times time, which does not tell computing from moving: "
                "use a device with an energy table, such as horowitz-45nm"
            )
        return whole(self.steps, name)

    @property
    def compute(self) -> Any:
        """Joules of the operations."""
        return self._part("compute")

    @property
    def movement(self) -> Any:
        """Joules of moving weights and activations."""
        return self._part("movement")

    def value(self, **point: int) -> Fraction:
        """Exact joules at a point; a symbol left free is an error."""
        return value_at(self.costs, self.joules, point, "the energy")

    def __str__(self) -> str:
        return str(self.joules)


@checked_but("costs")
def energy(
    costs: CostTable,
    on: str | Device = "horowitz-45nm",
    dtype: str | None = None,
    *,
    model: LatencyModel = "roofline",
    weights: str | Bits | None = None,
    levels: Mapping[str, str] | None = None,
    efficiency: Any = None,
) -> Energy:
    """Joules of one pass, exact in the table's symbols.

    ``levels``: where ``weights`` and ``activations`` come from, names of the device's energy table; its ``dram``
    unless given. ``dtype``, ``weights``, ``model`` and ``efficiency`` as in :func:`~symcost.estimate.time.latency.latency`.

    Raises:
        DeviceError: where the device is unknown, or has no published energy for the number type or the level.
        SymcostError: where there is no table of operations, or an argument is another.

    >>> from symcost.models import alexnet
    >>> found = energy(alexnet(), model="whole")
    >>> found.compute, found.movement
    (520667399/156250000000, 7833457/195312500)
    """
    where = device(on)
    if where.energies is None:
        timed = latency(costs, where, dtype, model=model, weights=weights, efficiency=efficiency)
        powered = sympy.expand(rational(where.watts()) * timed.seconds)
        return Energy(where, timed.dtype, costs, powered=powered, types=timed.types)
    table = where.energies
    for what in levels or {}:
        if what not in HOLDS:
            raise SymcostError(f"levels names {what!r}: use weights and activations")
    bit = {what: _level(where, table, (levels or {}).get(what, "dram")) / WORD for what in HOLDS}
    run = kernels(costs, model)
    types = types_of(costs, dtype, weights)
    of, computed = width_of(costs, types.weights), computing(run, types, table.add)
    if types.activations is not None:
        _joules(where, "add", types.activations)
    steps = tuple(_step(where, kernel, computed(kernel), bit, (of, types.activations)) for kernel in run)
    return Energy(where, main_type(run, types), costs, steps, types=types.text)


def _step(
    where: Device, kernel: Kernel, dtype: str, bit: Mapping[str, Any], sizes: tuple[Width, str | None]
) -> EnergyStep:
    """``bit``: joules of moving one; ``sizes``: bits of the weights, and the one type of all activations, if there is one."""
    moved = kernel.weight_bits(sizes[0]) * bit["weights"] + kernel.activation_bits(sizes[1]) * bit["activations"]
    return EnergyStep(kernel, compute=_computed(where, kernel, dtype), movement=sympy.expand(moved))


def _computed(where: Device, kernel: Kernel, dtype: str) -> Any:
    """Joules of the operations; a kernel without any needs no energy to be published."""
    if kernel.operations == 0:
        return sympy.Integer(0)
    add = _joules(where, "add", dtype)
    multiply = _joules(where, "multiply", dtype) if kernel.macs != 0 else 0
    return sympy.expand(kernel.macs * (multiply + add) + (kernel.operations - 2 * kernel.macs) * add)


def _joules(where: Device, group: str, dtype: str) -> Any:
    table = getattr(where.energies, group)
    bits_of(dtype)
    named = arithmetic(dtype)
    if named not in table:
        raise DeviceError(
            f"device {where.name} has no published energy to {group} in {dtype}: there are {', '.join(table) or 'none'}"
        )
    return rational(table[named])


def _level(where: Device, table: Energies, name: str) -> Any:
    if name not in table.word:
        raise DeviceError(f"device {where.name} has no memory level {name!r}: there are {', '.join(table.word)}")
    return rational(table.word[name])
