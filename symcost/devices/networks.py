"""How devices are connected: networks from the innermost outwards, each with its own source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from symcost.costs.cost import Count
from symcost.errors import DeviceError
from symcost.reading.numerals import is_positive, short

TORUS, SWITCH = "torus", "switch"
SHAPES = (TORUS, SWITCH)


@dataclass(frozen=True, kw_only=True)
class Interconnect:
    """One network between devices: a torus of links between neighbours, or a switch that connects each with each.

    ``bandwidth``: bytes per second in one direction, of one link of a torus, or out of one device into a switch.
    ``axes`` of a torus, along each of which a device has two links. ``devices``: how many it connects, a pod or a node; of
    any number unless given. ``reduces``: whether its switches can add up what passes through them. An axis of a torus closes
    to a ring where its length is ``ring_of``, or a multiple of ``ring_every`` in a slice of such lengths; unless either is
    given it never does.
    ``latency``: seconds of one hop, none unless a source gives it.

    >>> ici = Interconnect(name="ici", shape="torus", axes=2, bandwidth=45 * 10**9, ring_of=16, source="own")
    >>> ici.closes(16), ici.closes(8)
    (True, False)
    """

    name: str
    shape: str
    bandwidth: Any
    source: str
    axes: int = 1
    devices: int | None = None
    ring_of: int | None = None
    ring_every: int | None = None
    latency: Any = None
    reduces: bool = False

    @property
    def is_torus(self) -> bool:
        """Whether neighbours are linked, rather than each device with each."""
        return self.shape == TORUS

    def closes(self, length: Count) -> bool | None:
        """Whether an axis of that length is a ring; None where its symbols leave that open."""
        if self.ring_every is not None:
            rest = length % self.ring_every
            return bool(rest == 0) if isinstance(rest, int) or rest.is_Integer else None
        if self.ring_of is None:
            return False
        return bool(length == self.ring_of) if isinstance(length, int) or length.is_Integer else None


def checked_network(
    given: Any, needed: Callable[[Any, str], Fraction], fail: Callable[[str], DeviceError]
) -> Interconnect:
    """A network whose numbers are exact and positive, and which says where they were published."""
    if not isinstance(given, Interconnect):
        raise fail(f"{short(given)} is no network: give Interconnect(name=..., shape=..., bandwidth=..., source=...)")
    what = f"network {given.name}"
    if given.shape not in SHAPES:
        raise fail(f"{what} has the shape {given.shape!r}: use {' or '.join(SHAPES)}")
    if not isinstance(given.source, str) or not given.source.strip():
        raise fail(f"{what} has no source: say where its numbers were published or measured")
    for name in ("axes", "devices", "ring_of", "ring_every"):
        number = getattr(given, name)
        if number is not None and not is_positive(number):
            raise fail(f"{name} of {what} is {short(number)}: give a positive integer")
    if given.shape == SWITCH and (given.axes != 1 or given.ring_of or given.ring_every):
        raise fail(f"{what} is a switch, which has neither axes nor rings: leave them out")
    if not isinstance(given.reduces, bool) or (given.reduces and given.shape == TORUS):
        raise fail(f"reduces of {what} is {short(given.reduces)}: give True or False, and True only of a switch")
    if given.ring_of and given.ring_every:
        raise fail(f"{what} says ring_of and ring_every: keep the one by which an axis closes")
    latency = None if given.latency is None else needed(given.latency, f"latency of {what}")
    return replace(given, bandwidth=needed(given.bandwidth, f"bandwidth of {what}"), latency=latency)
