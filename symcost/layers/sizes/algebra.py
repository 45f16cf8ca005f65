"""Sizes of layers: exact integers or closed forms, from what people write and back to sympy.

A size is an ``int`` or a :class:`~symcost.formulas.form.Form`; the functions here take both alike, and never a float.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import sympy

from symcost.costs.cost import Count
from symcost.errors import ExpressionError, ShapeError
from symcost.formulas import form, functions
from symcost.formulas.extent import is_large
from symcost.formulas.form import Form, as_form
from symcost.formulas.formed import ceiling as ceiling
from symcost.formulas.formed import formed
from symcost.formulas.symbols import integer, parse
from symcost.layers.sizes.types import Size, SizeLike
from symcost.reading.numerals import MAX_BITS, bare, short


def size(value: SizeLike, what: str, least: int = 1) -> Size:
    """A size from what people write; ``what`` names it in the error, ``least`` is the smallest that makes sense.

    >>> size("4*c", "c_o"), size(sympy.Integer(3), "k")
    (4*c, 3)
    """
    read = value if isinstance(value, Form) else _read(value, what, least)
    read = number if isinstance(read, Form) and (number := read.number) is not None else read
    if isinstance(read, Fraction) or (isinstance(read, int) and read < least):
        raise _no_size(what, bare(value), least)
    return read


def _no_size(what: str, shown: str, least: int) -> ShapeError:
    kind = "a positive integer" if least == 1 else f"an integer of at least {least}"
    return ShapeError(f"{what}={shown} must be {kind} or an expression of symbols: give one")


def _read(value: SizeLike, what: str, least: int) -> Any:
    if (whole := integer(value)) is not None:
        if is_large(whole):
            raise ShapeError(f"{what} is {short(whole)}: numbers have at most {MAX_BITS} bits, give a smaller one")
        return whole
    try:
        expression = parse(value) if isinstance(value, str) else value
        if isinstance(expression, sympy.Expr):
            return exact(formed(expression))
    except ExpressionError as problem:
        raise ShapeError(f"{what}={bare(value)}: {problem}") from None
    raise _no_size(what, short(value), least)


def exact(value: Any) -> Any:
    """A constant form as its number; anything else stays."""
    number = value.number if isinstance(value, Form) else None
    return value if number is None else number


def plain(value: Size | Count) -> Any:
    """A size as people see it: an ``int``, or a sympy expression."""
    number = exact(value)
    if isinstance(number, Form):
        return number.sympy()
    return number if isinstance(number, int) else sympy.Rational(number.numerator, number.denominator)


def ratio(above: Size, below: Size) -> Size:
    """The exact quotient: an ``int`` where it is one, else a fraction or a form.

    >>> ratio(6, 3), ratio(6, Form.symbol("g"))
    (2, 6/g)
    """
    if isinstance(above, Form) or isinstance(below, Form):
        return exact(as_form(above) / below)
    made: Any = Fraction(above) / Fraction(below)
    return made.numerator if made.denominator == 1 else made


def floor_ratio(above: Size, below: Size) -> Size:
    """``floor(above/below)``."""
    if isinstance(above, int) and isinstance(below, int):
        return above // below
    return exact(form.floor(ratio(above, below)))


def floor(value: Size | Fraction) -> Size:
    """``floor(value)`` of a number or a form.

    >>> floor(Fraction(7, 2)), floor(Form.symbol("a") / 4)
    (3, floor(a/4))
    """
    return exact(form.floor(value)) if isinstance(value, Form) else math.floor(value)


def gcd(size: Size, number: int) -> Size:
    """The greatest common divisor, of a form too: Euler's ``phi(d)`` summed over the ``d`` that divide both.

    ``floor(u/d) - floor((u - 1)/d)`` is 1 where ``d`` divides ``u`` and else 0.

    >>> gcd(12, 8), [gcd(Form.symbol("h"), 3).value({"h": h}) for h in (4, 5, 6)]
    (4, [1, 1, 3])
    """
    if isinstance(size, int):
        return math.gcd(size, number)
    divides = {d: floor_ratio(size, d) - floor_ratio(size - 1, d) for d in sympy.divisors(number)}
    return exact(Form.total(int(sympy.totient(d)) * part for d, part in divides.items()))


def ceil_ratio(above: Size, below: Size) -> Size:
    """``ceiling(above/below)`` of integers, as ``floor((above - 1)/below) + 1``."""
    return floor_ratio(above - 1, below) + 1


def largest(sizes: Iterable[Size]) -> Size:
    """The largest of several sizes."""
    made: list[Any] = list(sizes)
    return max(made) if all(isinstance(each, int) for each in made) else exact(functions.maximum(made))
