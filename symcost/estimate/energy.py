"""What it draws: operations and data movement by an energy table, or measured power for the time it takes.

By table (Horowitz: Computing's energy problem, ISSCC 2014): every MAC is a multiply and an add, every other FLOP an
add, and every word between the processor and its memory costs what the level costs. By power: watts times seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy

from symcost.devices import Device, Energies, device
from symcost.devices.device import HOLDS
from symcost.devices.dtypes import bits_of
from symcost.errors import DeviceError, SymcostError
from symcost.estimate.exact import rational, value_at
from symcost.estimate.latency import latency
from symcost.estimate.memory import width
from symcost.estimate.work import Kernel, kernels
from symcost.given import checked_but
from symcost.size import Bits, width_of
from symcost.table import CostTable

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


@dataclass(frozen=True)
class Energy:
    """Joules of one pass, exact; ``steps`` are its kernels. By power there are no steps, and no split."""

    device: Device
    dtype: str
    costs: CostTable = field(repr=False, compare=False)
    steps: tuple[EnergyStep, ...] = ()
    powered: Any = None

    @cached_property
    def joules(self) -> Any:
        """All of it."""
        return self.powered if self.powered is not None else sympy.expand(sympy.Add(*(s.joules for s in self.steps)))

    def _part(self, name: str) -> Any:
        if self.powered is not None:
            raise SymcostError(
                f"device {self.device.name} gives power times time, which does not tell computing from moving: "
                "use a device with an energy table, such as horowitz-45nm"
            )
        return sympy.expand(sympy.Add(*(getattr(step, name) * step.kernel.times for step in self.steps)))

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
    dtype: str = "float32",
    *,
    model: str = "roofline",
    weights: str | Bits | None = None,
    levels: Mapping[str, str] | None = None,
    efficiency: Any = None,
) -> Energy:
    """Joules of one pass, exact in the table's symbols.

    ``levels``: where ``weights`` and ``activations`` come from, names of the device's energy table; its ``dram``
    unless given. ``dtype``, ``weights``, ``model`` and ``efficiency`` as in :func:`~symcost.estimate.latency.latency`.

    >>> from symcost.models import alexnet
    >>> found = energy(alexnet(), model="whole")
    >>> found.compute, found.movement
    (520667399/156250000000, 7833457/195312500)
    """
    where = device(on)
    if where.energies is None:
        seconds = latency(costs, where, dtype, model=model, weights=weights, efficiency=efficiency).seconds
        return Energy(where, dtype, costs, powered=sympy.expand(rational(where.watts()) * seconds))
    table = where.energies
    add, multiply = (_joules(where, group, dtype) for group in ("add", "multiply"))
    for what in levels or {}:
        if what not in HOLDS:
            raise SymcostError(f"levels names {what!r}: use weights and activations")
    bit = {what: _level(where, table, (levels or {}).get(what, "dram")) / WORD for what in HOLDS}
    found = kernels(costs, model)
    of = width_of(costs, width(dtype, weights))
    return Energy(where, dtype, costs, tuple(_step(kernel, add, multiply, bit, of, bits_of(dtype)) for kernel in found))


def _step(
    kernel: Kernel, add: Any, multiply: Any, bit: Mapping[str, Any], of: Callable[[str], Fraction], bits: int
) -> EnergyStep:
    """``bit``: joules of moving one; ``of``: bits of a path's weights, ``bits`` those of an activation."""
    others = kernel.operations - 2 * kernel.macs
    return EnergyStep(
        kernel,
        compute=sympy.expand(kernel.macs * (multiply + add) + others * add),
        movement=sympy.expand(
            kernel.weight_bits(of) * bit["weights"] + bits * (kernel.read + kernel.written) * bit["activations"]
        ),
    )


def _joules(where: Device, group: str, dtype: str) -> Any:
    table = getattr(where.energies, group)
    bits_of(dtype)
    if dtype not in table:
        raise DeviceError(
            f"device {where.name} has no published energy to {group} in {dtype}: there are {', '.join(table) or 'none'}"
        )
    return rational(table[dtype])


def _level(where: Device, table: Energies, name: str) -> Any:
    if name not in table.word:
        raise DeviceError(f"device {where.name} has no memory level {name!r}: there are {', '.join(table.word)}")
    return rational(table.word[name])
