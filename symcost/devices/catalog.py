"""The devices that come with symcost, by name, and one's own from a file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from symcost.devices.aliases import meant
from symcost.devices.device import Device
from symcost.devices.read import read
from symcost.errors import DeviceError
from symcost.reading.given import checked
from symcost.reading.nearest import near, offered
from symcost.reading.numerals import short

DATA = Path(__file__).parent / "data"


@cache
def catalog() -> Mapping[str, Device]:
    """Every device that comes with symcost."""
    found: dict[str, Device] = {}
    for path in sorted(DATA.glob("*.toml")):
        for name, made in read(path).items():
            if name in found:
                raise DeviceError(f"device {name} stands in two files: keep one")
            found[name] = made
    return found


def names() -> list[str]:
    """Names of the devices that come with symcost."""
    return list(catalog())


@checked
def device(given: str | Path | Device) -> Device:
    """A device by its name, from a file (``board.toml``, or ``boards.toml:name`` where it has several), or as it is.

    Raises:
        DeviceError: where there is none of that name, or its file cannot be read or has several.

    >>> device("nvidia-h100-sxm").memory_of("weights").bandwidth
    Fraction(3350000000000, 1)
    >>> device("tpu-v5e").name
    'google-tpu-v5e'
    """
    if isinstance(given, Device):
        return given
    text = str(given)
    file, _, name = text.partition(".toml:")
    if name or text.endswith(".toml"):
        return _from_file(Path(f"{file}.toml") if name else Path(text), name)
    known = meant(text, names())
    if known is None:
        alike = [name for name in names() if text.lower() in name][:3] or near(text, names(), cutoff=0.4)
        raise DeviceError(f"unknown device {short(text)}: {offered(alike, 'symcost devices lists them')}")
    return catalog()[known]


def _from_file(path: Path, name: str) -> Device:
    devices = read(path)
    if name:
        if name not in devices:
            raise DeviceError(f"{path} has no device {short(name)}: it has {', '.join(devices)}")
        return devices[name]
    if len(devices) > 1:
        raise DeviceError(f"{path} has {len(devices)} devices: choose one, {path}:{next(iter(devices))}")
    return next(iter(devices.values()))
