"""The program as XLA receives it: what is known of each value, and from which values it is made.

On the way to HLO the compiler simplifies the program before anything is counted (StableHLO's simplification and folding
passes): known values are computed, identities disappear, a slice of a concatenation reads only the parts it
needs, and what nobody needs any more is gone. A :class:`Node` is one value of that program; :mod:`symcost.tracing.lowering.dead`
finds the operations that are left. Each rewriting here has its row in ``tests/test_lowering.py``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symcost.rules.per_element import PART_BY_PART, READS_PARTS, SINCE_0_12_READS_PARTS
from symcost.tracing.lowering import fold
from symcost.tracing.lowering.fold import Content, is_number

Shape = tuple[int, ...]


class Node:
    """One value of the lowered program: the operation that makes it, what that reads, what is known of it."""

    __slots__ = ("args", "content", "mark", "op", "params", "record", "shape")

    def __init__(self, op: str, args: tuple[Node, ...] = (), shape: Shape = (), content: Content = None,
                 params: Any = None) -> None:  # fmt: skip
        self.op = op
        self.args = args
        self.shape = shape
        self.content = content
        self.params = params
        self.record: Any = None  # of the program as traced, whose operation this is
        self.mark: object = None  # of the last search that found it

    @property
    def number(self) -> Any:
        """The number that every element is known to be, or nothing."""
        return self.content if is_number(self.content) else None


class Constant(Node):
    """An array that the program holds: looked at when somebody asks."""

    __slots__ = ("_array", "_large", "_read")

    def __init__(self, array: Any) -> None:
        self._array, self._large, self._read = array, None, None
        super().__init__("constant", (), tuple(np.shape(array)))

    @property
    def content(self) -> Content:  # type: ignore[override]
        """What the array holds."""
        if self._array is not None:
            array, self._array = self._array, None
            self._read = fold.settled(array)
            self._large = array if self._read is fold.UNSEEN else None
        return self._read

    @content.setter
    def content(self, value: Content) -> None:
        self._read = value

    def part(self, cut: tuple[slice, ...]) -> Content:
        """What a part of an array holds that is too large to be looked into as a whole."""
        return self.content if self._large is None else fold.settled(np.asarray(self._large)[cut])


TAKE_PARTS = frozenset({"complex", *PART_BY_PART, *READS_PARTS, *SINCE_0_12_READS_PARTS})
"""Operations that put complex numbers together or take them apart."""

Build = Callable[["Lowering", Any, list[Node]], list[Node]]
BUILDERS: dict[str, Build] = {}


def builds(*names: str) -> Callable[[Build], Build]:
    """Register what a primitive becomes."""

    def register(function: Build) -> Build:
        BUILDERS.update(dict.fromkeys(names, function))
        return function

    return register


class Lowering:
    """Makes the nodes of one program; ``made`` are those of the equation at hand."""

    def __init__(self) -> None:
        self.made: list[Node] = []
        self.roots: list[Node] = []  # what stays whether anybody needs it or not
        self.calls = 0  # functions called so far: a loop or branch with a call stays, too
        self.partial: list[Node] = []  # slices of concatenations that need more than one part
        self.complexes: list[Node] = []  # operations that may be on complex numbers, in order
        self.numbers: list[Any] = []  # known operands that decide whether an equation stays, such as ``x*1``

    def node(self, op: str, args: Sequence[Node], shape: Shape, params: Any = None) -> Node:
        """A new operation."""
        made = Node(op, tuple(args), shape, None, params)
        self.made.append(made)
        if op in TAKE_PARTS:
            self.complexes.append(made)
        return made

    def known(self, content: Content, shape: Shape) -> Node:
        """A constant."""
        return Node("constant", (), shape, content)

    def apply(self, eqn: Any, ins: list[Node]) -> list[Node]:
        """What the results of an equation become."""
        self.made = []
        name = eqn.primitive.name
        build = BUILDERS.get(name)
        if build is not None:
            return build(self, eqn, ins)
        outs = eqn.outvars
        if len(outs) == 1:
            shape = getattr(outs[0].aval, "shape", ())
            if 0 < len(ins) <= 3 and (ins[0] is ins[-1] or any(node.content is not None for node in ins)):
                simple = self._simple(name, eqn, ins, shape)
                if simple is not None:
                    return [simple]
            return [self.node(name, ins, shape)]
        whole = self.node(name, ins, ())
        return [Node("result", (whole,), getattr(out.aval, "shape", ()), None, i) for i, out in enumerate(outs)]

    def _simple(self, name: str, eqn: Any, ins: list[Node], shape: Shape) -> Node | None:
        """An elementwise equation that is computed, or passes on an operand."""
        dtype = getattr(eqn.outvars[0].aval, "dtype", None)
        if not isinstance(dtype, np.dtype):
            return None
        contents = [node.content if node.shape == shape else node.number for node in ins]  # others are broadcast first
        if all(content is not None for content in contents):
            content = fold.folded(name, eqn.params, contents, shape, dtype)
            if content is not None:
                return self.known(content, shape)
        if len(ins) == 2:
            return self._pair(name, ins, contents, eqn.invars[0].aval.dtype, shape)
        return None

    def _pair(self, name: str, ins: list[Node], contents: list[Content], dtype: Any, shape: Shape) -> Node | None:
        """Two operands of which one decides, or which are one."""
        whole = dtype.kind in "biu"
        if ins[0] is ins[1] and whole:
            alike = {"sub": 0, "xor": 0, "eq": 1, "ge": 1, "le": 1, "ne": 0, "gt": 0, "lt": 0}.get(name)
            if alike is not None:
                kind = dtype if name in ("sub", "xor") else np.dtype(bool)
                return self.known(kind.type(alike), shape)
        if name in PASSED:
            self.numbers += [content for content in contents if is_number(content)]
            passed = fold.identity(name, contents, dtype)
            if passed is None and whole:
                passed = self._passed_integer(name, contents, dtype)
            if passed is not None:
                return self._spread(ins[passed], shape)
        return None

    def _spread(self, node: Node, shape: Shape) -> Node:
        """An operand that is passed on, repeated where the other one is larger: a move that is no equation's."""
        if node.shape != shape:
            node = self.broadcast(node, shape, tuple(range(len(node.shape))))
            self.made = []
        return node

    @staticmethod
    def _passed_integer(name: str, contents: list[Content], dtype: Any) -> int | None:
        """Which operand is the result, of integers and booleans: the other one, or the constant that swallows it."""
        for position, content in enumerate(contents):
            if not is_number(content):
                continue
            zero = not bool(content)
            ones = bool(content) if dtype.kind == "b" else int(content) == int(np.invert(dtype.type(0)))
            if (name == "or" and zero) or (name == "xor" and zero) or (name == "and" and ones):
                return 1 - position
            if (name == "mul" and zero) or (name == "and" and zero) or (name == "or" and ones):
                return position
            if dtype.kind == "b" and ((name == "ne" and zero) or (name == "eq" and not zero)):
                return 1 - position
        return None

    # -- moves -------------------------------------------------------------------------------------------------
    def reshape(self, node: Node, shape: Shape) -> Node:
        """The same elements in the same order in another shape."""
        if node.shape == shape:
            return node
        content = node.content
        if content is not None:
            whole = content is fold.UNSEEN or is_number(content)
            return self.known(content if whole else content.reshape(shape), shape)
        if node.op == "reshape":
            node = node.args[0]
            if node.shape == shape:
                return node
        return self.node("reshape", (node,), shape)

    def broadcast(self, node: Node, shape: Shape, dims: tuple[int, ...]) -> Node:
        """Elements repeated; a reshape where none is, a constant where all are one number."""
        if node.shape == shape and dims == tuple(range(len(shape))):
            return node
        if node.number is not None:
            return self.known(node.content, shape)
        if fold.elements(node.shape) == fold.elements(shape):
            if list(dims) == sorted(dims):
                return self.reshape(node, shape)
            if len(node.shape) == len(shape):
                return self.transpose(node, tuple(np.argsort(dims).tolist()), shape)
        return self.node("broadcast", (node,), shape)

    def transpose(self, node: Node, order: tuple[int, ...], shape: Shape) -> Node:
        """Dimensions in another order; a reshape where only dimensions of one move."""
        content = node.content
        if content is not None:
            whole = content is fold.UNSEEN or is_number(content)
            return self.known(content if whole else np.transpose(content, order), shape)
        if node.op == "transpose":
            order = tuple(node.params[axis] for axis in order)
            node = node.args[0]
        moved = [axis for axis in order if node.shape[axis] != 1]
        if moved == sorted(moved):
            return self.reshape(node, shape)
        return self.node("transpose", (node,), shape, order)

    def slice(self, node: Node, start: Shape, limit: Shape, stride: Shape, shape: Shape) -> Node:
        """A part: of a concatenation, a part of those of its parts that are in it."""
        if node.shape == shape:
            return node
        content = node.content
        if content is not None:
            cut = tuple(itertools.starmap(slice, zip(start, limit, stride, strict=True)))
            if content is fold.UNSEEN or is_number(content):
                return self.known(node.part(cut) if isinstance(node, Constant) else content, shape)
            return self.known(fold.settled(content[cut]), shape)
        if node.op == "concatenate":
            axis = node.params
            first, last, before = parts_read(node, start[axis], limit[axis])
            if last - first == 1:
                first_part, moved = node.args[first], (moved_back(start, axis, before), moved_back(limit, axis, before))
                return self.slice(first_part, *moved, stride, shape)
        made = self.node("slice", (node,), shape, (start, limit, stride))
        if node.op in ("concatenate", "slice"):
            self.partial.append(made)
        return made

    def concatenate(self, parts: Sequence[Node], axis: int, shape: Shape) -> Node:
        """Parts one after the other, sixteen at a time as jax writes them."""
        if len(parts) > WIDEST:
            groups = [parts[i : i + WIDEST] for i in range(0, len(parts), WIDEST)]
            return self.concatenate([self._joined(group, axis) for group in groups], axis, shape)
        return self._joined(parts, axis)

    def _joined(self, parts: Sequence[Node], axis: int) -> Node:
        shape = tuple(sum(p.shape[axis] for p in parts) if i == axis else d for i, d in enumerate(parts[0].shape))
        parts = [part for part in parts if part.shape[axis]] or parts[:1]
        if len(parts) == 1:
            return parts[0]
        contents = [part.content for part in parts]
        small = fold.elements(shape) <= fold.LIMIT
        if small and all(content is not None and content is not fold.UNSEEN for content in contents):
            whole = [np.broadcast_to(c, part.shape) for c, part in zip(contents, parts, strict=True)]
            return self.known(fold.settled(np.concatenate(whole, axis)), shape)
        return self.node("concatenate", parts, shape, axis)


PASSED = frozenset({"add", "add_any", "sub", "mul", "and", "or", "xor", "eq", "ne"})
WIDEST = 16


def moved_back(edge: Shape, axis: int, steps: int) -> Shape:
    """A corner of a slice, counted from a later place along an axis."""
    return tuple(v - steps if i == axis else v for i, v in enumerate(edge))


def parts_read(node: Node, start: int, limit: int) -> tuple[int, int, int]:
    """Which parts of a concatenation lie between two places: the first, the one after the last, and what is before."""
    first, last, before, place = len(node.args), len(node.args), 0, 0
    for index, part in enumerate(node.args):
        size = part.shape[node.params]
        if place + size > start and first == len(node.args):
            first, before = index, place
        if place < limit:
            last = index + 1
        place += size
    return first, last, before
