"""The largest of every row as compilers write it: an operation of its own, or a sort of the rows of which the first are taken.

Which of the two a program is cut with decides what its devices exchange: the operation is run on whole rows of all devices,
a sort on the rows that each device has.
"""

from __future__ import annotations

from collections.abc import Mapping

from symcost.hlo.explaining.arrays import arrays, operation, totals
from symcost.hlo.explaining.exchange import Cause
from symcost.hlo.reading.ir import Module

BECAUSE = "top_k is a sort for this compiler, of which each device sorts the rows that it has"
SCOPE, OWN, SORT = "top_k", "topk", "sort"


def written_as_sorts(cut: Module, again: Module, compiled: Module) -> bool:
    """Whether a compiled program has the sorts of a program that was cut with sorts, and not those of one with ``top_k``."""
    whole, sorts, made = _rows(cut, OWN), _rows(again, SORT), _rows(compiled, SORT)
    return bool(whole) and all(
        name in sorts and sorts[name] <= made.get(name, set()) and not (whole[name] - sorts[name]) & made[name]
        for name in whole
    )


def of_sorts(cut: Module, again: Module, mesh: Mapping[str, int]) -> list[Cause]:
    """What devices exchange more, or less, where the program is cut with sorts."""
    before, after = totals(arrays(cut, mesh)), totals(arrays(again, mesh))
    more = {along: after.get(along, 0) - before.get(along, 0) for along in dict.fromkeys((*before, *after))}
    return [Cause(kind, axes, size, BECAUSE) for (kind, axes), size in more.items() if size]


def has_top_k(module: Module) -> bool:
    """Whether an operation of its own takes the largest of rows."""
    return bool(_rows(module, OWN))


def _rows(module: Module, opcode: str) -> dict[str, set[int]]:
    """For each operation that takes the largest of rows how many elements the instructions of an opcode have that serve it."""
    found: dict[str, set[int]] = {}
    for home in module.computations.values():
        for i in home.instructions:
            name = operation(i.op_name).removesuffix(f"/{SORT}")
            if i.opcode == opcode and name.rpartition("/")[2] == SCOPE:
                found.setdefault(name, set()).add(home.by_name[i.operands[0]].shape.elements)
    return found
