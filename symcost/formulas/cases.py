"""``Piecewise`` in a text: pairs of a value and a condition, read and never run."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import sympy

from symcost.errors import ExpressionError
from symcost.formulas.extent import Extent, largest
from symcost.formulas.relations import RELATIONS, SIGNS
from symcost.reading.numerals import short

Read = Callable[[ast.expr], tuple[Any, Extent]]


def piecewise(cases: list[ast.expr], read: Read, shown: Callable[[], str]) -> tuple[Any, Extent]:
    """The value of the first condition that holds; the last condition is ``True``.

    Raises:
        ExpressionError: where a case is no pair, or its condition none.
    """
    pairs, sizes = [], []
    for case in cases:
        match case:
            case ast.Tuple(elts=[value, condition]):
                expression, size = read(value)
                pairs.append((expression, _condition(condition, read, shown)))
                sizes.append(size)
            case _:
                raise ExpressionError(f"Piecewise in {shown()} takes pairs, as Piecewise((n, n > 4), (4, True))")
    return sympy.Piecewise(*pairs), largest(sizes)


def _condition(node: ast.expr, read: Read, shown: Callable[[], str]) -> Any:
    """Comparisons, ``Eq``, ``Ne``, ``&``, ``|``, ``~``, True and False."""
    match node:
        case ast.Constant(value=bool() as value):
            return sympy.true if value else sympy.false
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in SIGNS:
            return RELATIONS[SIGNS[type(op)]][1](read(left)[0], read(right)[0])
        case ast.Call(func=ast.Name(id="Eq" | "Ne" as name), args=[left, right], keywords=[]):
            return RELATIONS["==" if name == "Eq" else "!="][1](read(left)[0], read(right)[0])
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr() as op, left=left, right=right):
            sides = _condition(left, read, shown), _condition(right, read, shown)
            return sympy.And(*sides) if isinstance(op, ast.BitAnd) else sympy.Or(*sides)
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            return sympy.Not(_condition(operand, read, shown))
    raise ExpressionError(f"cannot read {short(ast.unparse(node))} in {shown()} as a condition of Piecewise")
