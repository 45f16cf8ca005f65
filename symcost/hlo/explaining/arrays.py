"""What a module's collectives send, array by array, so that collectives which a compiler runs as one make no difference."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from symcost.hlo.counting.bytes import SIZES
from symcost.hlo.counting.sent import Sent, sent
from symcost.hlo.reading.groups import axes_of
from symcost.hlo.reading.ir import Module
from symcost.hlo.reading.shapes import Shape

_CALLS = re.compile(r"^(?:(?:jit|pjit)\([^/]*\)/|call_exported/)+")


@dataclass(frozen=True)
class SentArray:
    """One array that a collective sends: along which axes, its number type and sizes in order, how often."""

    kind: str
    axes: tuple[str, ...]
    group: int
    dtype: str
    sizes: tuple[int, ...]
    """Those that are not 1, from small to large: layouts and orders of dimensions are the compiler's."""
    one: Sent
    place: int

    @property
    def times(self) -> int:
        """How often it is sent."""
        return self.one.times

    @property
    def bytes(self) -> int:
        """Of all times."""
        return SIZES.get(self.dtype, 1) * prod(self.sizes) * self.times

    @property
    def operation(self) -> str:
        """The operation that it serves, without the calls around the program."""
        return operation(self.one.op_name)

    @property
    def operand(self) -> str:
        """The name of what is sent."""
        operands = self.one.instruction.operands
        return operands[min(self.place, len(operands) - 1)]


def operation(op_name: str) -> str:
    """An operation's name without the calls that are around the whole program.

    >>> operation("jit(run)/call_exported/jit(f)/jvp(net)/up/dot_general")
    'jvp(net)/up/dot_general'
    """
    return _CALLS.sub("", op_name)


def arrays(module: Module, mesh: Mapping[str, int]) -> list[SentArray]:
    """Every array that a module's collectives send; those along no axis, of one device, are none."""
    found = []
    for one in sent(module):
        axes, group = axes_of(one.instruction, mesh)
        for place, shape in enumerate(one.arrays):
            found.append(SentArray(one.kind, axes, group, shape.dtype, sizes_of(shape), one, place))
    return found


def sizes_of(shape: Shape) -> tuple[int, ...]:
    """The sizes of a shape that are not 1, from small to large."""
    return tuple(sorted(size for size in shape.dims if size != 1))


def totals(found: Sequence[SentArray]) -> dict[tuple[str, tuple[str, ...]], int]:
    """Bytes by kind and axes."""
    summed: dict[tuple[str, tuple[str, ...]], int] = {}
    for each in found:
        summed[each.kind, each.axes] = summed.get((each.kind, each.axes), 0) + each.bytes
    return summed
