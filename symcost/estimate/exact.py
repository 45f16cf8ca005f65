"""Exact quantities between integers and print: rationals in and out of formulas, the larger of two formulas."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import sympy

from symcost.errors import SymcostError
from symcost.symbols import evaluate


def rational(value: Fraction | int) -> Any:
    """A number as sympy's."""
    return sympy.Rational(value.numerator, value.denominator)


def larger(left: Any, right: Any) -> Any:
    """The larger of two formulas: one of them where all positive symbols agree, else their ``Max``.

    >>> from symcost.symbols import symbols
    >>> n, d = symbols("n d")
    >>> larger(2 * n, n), larger(n, d)
    (2*n, Max(d, n))
    """
    difference = sympy.expand(left - right)
    if difference.is_nonnegative:
        return left
    if difference.is_nonpositive:
        return right
    return sympy.Max(left, right, evaluate=False)


def at_point(expression: Any, point: Mapping[str, int]) -> Any:
    """A formula with integers for some of its symbols."""
    expression = sympy.sympify(expression, strict=True)
    free = {str(s): s for s in expression.free_symbols}
    return expression.xreplace({free[name]: sympy.Integer(value) for name, value in point.items() if name in free})


def number(expression: Any, what: str) -> Fraction:
    """The exact value of a formula without symbols; an error names those that are left."""
    expression = sympy.sympify(expression, strict=True)
    left = sorted(str(s) for s in expression.free_symbols)
    if left:
        raise SymcostError(
            f"{what} needs a number for {', '.join(left)}: give {' '.join(f'{name}=...' for name in left)}"
        )
    return Fraction(evaluate(expression, {}))
