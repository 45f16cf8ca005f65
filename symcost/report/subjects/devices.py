"""The list of devices, and one device with its numbers and source, as text and JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from symcost.devices import Device, Interconnect
from symcost.devices.aliases import SAME
from symcost.formulas.text import wrapped
from symcost.formulas.units import physical, stored
from symcost.report.words import documents, sheet
from symcost.report.words.sheet import SheetColumn

UNITS = {"operations": "op/s", "weights": "B/s", "activations": "B/s", "overhead": "s"}
"""Of the rates that a kind of kernel was measured at."""


def text(devices: Sequence[Device]) -> str:
    """One line per device, as much of it as the terminal has room for; a single device in full, with its source."""
    if len(devices) == 1:
        return _whole(devices[0])
    columns = [
        SheetColumn("device", [(device.name,) for device in devices], left=True),
        SheetColumn("also", [(others(device.name),) for device in devices], 2, left=True),
        SheetColumn("what it is", [(device.title,) for device in devices], 1, left=True),
        SheetColumn("memories", [(_summary(device),) for device in devices], 3, left=True),
    ]
    lines, left_out = sheet.fitted(columns, sheet.terminal())
    told = wrapped(f"left out at this width: {', '.join(left_out)}", sheet.terminal()) if left_out else []
    return "\n".join([*(line.rstrip() for line in lines), *told])


def others(name: str) -> str:
    """The shortest other name of a device, that of a compiler's target last, which every verb takes too; nothing where it has none.

    >>> others("nvidia-h100-sxm"), others("stm32f746")
    ('h100', '')
    """
    known = [other for group in SAME if name in group for other in group if other != name]
    return min(known, key=lambda other: (other.startswith("cuda-"), len(other)), default="")


def _summary(device: Device) -> str:
    held = [f"{m.name} {stored(m.size)}" for m in device.memories if m.holds and m.size is not None]
    return ", ".join(held)


def _whole(device: Device) -> str:
    width = sheet.terminal()
    told = [line for head, text in _facts(device) for line in _hung(head, text, width)]
    return "\n".join([device.name, *([f"  {device.title}"] if device.title else []), *told])


def _hung(head: str, text: str, width: int) -> list[str]:
    """A fact behind its head, and its other lines below its first."""
    lines = wrapped(text, max(width - len(head), sheet.NARROW))
    return [(head if not k else " " * len(head)) + line for k, line in enumerate(lines)]


def _facts(device: Device) -> Iterator[tuple[str, str]]:
    yield "  source  ", device.source
    if device.notes:
        yield "  notes   ", device.notes
    for dtype, peak in device.peak.items():
        yield f"  peak    {dtype:14} ", physical(peak, "op/s")
    for memory in device.memories:
        size = "size not published" if memory.size is None else stored(memory.size)
        speed = "bandwidth not published" if memory.bandwidth is None else physical(memory.bandwidth, "B/s")
        holds = f"; holds {' and '.join(memory.holds)}" if memory.holds else ""
        yield f"  memory  {memory.name:14} ", f"{size}, {speed}{holds}"
    for each in device.networks:
        yield f"  network {each.name:14} ", _linked(each)
    if device.power is not None:
        yield "  power   ", physical(device.power, "W")
    if device.overhead is not None:
        yield "  launch  ", physical(device.overhead, "s")
    for kind, rates in device.measured.items():
        told = [f"{part} {physical(rate, UNITS[part])}" for part, rate in asdict(rates).items() if rate is not None]
        yield f"  reached {kind:14} ", ", ".join(told)
    if device.energies is not None:
        for group in ("add", "multiply", "word"):
            for what, joules in getattr(device.energies, group).items():
                yield f"  energy  {f'{group} {what}':14} ", physical(joules, "J")


def _linked(network: Interconnect) -> str:
    links = f"a link of {network.axes} axes" if network.is_torus else "a device"
    reach = "" if network.devices is None else f", up to {network.devices} devices"
    hop = "" if network.latency is None else f", {physical(network.latency, 's')} a hop"
    return f"{physical(network.bandwidth, 'B/s')} one way {links}{reach}{hop}; {network.source}"


def json(devices: Sequence[Device]) -> str:
    """A list of objects; numbers are texts of exact values in bytes, operations per second, watts, seconds, joules."""
    return documents.written([document(device) for device in devices])


def document(device: Device) -> dict[str, Any]:
    """One device as an object."""
    return {
        "name": device.name, "title": device.title, "kind": device.kind, "source": device.source,
        "notes": device.notes, "peak": {dtype: str(value) for dtype, value in device.peak.items()},
        "memory": {
            m.name: {"size": documents.text(m.size), "bandwidth": documents.text(m.bandwidth), "holds": list(m.holds)}
            for m in device.memories
        },
        "network": {
            each.name: {
                "shape": each.shape, "axes": each.axes, "bandwidth": documents.text(each.bandwidth), "devices": each.devices,
                "ring_of": each.ring_of, "ring_every": each.ring_every, "latency": documents.text(each.latency),
                "reduces": each.reduces, "source": each.source,
            }
            for each in device.networks
        },
        "power": documents.text(device.power), "overhead": documents.text(device.overhead),
        "measured": {
            kind: {part: str(rate) for part, rate in asdict(rates).items() if rate is not None}
            for kind, rates in device.measured.items()
        },
        "energy": None if device.energies is None else {
            group: {what: str(joules) for what, joules in getattr(device.energies, group).items()}
            for group in ("add", "multiply", "word")
        },
    }  # fmt: skip


FORMATS: Mapping[str, Callable[[Sequence[Device]], str]] = {"text": text, "json": json}
