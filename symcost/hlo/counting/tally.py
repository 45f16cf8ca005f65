"""The running sum over one computation, in total, and by operation and path."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import add
from typing import TypeAlias, TypeVar

from symcost.hlo.counting.float32 import NOTHING, Properties
from symcost.hlo.reading.ir import Instruction

Cell: TypeAlias = tuple[str, str]  # path of the operation, opcode
Counts: TypeAlias = tuple[int, int, int]  # flops, transcendentals, bytes
K = TypeVar("K")
C = TypeVar("C", bound=tuple[int, ...])


@dataclass
class Tally:
    """Exact ints, XLA's float32 beside them, and the custom calls met: what XLA takes for them, what they were found to be."""

    flops: int = 0
    transcendentals: int = 0
    bytes: int = 0
    float32: Properties = NOTHING
    cells: dict[Cell, Counts] = field(default_factory=dict)
    calls: Counts = (0, 0, 0)
    unknown: list[Cell] = field(default_factory=list)
    restored: dict[Cell, Counts] = field(default_factory=dict)

    def add(self, op: str, path: str, flops: int, transcendentals: int, size: int) -> None:
        """One instruction's exact counts."""
        self.flops += flops
        self.transcendentals += transcendentals
        self.bytes += size
        accumulate(self.cells, (path, op), (flops, transcendentals, size))

    def called(self, counts: Counts) -> None:
        """What XLA takes for a custom call."""
        self.calls = added(self.calls, counts)

    def merge(self, other: Tally, caller: Instruction, times: int = 1, *, with_bytes: bool = True) -> None:
        """A called computation's exact counts, `times` over, its paths seen from the caller."""
        self.flops += other.flops * times
        self.transcendentals += other.transcendentals * times
        self.bytes += other.bytes * times if with_bytes else 0
        self.called(tuple(count * times for count in other.calls))  # type: ignore[arg-type]
        for ours, theirs in ((self.cells, other.cells), (self.restored, other.restored)):
            for (path, op), counts in theirs.items():
                flops, transcendentals, size = (count * times for count in counts)
                accumulate(ours, (seen_from(caller, path), op), (flops, transcendentals, size * with_bytes))
        self.unknown += [(seen_from(caller, path), target) for path, target in other.unknown]


def accumulate(cells: dict[K, C], key: K, counts: C) -> None:
    """Add counts to a cell; a cell of none is left out."""
    if any(counts):
        before = cells.get(key)
        cells[key] = counts if before is None else added(before, counts)


def added(left: C, right: C) -> C:
    """Counts added one by one."""
    return tuple(map(add, left, right))  # type: ignore[return-value]


def seen_from(caller: Instruction, path: str) -> str:
    """A callee's path: absolute ones share the caller's first segment, relative ones sit behind a `call`."""
    outer = caller.op_name
    if not path or not outer:
        return path or outer
    if caller.opcode != "call" or path.partition("/")[0] == outer.partition("/")[0]:
        return path
    return f"{outer}/{path}"
