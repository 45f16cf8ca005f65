"""Does it fit: every limit of a device against what the model needs, with the margin and the layer at fault."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import sympy

from symcost.costs.cost import Count
from symcost.costs.dtypes import ASSUMED
from symcost.costs.exact import number, rational
from symcost.costs.size import Bits, param_bits
from symcost.costs.table import CostTable
from symcost.devices import Device, device
from symcost.devices.device import HOLDS
from symcost.errors import DeviceError
from symcost.estimate.bytes.memory import MemoryUse, memory
from symcost.estimate.bytes.types import Types, main_type, types_of
from symcost.estimate.time.work import kernels
from symcost.formulas.units import grouped, stored
from symcost.reading.choices import Rule
from symcost.reading.given import checked
from symcost.views import Viewed

SMALL = "int8"
"""The type that layers, which have none, are taken to be in wherever they have to fit a device."""


@dataclass(frozen=True)
class MemoryLimit:
    """One memory: what must lie in it, the bytes it has and the bytes that are needed, and the layer at fault.

    ``why`` says what the layer has: most of the weights, the peak of activations, or (where a table keeps no lifetimes,
    such as a traced one) the largest input and output, which need not be where the peak is.
    """

    memory: str
    holds: tuple[str, ...]
    needed: Fraction
    available: Fraction
    layer: str
    why: str

    @property
    def margin(self) -> Fraction:
        """Bytes left; negative where they are missing."""
        return self.available - self.needed

    def __bool__(self) -> bool:
        return self.margin >= 0

    def __str__(self) -> str:
        verdict = "fits" if self else "does not fit"
        rest = f"{_bytes(self.margin)} are left" if self else f"{_bytes(-self.margin)} are missing"
        return (
            f"{self.memory} ({' and '.join(self.holds)}): {grouped(self.needed)} of {_bytes(self.available)}, {verdict}, "
            f"{rest}; {self.why} {self.layer}"
        )


def _bytes(value: Fraction) -> str:
    """A size with separators, and as :func:`~symcost.formulas.units.stored` tells it.

    >>> _bytes(Fraction(327680)), _bytes(Fraction(92160, 7)), _bytes(Fraction(80_000_000_000))
    ('327,680 bytes (320 KiB)', '92,160/7 bytes (13.2 kB)', '80,000,000,000 bytes (80 GB)')
    """
    exact = f"{grouped(value)} byte{'' if value == 1 else 's'}"
    return exact if value < 1000 else f"{exact} ({stored(value)})"


@dataclass(frozen=True, repr=False)
class Fit(Viewed, kind="fit"):
    """Whether a model fits a device: true when every limit holds."""

    device: Device
    dtype: str
    limits: tuple[MemoryLimit, ...]
    types: Types

    def __repr__(self) -> str:
        return f"<Fit {'fits' if self else 'does not fit'} {self.device.name} as {self.dtype}>"

    def __bool__(self) -> bool:
        return all(self.limits)

    def __str__(self) -> str:
        said = [] if self.types.given else [str(self.types)]
        return "\n".join([*map(str, self.limits), *said])


@checked
def fits(
    costs: CostTable, on: str | Device, dtype: str | None = None, *, weights: str | Bits | None = None,
    rule: Rule = "liveness",
) -> Fit:  # fmt: skip
    """Every memory of the device against the bytes that the model keeps there; all sizes must be numbers.

    ``dtype`` and ``weights`` as in :func:`~symcost.estimate.bytes.memory.memory`, ``rule`` for the activations; layers, which
    have no number types, are taken as int8. State lies with the weights where a pass only reads it, and with the
    activations where it is written. A memory that holds both has to hold their sum. A number type of products for which the
    device publishes no peak, where it publishes some, is an error, but for ``float32`` as traced (see :func:`symcost.latency`).

    Raises:
        DeviceError: where the device is unknown, or no size of a memory is published.
        SymcostError: where there is no table of operations, or a symbol has no value.

    >>> from symcost.models import mcunet_in1
    >>> print(fits(mcunet_in1(), "tiny-ai", "int8"))
    sram (activations): 92,160 of 327,680 bytes (320 KiB), fits, 235,520 bytes (230 KiB) are left; peak in block_2/expand/conv
    flash (weights): 648,248 of 1,048,576 bytes (1 MiB), fits, 400,328 bytes (400 kB) are left; most in fc
    """
    where = device(on)
    types, used = needs_of(costs, where, dtype, weights=weights, rule=rule)
    needs = {what: number(used.held(what), f"the size of the {what}") for what in HOLDS}
    limits = []
    for level in kept(where, used):
        most = max(level.holds, key=lambda what: needs[what])
        needed = number(level.needed, "what it needs")
        limits.append(
            MemoryLimit(level.memory, level.holds, needed, level.size, *_fault(costs, most, rule, types.weights))
        )
    named = types.activations or main_type(kernels(costs, "roofline"), types)
    return Fit(where, named, tuple(limits), types)


def needs_of(
    costs: CostTable, where: Device, dtype: str | None, *, weights: str | Bits | None, rule: Rule
) -> tuple[Types, MemoryUse]:
    """The number types that a model has where it has to fit a device, and the bytes that it takes in them."""
    check_sizes(where)
    types = types_of(costs, dtype, weights, SMALL)
    check_computes(where, costs, dtype, types)
    return types, memory(costs, dtype, weights=weights, rule=rule, assumed=SMALL)


@dataclass(frozen=True)
class MemoryContents:
    """A memory of a device: the bytes it has, what lies in it, and the bytes that this takes, a formula."""

    memory: str
    holds: tuple[str, ...]
    needed: sympy.Expr
    size: Fraction
    text: str
    """The formula in names of quantities, against the size."""


def kept(where: Device, used: MemoryUse) -> list[MemoryContents]:
    """Every memory that holds weights or activations, with the state that lies there."""
    contents = []
    for level in where.memories:
        if level.holds and level.size is not None:
            here = [what for what in HOLDS if what in level.holds]
            needed, plain = (sympy.Add(*map(of, here)) for of in (used.held, lambda what: getattr(used, what)))
            names = [{"weights": "weight_bytes", "activations": "activation_bytes"}[what] for what in level.holds]
            told = " + ".join([*names, *(["state_bytes"] if needed != plain else [])])
            text = f"{told} <= {level.size} ({level.name})"
            contents.append(MemoryContents(level.name, level.holds, needed, level.size, text))
    return contents


def check_sizes(where: Device) -> None:
    """Raise for a device of whose memories too little is published: whatever the model, nothing can be said."""
    holding = [level for level in where.memories if level.holds]
    for level in holding:
        if level.size is None:
            raise DeviceError(f"device {where.name}: no size of its {level.name} is published: describe your own")
    if not holding:
        raise DeviceError(f"device {where.name} has no memory that holds weights or activations: describe your own")


def check_computes(where: Device, costs: CostTable, dtype: str | None, types: Types) -> None:
    """Raise for a number type of the products that the device lacks, and that it computes in no other one."""
    own = {kernel.dtype or ASSUMED for kernel in kernels(costs, "roofline") if kernel.macs != 0}
    own = own if types.activations is None else {types.activations}
    for name in [dtype] if dtype is not None else sorted(map(where.computes_in, own)):
        where.check_computes(name)


def _fault(costs: CostTable, what: str, rule: Rule, bits: Bits | None) -> tuple[str, str]:
    """The layer that a limit is at fault for, and what it has."""
    if what == "weights":
        held: dict[str, Count] = {}
        for path, rate, params in param_bits(costs, bits):
            held[path] = held.get(path, 0) + params * rational(rate)
        why, sizes = "most in", list(held.items())
    elif costs.parts.peak_path is not None:
        return costs.peak_path(rule) or "the model itself", "peak in"
    else:
        why, sizes = "largest input and output in", [(k.path, k.read + k.written) for k in kernels(costs, "fused")]
    most = max(sizes, key=lambda named: number(named[1], "the size of a layer"), default=("", 0))
    return most[0] or "the model itself", why
