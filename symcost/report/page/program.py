"""Formulas as a program for the browser: one instruction for each distinct sub-expression, none of them twice.

Instructions are lists: ``["n", "3", "2"]`` is 3/2, ``["s", "d"]`` a symbol, ``["+", i, j, ...]``, ``["*", ...]``,
``["^", i, k]``, ``["floor", i]`` and the other functions refer to earlier instructions by number. ``["<=", i, j]`` is 1 where it
holds and else 0, and ``["if", i, j, k]`` is j where i is not 0 and else k. Nothing is text to be run: the page interprets
them in exact rationals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy

from symcost.errors import ExpressionError, SymcostError
from symcost.formulas.binary.digits import clog2, flog2
from symcost.formulas.binary.halves import SUMS
from symcost.formulas.binary.powers import isqrt, pow2

_FUNCTIONS: Mapping[type, str] = {
    sympy.floor: "floor", sympy.ceiling: "ceil", sympy.Max: "max", sympy.Min: "min", sympy.Mod: "mod",
    clog2: "clog2", flog2: "flog2", pow2: "pow2", isqrt: "isqrt",
    **{function: name for name, function in SUMS.items()},
}  # fmt: skip


_RELATIONS: Mapping[type, tuple[str, bool]] = {
    sympy.Lt: ("<", False), sympy.Gt: ("<", True), sympy.Le: ("<=", False), sympy.Ge: ("<=", True),
    sympy.Eq: ("==", False), sympy.Ne: ("!=", False),
}  # fmt: skip
"""Each by the page's own, and whether its sides are exchanged."""


class PageProgram:
    """Instructions that grow as formulas are added; ``point`` holds the symbols that have values already.

    >>> from symcost.formulas.symbols import parse
    >>> program = PageProgram({})
    >>> program.add(parse("d*floor(d/2)")), program.add(parse("floor(d/2)"))
    (4, 3)
    >>> program.instructions
    [['s', 'd'], ['n', '1', '2'], ['*', 1, 0], ['floor', 2], ['*', 0, 3]]
    >>> program.add(parse("Piecewise((d, d <= 4), (9, True))")), program.instructions[5:]
    (8, [['n', '4', '1'], ['<=', 0, 5], ['n', '9', '1'], ['if', 6, 0, 7]])
    """

    def __init__(self, point: Mapping[str, int]) -> None:
        self.point = point
        self.instructions: list[list[Any]] = []
        self._seen: dict[Any, int] = {}
        self._known: dict[tuple[Any, ...], int] = {}

    def add(self, expression: Any) -> int:
        """The number of the instruction that gives the expression's value."""
        return self._node(sympy.sympify(expression, strict=True))

    def _node(self, node: Any) -> int:
        if node not in self._seen:
            self._seen[node] = self._put(self._made(node))
        return self._seen[node]

    def _put(self, instruction: tuple[Any, ...]) -> int:
        if instruction not in self._known:
            self._known[instruction] = len(self.instructions)
            self.instructions.append(list(instruction))
        return self._known[instruction]

    def _made(self, node: Any) -> tuple[Any, ...]:
        if node.is_Symbol and node.name in self.point:
            return "n", str(self.point[node.name]), "1"
        if node.is_Symbol:
            return "s", node.name
        if node.is_Rational:
            return "n", str(node.p), str(node.q)
        if node.is_Pow and node.args[1].is_Integer:
            return "^", self._node(node.args[0]), int(node.args[1])
        if isinstance(node, sympy.Piecewise):
            return self._pieces(node.args)
        if node in (sympy.true, sympy.false):
            return "n", str(int(bool(node))), "1"
        if isinstance(node, sympy.And | sympy.Or):
            return "min" if isinstance(node, sympy.And) else "max", *map(self._node, node.args)
        if type(node) in _RELATIONS:
            name, exchanged = _RELATIONS[type(node)]
            return name, *map(self._node, node.args[::-1] if exchanged else node.args)
        name = "+" if node.is_Add else "*" if node.is_Mul else _FUNCTIONS.get(node.func)
        if name is None:
            raise ExpressionError(f"{node.func} is no function of the page: it has {', '.join(_FUNCTIONS.values())}")
        return name, *map(self._node, node.args)

    def _pieces(self, pieces: Sequence[Any]) -> tuple[Any, ...]:
        """The first piece where its condition holds, else what the others give."""
        (value, where), *others = pieces
        if not others and where != sympy.true:
            raise ExpressionError(f"a formula has no value where {where} does not hold: the page needs one everywhere")
        if not others:
            return self._made(value)
        here = self._node(where), self._node(value)
        return "if", *here, self._put(self._pieces(others))


def or_why(ask: Callable[[], Any]) -> Any:
    """What is asked for, or a text that says why there is none."""
    try:
        return ask()
    except SymcostError as problem:
        return str(problem)
