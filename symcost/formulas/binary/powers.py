"""Powers of two and square roots of sizes: exact, by integer arithmetic.

``pow2(clog2(d))`` is the next power of two, ``pow2(S)`` what is doubled in ``S`` stages.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from symcost.errors import ExpressionError
from symcost.formulas.binary.digits import Digital, at_number
from symcost.formulas.extent import power

Number = int | Fraction


class pow2(Digital):
    """``2**x``, exact at integers of at least 0."""

    nargs = 1
    is_integer = is_positive = True

    @classmethod
    def eval(cls, *args: Any) -> Any:
        """Value at a number, nothing otherwise."""
        return at_number(args[0], two_to)


class isqrt(Digital):
    """``floor(sqrt(x))``, exact at numbers of at least 0."""

    nargs = 1
    is_integer = is_nonnegative = True

    @classmethod
    def eval(cls, *args: Any) -> Any:
        """Value at a number, nothing otherwise."""
        return at_number(args[0], root)


def two_to(exponent: Number) -> int:
    """A power of two of an integer of at least 0.

    >>> two_to(10)
    1024
    """
    if exponent.denominator != 1 or exponent < 0:
        raise ExpressionError(f"pow2 of {exponent} has no value: it is of integers of at least 0")
    return int(power(2, int(exponent), lambda: f"2**{exponent}"))


def root(value: Number) -> int:
    """The square root of a number of at least 0, rounded down.

    >>> root(24), root(Fraction(51, 2))
    (4, 5)
    """
    if value < 0:
        raise ExpressionError(f"isqrt of {value} has no value: it is of numbers of at least 0")
    return math.isqrt(math.floor(value))
