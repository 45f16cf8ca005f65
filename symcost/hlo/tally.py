"""The running sum over one computation, in total, by opcode and by path of the operation."""

from __future__ import annotations

from dataclasses import dataclass, field

from .float32 import NOTHING, Pair
from .ir import Instruction
from .rules import Count


@dataclass
class Tally:
    """Exact ints, XLA's float32 beside them, and the targets of unknown custom calls in order of the walk."""

    flops: int = 0
    transcendentals: int = 0
    float32: Pair = NOTHING
    by_op: dict[str, Count] = field(default_factory=dict)
    by_path: dict[str, Count] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def add(self, op: str, path: str, count: Count) -> None:
        """One instruction's exact count."""
        if any(count):
            self.flops += count[0]
            self.transcendentals += count[1]
            accumulate(self.by_op, op, count)
            accumulate(self.by_path, path, count)

    def merge(self, other: Tally, caller: Instruction, times: int = 1) -> None:
        """A called computation's exact counts, `times` over, its paths seen from the caller."""
        self.flops += other.flops * times
        self.transcendentals += other.transcendentals * times
        if times:
            for op, (flops, trans) in other.by_op.items():
                accumulate(self.by_op, op, (flops * times, trans * times))
            for path, (flops, trans) in other.by_path.items():
                accumulate(self.by_path, seen_from(caller, path), (flops * times, trans * times))
        self.unknown += other.unknown


def accumulate(counts: dict[str, Count], key: str, count: Count) -> None:
    """Add a count to a key."""
    before = counts.get(key, (0, 0))
    counts[key] = before[0] + count[0], before[1] + count[1]


def seen_from(caller: Instruction, path: str) -> str:
    """A callee's path: absolute ones share the caller's first segment, relative ones sit behind a `call`."""
    outer = caller.op_name
    if not path or not outer:
        return path or outer
    if caller.opcode != "call" or path.partition("/")[0] == outer.partition("/")[0]:
        return path
    return f"{outer}/{path}"
