"""Which tensors are alive when a compiled program needs most memory: its schedule replayed, buffer by buffer.

Optimised programs print their instructions in the order of execution. A buffer lives from the instruction that makes it
to the last one that reads it. Arguments, constants and results have their own places and are left out: what remains is what a
compiler calls temporaries. Compilers also pack buffers, so their figure may be larger (gaps) or smaller (sharing that
the text does not show).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symcost.hlo.counting.bytes import stored
from symcost.hlo.counting.rules import ELEMENTWISE, TRANSCENDENTAL
from symcost.hlo.reading.ir import Computation, Instruction, Module
from symcost.hlo.reading.scopes import module_of
from symcost.hlo.reading.shapes import Shape

Tree = Any
"""A buffer, or a list of trees for a tuple."""


@dataclass(eq=False)
class Buffer:
    """Some bytes, made by an operation; ``kept`` ones are arguments, constants or results."""

    size: int
    op_name: str
    kept: bool = False
    last: int = -1


@dataclass(frozen=True)
class Heap:
    """The peak of temporaries in bytes, and the bytes alive there by module ("" where none is known)."""

    peak: int
    live: Mapping[str, int]


def replay(module: Module) -> Heap:
    """Replay a scheduled module; attribute it first for the modules' names."""
    peak, live = _Replay(module).run(module.entry, None)
    by_path: dict[str, int] = {}
    for buffer in live:
        path = module_of(buffer.op_name) or ""
        by_path[path] = by_path.get(path, 0) + buffer.size
    return Heap(peak, by_path)


class _Replay:
    def __init__(self, module: Module) -> None:
        self.module = module

    def run(self, home: Computation, arguments: Sequence[Tree] | None) -> tuple[int, tuple[Buffer, ...]]:
        """(peak, buffers alive there) of one computation; ``arguments`` are the trees of its parameters."""
        trees, begun = self._buffers(home, arguments)
        for buffer in _leaves(trees[home.root.name]):
            buffer.kept = True
        current, peak = 0, 0
        alive: dict[int, Buffer] = {}
        at_peak: tuple[Buffer, ...] = ()
        for position, i in enumerate(home.instructions):
            for buffer in begun.get(i.name, ()):
                if not buffer.kept:
                    alive[id(buffer)] = buffer
                    current += buffer.size
            inside, buffers = self._inside(i, trees)
            if current + inside > peak:
                peak, at_peak = current + inside, (*alive.values(), *buffers)
            for name in (*i.operands, i.name):
                for buffer in _leaves(trees[name]):
                    if buffer.last <= position and alive.pop(id(buffer), None) is not None:
                        current -= buffer.size
        return peak, at_peak

    def _buffers(
        self, home: Computation, arguments: Sequence[Tree] | None
    ) -> tuple[dict[str, Tree], dict[str, list[Buffer]]]:
        """The tree of every instruction, and the buffers that each one makes."""
        last_read: dict[str, int] = {}
        for position, i in enumerate(home.instructions):
            last_read.update(dict.fromkeys(i.operands, position))
        trees: dict[str, Tree] = {}
        begun: dict[str, list[Buffer]] = {}
        for position, i in enumerate(home.instructions):
            tree = self._tree(i, home, trees, arguments, position)
            trees[i.name] = tree
            old = {id(b) for name in i.operands for b in _leaves(trees[name])}
            begun[i.name] = [b for b in _leaves(tree) if id(b) not in old and b.last < 0]
            for buffer in _leaves(tree):
                buffer.last = max(buffer.last, position, last_read.get(i.name, position))
        return trees, begun

    def _tree(self, i: Instruction, home: Computation, trees: Mapping[str, Tree], arguments: Sequence[Tree] | None,
              position: int) -> Tree:  # fmt: skip
        inputs = [trees[name] for name in i.operands]
        if i.opcode == "parameter":
            return arguments[int(i.argument)] if arguments is not None else _new(i.shape, i.op_name, kept=True)
        if i.opcode == "constant":
            return _new(i.shape, i.op_name, kept=True)
        if i.opcode == "tuple":
            return inputs
        if i.opcode == "get-tuple-element":
            return inputs[0][i.integers("index")[0]]
        if i.opcode in ("bitcast", "opt-barrier", "add-dependency", "while") and inputs:
            return inputs[0]
        if i.opcode.endswith(("-done", "-update")) and isinstance(inputs[0], list):
            fitting = [part for part in inputs[0] if _size(part) == stored(i.shape)]
            return fitting[0] if fitting else inputs[0]
        if i.opcode in ("dynamic-update-slice", "scatter"):
            return inputs[0]
        if i.opcode == "fusion" and (written := self._in_place(i)) is not None:
            return inputs[written]
        if not i.shape.is_tuple and _elementwise(i):
            for name, tree in zip(i.operands, inputs, strict=True):
                same = isinstance(tree, Buffer) and not tree.kept and tree.size == stored(i.shape)
                if same and tree.last <= position and home.by_name[name].opcode != "get-tuple-element":
                    return tree
        return _new(i.shape, i.op_name)

    def _in_place(self, i: Instruction) -> int | None:
        """The operand that a fusion updates in place, if its root is an update of a parameter."""
        inner = self.module.computations[i.calls("calls")[0]]
        root = inner.root
        while root.opcode in ("bitcast", "copy", "convert") and root.operands:
            root = inner.by_name[root.operands[0]]
        if root.opcode not in ("dynamic-update-slice", "scatter"):
            return None
        base = inner.by_name[root.operands[0]]
        while base.opcode in ("bitcast", "copy", "convert"):
            base = inner.by_name[base.operands[0]]
        fits = base.opcode == "parameter" and stored(base.shape) == stored(i.shape)
        return int(base.argument) if fits else None

    def _inside(self, i: Instruction, trees: Mapping[str, Tree]) -> tuple[int, tuple[Buffer, ...]]:
        """What runs inside a loop, a call or a branch needs besides."""
        arguments = [_kept(trees[name]) for name in i.operands]
        if i.opcode == "conditional":
            runs = [(name, [tree]) for name, tree in zip(i.branches, arguments[1:], strict=False)]
        else:
            roles = {"while": ("body", "condition"), "call": ("to_apply",)}.get(i.opcode, ())
            runs = [(name, arguments) for role in roles for name in i.calls(role)]
        inner = [self.run(self.module.computations[name], own) for name, own in runs]
        return max(inner, key=lambda needed: needed[0], default=(0, ()))


def _elementwise(i: Instruction) -> bool:
    """Whether a result may take the place of an operand of its size."""
    kind = i.attributes.get("kind") if i.opcode == "fusion" else None
    return i.opcode in ELEMENTWISE or i.opcode in TRANSCENDENTAL or kind == "kLoop"


def _new(shape: Shape, op_name: str, kept: bool = False) -> Tree:
    if shape.is_tuple:
        return [_new(part, op_name, kept) for part in shape.parts]
    return Buffer(stored(shape), op_name, kept)


def _kept(tree: Tree) -> Tree:
    """The same sizes as places that someone else looks after."""
    return [_kept(part) for part in tree] if isinstance(tree, list) else Buffer(tree.size, tree.op_name, kept=True)


def _leaves(tree: Tree) -> Iterator[Buffer]:
    if isinstance(tree, list):
        for part in tree:
            yield from _leaves(part)
    else:
        yield tree


def _size(tree: Tree) -> int:
    return sum(buffer.size for buffer in _leaves(tree))
