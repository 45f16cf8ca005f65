"""Conditions as text, such as ``d % H == 0`` or ``params <= 7_000_000 and L1 <= L2``, read and never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy

from symcost.errors import ExpressionError
from symcost.formulas.symbols import parse, syntax
from symcost.reading.numerals import short

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.LtE: "<=", ast.Lt: "<", ast.GtE: ">=", ast.Gt: ">", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
MAX_TEXT = 20_000


@dataclass(frozen=True)
class Compare:
    """Two expressions compared by one of ``<= < >= > == !=``."""

    op: str
    left: sympy.Expr
    right: sympy.Expr


@dataclass(frozen=True)
class Combined:
    """``and``, ``or`` or ``not`` of conditions."""

    op: str
    parts: tuple[Condition, ...]


Condition = Compare | Combined


def condition(text: str) -> Condition:
    """Read a condition: expressions of ``symcost.parse`` compared, joined by ``and``, ``or``, ``not``.

    >>> condition("64 <= d <= 1024")
    Combined(op='and', parts=(Compare(op='<=', left=64, right=d), Compare(op='<=', left=d, right=1024)))
    """
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise ExpressionError(f"the condition {short(text)} has {len(text)} characters: at most {MAX_TEXT} are read")
    try:
        return _convert(syntax(text, "a condition"), text)
    except RecursionError:
        raise ExpressionError(f"the condition {short(text)} is nested too deeply") from None


def _convert(node: ast.expr, text: str) -> Condition:
    match node:
        case ast.Compare(left=first, ops=ops, comparators=others) if all(type(op) in _COMPARISONS for op in ops):
            sides = [_side(side, text) for side in (first, *others)]
            parts = [Compare(_COMPARISONS[type(op)], a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False)]
            return parts[0] if len(parts) == 1 else Combined("and", tuple(parts))
        case ast.BoolOp(op=op, values=values):
            return Combined("and" if isinstance(op, ast.And) else "or", tuple(_convert(v, text) for v in values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Combined("not", (_convert(operand, text),))
    raise ExpressionError(
        f"cannot read {short(text)} as a condition: compare two expressions, as 'params <= 7_000_000' or 'd % H == 0'"
    )


def _side(node: ast.expr, text: str) -> Any:
    """A side as it is written, on one line: an error shows the user's own text."""
    return parse(" ".join((ast.get_source_segment(text, node) or ast.unparse(node)).split()))


def names(found: Condition) -> set[str]:
    """Names in a condition."""
    return {str(s) for compare in compares(found) for side in (compare.left, compare.right) for s in side.free_symbols}


def compares(found: Condition) -> Iterator[Compare]:
    """Every comparison in a condition."""
    if isinstance(found, Compare):
        yield found
    else:
        for part in found.parts:
            yield from compares(part)
