"""Exact quantities between integers and print: rationals in and out of formulas, the larger of two formulas."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy

from symcost.costs.cost import Count
from symcost.costs.table import CostTable
from symcost.errors import DomainError, SymcostError
from symcost.formulas.extent import extent
from symcost.formulas.symbols import evaluate
from symcost.reading.given import formula
from symcost.reading.numerals import is_positive, short


def rational(value: Fraction | int) -> sympy.Expr:
    """A number as sympy's."""
    return sympy.Rational(value.numerator, value.denominator)


def larger(left: Count, right: Count) -> Count:
    """The larger of two formulas: one of them where all positive symbols agree, else their ``Max``.

    >>> from symcost.formulas.symbols import symbols
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


@lru_cache(1 << 12)
def beyond(whole: Count, part: Count) -> Count:
    """What a size has beyond another one, and 0 where that is the larger one: the same number at every point.

    >>> from symcost.formulas.symbols import symbols
    >>> n, d = symbols("n d")
    >>> beyond(d * n + n, d * n), beyond(n, d * n), beyond(n, d)
    (n, 0, Max(0, -d + n))
    """
    difference = sympy.expand(whole - part)
    seen = from_least(difference)
    if seen.is_nonnegative:
        return difference
    return sympy.Integer(0) if seen.is_nonpositive else sympy.Max(0, difference, evaluate=False)


def from_least(difference: Any) -> Any:
    """The same in what each size is above 1, so that its sign is seen.

    >>> from symcost.formulas.symbols import symbols
    >>> n, d = symbols("n d")
    >>> (n * d - n).is_nonnegative, from_least(n * d - n).is_nonnegative
    (None, True)
    """
    least = {size: 1 + sympy.Dummy(integer=True, nonnegative=True) for size in difference.free_symbols}
    return sympy.expand(difference.xreplace(least))


def check_sizes(point: Mapping[str, int]) -> None:
    """Raise for a value that is no positive integer."""
    for name, value in point.items():
        if not is_positive(value):
            raise DomainError(f"{name}={short(value)} is outside the domain: {name} must be a positive integer")


def at_point(expression: Any, point: Mapping[str, int]) -> sympy.Expr:
    """A formula with positive integers for some of its symbols."""
    check_sizes(point)
    expression = formula(expression)
    extent(expression, point)
    free = {str(s): s for s in expression.free_symbols}
    return expression.xreplace({free[name]: sympy.Integer(value) for name, value in point.items() if name in free})


def need(left: Collection[str], what: str) -> None:
    """Raise where symbols are left that have no number."""
    if left:
        names = sorted(left)
        raise SymcostError(
            f"{what} needs a number for {', '.join(names)}: give {' '.join(f'{name}=...' for name in names)}"
        )


def number(expression: Any, what: str) -> Fraction:
    """The exact value of a formula without symbols; an error names those that are left."""
    expression = formula(expression)
    need({str(s) for s in expression.free_symbols}, what)
    return Fraction(evaluate(expression, {}))


def value_at(costs: CostTable, expression: Any, point: Mapping[str, int], what: str) -> Fraction:
    """The exact value of a table's formula at a point of its domain; unknown names are errors, as are symbols left."""
    costs.subs(**point)
    return number(at_point(expression, point), what)
