"""What devices say to each other: bytes of every kind of collective in a sharded program.

A channel's number does not tell one collective from another: a program written by hand for every device (`shard_map`) has
one number for all of them. What is told apart is where a collective begins. One that runs beside fusions, on TPUs, stands in
the text of every fusion that it runs beside; it is counted where a custom call marks its start.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from symcost.hlo.counting.bytes import stored
from symcost.hlo.explaining.widening import Widening
from symcost.hlo.reading.ir import Computation, Instruction, Module
from symcost.hlo.reading.shapes import Shape
from symcost.hlo.reading.trips import trip_count

KINDS = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute", "collective-broadcast",
         "ragged-all-to-all")  # fmt: skip
START = "AsyncCollectiveStart"
_REGIONS = frozenset({"reduce", "reduce-window", "scatter", "select-and-scatter", "map", "sort"})
_BEGUN = ("-update", "-done")
_CHAIN = re.compile(r'chain_id="(\w+)"')
Chain = tuple[str, str, str]
"""Opcode, channel and chain of a collective that runs beside fusions."""


@dataclass(frozen=True)
class Exchanged:
    """Bytes of results on one device, and how many of them a compiler's widening adds, by its name."""

    bytes: int = 0
    widened: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Exchanged) -> Exchanged:
        widened = Counter(self.widened)
        widened.update(other.widened)
        return Exchanged(self.bytes + other.bytes, dict(widened))

    def __mul__(self, times: int) -> Exchanged:
        return Exchanged(self.bytes * times, {name: size * times for name, size in self.widened.items()})


Exchanges = dict[str, Exchanged]


def collectives(module: Module) -> dict[str, int]:
    """Bytes of the results on one device, by kind, loops times their trips (once where the text does not say).

    An asynchronous collective is counted at its start; the start's own buffers are not results. Of a conditional the
    branch that exchanges most, each kind by itself.

    >>> from symcost.hlo import parse
    >>> collectives(parse('''HloModule m
    ... ENTRY main {
    ...   x = f32[8,4]{1,0} parameter(0)
    ...   ROOT y = f32[32,4]{1,0} all-gather(x), channel_id=1, dimensions={0}
    ... }'''))
    {'all-gather': 512}
    """
    return {kind: exchange.bytes for kind, exchange in exchanged(module).items()}


def exchanged(module: Module) -> Exchanges:
    """The same with the share that a compiler's widening adds, such as that of bfloat16 to float32 on CPUs."""
    return _Exchange(module).computation(module.entry)


def kind_of(i: Instruction) -> str | None:
    """The kind of a collective, at its start if it is asynchronous; nothing for all else."""
    kind = i.opcode.removesuffix("-start")
    return kind if kind in KINDS else None


def result(i: Instruction) -> Shape:
    """What a collective leaves on a device: of an asynchronous one the second part of (operands, results, ...)."""
    own = i.opcode in KINDS or i.opcode == "all-reduce-start"
    return i.shape if own or not i.shape.is_tuple or len(i.shape.parts) < 2 else i.shape.parts[1]


class _Exchange:
    def __init__(self, module: Module) -> None:
        self.module = module
        self.widening = Widening(module, result)
        self.marked = {_chain(i) for home in module.computations.values() for i in _begun(home)}
        self.done: dict[str, Exchanges] = {}

    def called(self, name: str) -> Exchanges:
        if name not in self.done:
            self.done[name] = self.computation(self.module.computations[name])
        return self.done[name]

    def computation(self, home: Computation) -> Exchanges:
        exchanges: Exchanges = {}
        running: set[Chain] = set()  # chains without a mark: their first fusion is the start
        for i in home.instructions:
            kind = kind_of(i)
            if kind is not None:
                _add(exchanges, kind, self.one(i, home))
            elif i.opcode == "fusion":
                self.fusion(i, exchanges, running)
            else:
                _join(exchanges, self.inside(i, home))
        return exchanges

    def one(self, i: Instruction, home: Computation) -> Exchanged:
        return Exchanged(stored(result(i)), self.widening.of(i, home))

    def fusion(self, i: Instruction, exchanges: Exchanges, running: set[Chain]) -> None:
        for home, inner in self.fused(i):
            chain, kind = _chain(inner), kind_of(inner)
            if kind is None or (chain in self.marked and inner not in _begun(home)) or chain in running:
                continue
            if chain not in self.marked and chain[1]:
                running.add(chain)
            _add(exchanges, kind, self.one(inner, home))

    def fused(self, i: Instruction) -> Iterator[tuple[Computation, Instruction]]:
        """The instructions in a fusion, and in the fusions in it."""
        for name in i.calls("calls"):
            home = self.module.computations[name]
            for inner in home.instructions:
                yield home, inner
                if inner.opcode == "fusion":
                    yield from self.fused(inner)

    def inside(self, i: Instruction, home: Computation) -> Exchanges:
        """What the computations that an instruction calls exchange."""
        if "=" not in i.tail or i.opcode in _REGIONS or i.opcode.endswith(_BEGUN):
            return {}
        if i.opcode == "conditional":
            most: Exchanges = {}
            for name in i.called:
                for kind, one in self.called(name).items():
                    most[kind] = max(most.get(kind, one), one, key=lambda exchange: exchange.bytes)
            return most
        trips = trip_count(i, home, self.module) if i.opcode == "while" else 1
        total: Exchanges = {}
        for name in i.called:
            _join(total, self.called(name))
        return {kind: one * (1 if trips is None else trips) for kind, one in total.items()}


def _begun(home: Computation) -> list[Instruction]:
    """The collectives that a computation starts and leaves running."""
    marks = [i for i in home.instructions if i.opcode == "custom-call" and i.custom_call_target == START]
    read = [home.by_name[name] for mark in marks for name in mark.operands]
    return [i for i in read if kind_of(i) is not None]


def _chain(i: Instruction) -> Chain:
    mark = _CHAIN.search(i.attributes.get("frontend_attributes", ""))
    return i.opcode, i.attributes.get("channel_id", ""), mark[1] if mark else ""


def _add(exchanges: Exchanges, kind: str, one: Exchanged) -> None:
    exchanges[kind] = exchanges.get(kind, Exchanged()) + one


def _join(exchanges: Exchanges, other: Exchanges) -> None:
    for kind, one in other.items():
        _add(exchanges, kind, one)
