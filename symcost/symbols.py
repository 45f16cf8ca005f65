"""Symbols of the hyper-parameters, the safe expression parser, and exact evaluation.

Everything is exact: integers and rationals only. Text is read through a whitelist of syntax nodes and never run.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import sympy
from sympy.core.relational import Relational

from symcost.errors import ExpressionError

Exact = int | Fraction


def _exact_log2(argument: sympy.Expr, ceil: bool) -> sympy.Integer | None:
    if not argument.is_Integer:
        return None
    if argument <= 0:
        raise ExpressionError(f"the logarithm of {argument} has no value: sizes are positive integers")
    return sympy.Integer(ceil_log2(int(argument)) if ceil else int(argument).bit_length() - 1)


class clog2(sympy.Function):
    """``ceil(log2(x))``, exact on positive integers: the rounds of a sort of ``x`` items."""

    nargs = 1

    @classmethod
    def eval(cls, argument: sympy.Expr) -> sympy.Integer | None:
        """Value at an integer, nothing otherwise."""
        return _exact_log2(argument, ceil=True)


class flog2(sympy.Function):
    """``floor(log2(x))``, exact on positive integers: the stages of a transform of length ``x``."""

    nargs = 1

    @classmethod
    def eval(cls, argument: sympy.Expr) -> sympy.Integer | None:
        """Value at an integer, nothing otherwise."""
        return _exact_log2(argument, ceil=False)


def integer(value: Any) -> int | None:
    """An integer of Python, numpy or sympy as Python's; None for anything else, flags too.

    >>> integer(sympy.Integer(3)), integer(True), integer(2.0)
    (3, None, None)
    """
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def ceil_log2(value: int) -> int:
    """Smallest ``k`` with ``2**k >= value``, by integer arithmetic.

    >>> ceil_log2(1), ceil_log2(8), ceil_log2(9)
    (0, 3, 4)
    """
    return (value - 1).bit_length()


@cache
def symbol(name: str) -> sympy.Symbol:
    """The positive-integer symbol of that name.

    >>> symbol("n").is_positive
    True
    """
    if not name.isidentifier():
        raise ExpressionError(f"{name!r} is not a name for a symbol: use letters, digits and _")
    return sympy.Symbol(name, positive=True, integer=True)


def symbols(names: str) -> tuple[sympy.Symbol, ...]:
    """Positive-integer symbols from names separated by spaces or commas.

    >>> n, h = symbols("n h")
    >>> n * h
    h*n
    """
    return tuple(symbol(name) for name in names.replace(",", " ").split())


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "floor": sympy.floor,
    "ceiling": sympy.ceiling,
    "Max": sympy.Max,
    "Min": sympy.Min,
    "Mod": sympy.Mod,
    "clog2": clog2,
    "flog2": flog2,
}
_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: sympy.floor(a / b),
    ast.Mod: lambda a, b: sympy.Mod(a, b),
}
_MAX_TEXT = 2_000_000
_MAX_EXPONENT = 64
_LONG = 4000
_SUM = re.compile(r"[()]| [+-] ")


def parse(text: str) -> sympy.Expr:
    """Read an expression: integers, names, ``+ - * / // % **``, ``floor ceiling Max Min Mod clog2 flog2``.

    Only these syntax nodes exist; anything else (attributes, calls of other names, strings) is refused, and the
    text is never evaluated. Exponents are integers up to 64.

    >>> parse("12*L*d**2 + floor(r/32)")
    12*L*d**2 + floor(r/32)
    """
    if len(text) > _MAX_TEXT:
        raise ExpressionError(f"the expression has {len(text)} characters: at most {_MAX_TEXT} are read")
    parts = [_read(part, text) for part in _pieces(text)]
    return parts[0] if len(parts) == 1 else sympy.Add(*parts)


def _pieces(text: str) -> list[str]:
    """A long sum in pieces of some terms each: Python's own parser nests a sum as deep as it is long, and gives up."""
    if len(text) < _LONG:
        return [text]
    cuts, depth = [0], 0
    for found in _SUM.finditer(text):
        depth += {"(": 1, ")": -1}.get(found.group(), 0)
        if depth == 0 and found.group() in (" + ", " - ") and found.start() - cuts[-1] > _LONG // 2:
            cuts.append(found.start())
    return [text[start:end] for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True)]


def _read(piece: str, text: str) -> sympy.Expr:
    try:
        tree = ast.parse(piece.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        raise ExpressionError(f"cannot read {_short(text)} as an expression: {problem.args[0]}") from None
    try:
        return sympy.sympify(_convert(tree.body, text), strict=True)
    except ZeroDivisionError:
        raise ExpressionError(f"{_short(text)} divides by zero") from None
    except RecursionError:
        raise ExpressionError(f"{_short(text)} is nested too deeply") from None


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _convert(node: ast.expr, text: str) -> Any:
    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            return sympy.Integer(value)
        case ast.Constant(value=float() as value) if math.isfinite(value):
            raise ExpressionError(
                f"cannot read {_short(text)}: {value} is a decimal number; write it exactly, as {Fraction(str(value))}"
            )
        case ast.Name(id=name):
            return symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_convert(operand, text)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _convert(operand, text)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            exponent = _convert(right, text)
            if not exponent.is_Integer or abs(exponent) > _MAX_EXPONENT:
                raise ExpressionError(
                    f"the exponent {exponent} in {_short(text)} must be an integer of at most {_MAX_EXPONENT}"
                )
            base = _convert(left, text)
            if base == 0 and exponent < 0:
                raise ExpressionError(f"{_short(text)} divides by zero")
            return base**exponent
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return sympy.Add(*_terms(node, text))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            a, b = _convert(left, text), _convert(right, text)
            if b == 0 and isinstance(op, ast.Div | ast.FloorDiv | ast.Mod):
                raise ExpressionError(f"{_short(text)} divides by zero")
            return _OPERATORS[type(op)](a, b)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            values = [_convert(argument, text) for argument in arguments]
            if name in ("Max", "Min"):
                if not values:
                    raise ExpressionError(f"{name} in {_short(text)} has nothing in it: give it two")
                return _FUNCTIONS[name](*values, evaluate=all(v.is_Integer for v in values))
            try:
                return _FUNCTIONS[name](*values)
            except TypeError:
                raise ExpressionError(f"{name} in {_short(text)} takes another number of arguments") from None
    raise ExpressionError(
        f"cannot read {_short(ast.unparse(node))} in {_short(text)}: an expression has integers, names, "
        f"+ - * / // % ** and {', '.join(_FUNCTIONS)}"
    )


def _terms(node: ast.expr, text: str) -> list[Any]:
    """The terms of a sum, however many: text nests them to the left, and adding one by one would be quadratic."""
    found = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        term = _convert(node.right, text)
        found.append(term if isinstance(node.op, ast.Add) else -term)
        node = node.left
    return [_convert(node, text), *reversed(found)]


def evaluate(expression: sympy.Expr | int, at: Mapping[str, int]) -> Exact:
    """Exact value of an expression at integers, by Python integers and fractions only.

    >>> evaluate(parse("n*floor(r/32) + d/2"), {"n": 2, "r": 65, "d": 3})
    Fraction(11, 2)
    """
    return Evaluator(at)(sympy.sympify(expression, strict=True))


class Evaluator:
    """One point, with every node's value remembered: shared sub-expressions are computed once."""

    def __init__(self, at: Mapping[str, int]) -> None:
        self.at = at
        self.seen: dict[sympy.Basic, Exact] = {}

    def __call__(self, node: Any) -> Exact:
        """The exact value of a node."""
        value = self.seen.get(node)
        if value is None:
            value = self._compute(node)
            if isinstance(value, Fraction) and value.denominator == 1:
                value = value.numerator
            self.seen[node] = value
        return value

    def _compute(self, node: Any) -> Exact:
        if node.is_Integer:
            return int(node)
        if node.is_Symbol:
            try:
                return self.at[node.name]
            except KeyError:
                known = ", ".join(self.at) or "none"
                raise ExpressionError(f"no value for the symbol {node.name}: values are given for {known}") from None
        if node.is_Rational:
            return Fraction(int(node.p), int(node.q))
        if node.is_Add:
            return sum((self(a) for a in node.args), start=0)
        if node.is_Mul:
            return math.prod((self(a) for a in node.args), start=1)
        if node.is_Pow:
            base, exponent = self(node.args[0]), self(node.args[1])
            if not isinstance(exponent, int):
                raise ExpressionError(f"{node} has no exact value: the exponent {exponent} is not an integer")
            if exponent >= 0:
                return base**exponent
            if base == 0:
                raise ExpressionError(f"{node} divides by zero")
            return Fraction(1) / Fraction(base) ** -exponent
        return self._function(node)

    def _function(self, node: Any) -> Exact:
        if isinstance(node, sympy.Piecewise):
            cases: Any = node.args
            for value, condition in cases:
                if self._holds(condition):
                    return self(value)
            raise ExpressionError(f"{node} has no value at this point: no condition holds")
        values = [self(a) for a in node.args]
        if isinstance(node, sympy.floor):
            return math.floor(values[0])
        if isinstance(node, sympy.ceiling):
            return math.ceil(values[0])
        if isinstance(node, sympy.Max):
            return max(values)
        if isinstance(node, sympy.Min):
            return min(values)
        if isinstance(node, sympy.Mod):
            return values[0] % values[1]
        if isinstance(node, clog2 | flog2):
            argument = int(values[0])
            return ceil_log2(argument) if isinstance(node, clog2) else argument.bit_length() - 1
        raise ExpressionError(f"{node.func} has no exact evaluation: use {', '.join(_FUNCTIONS)}")

    def _holds(self, condition: Any) -> bool:
        if condition in (True, False, sympy.true, sympy.false):
            return bool(condition)
        if isinstance(condition, sympy.And):
            return all(self._holds(c) for c in condition.args)
        if isinstance(condition, sympy.Or):
            return any(self._holds(c) for c in condition.args)
        if isinstance(condition, sympy.Not):
            return not self._holds(condition.args[0])
        if isinstance(condition, Relational):
            relation: Any = condition
            left, right = self(condition.lhs), self(condition.rhs)
            return bool(
                {
                    "==": left == right, "!=": left != right, "<": left < right,
                    "<=": left <= right, ">": left > right, ">=": left >= right,
                }[relation.rel_op]
            )  # fmt: skip
        raise ExpressionError(f"the condition {condition} cannot be decided exactly")
