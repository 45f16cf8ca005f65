"""Sums over a number and its halves, ``n, floor(n/2), floor(n/4), ..., 1``: what a recursion adds up that halves its input."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from symcost.errors import ExpressionError
from symcost.formulas.binary.digits import Digital

Number = int | Fraction
MAX_POWER = 8
"""The largest power that is summed: no map has more dimensions."""


class Summed(Digital):
    """The sum of a power of a number and of its halves down to 1, of all of them or of the ``odd`` ones."""

    odd = False

    @property
    def parts(self) -> tuple[Any, Any]:
        """The number and the power."""
        return self.args[0], self.args[1]

    @classmethod
    def of(cls, value: Number, power: Number) -> int:
        """The sum at a number.

        >>> halves.of(12, 1), odd_halves.of(12, 1), popcount.of(12, 0)  # of 12, 6, 3 and 1
        (22, 4, 2)
        """
        if value.denominator != 1 or value < 0:
            raise ExpressionError(f"{cls.__name__}({value}) has no value: it is of an integer of at least 0")
        if power.denominator != 1 or not 0 <= power <= MAX_POWER:
            raise ExpressionError(f"the power {power} in {cls.__name__} must be an integer from 0 to {MAX_POWER}")
        halved = (int(value) >> level for level in range(int(value).bit_length()))
        return sum(each ** int(power) for each in halved if each % 2 or not cls.odd)

    @classmethod
    def eval(cls, *args: Any) -> Any:
        """Value at numbers, nothing otherwise."""
        if not all(isinstance(arg, sympy.Rational) for arg in args):
            return None
        value, power = (Fraction(int(arg.p), int(arg.q)) for arg in (*args, sympy.Integer(0))[:2])
        return sympy.Integer(cls.of(value, power))


class halves(Summed):
    """``halves(n, p)``: the sum of ``floor(n/2**k)**p`` down to 1. ``halves(n, 1)`` is ``2 n - popcount(n)``."""

    nargs = 2


class odd_halves(Summed):
    """``odd_halves(n, p)``: that of the odd ones among them alone, at which a recursion goes another way."""

    nargs, odd = 2, True


class popcount(Summed):
    """The number of ones among the binary digits of an integer: ``odd_halves(n, 0)``."""

    nargs, odd = 1, True

    @property
    def parts(self) -> tuple[Any, Any]:
        """The number, and 0."""
        return self.args[0], sympy.Integer(0)


SUMS: dict[str, type[Summed]] = {"halves": halves, "odd_halves": odd_halves, "popcount": popcount}
