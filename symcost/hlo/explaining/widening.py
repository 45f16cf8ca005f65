"""Collectives of numbers that a compiler made wider: CPUs exchange bfloat16 as float32, with twice the bytes.

The text shows it: what arrives is first of all rounded to the narrower type (or what is sent was just converted from it), by
conversions that are the compiler's own. Those of a program bear the name of JAX's operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from symcost.hlo.counting.bytes import SIZES, stored
from symcost.hlo.reading.ir import Computation, Instruction, Module
from symcost.hlo.reading.shapes import Shape

NAMES = {"bf16": "bfloat16", "f16": "float16", "f32": "float32"}
OWN = "convert_element_type"
"""The conversions that a program asks for."""
PASSING = frozenset({"bitcast", "copy", "reshape", "transpose", "slice", "dynamic-slice", "concatenate", "broadcast",
                     "all-gather", "all-to-all", "collective-permute", "collective-broadcast", "reduce-scatter",
                     "all-reduce", "all-reduce-done", "all-gather-done", "collective-permute-done"})  # fmt: skip
"""What hands numbers on as they are, or as the same collective's sums."""
Place = tuple[Computation, Instruction]


@dataclass
class Widening:
    """Of the collectives of one module, the bytes that only widening adds. ``result``: what one leaves on a device."""

    module: Module
    result: Callable[[Instruction], Shape]

    def of(self, i: Instruction, home: Computation) -> dict[str, int]:
        """Bytes of a collective's results beyond those of the numbers that the program exchanges, by what was widened."""
        whole = self.result(i)
        parts: Sequence[Shape] = whole.parts if whole.is_tuple else (whole,)
        widened: dict[str, int] = {}
        for k, part in enumerate(parts):
            narrow = self._narrower(part, i, k if whole.is_tuple else None, home)
            if narrow is not None:
                name = f"widened from {NAMES.get(narrow, narrow)} to {NAMES[part.dtype]}"
                widened[name] = widened.get(name, 0) + stored(part) - SIZES.get(narrow, 1) * part.elements
        return widened

    def _narrower(self, part: Shape, i: Instruction, index: int | None, home: Computation) -> str | None:
        """The type that a part of a result has in the program, if that is a narrower one."""
        if part.is_tuple or part.dtype not in NAMES:
            return None
        narrow = _agreed([self._rounded(place) for place in self._readers(i, index, home)])
        if narrow is None:
            sent = i.operands[min(index or 0, len(i.operands) - 1)]
            narrow = self._converted(home.by_name[sent], home)
        return narrow if narrow is not None and SIZES.get(narrow, 1) < SIZES[part.dtype] else None

    def _readers(self, i: Instruction, index: int | None, home: Computation) -> Iterator[Place]:
        """Who reads a part of a result, through what only picks it."""
        for user in home.users[i.name]:
            picked = user.opcode == "get-tuple-element"
            if index is not None and picked and user.integers("index")[0] != index:
                continue
            if picked or user.opcode.endswith("-done"):
                yield from self._readers(user, index if not picked and user.shape.is_tuple else None, home)
            elif user.opcode == "fusion":
                inner = self.module.computations[user.calls("calls")[0]]
                for number, name in enumerate(user.operands):
                    if name == i.name:
                        yield from self._readers(_parameter(inner, number), None, inner)
            else:
                yield home, user

    def _rounded(self, place: Place) -> str | None:
        """The narrower type that a reader first of all rounds to."""
        home, i = place
        if i.opcode == "convert":
            return i.shape.dtype if not i.op_name.endswith(OWN) else None
        if i.opcode in PASSING and i is not home.root:
            return _agreed([self._rounded(reader) for reader in self._readers(i, None, home)])
        return None

    def _converted(self, i: Instruction, home: Computation) -> str | None:
        """The narrower type that what is sent was just converted from."""
        while i.opcode in ("bitcast", "copy", "reshape", "transpose"):
            i = home.by_name[i.operands[0]]
        if i.opcode == "fusion":
            inner = self.module.computations[i.calls("calls")[0]]
            return self._converted(inner.root, inner)
        if i.opcode != "convert" or i.op_name.endswith(OWN):
            return None
        return home.by_name[i.operands[0]].shape.dtype


def _parameter(home: Computation, number: int) -> Instruction:
    return next(i for i in home.instructions if i.opcode == "parameter" and int(i.argument) == number)


def _agreed(types: Sequence[str | None]) -> str | None:
    """The one type of all, if there are any."""
    return types[0] if types and len(set(types)) == 1 else None
