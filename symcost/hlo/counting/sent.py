"""Every collective that a module runs, once, with how often: loops times their trips, asynchronous ones at their start.

A channel's number does not tell one collective from another: a program written by hand for every device (`shard_map`) has
one number for all of them. What is told apart is where a collective begins. One that runs beside fusions, on TPUs, stands in
the text of every fusion that it runs beside, with the number of its chain; it is counted where a custom call marks its start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from symcost.hlo.counting.bytes import stored
from symcost.hlo.reading.ir import Computation, Instruction, Module
from symcost.hlo.reading.shapes import Shape
from symcost.hlo.reading.trips import trip_count

KINDS = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute", "collective-broadcast",
         "ragged-all-to-all")  # fmt: skip
START = "AsyncCollectiveStart"
PICKED = frozenset({"get-tuple-element", "bitcast", "copy", "reshape", "transpose"})
_REGIONS = frozenset({"reduce", "reduce-window", "scatter", "select-and-scatter", "map", "sort"})
_BEGUN = ("-update", "-done")
_CHAIN = re.compile(r'chain_id="(\w+)"')
Chain = tuple[str, str, str]
"""Opcode, channel and chain of a collective that runs beside fusions."""


@dataclass(frozen=True)
class Sent:
    """A collective where it begins: its kind, the computation that it stands in, how often it runs."""

    kind: str
    instruction: Instruction
    home: Computation
    times: int = 1
    around: Instruction | None = None
    """The fusion that it stands in."""

    @property
    def op_name(self) -> str:
        """The path of the operation that it came from."""
        own = self.instruction.op_name
        return own if own or self.around is None else self.around.op_name

    @property
    def arrays(self) -> tuple[Shape, ...]:
        """What is sent: of operand and result the larger, on one device."""
        if self.kind == "reduce-scatter":
            return tuple(leaf for name in self.instruction.operands for leaf in self.home.by_name[name].shape.leaves())
        return tuple(result(self.instruction).leaves())

    @property
    def bytes(self) -> int:
        """Of every run."""
        return sum(map(stored, self.arrays)) * self.times


def sent(module: Module) -> tuple[Sent, ...]:
    """The collectives of a module in the order of its text; loops whose trips the text does not settle once.

    Of a conditional the branch that exchanges most, each kind by itself.

    >>> from symcost.hlo import parse
    >>> (one,) = sent(parse('''HloModule m
    ... ENTRY main {
    ...   x = f32[8,4]{1,0} parameter(0)
    ...   ROOT y = f32[32,4]{1,0} all-gather(x), channel_id=1, dimensions={0}
    ... }'''))
    >>> one.kind, one.bytes
    ('all-gather', 512)
    """
    return _Beginnings(module).computation(module.entry)


def kind_of(i: Instruction) -> str | None:
    """The kind of a collective, at its start if it is asynchronous; nothing for all else."""
    kind = i.opcode.removesuffix("-start")
    return kind if kind in KINDS else None


def result(i: Instruction) -> Shape:
    """What a collective leaves on a device: of an asynchronous one the second part of (operands, results, ...)."""
    own = i.opcode in KINDS or i.opcode == "all-reduce-start"
    return i.shape if own or not i.shape.is_tuple or len(i.shape.parts) < 2 else i.shape.parts[1]


class _Beginnings:
    def __init__(self, module: Module) -> None:
        self.module = module
        self.marked = {_chain(i) for home in module.computations.values() for i in _begun(home)}
        self.done: dict[str, tuple[Sent, ...]] = {}

    def called(self, name: str) -> tuple[Sent, ...]:
        if name not in self.done:
            self.done[name] = self.computation(self.module.computations[name])
        return self.done[name]

    def computation(self, home: Computation) -> tuple[Sent, ...]:
        exchanges: list[Sent] = []
        running: set[Chain] = set()  # chains without a mark: their first fusion is the start
        for i in home.instructions:
            kind = kind_of(i)
            if kind is not None:
                exchanges.append(Sent(kind, i, home))
            elif i.opcode == "fusion":
                exchanges += self.fusion(i, running)
            else:
                exchanges += self.inside(i, home)
        return tuple(exchanges)

    def fusion(self, i: Instruction, running: set[Chain]) -> Iterator[Sent]:
        for home, inner in self.fused(i):
            chain, kind = _chain(inner), kind_of(inner)
            if kind is None or (chain in self.marked and inner not in _begun(home)) or chain in running:
                continue
            if chain not in self.marked and chain[2]:
                running.add(chain)
            yield Sent("reduce-scatter" if _scatters(inner, home) else kind, inner, home, around=i)

    def fused(self, i: Instruction) -> Iterator[tuple[Computation, Instruction]]:
        """The instructions in a fusion, and in the fusions in it."""
        for name in i.calls("calls"):
            home = self.module.computations[name]
            for inner in home.instructions:
                yield home, inner
                if inner.opcode == "fusion":
                    yield from self.fused(inner)

    def inside(self, i: Instruction, home: Computation) -> tuple[Sent, ...]:
        """What the computations that an instruction calls exchange."""
        if "=" not in i.tail or i.opcode in _REGIONS or i.opcode.endswith(_BEGUN):
            return ()
        called = [self.called(name) for name in i.called]
        if i.opcode == "conditional":
            kinds = dict.fromkeys(one.kind for branch in called for one in branch)
            of_kind = [[[one for one in branch if one.kind == kind] for branch in called] for kind in kinds]
            return tuple(one for branches in of_kind for one in max(branches, key=_total))
        trips = trip_count(i, home, self.module) if i.opcode == "while" else 1
        every = (one for branch in called for one in branch)
        return tuple(every if trips in (1, None) else (replace(one, times=one.times * trips) for one in every))


def _total(branch: list[Sent]) -> int:
    return sum(one.bytes for one in branch)


def _scatters(i: Instruction, home: Computation) -> bool:
    """Whether a device keeps a slice alone of what is reduced in a fusion: a compiler of TPUs writes reduce-scatter so."""
    if i.opcode != "all-reduce":
        return False
    read = list(readers(i, home))
    return bool(read) and all(reader.opcode == "dynamic-slice" for reader in read)


def readers(i: Instruction, home: Computation) -> Iterator[Instruction]:
    """Who reads an array, through what only picks it or changes its place."""
    for user in home.users[i.name]:
        if user.opcode in PICKED:
            yield from readers(user, home)
        else:
            yield user


def _begun(home: Computation) -> list[Instruction]:
    """The collectives that a computation starts and leaves running."""
    marks = [i for i in home.instructions if i.opcode == "custom-call" and i.custom_call_target == START]
    read = [home.by_name[name] for mark in marks for name in mark.operands]
    return [i for i in read if kind_of(i) is not None]


def _chain(i: Instruction) -> Chain:
    mark = _CHAIN.search(i.attributes.get("frontend_attributes", ""))
    return i.opcode, i.attributes.get("channel_id", ""), mark[1] if mark else ""
