"""Between an array that a program sends and one that a compiled program does: what the texts show of the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import prod

from symcost.hlo.counting.sent import PICKED, readers
from symcost.hlo.explaining.arrays import SentArray, operation, sizes_of
from symcost.hlo.reading.ir import Computation, Instruction, Module


def is_part(ours: SentArray, theirs: SentArray) -> bool:
    """Whether a permutation hands on one device's part of an array, for the same operation."""
    if theirs.kind != "collective-permute" or theirs.axes != ours.axes or ours.operation != theirs.operation:
        return False
    return prod(theirs.sizes) * ours.group == prod(ours.sizes) and theirs.times % ours.times == 0


def is_around(served: Sequence[SentArray], steps: Sequence[SentArray]) -> bool:
    """Whether there are so many steps as rings take that serve some arrays: those in two directions one more, some one less."""
    group, around = served[0].group, sum(step.times for step in steps) // sum(each.times for each in served)
    return group - 1 <= around <= group + 1


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


def one_column(ours: SentArray) -> tuple[int, ...] | None:
    """The sizes of one of the equal columns of a product that is sent, an operand of which is one number throughout."""
    home = ours.one.home
    product = home.by_name[_made(home, ours.operand)]
    if product.opcode != "dot":
        return None
    for side, equal, other in (("rhs", *product.operands), ("lhs", *product.operands[::-1])):
        if _one_number(home.by_name[equal], home):
            summed = product.integers(f"{side}_contracting_dims")
            kept = (size for dim, size in enumerate(home.by_name[other].shape.dims) if dim not in summed)
            return tuple(sorted(size for size in kept if size != 1))
    return None


def what_is_summed(ours: SentArray) -> Instruction | None:
    """What a device sums before it reduces the sum with others, before it changed its place alone."""
    home, i = ours.one.home, ours.one.home.by_name[ours.operand]
    if i.opcode != "reduce":
        return None
    return home.by_name[_made(home, i.operands[0])]


def the_sum_of(module: Module, ours: SentArray) -> Instruction | None:
    """The one sum that reads what is sent, where nothing else does."""
    read = list(readers(ours.one.instruction, ours.one.home))
    if len(read) != 1 or read[0].opcode != "reduce" or read[0].shape.is_tuple:
        return None
    return read[0] if module.computations[read[0].calls("to_apply")[0]].root.opcode == "add" else None


def is_between(summed: Instruction, theirs: SentArray, ours: SentArray) -> bool:
    """Whether an array has some of the sizes of another one, and all of those of its sum."""
    least, here, most = Counter(sizes_of(summed.shape)), Counter(theirs.sizes), Counter(ours.sizes)
    return least <= here < most


def is_next(ours: SentArray, further: SentArray) -> bool:
    """Whether what is sent once is sent again as it came, along other axes, and read by nothing else."""
    i, home = ours.one.instruction, ours.one.home
    alone = [reader.name for reader in readers(i, home)] == [further.one.instruction.name]
    return (
        alone and (ours.kind, ours.times) == (further.kind, further.times) and origin_of(further) == (home.name, i.name)
    )


def product_before(ours: SentArray) -> tuple[Instruction | None, Instruction | None]:
    """The product whose results are gathered, and their sum with those of other devices where it stands between."""
    home = ours.one.home
    i = home.by_name[origin_of(ours)[1]]
    summed = i if i.opcode == "all-reduce" and len(i.operands) == 1 else None
    if summed is not None:
        i = home.by_name[_made(home, summed.operands[0])]
    return (i if i.opcode == "dot" else None), summed


def is_whole_operand(theirs: SentArray, ours: SentArray) -> bool:
    """Whether an array is an operand, of all devices, of the product whose results are gathered."""
    home, (product, _) = ours.one.home, product_before(ours)
    if product is None:
        return False
    for name in product.operands:
        served = [product, ours.one.instruction, home.by_name[name], home.by_name[_made(home, name)]]
        whole = served[-1].shape.elements * ours.group == prod(theirs.sizes)
        if whole and theirs.operation in [operation(each.op_name) for each in served]:
            return True
    return False


def is_whole_sum(theirs: SentArray, part: SentArray, gathered: SentArray) -> bool:
    """Whether a sum is of all that is gathered of the sums of parts."""
    same = (theirs.kind, theirs.axes, theirs.times) == (part.kind, part.axes, part.times)
    return same and theirs.sizes == gathered.sizes


def meets(ours: SentArray, other: SentArray) -> bool:
    """Whether a gathered array is multiplied, as often as it takes, by one that is exchanged."""
    home = ours.one.home
    if other.one.home.name != home.name:
        return False
    product = {
        user.name for i in readers(ours.one.instruction, home) if i.opcode == "broadcast" for user in readers(i, home)
    }
    with_other = {user.name for user in readers(other.one.instruction, home) if user.opcode == "multiply"}
    return any(
        home.by_name[name].opcode == "multiply"
        and (name in with_other or any(user.name in with_other for user in readers(home.by_name[name], home)))
        for name in product
    )


def _made(home: Computation, name: str) -> str:
    """The name of what an array was before it changed its place alone."""
    while home.by_name[name].opcode in PICKED:
        name = home.by_name[name].operands[0]
    return name


def origin_of(each: SentArray) -> tuple[str, str]:
    """What is sent, before it changed its place alone."""
    return each.one.home.name, _made(each.one.home, each.operand)
