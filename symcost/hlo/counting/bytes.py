"""Bytes that XLA's cost analysis says an instruction touches: no cache, no reuse, except inside fusions.

An instruction's bytes are a list of sizes: their exact sum is the count, their float32 sum in this order is what XLA prints.
The default is the size of the result, then of every operand, of a tuple's operands its table of pointers only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from symcost.hlo.reading.ir import Computation, Instruction, Module
from symcost.hlo.reading.shapes import Shape

SIZES: Mapping[str, int] = {
    "pred": 1, "s2": 1, "u2": 1, "s4": 1, "u4": 1, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "f16": 2, "bf16": 2,
    "s32": 4, "u32": 4, "f32": 4, "s64": 8, "u64": 8, "f64": 8, "c64": 8, "c128": 16, "token": 0, "opaque": 0,
}  # fmt: skip
"""Bytes of one element; the eight-bit and smaller floats (``f8...``, ``f4...``) take one."""
_TILE = re.compile(r"T\(([\d,]+)\)")
LARGE_CONSTANT = 8
"""Elements up to which a constant inside a fusion is part of the code."""


def stored(shape: Shape) -> int:
    """Bytes of an array, or of all arrays in a tuple."""
    if shape.is_tuple:
        return sum(map(stored, shape.parts))
    return SIZES.get(shape.dtype, 1) * shape.elements


def in_tiles(shape: Shape) -> int:
    """Bytes of an array on a target that stores tiles: the minor dimensions rounded up to the tile that its layout names.

    >>> from symcost.hlo import parse_shape
    >>> in_tiles(parse_shape("f32[3,10]{1,0:T(8,128)}")) == 4 * 8 * 128
    True
    """
    if shape.is_tuple:
        return sum(map(in_tiles, shape.parts))
    tiling = _TILE.search(shape.layout)
    tile = tuple(int(size) for size in tiling[1].split(",")) if tiling else ()
    dims = [shape.dims[d] for d in reversed(shape.minor_to_major)]
    dims = [1] * (len(tile) - len(dims)) + dims
    for place, size in enumerate(reversed(tile), start=1):
        dims[-place] = -(-dims[-place] // size) * size
    return SIZES.get(shape.dtype, 1) * prod(dims)


@dataclass
class Bytes:
    """Counts the instructions of one module; ``pointer`` is the size of an entry in a tuple's table."""

    module: Module
    pointer: int

    def __call__(self, i: Instruction, home: Computation) -> Sequence[int]:
        """The sizes that an instruction touches; what it calls is counted by the walk, except for a fusion."""
        rule = _RULES.get(i.opcode)
        shapes = [home.by_name[name].shape for name in i.operands]
        if rule is not None:
            return rule(i, shapes, self)
        tables = (self.pointer * len(shape.parts) if shape.is_tuple else stored(shape) for shape in shapes)
        return (stored(i.shape), *tables)

    def fusion(self, i: Instruction) -> Sequence[int]:
        """Results, large constants, and of every operand what the fused instructions read of it."""
        inner = self.module.computations[i.calls("calls")[0]]
        constants = [c.shape for c in inner.instructions if c.opcode == "constant" and not c.shape.is_tuple]
        large = [stored(shape) for shape in constants if shape.elements > LARGE_CONSTANT]
        return [*self._results(i, inner), *large, *(self._parameter(p, inner) for p in _parameters(inner))]

    def _results(self, i: Instruction, inner: Computation) -> list[int]:
        """A result updated in place costs its update only."""
        root = inner.root
        if not i.shape.is_tuple:
            return [stored(_written(root, inner))]
        parts = i.shape.parts
        if root.opcode == "tuple":
            written = [_written(inner.by_name[name], inner) for name in root.operands]
            parts = tuple(part if part.is_tuple else own for part, own in zip(parts, written, strict=True))
        return [stored(leaf) for part in parts for leaf in part.leaves()]

    def _parameter(self, parameter: Instruction, inner: Computation) -> int:
        if not parameter.shape.is_tuple:
            return self._read(parameter, inner)
        parts = {i.integers("index")[0]: i for i in reversed(inner.users[parameter.name])
                 if i.opcode == "get-tuple-element"}  # fmt: skip
        return sum(self._read(parts.get(k, parameter), inner) for k, part in enumerate(parameter.shape.parts)
                   for _ in part.leaves())  # fmt: skip

    def _read(self, value: Instruction, home: Computation) -> int:
        """Slices are read alone, a broadcast or reshape reads all again, all other readers share one reading."""
        total, shared = 0, False
        for user in home.users[value.name]:
            first = user.operands[0] == value.name
            if user.opcode == "fusion":
                inner = self.module.computations[user.calls("calls")[0]]
                total += sum(self._read(p, inner) for p, name in zip(_parameters(inner), user.operands, strict=True)
                             if name == value.name)  # fmt: skip
            elif user.opcode == "slice" or (user.opcode == "dynamic-slice" and first):
                total += stored(user.shape)
            elif user.opcode in ("broadcast", "reshape"):
                total += stored(value.shape)
            elif not shared and not (user.opcode == "dynamic-update-slice" and first):
                shared = True
                total += stored(value.shape)
        return total


def _parameters(home: Computation) -> list[Instruction]:
    """The parameters in the order of their numbers."""
    return sorted((i for i in home.instructions if i.opcode == "parameter"), key=lambda i: int(i.argument))


def _written(root: Instruction, inner: Computation) -> Shape:
    return inner.by_name[root.operands[1]].shape if root.opcode == "dynamic-update-slice" else root.shape


Rule = Callable[[Instruction, Sequence[Shape], Bytes], Sequence[int]]


def _scatter(_: Instruction, operands: Sequence[Shape], _all: Bytes) -> Sequence[int]:
    """Operands, then the indices, then as many updates."""
    number = len(operands) // 2
    return (3 * sum(map(stored, operands[number + 1 :])) + stored(operands[number]),)


def _transpose(i: Instruction, operands: Sequence[Shape], _all: Bytes) -> Sequence[int]:
    """Nothing when only the layout's name for the same bytes changes."""
    order, before = i.shape.minor_to_major, operands[0].minor_to_major
    dimensions = i.integers("dimensions")
    if order and tuple(dimensions[d] for d in order) == before:
        return ()
    return stored(i.shape), stored(operands[0])


_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(
        ["parameter", "constant", "get-tuple-element", "bitcast", "after-all", "domain", "add-dependency"],
        lambda i, operands, count: (),
    ),
    "tuple": lambda i, operands, count: (count.pointer * len(i.shape.parts),),  # it gathers pointers
    "slice": lambda i, operands, count: (2 * stored(i.shape),),
    # What is taken, twice, and the first indices.
    **dict.fromkeys(
        ["gather", "dynamic-slice"], lambda i, operands, count: (2 * stored(i.shape) + stored(operands[1]),)
    ),
    "dynamic-update-slice": lambda i, operands, count: (2 * stored(operands[1]) + stored(operands[2]),),
    "scatter": _scatter,
    "triangular-solve": lambda i, operands, count: (stored(i.shape), stored(operands[0]) // 2, stored(operands[1])),
    "cholesky": lambda i, operands, count: (stored(operands[0]),),
    **dict.fromkeys(
        ["all-reduce", "all-reduce-start"],
        lambda i, operands, count: (stored(i.shape) + sum(map(stored, operands)),),
    ),
    "infeed": lambda i, operands, count: (stored(i.shape),),
    "outfeed": lambda i, operands, count: tuple(map(stored, operands)),
    "transpose": _transpose,
}
