"""Symbols of the hyper-parameters, the safe expression parser, and exact evaluation.

Everything is exact: integers and rationals only. Text is read through a whitelist of syntax nodes and never run.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import sympy
from sympy.core.relational import Relational

from symcost.errors import ExpressionError
from symcost.formulas.binary.digits import clog2, flog2, log2
from symcost.formulas.binary.halves import SUMS, odd_halves, odd_sum
from symcost.formulas.binary.powers import isqrt, pow2, root, two_to
from symcost.formulas.cases import piecewise
from symcost.formulas.extent import (
    SYMBOL_BITS,
    Exact,
    Extent,
    is_large,
    largest,
    of_number,
    power,
    product,
    summed,
    total,
)
from symcost.formulas.relations import RELATIONS
from symcost.reading.given import checked, formula
from symcost.reading.numerals import MAX_BITS, MAX_DIGITS, short


def integer(value: Any) -> int | None:
    """An integer of Python, numpy or sympy as Python's; None for anything else, flags too.

    >>> integer(sympy.Integer(3)), integer(True), integer(2.0)
    (3, None, None)
    """
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


@cache
def symbol(name: str) -> sympy.Symbol:
    """The positive-integer symbol of that name.

    >>> symbol("n").is_positive
    True
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ExpressionError(f"{short(name)} is not a name for a symbol: use letters, digits and _")
    return sympy.Symbol(name, positive=True, integer=True)


@checked
def symbols(names: str) -> tuple[sympy.Symbol, ...]:
    """Positive-integer symbols from names separated by spaces or commas.

    Raises:
        ExpressionError: where a name is none of letters, digits and ``_``.

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
    "pow2": pow2,
    "isqrt": isqrt,
    **SUMS,
}
_MAX_TEXT = 2_000_000
_MAX_EXPONENT = 64
_LONG = 4000
_SUM = re.compile(r"[()]| [+-] ")
_DIGITS = re.compile(r"[0-9][0-9_]*")


def parse(text: str) -> sympy.Expr:
    """Read an expression: integers, names, ``+ - * / // % **``, ``floor ceiling Max Min Mod`` and functions of binary digits.

    Those are ``clog2 flog2 pow2 isqrt odd_halves popcount``. Only these syntax nodes exist; anything else (attributes, calls
    of other names, strings) is refused, and the
    text is never evaluated. Exponents are integers up to 64, and no number in it may become larger than 2**8192, as
    ``(9**64)**64`` would: that is known before it is computed.

    Raises:
        ExpressionError: where the text is no such expression, divides by zero, or would become too large.

    >>> parse("12*L*d**2 + floor(r/32)")
    12*L*d**2 + floor(r/32)
    """
    if not isinstance(text, str):
        raise ExpressionError(f"{short(text)} is no text: write an expression, as '12*L*d**2'")
    if len(text) > _MAX_TEXT:
        raise ExpressionError(f"the expression has {len(text)} characters: at most {_MAX_TEXT} are read")
    longest = max((len(found) for found in _DIGITS.findall(text)), default=0)
    if longest > MAX_DIGITS:
        raise ExpressionError(f"{short(text)} has an integer of {longest} digits: at most {MAX_DIGITS} are read")
    return Reader(text).read()


def _pieces(text: str) -> list[str]:
    """A long sum in pieces of some terms each: Python's own parser nests a sum as deep as it is long, and gives up."""
    if len(text) < _LONG:
        return [text]
    cuts, depth = [0], 0
    for token in _SUM.finditer(text):
        depth += {"(": 1, ")": -1}.get(token.group(), 0)
        if depth == 0 and token.group() in (" + ", " - ") and token.start() - cuts[-1] > _LONG // 2:
            cuts.append(token.start())
    return [text[start:end] for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True)]


def syntax(text: str, what: str = "an expression", shown: str | None = None) -> ast.expr:
    """The syntax of a text, which is never run; one nested too deeply for Python's own parser is an error too.

    ``shown`` stands for the text in errors, ``what`` is what it should be.
    """
    shown = short(text) if shown is None else shown
    try:
        return ast.parse(text, mode="eval").body
    except (RecursionError, MemoryError):
        raise ExpressionError(f"{shown} is nested too deeply") from None
    except (SyntaxError, ValueError) as problem:
        raise ExpressionError(f"cannot read {shown} as {what}: {problem.args[0]}") from None


Sized = tuple[Any, Extent]
"""An expression and how large it is."""


def _reciprocal(value: Any, size: Extent) -> Extent:
    """How large ``1/value`` is: what its numbers are multiplied with comes to stand below."""
    return Extent(size.bits, abs(int(value.as_coeff_Mul()[0].p)), size.terms)


@dataclass(frozen=True)
class Reader:
    """One text; what it becomes is measured before it is made."""

    text: str

    def read(self, node: ast.expr | None = None) -> sympy.Expr:
        """The expression of the text, or of its syntax where that is known."""
        try:
            pieces = _pieces(self.text) if node is None else ()
            nodes = [node] if node else [syntax(piece.strip(), shown=self.shown()) for piece in pieces]
            parts = [self.sized(node) for node in nodes]
            summed((size for _, size in parts), self.shown)
            return sympy.Add(*(part for part, _ in parts)) if len(parts) > 1 else parts[0][0]
        except ZeroDivisionError:
            raise ExpressionError(f"{self.shown()} divides by zero") from None
        except (RecursionError, MemoryError):
            raise ExpressionError(f"{self.shown()} is nested too deeply") from None

    def shown(self) -> str:
        """The text in an error."""
        return short(self.text)

    def sized(self, node: ast.expr) -> Sized:
        """What a part of it becomes."""
        match node:
            case ast.Constant(value=int() as value) if not isinstance(value, bool):
                return sympy.Integer(value), of_number(value).checked(self.shown)
            case ast.Constant(value=float() as value) if math.isfinite(value):
                raise ExpressionError(
                    f"cannot read {self.shown()}: {value} is a decimal number; write it exactly, as {Fraction(str(value))}"
                )
            case ast.Name(id=name):
                return symbol(name), Extent(SYMBOL_BITS)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value, size = self.sized(operand)
                return -value, size
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.sized(operand)
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                return self._power(self.sized(left), self.sized(right)[0])
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                terms = self._terms(node)
                return sympy.Add(*(term for term, _ in terms)), summed((size for _, size in terms), self.shown)
            case ast.BinOp(op=ast.Mult() | ast.Div() | ast.FloorDiv() | ast.Mod() as op, left=left, right=right):
                return self._product(op, self.sized(left), self.sized(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
                return self._function(name, [self.sized(argument) for argument in arguments])
            case ast.Call(func=ast.Name(id="Piecewise"), args=[_, *_] as cases, keywords=[]):
                return piecewise(cases, self.sized, self.shown)
        raise ExpressionError(
            f"cannot read {short(ast.unparse(node))} in {self.shown()}: an expression has integers, names, "
            f"+ - * / // % ** and {', '.join(_FUNCTIONS)}"
        )

    def _power(self, base: Sized, exponent: Any) -> Sized:
        if not exponent.is_Integer or abs(exponent) > _MAX_EXPONENT:
            raise ExpressionError(
                f"the exponent {exponent} in {self.shown()} must be an integer of at most {_MAX_EXPONENT}"
            )
        if base[0] == 0 and exponent < 0:
            raise ZeroDivisionError
        size = base[1].to(abs(int(exponent)), self.shown)
        value = base[0] ** abs(exponent)
        return (value, size) if exponent >= 0 else (1 / value, _reciprocal(value, size))

    def _product(self, op: ast.operator, left: Sized, right: Sized) -> Sized:
        (a, _), (b, _) = left, right
        if isinstance(op, ast.Mult):
            size = left[1].times(right[1], self.shown)
            return a * b, size
        if b == 0:
            raise ZeroDivisionError
        size = left[1].times(_reciprocal(*right), self.shown)
        if isinstance(op, ast.Div):
            return a / b, size
        return (sympy.floor(a / b) if isinstance(op, ast.FloorDiv) else sympy.Mod(a, b)), size.inside()

    def _function(self, name: str, arguments: list[Sized]) -> Sized:
        values, size = [value for value, _ in arguments], largest(size for _, size in arguments)
        if name in ("Max", "Min"):
            if not values:
                raise ExpressionError(f"{name} in {self.shown()} has nothing in it: give it two")
            return _FUNCTIONS[name](*values, evaluate=all(v.is_Rational for v in values)), size
        try:
            return _FUNCTIONS[name](*values), size
        except TypeError:
            raise ExpressionError(f"{name} in {self.shown()} takes another number of arguments") from None

    def _terms(self, node: ast.expr) -> list[Sized]:
        """The terms of a sum, however many: text nests them to the left, and adding one by one would be quadratic."""
        found = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            term, size = self.sized(node.right)
            found.append((term if isinstance(node.op, ast.Add) else -term, size))
            node = node.left
        return [self.sized(node), *reversed(found)]


@checked
def evaluate(expression: sympy.Expr | int, at: Mapping[str, int]) -> Exact:
    """Exact value of an expression at integers, by Python integers and fractions only.

    Raises:
        ExpressionError: where a symbol has no value, a value is no integer, or there is no exact value there.
        SymcostError: where it is no formula.

    >>> evaluate(parse("n*floor(r/32) + d/2"), {"n": 2, "r": 65, "d": 3})
    Fraction(11, 2)
    """
    for name, value in at.items():
        if integer(value) is None or is_large(value):
            raise ExpressionError(f"{name}={short(value)} must be an integer of at most {MAX_BITS} bits")
    return Evaluator(at)(formula(expression))


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
            return total([self(a) for a in node.args], lambda: self._here(node))
        if node.is_Mul:
            return product([self(a) for a in node.args], lambda: self._here(node))
        if node.is_Pow:
            base, exponent = self(node.args[0]), self(node.args[1])
            if not isinstance(exponent, int):
                raise ExpressionError(f"{node} has no exact value: the exponent {exponent} is not an integer")
            return power(base, exponent, lambda: self._here(node))
        return self._function(node)

    def _here(self, node: Any) -> str:
        """A node in an error, with the values that it has."""
        names = sorted(str(s) for s in node.free_symbols)
        at = ", ".join(f"{name}={short(self.at[name])}" for name in names)
        return f"{short(str(node))[1:-1]} at {at}" if at else short(str(node))[1:-1]

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
            if values[1] == 0:
                raise ExpressionError(f"{self._here(node)} divides by zero")
            return values[0] % values[1]
        if isinstance(node, clog2 | flog2):
            return log2(values[0], up=isinstance(node, clog2))
        if isinstance(node, odd_halves):
            return odd_sum(*(self(part) for part in node.parts))
        if isinstance(node, pow2 | isqrt):
            return (two_to if isinstance(node, pow2) else root)(values[0])
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
            return bool(RELATIONS[relation.rel_op][0](self(condition.lhs), self(condition.rhs)))
        raise ExpressionError(f"the condition {condition} cannot be decided exactly")
