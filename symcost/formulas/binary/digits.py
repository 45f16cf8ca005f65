"""Logarithms to base 2 as functions of formulas: exact, by integer arithmetic."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NoReturn

import sympy

from symcost.errors import ExpressionError


class Digital(sympy.Function):
    """A function of the binary digits of a number: it moves in steps."""

    def fdiff(self, argindex: int = 1) -> NoReturn:
        """There is no derivative."""
        raise ExpressionError(f"{self} moves in steps and has no derivative: compare its values at two sizes instead")


class clog2(Digital):
    """``ceil(log2(x))``, exact on positive numbers: the rounds of a sort of ``x`` items."""

    nargs = 1

    @classmethod
    def eval(cls, *args: Any) -> Any:
        """Value at a number, nothing otherwise."""
        return at_number(args[0], lambda value: log2(value, up=True))


class flog2(Digital):
    """``floor(log2(x))``, exact on positive numbers: the stages of a transform of length ``x``."""

    nargs = 1

    @classmethod
    def eval(cls, *args: Any) -> Any:
        """Value at a number, nothing otherwise."""
        return at_number(args[0], lambda value: log2(value, up=False))


def at_number(argument: sympy.Expr, function: Any) -> sympy.Integer | None:
    """The value of a function of exact numbers where its argument is one, nothing otherwise."""
    if not isinstance(argument, sympy.Rational):
        return None
    return sympy.Integer(function(Fraction(int(argument.p), int(argument.q))))


def log2(value: int | Fraction, up: bool) -> int:
    """The logarithm to base 2 of a positive number, rounded up or down, by integer arithmetic.

    >>> log2(Fraction(5, 2), up=True), log2(Fraction(5, 2), up=False), log2(Fraction(1, 3), up=True), log2(8, up=True)
    (2, 1, -1, 3)
    """
    above, below = value.numerator, value.denominator
    if above <= 0:
        raise ExpressionError(f"the logarithm of {value} has no value: sizes are positive integers")
    down = above.bit_length() - below.bit_length()
    down -= (above << max(-down, 0)) < (below << max(down, 0))
    return down + (up and (above << max(-down, 0)) != (below << max(down, 0)))


def ceil_log2(value: int) -> int:
    """Smallest ``k`` with ``2**k >= value``, by integer arithmetic.

    >>> ceil_log2(1), ceil_log2(8), ceil_log2(9)
    (0, 3, 4)
    """
    return (value - 1).bit_length()
