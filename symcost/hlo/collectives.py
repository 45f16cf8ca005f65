"""What devices say to each other: bytes of every kind of collective in a sharded program."""

from __future__ import annotations

from .bytes import stored
from .ir import Computation, Module
from .trips import trip_count

KINDS = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute", "collective-broadcast",
         "ragged-all-to-all")  # fmt: skip


def collectives(module: Module) -> dict[str, int]:
    """Bytes of the results on one device, by kind, loops times their trips (once where the text does not say).

    An asynchronous collective is counted at its start; the start's own buffers are not results.
    """
    found: dict[str, int] = {}
    _add(module, module.entry, 1, found)
    return found


def _add(module: Module, home: Computation, times: int, found: dict[str, int]) -> None:
    for i in home.instructions:
        kind = i.opcode.removesuffix("-start")
        if kind in KINDS:
            shape = i.shape
            if i.opcode != kind and kind != "all-reduce" and shape.is_tuple and len(shape.parts) > 1:
                shape = shape.parts[1]  # (operands, results, ...)
            found[kind] = found.get(kind, 0) + stored(shape) * times
        inner = times
        if i.opcode == "while":
            trips = trip_count(i, home, module)
            inner = times if trips is None else times * trips
        for name in i.called if "=" in i.tail and i.opcode not in _REGIONS else ():
            _add(module, module.computations[name], inner, found)


_REGIONS = frozenset({"reduce", "reduce-window", "scatter", "select-and-scatter", "map", "sort", "all-reduce",
                      "all-reduce-start", "reduce-scatter"})  # fmt: skip
