"""Formulas as a graph of operations on integers, in which equal parts are one node.

Every node knows the axes it depends on, so that it is evaluated once for each combination of those axes and no more.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symcost.formulas.binary.digits import ceil_log2


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """An operation on nodes; ``value`` is a constant's value or an axis' position, ``axes`` a bit mask of positions."""

    op: str
    args: tuple[Node, ...]
    value: Any
    axes: int
    index: int

    def __repr__(self) -> str:
        if self.op in ("constant", "axis"):
            return f"{self.op}({self.value})"
        return f"{self.op}({', '.join(map(repr, self.args))})"


def _floor_log2(value: int) -> int:
    return value.bit_length() - 1


APPLY: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "div": lambda a, b: Fraction(a) / b,
    "floor": math.floor,
    "ceil": math.ceil,
    "max": max,
    "min": min,
    "clog2": ceil_log2,
    "flog2": _floor_log2,
    "isqrt": math.isqrt,
    "le": operator.le,
    "lt": operator.lt,
    "eq": operator.eq,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": operator.not_,
    "select": lambda condition, a, b: a if condition else b,
}
"""What every operation does to Python's integers: the meaning that all engines share.

``div`` is the exact quotient; ``floor`` and ``ceil`` of one stand where quotients are left apart, which no engine runs."""
LOGICAL = {"le", "lt", "eq", "and", "or", "not"}
"""Operations whose result is true or false."""
NEUTRAL = {"add": 0, "mul": 1, "and": True, "or": False}
_COMMUTATIVE = {"add", "mul", "max", "min", "eq", "and", "or"}


class Graph:
    """Makes nodes, each once; constants are folded and neutral elements vanish.

    >>> graph = Graph()
    >>> x = graph.axis(0)
    >>> graph.apply("add", x, graph.constant(0)) is x, graph.apply("mul", x, x) is graph.apply("mul", x, x)
    (True, True)
    """

    def __init__(self, lengths: Sequence[int] = ()) -> None:
        self.lengths = tuple(lengths)
        """Number of values of every axis, from the outermost to the innermost."""
        self.nodes: list[Node] = []
        self._known: dict[tuple[Any, ...], Node] = {}

    def _node(self, op: str, args: tuple[Node, ...], value: Any, axes: int) -> Node:
        key = (op, type(value), value, *(a.index for a in args))
        node = self._known.get(key)
        if node is None:
            node = self._known[key] = Node(op, args, value, axes, len(self.nodes))
            self.nodes.append(node)
        return node

    def constant(self, value: Any) -> Node:
        """An integer, a fraction or a truth value."""
        return self._node("constant", (), value, 0)

    def axis(self, position: int) -> Node:
        """The value of the axis at a position of the evaluation's order."""
        return self._node("axis", (), position, 1 << position)

    def apply(self, op: str, *args: Node) -> Node:
        """The node of an operation."""
        if all(a.op == "constant" for a in args):
            return self.constant(APPLY[op](*(a.value for a in args)))
        if op in _COMMUTATIVE and args[0].index > args[1].index:
            args = args[::-1]
        short = _shortened(op, args)
        if short is not None:
            return short
        axes = 0
        for a in args:
            axes |= a.axes
        return self._node(op, args, None, axes)

    def size(self, axes: int) -> int:
        """Number of combinations of the axes in a mask."""
        return math.prod(self.lengths[p] for p in positions(axes)) if self.lengths else axes.bit_count()

    def chain(self, op: str, parts: Iterable[Node]) -> Node:
        """``add``, ``mul``, ``max``, ``min``, ``and`` or ``or`` of many nodes.

        Parts of the same axes are joined first, then always the two that leave the smallest sub-grid: of a long sum,
        one operation is left for each combination of all axes.
        """
        waiting: dict[int, Node] = {}
        for part in sorted(parts, key=lambda n: n.index):
            known = waiting.get(part.axes)
            waiting[part.axes] = part if known is None else self.apply(op, known, part)
        left = [waiting[axes] for axes in sorted(waiting)]
        if not left:
            return self.constant(NEUTRAL[op])
        while len(left) > 1:
            pairs = ((self.size(a.axes | b.axes), i, j) for j, b in enumerate(left) for i, a in enumerate(left[:j]))
            _, i, j = min(pairs)
            joined = self.apply(op, left[i], left[j])
            left = [*left[:i], *left[i + 1 : j], *left[j + 1 :], joined]
        return left[0]


def _shortened(op: str, args: tuple[Node, ...]) -> Node | None:
    """What an operation with a neutral or deciding constant comes to."""
    if op == "select":
        condition, a, b = args
        if condition.op == "constant":
            return a if condition.value else b
        return a if a is b else None
    if op == "not":
        return None
    if op in ("and", "or", "max", "min") and args[0] is args[1]:
        return args[0]
    for constant, other in (args, args[::-1]) if len(args) == 2 else ():
        if constant.op != "constant":
            continue
        value, first = constant.value, constant is args[0]
        if op == "add" and value == 0:
            return other
        if op == "mul" and value in (0, 1):
            return constant if value == 0 else other
        if not first and ((op == "sub" and value == 0) or (op in ("floordiv", "div") and value == 1)):
            return other
        if op == "and":
            return other if value else constant
        if op == "or":
            return constant if value else other
    return None


def cone(roots: Iterable[Node], stops: Container[int] = ()) -> list[Node]:
    """Every node that the roots need, arguments before what uses them; not what only the ``stops`` need."""
    seen: dict[int, Node] = {}
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node.index not in seen:
            seen[node.index] = node
            stack.extend(() if node.index in stops else node.args)
    return [seen[index] for index in sorted(seen)]


def last_uses(nodes: Iterable[Node], roots: Iterable[Node]) -> dict[int, list[int]]:
    """By node, the nodes whose values nobody needs after it: memory stays small when they are dropped then."""
    kept, last = {root.index for root in roots}, dict[int, int]()
    for node in nodes:
        for a in node.args:
            last[a.index] = node.index
    dropped: dict[int, list[int]] = {}
    for index, user in last.items():
        if index not in kept:
            dropped.setdefault(user, []).append(index)
    return dropped


def positions(axes: int) -> Iterator[int]:
    """Positions of the axes in a mask."""
    while axes:
        low = axes & -axes
        yield low.bit_length() - 1
        axes ^= low
