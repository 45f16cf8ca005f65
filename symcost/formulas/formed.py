"""Closed forms from sympy's expressions: what people write, as what symcost computes with."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import sympy

from symcost.errors import ExpressionError
from symcost.formulas.form import Form, as_form, floor
from symcost.formulas.functions import maximum


def formed(node: Any) -> Any:
    """A sympy expression as a form, or a plain number.

    >>> from symcost.formulas.symbols import parse
    >>> formed(parse("4*c + n % 3")), formed(parse("3/2"))
    (4*c + n - 3*floor(n/3), Fraction(3, 2))
    """
    if node.is_Integer:
        return int(node)
    if node.is_Rational:
        return Fraction(int(node.p), int(node.q))
    if node.is_Symbol:
        if not (node.is_integer and node.is_positive):
            raise ExpressionError(f"the symbol {node} is not a positive integer: make it with symcost.symbols")
        return Form.symbol(node.name)
    arguments = [formed(argument) for argument in node.args]
    if node.is_Add:
        return Form.total(arguments)
    if node.is_Mul:
        return math.prod(arguments[1:], start=arguments[0])
    if node.is_Pow and isinstance(arguments[1], int):
        return as_form(arguments[0]) ** arguments[1]
    if isinstance(node, sympy.floor):
        return floor(arguments[0])
    if isinstance(node, sympy.ceiling):
        return ceiling(arguments[0])
    if isinstance(node, sympy.Mod):
        return arguments[0] - arguments[1] * floor(as_form(arguments[0]) / arguments[1])
    if isinstance(node, sympy.Max):
        return maximum(arguments)
    raise ExpressionError(f"{node.func} is not part of a size: use + - * / ** floor ceiling Max and Mod")


def ceiling(value: Any) -> Any:
    """``ceiling(u/s)``, as ``floor((u + s - 1)/s)`` where ``u`` is an integer for all symbols.

    >>> ceiling(Fraction(7, 2)), ceiling(Form.symbol("a") / 4)
    (4, ceiling(a/4))
    """
    if not isinstance(value, Form):
        return math.ceil(value)
    s = math.lcm(*(coefficient.denominator for coefficient in value.terms.values()))
    return floor(value + Fraction(s - 1, s)) if (value * s).is_integral else -floor(-value)
