"""What an estimate knows of a device: peaks by number type, memories, power; exact, and absent where unpublished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from fractions import Fraction
from typing import Any

from symcost.costs.dtypes import arithmetic, bits_of, whole_name
from symcost.devices.networks import Interconnect, checked_network
from symcost.errors import DeviceError
from symcost.reading.numerals import fraction, short

HOLDS = ("weights", "activations")
"""What a memory is for. A memory of both shares its bytes between them; one of neither is on the way, such as a cache."""


KINDS = ("product", "convolution", "grouped", "batched", "other")
"""Kinds of kernels: products with weights, convolutions with a window, grouped ones (depthwise among them), products of
two activations (attention), and those without any MACs."""


@dataclass(frozen=True, kw_only=True)
class MemoryLevel:
    """One level of memory: bytes, bytes per second, and what of a network is kept there.

    >>> MemoryLevel(name="sram", size=320 * 1024, holds=("activations",)).size
    327680
    """

    name: str
    size: Fraction | None = None
    bandwidth: Fraction | None = None
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Energies:
    """Joules of one operation and of moving one 32-bit word, by number type and by level of memory.

    >>> Energies(add={"int8": "30e-15"}, word={"dram": "640e-12"}).word["dram"]
    '640e-12'
    """

    add: Mapping[str, Fraction] = field(default_factory=dict)
    multiply: Mapping[str, Fraction] = field(default_factory=dict)
    word: Mapping[str, Fraction] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What one kind of kernel was measured at: its time is a sum, so that the share of the peak follows the size.

    ``operations / operations + weight bytes / weights + activation bytes / activations + overhead``, with operations and
    bytes per second, and seconds; a part that is left out takes no time.

    >>> Rates(operations=3 * 10**8, overhead="2e-6").overhead
    '2e-6'
    """

    operations: Any = None
    weights: Any = None
    activations: Any = None
    overhead: Any = None


@dataclass(frozen=True, kw_only=True)
class Device:
    """A processor: what it computes, holds and moves, each number exact and with its source.

    ``peak``: dense operations per second by number type (a multiply-accumulate is two); ``memories``; ``power`` in
    watts; ``overhead``: seconds to launch one kernel; ``energies``: joules per operation and per word moved;
    ``measured``: what it was found to reach, :class:`Rates` by kind of kernel (``product``, ``convolution``,
    ``grouped``, ``batched``, ``other``); a kind without them is taken to reach the peak.
    ``networks``: how several of them are connected, from the innermost outwards.
    ``source`` says where the numbers were published, or how they were measured. Numbers may be integers, fractions or
    texts such as ``"0.5"``; what is not published is left out, and asking for it is an error.

    Raises:
        DeviceError: where it has no source, or a number is not positive, and where an estimate needs one that it lacks.

    >>> own = Device(name="mine", source="measured", peak={"float32": 10**11},
    ...              memories=[MemoryLevel(name="ram", size=2**34, bandwidth=2 * 10**10, holds=("weights", "activations"))])
    >>> own.operations("float32"), own.memory_of("weights").name
    (Fraction(100000000000, 1), 'ram')
    """

    name: str
    source: str
    title: str = ""
    kind: str = ""
    peak: Mapping[str, Any] = field(default_factory=dict)
    memories: tuple[MemoryLevel, ...] = ()
    power: Any = None
    overhead: Any = None
    energies: Energies | None = None
    measured: Mapping[str, Rates] = field(default_factory=dict)
    networks: tuple[Interconnect, ...] = ()
    notes: str = ""

    def __post_init__(self) -> None:
        if not self.name or not isinstance(self.source, str) or not self.source.strip():
            raise DeviceError(f"device {self.name!r} has no source: say where its numbers were published or measured")
        object.__setattr__(self, "peak", self._by_dtype(self.peak, "peak"))
        object.__setattr__(self, "power", self._positive(self.power, "power"))
        object.__setattr__(self, "overhead", self._positive(self.overhead, "overhead"))
        measured = self._mapping(self.measured, "measured")
        object.__setattr__(self, "measured", {kind: self._rates(kind, given) for kind, given in measured.items()})
        if not isinstance(self.memories, list | tuple):
            raise self._fail(
                f"memories={short(self.memories)} must be a list: give [MemoryLevel(name=..., size=..., ...)]"
            )
        object.__setattr__(self, "memories", tuple(self._checked(memory) for memory in self.memories))
        object.__setattr__(self, "energies", self._energies())
        if not isinstance(self.networks, list | tuple):
            raise self._fail(f"networks={short(self.networks)} must be a list: give [Interconnect(name=..., ...)]")
        networks = tuple(checked_network(each, self._needed, self._fail) for each in self.networks)
        object.__setattr__(self, "networks", networks)

    def _fail(self, message: str) -> DeviceError:
        return DeviceError(f"device {self.name}: {message}")

    def _mapping(self, given: Any, what: str) -> Mapping[str, Any]:
        if not isinstance(given, Mapping):
            raise self._fail(
                f"{what}={short(given)} must be a mapping: give names with their numbers, as {{'int8': 10**9}}"
            )
        return given

    def _by_dtype(self, given: Any, what: str) -> dict[str, Fraction]:
        """Positive numbers by number type."""
        for dtype in self._mapping(given, what):
            bits_of(dtype)
        return {whole_name(dtype): self._needed(value, f"{what} of {dtype}") for dtype, value in given.items()}

    def _energies(self) -> Energies | None:
        energies = self.energies
        if energies is None:
            return None
        if not isinstance(energies, Energies):
            raise self._fail(
                f"energies={short(energies)} must be a table: give Energies(add=..., multiply=..., word=...)"
            )
        word = {
            name: self._needed(value, f"word of {name}") for name, value in self._mapping(energies.word, "word").items()
        }
        return Energies(
            add=self._by_dtype(energies.add, "add"), multiply=self._by_dtype(energies.multiply, "multiply"), word=word
        )

    def _checked(self, memory: MemoryLevel) -> MemoryLevel:
        if not isinstance(memory, MemoryLevel):
            raise self._fail(f"{memory!r} is no memory: give MemoryLevel(name=..., size=..., ...)")
        for what in memory.holds:
            if what not in HOLDS:
                raise self._fail(f"memory {memory.name} holds {what!r}: use {' or '.join(HOLDS)}")
        return MemoryLevel(
            name=memory.name, size=self._positive(memory.size, f"size of {memory.name}"),
            bandwidth=self._positive(memory.bandwidth, f"bandwidth of {memory.name}"), holds=tuple(memory.holds),
        )  # fmt: skip

    def _rates(self, kind: str, given: Any) -> Rates:
        if kind not in KINDS:
            raise self._fail(f"unknown kind of kernel {kind!r}: use {', '.join(KINDS)}")
        if not isinstance(given, Rates):
            raise self._fail(f"rates of {kind} are {given!r}: give Rates(operations=..., ...)")
        return Rates(**{
            part.name: self._positive(getattr(given, part.name), f"{part.name} of {kind}") for part in fields(given)
        })  # fmt: skip

    def _positive(self, value: Any, what: str) -> Fraction | None:
        return None if value is None else self._needed(value, what)

    def _needed(self, value: Any, what: str) -> Fraction:
        made = exact_number(value)
        if made is None or made <= 0:
            raise self._fail(
                f"{what}={value if isinstance(value, str) else short(value)} must be a positive number: give its size in the unit"
            )
        return made

    def check_computes(self, dtype: str) -> None:
        """Raise for a number type that the device lacks, where it says which it has: by its peaks, or its energies."""
        bits_of(dtype)
        if self.peak:
            self.operations(dtype)
        elif self.energies is not None and self.energies.add and arithmetic(dtype) not in self.energies.add:
            known = ", ".join(self.energies.add)
            raise self._fail(f"no energy in {dtype} is published: there are {known}")

    def computes_in(self, dtype: str) -> str:
        """The number type at whose peak operations run that a program has in ``dtype``: itself, where a peak of it is published.

        Of ``float32`` without one it is the widest narrower float: TPUs multiply it in ``bfloat16`` unless asked for more
        (``jax.lax.Precision``).
        """
        if {dtype, arithmetic(dtype)} & {*self.peak} or arithmetic(dtype) != "float32":
            return dtype
        narrower = [name for name in self.peak if "float" in name and bits_of(name) < bits_of(dtype)]
        return max(narrower, key=bits_of, default=dtype)

    def stand_ins(self, dtypes: Iterable[str]) -> list[str]:
        """In words, where operations in some number types run at the peak of another one.

        >>> from symcost.devices import device
        >>> device("tpu-v5p").stand_ins(["float32", "bfloat16"])
        ['at the peak of bfloat16: none of float32 is published']
        """
        taken = {name: self.computes_in(name) for name in dtypes}
        return [f"at the peak of {each}: none of {name} is published" for name, each in taken.items() if each != name]

    def operations(self, dtype: str) -> Fraction:
        """Dense operations per second in a number type.

        Raises :class:`symcost.DeviceError` where no peak in it is published.
        """
        bits_of(dtype)
        if dtype not in self.peak and arithmetic(dtype) in self.peak:
            return self.peak[arithmetic(dtype)]
        if dtype not in self.peak:
            known = ", ".join(self.peak) or "none"
            raise DeviceError(f"device {self.name} has no published peak for {dtype}: there are peaks for {known}")
        return self.peak[dtype]

    def memory_of(self, what: str) -> MemoryLevel:
        """The memory that holds the weights, or the activations.

        Raises :class:`symcost.DeviceError` where no memory does.
        """
        for memory in self.memories:
            if what in memory.holds:
                return memory
        raise DeviceError(
            f"device {self.name} has no memory for {what}: give a device whose memories say what they hold"
        )

    def bandwidth(self, what: str) -> Fraction:
        """Bytes per second between the processor and the memory that holds the weights, or the activations.

        Raises :class:`symcost.DeviceError` where none is published.
        """
        memory = self.memory_of(what)
        if memory.bandwidth is None:
            raise DeviceError(
                f"device {self.name}: no bandwidth of its {memory.name} is published: describe a device of your own with one"
            )
        return memory.bandwidth

    def network(self, name: str = "") -> Interconnect:
        """The network of that name; the innermost one unless named.

        Raises :class:`symcost.DeviceError` where there is none.
        """
        known = ", ".join(each.name for each in self.networks)
        if not known:
            raise self._fail("no network between several of them is published: describe a device of your own with one")
        found = next((each for each in self.networks if each.name == name or not name), None)
        if found is None:
            raise self._fail(f"no network {name!r} is published: there are {known}")
        return found

    def watts(self) -> Fraction:
        """Power while it works.

        Raises :class:`symcost.DeviceError` where none is published.
        """
        if self.power is None:
            raise DeviceError(f"device {self.name}: no power is published: describe a device of your own with one")
        return self.power


def exact_number(value: Any) -> Fraction | None:
    """A number as it is written: integers, fractions, ``"0.5"``; floats by their shortest text. None otherwise."""
    if isinstance(value, bool):
        return None
    try:
        return fraction(str(value)) if isinstance(value, float | str | Decimal) else Fraction(value)
    except (ValueError, TypeError, ZeroDivisionError, OverflowError):
        return None
