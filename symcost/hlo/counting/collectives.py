"""What devices say to each other: bytes of every kind of collective in a sharded program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from symcost.hlo.counting.sent import result, sent
from symcost.hlo.explaining.widening import Widening
from symcost.hlo.reading.ir import Module


@dataclass(frozen=True)
class Exchanged:
    """Bytes on one device, of operand and result the larger, and how many of them a compiler's widening adds, by its name."""

    bytes: int = 0
    widened: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Exchanged) -> Exchanged:
        widened = Counter(self.widened)
        widened.update(other.widened)
        return Exchanged(self.bytes + other.bytes, dict(widened))

    def __mul__(self, times: int) -> Exchanged:
        return Exchanged(self.bytes * times, {name: size * times for name, size in self.widened.items()})


def collectives(module: Module) -> dict[str, int]:
    """Bytes on one device by kind, of operand and result the larger, loops times their trips.

    An asynchronous collective is counted at its start; the start's own buffers are not results. Of a conditional the
    branch that exchanges most, each kind by itself. A loop counts once where the text does not say its trips.

    >>> from symcost.hlo import parse
    >>> collectives(parse('''HloModule m
    ... ENTRY main {
    ...   x = f32[8,4]{1,0} parameter(0)
    ...   ROOT y = f32[32,4]{1,0} all-gather(x), channel_id=1, dimensions={0}
    ... }'''))
    {'all-gather': 512}
    """
    return {kind: exchange.bytes for kind, exchange in exchanged(module).items()}


def exchanged(module: Module) -> dict[str, Exchanged]:
    """The same with the share that a compiler's widening adds, such as that of bfloat16 to float32 on CPUs."""
    widening = Widening(module, result)
    found: dict[str, Exchanged] = {}
    for one in sent(module):
        wider = Exchanged(0, widening.of(one.instruction, one.home)) * one.times
        found[one.kind] = found.get(one.kind, Exchanged()) + Exchanged(one.bytes) + wider
    return found
