"""Devices from TOML: the unit stands in the key, ``source`` is mandatory, numbers are read exactly.

A file has one table per device::

    [my-board]
    title = "A board"
    source = "data sheet, revision 3, table 12"
    clock_mhz = 216
    power_w = 0.5
    overhead_us = 10
    peak = { int8_ops_per_cycle = 4, float32_gflops = 0.4 }

    [my-board.memory.sram]
    size_kib = 320
    bandwidth_mb_per_s = 1728       # or bandwidth_bits_per_cycle = 64, with a clock
    holds = ["activations"]

    [my-board.network.links]        # the innermost network first
    shape = "torus"                 # of links between neighbours, or "switch"
    axes = 2
    bandwidth_gb_per_s = 45         # in one direction
    ring_of = 16                    # or ring_every = 4: which axes close to a ring
    latency_us = 1
    source = "data sheet, table 13"

    [my-board.measured.product]         # as symcost calibrate writes it, by kind of kernel
    operations_gflops = 0.3
    weights_mb_per_s = 80
    overhead_us = 2
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from symcost.devices.device import KINDS, Device, Energies, MemoryLevel, Rates
from symcost.devices.networks import Interconnect
from symcost.devices.units import UNITS, examples, split
from symcost.errors import DeviceError
from symcost.reading import toml
from symcost.reading.numerals import fraction, short

Kinds = tuple[str, ...]
"""The kinds of units that one number may be in."""
COUNTS = ("axes", "devices", "ring_of", "ring_every")
"""Numbers of a network without a unit."""
TEXTS = ("title", "kind", "source", "notes")


def read(path: Path) -> dict[str, Device]:
    """All devices of a file."""
    what = f"the device file {path}"
    return _devices(toml.read(path, what, DeviceError, fraction), what)


def parsed(text: str, what: str) -> dict[str, Device]:
    """All devices of a text; ``what`` names it in errors.

    >>> text = "[board]", 'source = "measured"', "power_mw = 250"
    >>> parsed(chr(10).join(text), "the text")["board"].power
    Fraction(1, 4)
    """
    return _devices(toml.parsed(text, what, DeviceError, fraction), what)


def _devices(tables: Mapping[str, Any], what: str) -> dict[str, Device]:
    if not tables:
        raise DeviceError(f"{what} is empty: write a table such as [my-board]")
    return {name: _DeviceReader(name, entry).device() for name, entry in tables.items()}


class _DeviceReader:
    """One entry of a file."""

    def __init__(self, name: str, entry: Any) -> None:
        self.name = name
        if not isinstance(entry, dict):
            raise self.fail(f"{name!r} is not a device: write a table, [{name}] and its keys below")
        self.entry = dict(entry)
        self.clock: Fraction | None = None

    def fail(self, message: str) -> DeviceError:
        return DeviceError(f"device {self.name}: {message}")

    def device(self) -> Device:
        texts = {key: self._text(key) for key in TEXTS if key in self.entry}
        if not texts.get("source", "").strip():
            raise self.fail('it has no source: add source = "where the numbers were published"')
        peak, memories = self._table(self.entry.pop("peak", {}), "peak"), self.entry.pop("memory", {})
        energy, networks = self.entry.pop("energy", None), self._table(self.entry.pop("network", {}), "network")
        measured = self._table(self.entry.pop("measured", {}), "measured")
        own = self._own(self._table(self.entry, ""))
        return Device(
            name=self.name, **texts, **own, peak=self._peaks(peak),
            memories=tuple(self._memory(level, table) for level, table in self._table(memories, "memory").items()),
            energies=None if energy is None else self._energies(self._table(energy, "energy")),
            measured={kind: self._rates(kind, table) for kind, table in measured.items()},
            networks=tuple(self._network(name, table) for name, table in networks.items()),
        )  # fmt: skip

    def _own(self, table: Mapping[str, Any]) -> dict[str, Any]:
        allowed = {"clock": ("cycles per second",), "power": ("watts",), "overhead": ("seconds",)}
        found = self._numbers(table, "", allowed)
        self.clock = found.pop("clock", None)
        return found

    def _text(self, key: str) -> str:
        value = self.entry.pop(key)
        if not isinstance(value, str):
            raise self.fail(f'{key} must be a text: write {key} = "..."')
        return value

    def _table(self, value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.fail(f"{where} must be a table: write [{self.name}.{where}]")
        return value

    def _numbers(self, table: Mapping[str, Any], where: str, allowed: Mapping[str, Kinds]) -> dict[str, Fraction]:
        """The exact numbers of a table by what they are of; ``allowed``: the units of each, ``*`` of any other."""
        found: dict[str, Fraction] = {}
        given: dict[str, str] = {}
        for key, value in table.items():
            what, number, kind = self._number(key, value, where, allowed)
            if what in found:
                raise self.fail(
                    f"{_shown(where, given[what])} and {_shown(where, key)} both say {what}: keep one of them"
                )
            found[what], given[what] = self._cycles(number, kind, _shown(where, key)), key
        return found

    def _number(self, key: str, value: Any, where: str, allowed: Mapping[str, Kinds]) -> tuple[str, Fraction, str]:
        """(what, exact number, kind of unit) of one line."""
        shown = _shown(where, key)
        found = split(key, tuple(UNITS))
        if found is None:
            kinds = tuple(dict.fromkeys(kind for own in allowed.values() for kind in own))
            raise self.fail(f"{shown} has no unit that is known here: end the key in one of {examples(kinds)}")
        what, kind, scale = found
        own = allowed.get(what, allowed.get("*"))
        if own is None:
            raise self.fail(f"{shown} is not a number of a device: there are {', '.join(allowed)}")
        if kind not in own:
            raise self.fail(f"{shown} is in {kind}, not in {' or '.join(own)}: end the key in one of {examples(own)}")
        if isinstance(value, bool) or not isinstance(value, int | Fraction):
            raise self.fail(f"{shown}={short(value)} must be a number")
        if value <= 0:
            raise self.fail(f"{shown}={short(value)} must be positive: leave out what is not published")
        return what, scale * value, kind

    def _cycles(self, number: Fraction, kind: str, key: str) -> Fraction:
        if not kind.endswith("per cycle"):
            return number
        if self.clock is None:
            raise self.fail(f"{key} counts by cycle and there is no clock: add clock_mhz")
        return number * self.clock

    def _peaks(self, table: Mapping[str, Any]) -> dict[str, Fraction]:
        return self._numbers(table, "peak", {"*": ("operations per second", "operations per cycle")})

    def _memory(self, level: str, given: Any) -> MemoryLevel:
        where = f"memory.{level}"
        table = dict(self._table(given, where))
        holds = table.pop("holds", [])
        if not isinstance(holds, list) or not all(isinstance(what, str) for what in holds):
            raise self.fail(f'{where}.holds must be a list of texts: write holds = ["weights", "activations"]')
        allowed = {"size": ("bytes",), "bandwidth": ("bytes per second", "bits per cycle")}
        return MemoryLevel(name=level, holds=tuple(holds), **self._numbers(table, where, allowed))

    def _network(self, name: str, given: Any) -> Interconnect:
        where = f"network.{name}"
        table = dict(self._table(given, where))
        plain = {key: table.pop(key) for key in ("shape", "source", "reduces", *COUNTS) if key in table}
        numbers = self._numbers(table, where, {"bandwidth": ("bytes per second",), "latency": ("seconds",)})
        for key in ("shape", "source"):
            if not isinstance(plain.get(key), str):
                raise self.fail(f'{where}.{key} must be a text: write {key} = "..."')
        if "bandwidth" not in numbers:
            raise self.fail(f"{where} has no bandwidth: add bandwidth_gb_per_s, of one link in one direction")
        return Interconnect(name=name, **plain, **numbers)  # type: ignore[arg-type]

    def _rates(self, kind: str, given: Any) -> Rates:
        where = f"measured.{kind}"
        if kind not in KINDS:
            raise self.fail(f"{where} is unknown: there are {', '.join(KINDS)}")
        allowed = {"operations": ("operations per second",), "weights": ("bytes per second",),
                   "activations": ("bytes per second",), "overhead": ("seconds",)}  # fmt: skip
        return Rates(**self._numbers(self._table(given, where), where, allowed))

    def _energies(self, table: Mapping[str, Any]) -> Energies:
        groups = {
            group: self._numbers(self._table(table.get(group, {}), where), where, {"*": ("joules",)})
            for group in ("add", "multiply", "word")
            for where in (f"energy.{group}",)
        }
        for group in table:
            if group not in groups:
                raise self.fail(f"energy.{group} is unknown: there are {', '.join(groups)}")
        return Energies(**groups)


def _shown(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
