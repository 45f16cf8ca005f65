"""Sums over the odd ones of a number and its halves, ``n, floor(n/2), ..., 1``: what a recursion adds up that halves its input.

With them and logarithms everything is told that such a recursion adds up: ``n + floor(n/2) + ... + 1`` is
``2 n - popcount(n)``, and the sum of the squares is ``(4 n**2 - 2 odd_halves(n, 1) + popcount(n))/3``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from symcost.errors import ExpressionError
from symcost.formulas.binary.digits import Digital

Number = int | Fraction
MAX_POWER = 8
"""The largest power that is summed: no map has more dimensions."""


class odd_halves(Digital):
    """``odd_halves(n, p)``: the sum of the powers ``m**p`` of the odd numbers ``m`` among ``floor(n/2**k)``."""

    nargs = 2

    @property
    def parts(self) -> tuple[Any, Any]:
        """The number and the power."""
        return self.args[0], self.args[1]

    @classmethod
    def eval(cls, *args: Any) -> Any:
        """Value at numbers, nothing otherwise."""
        if not all(isinstance(arg, sympy.Rational) for arg in args):
            return None
        value, power = (Fraction(int(arg.p), int(arg.q)) for arg in (*args, sympy.Integer(0))[:2])
        return sympy.Integer(odd_sum(value, power))


class popcount(odd_halves):
    """The number of ones among the binary digits of an integer: ``odd_halves(n, 0)``."""

    nargs = 1

    @property
    def parts(self) -> tuple[Any, Any]:
        """The number, and 0."""
        return self.args[0], sympy.Integer(0)


SUMS: dict[str, type[odd_halves]] = {"odd_halves": odd_halves, "popcount": popcount}


def odd_sum(value: Number, power: Number = 0) -> int:
    """The sum of a power of the odd ones among an integer and its halves.

    >>> odd_sum(12, 1), odd_sum(12)  # 3 and 1 are the odd ones of 12, 6, 3, 1
    (4, 2)
    """
    if value.denominator != 1 or value < 0:
        raise ExpressionError(f"the binary digits of {value}: popcount and odd_halves are of integers of at least 0")
    if power.denominator != 1 or not 0 <= power <= MAX_POWER:
        raise ExpressionError(f"the power {power} in odd_halves must be an integer from 0 to {MAX_POWER}")
    halves = (int(value) >> level for level in range(int(value).bit_length()))
    return sum(half ** int(power) for half in halves if half % 2)
