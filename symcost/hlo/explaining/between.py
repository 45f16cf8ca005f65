"""Between an array that a program sends and one that a compiled program does: what the texts show of the two."""

from __future__ import annotations

from math import prod

from symcost.hlo.counting.sent import PICKED, readers
from symcost.hlo.explaining.arrays import SentArray
from symcost.hlo.reading.ir import Computation, Instruction


def is_part(ours: SentArray, theirs: SentArray) -> bool:
    """Whether a permutation hands on one device's part of an array, for the same operation."""
    if theirs.kind != "collective-permute" or theirs.axes != ours.axes or ours.operation != theirs.operation:
        return False
    return prod(theirs.sizes) * ours.group == prod(ours.sizes) and theirs.times % ours.times == 0


def is_shorter(ours: SentArray, theirs: SentArray) -> bool:
    """Whether a sum has the sizes of what is gathered but for one that is gone."""
    if (ours.kind, ours.axes, ours.times) != ("all-gather", theirs.axes, theirs.times):
        return False
    return any(ours.sizes[:at] + ours.sizes[at + 1 :] == theirs.sizes for at in range(len(ours.sizes)))


def meets_equal_numbers(ours: SentArray) -> list[bool]:
    """Of every reader of a gathered array, whether it is a product with a broadcast number."""
    home = ours.one.home
    return [i.opcode == "dot" and any(_one_number(home.by_name[name], home) for name in i.operands)
            for i in readers(ours.one.instruction, home)]  # fmt: skip


def _one_number(i: Instruction, home: Computation) -> bool:
    """Whether an array is one number, as often as it is large."""
    while i.opcode in (*PICKED, "convert"):
        i = home.by_name[i.operands[0]]
    return i.opcode == "broadcast" and not home.by_name[i.operands[0]].shape.dims


def what_is_summed(ours: SentArray) -> Instruction | None:
    """What a device sums before it reduces the sum with others, before it changed its place alone."""
    home, i = ours.one.home, ours.one.home.by_name[ours.operand]
    if i.opcode != "reduce":
        return None
    i = home.by_name[i.operands[0]]
    while i.opcode in PICKED:
        i = home.by_name[i.operands[0]]
    return i


def origin_of(each: SentArray) -> tuple[str, str]:
    """What is sent, before it changed its place alone."""
    home, i = each.one.home, each.one.home.by_name[each.operand]
    while i.opcode in PICKED:
        i = home.by_name[i.operands[0]]
    return home.name, i.name
