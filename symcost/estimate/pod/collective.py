"""What a collective takes: the bytes over the links it has, and the hops that no bandwidth shortens.

The formulas are those of Austin et al.: How to Scale Your Model (jax-ml.github.io/scaling-book), chapter "sharding" for
tori and chapter "gpus" for switches: lower bounds that large messages come close to, without what a library adds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symcost.costs.exact import larger, rational
from symcost.costs.mesh.collectives import KINDS, Collective, Kind
from symcost.devices import Device, Interconnect, device
from symcost.errors import SymcostError
from symcost.estimate.amounts import amount, many
from symcost.estimate.pod.places import Members, MeshAxis, Places, levels, place_of, placed
from symcost.reading.given import checked_but
from symcost.reading.nearest import choose


@dataclass(frozen=True)
class CollectiveTime:
    """Seconds of one execution: what the bandwidth takes and what the hops take, of which the longer counts.

    ``latency``: None where a torus has several axes whose lengths are not known. ``assumed``: which axes of a torus are taken
    to be rings, where their sizes or the shape of the slice leave it open.
    """

    bandwidth: sympy.Expr
    latency: sympy.Expr | None
    network: str
    assumed: str = ""
    parts: tuple[CollectiveTime, ...] = ()

    @property
    def seconds(self) -> Any:
        """The longer of the two; of a collective on two networks the sum of its ``parts``, which follow each other."""
        if self.parts:
            return sympy.Add(*(each.seconds for each in self.parts))
        if self.latency is None:
            raise SymcostError(
                f"how many hops of {self.network} there are is not known: give the lengths of its axes, MeshAxis(lengths=(4, 8)), "
                "or take the bandwidth alone (hops=False of a step)"
            )
        return larger(self.bandwidth, self.latency)

    def __str__(self) -> str:
        said = f"; {self.assumed}" if self.assumed else ""
        return f"{self.bandwidth if self.latency is None else self.seconds} s on {self.network}{said}"


@checked_but("row")
def collective_time(
    row: Collective,
    on: str | Device,
    places: Mapping[str, MeshAxis | str] | None = None,
    *,
    mesh: Mapping[str, Any] | None = None,
) -> CollectiveTime:
    """Seconds of one execution of a collective of ``n`` devices, exact in its symbols.

    ``V``: bytes of ``row`` (the gathered result, the operand that is reduced); ``b``: the operand of one device of an
    all-to-all or a permute; ``w``: bandwidth of a link one way, ``W = 2 w``; ``T``: latency of a hop. On ``k`` axes of a
    torus that are rings:

    - all-gather, reduce-scatter: ``max(T sum(n_i)/2, V/(k W))``; all-reduce: twice that
    - all-to-all: ``n b/(4 W)`` on one axis, ``n_max b/(4 W)`` with the longest of more (what crosses the middle of it)
    - collective-permute: ``max(T, b/w)``, to a neighbour

    In lines, where the axes do not close: ``(n-1)/n V/(k w)`` after ``sum(n_i - 1)`` hops, all-to-all ``n_max b/(4 w)``. Through a
    switch of ``w`` out of each device: ``(n-1)/n V/w``, all-reduce twice, all-to-all ``(n-1)/n b/w``, permute ``b/w``; of
    groups that have ``i`` devices in each of ``m`` nodes the longer of that inside, ``(i-1)/i V/w_in``, and between the
    nodes, ``(m-1)/m V/(i w)``; an all-reduce that the switches add up takes ``V/w``. A group of one device takes no time.

    ``places`` says where the axes of the mesh lie: the name of a network, or :class:`MeshAxis`; unless given each is one
    axis of the device's innermost network. Along axes on two networks it is one on each, as slices of a torus do over the data
    center: an all-reduce is a reduce-scatter inside, an all-reduce of the shards between, and an all-gather inside. ``mesh``: sizes
    of axes, needed for those of the inner network there, and for the hops along several axes of a torus.

    Raises:
        DeviceError: where the device is unknown, has no such network, or fewer devices or axes in it.
        SymcostError: where a number is negative, or a place is no place.

    >>> from symcost.costs.mesh.collectives import Collective
    >>> gather = Collective(kind="all-gather", axes=("X",), size=4, bytes=2 * 1024 * 4096 // 4)
    >>> collective_time(gather, "tpu-v4").seconds  # 23 us, question 2 of chapter "sharding"
    2048/87890625
    >>> reduce = Collective(kind="all-reduce", axes=("X",), size="X", bytes="V")
    >>> collective_time(reduce, "tpu-v5e").bandwidth, collective_time(reduce, "tpu-v5e").latency
    (V/45000000000, X/1000000)
    >>> spread = Collective(kind="all-to-all", axes=("X",), size=8, bytes=45 * 10**9)
    >>> collective_time(spread, "h100").seconds, collective_time(spread, "tpu-v5e", {"X": MeshAxis(ring=False)}).seconds
    (7/80, 2)
    """
    if not isinstance(row, Collective):
        raise SymcostError(
            f"a {type(row).__name__} is no collective: give Collective(kind=..., axes=..., size=..., bytes=...)"
        )
    if row.kind not in KINDS:
        raise SymcostError(f"unknown kind of collective {row.kind!r}: {choose(row.kind, KINDS)}")
    where = device(on)
    inner, *outer = levels(where, row.axes, places)
    if not outer:
        return _on_one(row, where, places, mesh or {})
    if len(outer) > 1 or row.kind not in _PHASES:
        raise SymcostError(f"{_told(row)} is on several networks at once: give it as one on each of them")
    size = _inner_size(row, inner, places, mesh)
    parts = []
    for kind, inside in _PHASES[row.kind]:
        own = {"size": size, "bytes": row.bytes} if inside else {"size": row.size / size, "bytes": row.bytes / size}
        axes = inner if inside else outer[0]
        parts.append(_on_one(replace(row, kind=kind, axes=axes, **own), where, places, mesh or {}))
    latencies = [each.latency for each in parts]
    return CollectiveTime(
        sympy.Add(*(each.bandwidth for each in parts)), None if None in latencies else sympy.Add(*latencies),
        " and ".join(dict.fromkeys(each.network for each in parts)),
        ", ".join(dict.fromkeys(each.assumed for each in parts if each.assumed)), tuple(parts),
    )  # fmt: skip


_PHASES: Mapping[str, tuple[tuple[Kind, bool], ...]] = {
    "all-gather": (("all-gather", False), ("all-gather", True)),
    "reduce-scatter": (("reduce-scatter", True), ("reduce-scatter", False)),
    "all-reduce": (("reduce-scatter", True), ("all-reduce", False), ("all-gather", True)),
}
"""A collective on two networks as those on each, and whether on the inner one: what is scattered inside is sent outside."""


def _told(row: Collective) -> str:
    return f"{row.kind} along {' and '.join(row.axes)}"


def _inner_size(
    row: Collective, inner: Sequence[str], places: Places | None, mesh: Mapping[str, Any] | None
) -> sympy.Expr:
    """Devices of a group on the inner of two networks."""
    sizes = []
    for axis in inner:
        lengths = place_of(axis, places).lengths
        if axis not in (mesh or {}) and not lengths:
            raise SymcostError(
                f"{_told(row)} is on two networks, and how many devices {axis} has is not known: give mesh={{{axis!r}: ...}}"
            )
        sizes.append(many(mesh[axis], axis) if mesh and axis in mesh else sympy.Mul(*lengths))
    return sympy.Mul(*sizes)


def _on_one(row: Collective, where: Device, places: Places | None, mesh: Mapping[str, Any]) -> CollectiveTime:
    """A collective whose axes lie on one network."""
    group = placed(where, row.axes, row.size, places, mesh)
    sent = amount(row.bytes, "bytes")
    if group.size == 1:
        return CollectiveTime(sympy.S.Zero, sympy.S.Zero, group.network.name)
    seconds = (_TORUS if group.network.is_torus else _SWITCH)[row.kind](group, sent)
    return CollectiveTime(sympy.expand(seconds), _hops(row.kind, group), group.network.name, group.assumed)


def _hops(kind: Kind, group: Members) -> sympy.Expr | None:
    """Seconds of the hops; a network that publishes none takes none."""
    if group.network.latency is None:
        return sympy.S.Zero
    hops = sympy.S.One if kind == "collective-permute" else group.hops
    times = 2 if kind == "all-reduce" else 1
    return None if hops is None else sympy.expand(times * hops * rational(group.network.latency))


def _rate(network: Interconnect) -> sympy.Expr:
    return rational(network.bandwidth)


def _gathered(group: Members, sent: sympy.Expr) -> sympy.Expr:
    """All-gather and reduce-scatter of a torus: both directions of every link at once on rings."""
    one_way = sent / (group.axes * _rate(group.network))
    return one_way / 2 if group.ring else one_way * (group.size - 1) / group.size


def _summed(group: Members, sent: sympy.Expr) -> Any:
    """All-reduce of a torus: a reduce-scatter and an all-gather."""
    return 2 * _gathered(group, sent)


def _exchanged(group: Members, sent: sympy.Expr) -> sympy.Expr:
    """All-to-all of a torus: a quarter of everything crosses the middle of the longest axis, each way."""
    if group.longest is None:
        raise SymcostError(
            f"an all-to-all on several axes of {group.network.name} takes as long as their longest: give MeshAxis(lengths=(4, 8))"
        )
    one_way = sent * group.longest / (4 * _rate(group.network))
    return one_way / 2 if group.ring else one_way


def _switched(group: Members, sent: sympy.Expr) -> Any:
    """All-gather and reduce-scatter through switches, a ring at each level."""
    nodes = group.size / group.inside
    outer = sent * (nodes - 1) / (nodes * group.inside * _rate(group.network))
    if group.inner is None:
        return outer
    return larger(sympy.expand(sent * (group.inside - 1) / (group.inside * _rate(group.inner))), sympy.expand(outer))


def _switched_all(group: Members, sent: sympy.Expr) -> Any:
    """All-to-all through switches: to every other device its part, directly."""
    nodes = group.size / group.inside
    outer = sent * (nodes - 1) / (nodes * _rate(group.network))
    if group.inner is None:
        return outer
    return larger(sympy.expand(sent * (group.inside - 1) / (group.size * _rate(group.inner))), sympy.expand(outer))


def _reduced(group: Members, sent: sympy.Expr) -> Any:
    """All-reduce through switches: everything twice, or once where they add it up."""
    return sent / _rate(group.network) if group.reduces else 2 * _switched(group, sent)


def _passed(group: Members, sent: sympy.Expr) -> sympy.Expr:
    """To one other device, over one link."""
    return sent / _rate(group.network)


_Formula = Callable[[Members, sympy.Expr], Any]


_TORUS: Mapping[str, _Formula] = {
    "all-gather": _gathered, "reduce-scatter": _gathered, "all-reduce": _summed, "all-to-all": _exchanged,
    "collective-permute": _passed,
}  # fmt: skip
_SWITCH: Mapping[str, _Formula] = {
    "all-gather": _switched, "reduce-scatter": _switched, "all-reduce": _reduced, "all-to-all": _switched_all,
    "collective-permute": _passed,
}  # fmt: skip
