"""The devices of the page: peaks, bandwidths and memories in exact fractions, each with its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from symcost.costs.dtypes import BITS
from symcost.devices import Device, device
from symcost.devices.catalog import names
from symcost.errors import DeviceError
from symcost.report.subjects.devices import document

PLAIN = ("float32", "bfloat16", "float16", "int8")
"""Number types offered where a device publishes no peak: what is asked of it is whether a model fits."""


def devices(first: str) -> list[dict[str, Any]]:
    """Devices that something can be asked of: how long it takes, or whether it fits; the chosen one first."""
    known = [device(name) for name in dict.fromkeys([first, *names()])]
    return [_told(each) for each in known if each.memories]


def number_types(told: Iterable[Mapping[str, Any]]) -> Sequence[str]:
    """Every number type that one of the devices offers, by its bits."""
    offered = {dtype for each in told for dtype in each["dtypes"]}
    return sorted(offered, key=lambda dtype: (-BITS[dtype], dtype))


def _told(where: Device) -> dict[str, Any]:
    known = document(where)
    return {
        "name": where.name, "title": where.title or where.name, "source": where.source, "notes": where.notes,
        "dtypes": list(where.peak or PLAIN), "peak": known["peak"], "bandwidth": _bandwidth(where),
        "overhead": known["overhead"] or "0", "measured": known["measured"],
        "memories": [
            {"name": name, "size": level["size"], "holds": level["holds"]}
            for name, level in known["memory"].items() if level["holds"]
        ],
    }  # fmt: skip


def _bandwidth(where: Device) -> dict[str, str] | str:
    """Bytes per second of weights and activations, or why a time is not known."""
    try:
        return {what: str(where.bandwidth(what)) for what in ("weights", "activations")}
    except DeviceError as problem:
        return str(problem)
