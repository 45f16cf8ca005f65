"""Where the axes of a mesh lie: on which network of a device, along how many of its axes, in rings or in lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symcost.devices import Device, Interconnect
from symcost.errors import DeviceError, SymcostError
from symcost.estimate.amounts import many
from symcost.reading.numerals import short


@dataclass(frozen=True)
class MeshAxis:
    """Where an axis of a mesh lies on the devices' networks.

    ``network``: by its name, the innermost one unless given. Of a torus: ``axes``, how many of its axes this one is laid
    over, or ``lengths``, how long each of them is; ``ring``: whether they close, as the device's source says unless given,
    and so where a length is a symbol that leaves it open. Of an outer switch: ``inside``, how many devices of a group share
    a node of the innermost network, which gathers for them first; ``reduces``: whether the switches add up what is reduced, where
    they can, so that an all-reduce sends everything once.

    Raises:
        SymcostError: where a number is not positive, or ``axes`` and ``lengths`` differ.

    >>> MeshAxis("ici", lengths=(16, 16)).axes
    2
    """

    network: str = ""
    axes: int = 1
    lengths: tuple[Any, ...] = ()
    ring: bool | None = None
    inside: Any = 1
    reduces: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.axes, bool) or not isinstance(self.axes, int) or self.axes < 1:
            raise SymcostError(
                f"axes={short(self.axes)} of a mesh axis must be a positive integer: give how many it lies on"
            )
        if self.lengths:
            if self.axes not in (1, len(self.lengths)):
                raise SymcostError(
                    f"axes={self.axes} and {len(self.lengths)} lengths of a mesh axis differ: leave out axes"
                )
            object.__setattr__(self, "axes", len(self.lengths))
            object.__setattr__(self, "lengths", tuple(many(each, "length") for each in self.lengths))
        object.__setattr__(self, "inside", many(self.inside, "inside"))


@dataclass(frozen=True)
class Members:
    """The devices of a collective on a network: how many, along which lengths of a torus, and whether these are rings.

    ``axes``: of the torus. ``hops``: links on the longest of the shortest ways between two of them. ``longest``: the
    longest axis; None where the lengths of several axes are not known. ``inner``: the network inside a node, where
    ``inside`` of the group share one.
    """

    network: Interconnect
    size: sympy.Expr
    axes: int = 1
    ring: bool = False
    hops: sympy.Expr | None = sympy.S.One
    longest: sympy.Expr | None = sympy.S.One
    inner: Interconnect | None = None
    inside: sympy.Expr = sympy.S.One
    reduces: bool = False
    assumed: str = ""


Places = Mapping[str, "MeshAxis | str"]


def placed(on: Device, axes: Sequence[str], size: Any, places: Places | None, mesh: Mapping[str, Any]) -> Members:
    """The group of a collective along ``axes`` of a mesh that lie on one network, of ``size`` devices together."""
    known = [_long(place_of(axis, places), mesh.get(axis)) for axis in axes] or [MeshAxis()]
    network, size = on.network(known[0].network), many(size, "size")
    _check_room(on, network, axes, size)
    return _torus(on, network, axes, size, known) if network.is_torus else _switch(on, network, size, known)


def _long(place: MeshAxis, size: Any) -> MeshAxis:
    """A place whose one axis of a torus is as long as the axis of the mesh, where that is known."""
    return replace(place, lengths=(size,)) if size is not None and place.axes == 1 and not place.lengths else place


def levels(on: Device, axes: Sequence[str], places: Places | None) -> list[tuple[str, ...]]:
    """The axes of a collective by the network that they lie on, the innermost first."""
    lies = {axis: on.network(place_of(axis, places).network).name for axis in axes}
    found = [tuple(axis for axis in axes if lies[axis] == each.name) for each in on.networks]
    return [each for each in found if each] or [()]


def check_axes(on: Device, axes: Iterable[str], places: Places | None) -> None:
    """Raise where all axes of a mesh together need more axes of a torus than it has."""
    needed: dict[str, dict[str, int]] = {}
    for axis in axes:
        place = place_of(axis, places)
        needed.setdefault(on.network(place.network).name, {})[axis] = place.axes
    for name, by_axis in needed.items():
        network = on.network(name)
        if network.is_torus and sum(by_axis.values()) > network.axes:
            raise DeviceError(
                f"{' and '.join(by_axis)} of the mesh take {sum(by_axis.values())} axes of {on.name}'s {name}, which has "
                f"{network.axes}: place one of them on another network, or cut along fewer"
            )


def place_of(axis: str, places: Places | None) -> MeshAxis:
    """Where an axis lies: as given, or on one axis of the innermost network."""
    given = (places or {}).get(axis)
    if given is None or isinstance(given, str):
        return MeshAxis(given or "")
    if not isinstance(given, MeshAxis):
        raise SymcostError(f"the place of axis {axis} is {short(given)}: give the name of a network, or MeshAxis(...)")
    return given


def _check_room(on: Device, network: Interconnect, axes: Sequence[str], size: sympy.Expr) -> None:
    """Raise for more devices than a network connects."""
    if network.devices is not None and (size - network.devices).is_positive:
        wider = [each.name for each in on.networks if each.devices is None]
        other = f": place it on {wider[0]}, as {{{axes[0]!r}: {wider[0]!r}}}" if wider and axes else ""
        raise DeviceError(
            f"{size} devices along {' and '.join(axes) or 'an axis'} are more than the {network.devices} of "
            f"{on.name}'s {network.name}{other}"
        )


def _torus(on: Device, network: Interconnect, axes: Sequence[str], size: sympy.Expr, known: list[MeshAxis]) -> Members:
    number = sum(each.axes for each in known)
    if any(each.reduces for each in known):
        raise DeviceError(f"{network.name} of {on.name} has no switches that could reduce: leave out reduces")
    if number > network.axes:
        raise DeviceError(
            f"{number} axes of {network.name} are needed along {' and '.join(axes)}: {on.name} has {network.axes} of them"
        )
    lengths = [length for each in known for length in each.lengths] if all(_is_long(each) for each in known) else []
    lengths = [size] if number == 1 and not lengths else lengths
    if lengths and sympy.expand(sympy.Mul(*lengths) - size) != 0:
        shown = " x ".join(map(str, lengths))
        raise SymcostError(
            f"the lengths {shown} along {' and '.join(axes)} make {sympy.Mul(*lengths)} devices, not {size}: give others"
        )
    found = [_closes(network, *each) for each in zip(lengths or [None] * number, _spread(known), strict=True)]
    ring = all(each is not False for each in found)
    given = all(each.ring is not None for each in known)
    left_open = None in found or (
        network.ring_every is not None and not given
    )  # whole cubes have rings, not every slice
    said = f"{' and '.join(axes) or 'the axis'} as rings" if ring and left_open else ""
    if not lengths:
        return Members(network, size, number, ring, None, None, assumed=said)
    hops = sympy.Add(*(length / 2 if ring else length - 1 for length in lengths))
    return Members(network, size, number, ring, hops, _longest(lengths), assumed=said)


def _is_long(place: MeshAxis) -> bool:
    return len(place.lengths) == place.axes


def _spread(known: list[MeshAxis]) -> list[MeshAxis]:
    """The place of every axis of the torus."""
    return [each for each in known for _ in range(each.axes)]


def _closes(network: Interconnect, length: sympy.Expr | None, place: MeshAxis) -> bool | None:
    if place.ring is not None:
        return place.ring
    return network.closes(length) if length is not None and length.is_integer else None


def _longest(lengths: Sequence[sympy.Expr]) -> sympy.Expr:
    return lengths[0] if len(set(lengths)) == 1 else sympy.Max(*lengths)


def _switch(on: Device, network: Interconnect, size: sympy.Expr, known: list[MeshAxis]) -> Members:
    inside, reduces = sympy.Mul(*(each.inside for each in known)), any(each.reduces for each in known)
    if reduces and (not network.reduces or inside != 1):
        raise DeviceError(
            f"{network.name} of {on.name} is not known to reduce in its switches"
            + (f" for nodes of {inside}" if inside != 1 else "")
            + ": leave out reduces"
        )
    if inside == 1:
        return Members(network, size, reduces=reduces)
    inner = on.network()
    if inner == network or inner.is_torus:
        raise SymcostError(
            f"inside={inside} is of groups that share nodes, and {network.name} of {on.name} has no switch inside"
        )
    if inner.devices is not None and (inside - inner.devices).is_positive:
        raise DeviceError(
            f"inside={inside} devices are more than the {inner.devices} of {on.name}'s {inner.name}: give fewer"
        )
    return Members(network, size, inner=inner, inside=inside)
