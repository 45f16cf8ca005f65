"""How large numbers and formulas may become, known before they are made: exact arithmetic has no other end.

Every number has at most ``MAX_BITS`` bits and a formula at most ``MAX_TERMS`` terms when it is multiplied out, which
are far beyond any cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from symcost.errors import ExpressionError
from symcost.reading.numerals import MAX_BITS

Exact = int | Fraction
MAX_TERMS = 10_000
SYMBOL_BITS = 64
"""What a symbol without a value is taken to have: no size is larger."""


def too_large(what: str) -> ExpressionError:
    """The error of a number that would have too many bits."""
    return ExpressionError(f"{what} has more than {MAX_BITS} bits: no size or cost is that large, check its exponents")


def whole(value: Exact) -> Exact:
    """An integer where it is one.

    >>> whole(Fraction(6, 3)), whole(Fraction(1, 3))
    (2, Fraction(1, 3))
    """
    return value.numerator if value.denominator == 1 else value


def is_large(value: Exact) -> bool:
    """Whether a number has more bits than any may have.

    >>> is_large(2**MAX_BITS), is_large(2**MAX_BITS - 1), is_large(Fraction(1, 2**MAX_BITS))
    (True, False, True)
    """
    return value.numerator.bit_length() > MAX_BITS or value.denominator.bit_length() > MAX_BITS


def total(values: Sequence[Exact], what: Callable[[], str]) -> Exact:
    """The sum; ``what`` names it where it is too large."""
    result: Exact = 0
    for value in values:
        result = result + value
        if type(result) is Fraction and result.denominator.bit_length() > MAX_BITS:
            raise too_large(what())
    if is_large(result):
        raise too_large(what())
    return result


def product(values: Sequence[Exact], what: Callable[[], str]) -> Exact:
    """The product, likewise."""
    result: Exact = 1
    for value in values:
        result = result * value
        if is_large(result):
            raise too_large(what())
    return result


def power(base: Exact, exponent: int, what: Callable[[], str]) -> Exact:
    """``base**exponent``, likewise: its bits are known before it is made."""
    if base in (0, 1, -1):
        if base == 0 and exponent < 0:
            raise ExpressionError(f"{what()} divides by zero")
        return base ** (exponent % 2) if base == -1 else base if exponent else 1
    least = max(base.numerator.bit_length(), base.denominator.bit_length()) - 1
    if least * abs(exponent) > MAX_BITS or is_large(made := Fraction(base) ** exponent):
        raise too_large(what())
    return whole(made)


@dataclass(frozen=True)
class Extent:
    """A bound on a formula: ``bits`` of its value, a multiple of the denominator of its numbers, terms multiplied out."""

    bits: int
    below: int = 1
    terms: int = 1

    def checked(self, what: Callable[[], str]) -> Extent:
        """Itself, unless a number in it may be too large."""
        if self.bits > MAX_BITS or self.below.bit_length() > MAX_BITS:
            raise too_large(what())
        return self

    def times(self, other: Extent, what: Callable[[], str]) -> Extent:
        """Of a product or quotient."""
        made = Extent(self.bits + other.bits, self.below * other.below, self.terms * other.terms)
        if made.terms > MAX_TERMS and min(self.terms, other.terms) > 1:
            raise too_long(made.terms, what)
        return made.checked(what)

    def to(self, size: int, what: Callable[[], str]) -> Extent:
        """Of a power with a positive exponent."""
        if self.bits * size > MAX_BITS or self.below.bit_length() * size > MAX_BITS + size:
            raise too_large(what())
        terms = math.comb(self.terms + size - 1, size) if self.terms > 1 else 1
        if terms > MAX_TERMS and size > 1:
            raise too_long(terms, what)
        return Extent(self.bits * size, self.below**size, terms)

    def inside(self) -> Extent:
        """Of a function of it, which is an integer and one term."""
        return Extent(self.bits)


def too_long(terms: int, what: Callable[[], str]) -> ExpressionError:
    """The error of a formula that would have too many terms."""
    number = terms if terms < 10**12 else f"10^{len(str(terms)) - 1}"
    return ExpressionError(f"{what()} has {number} terms multiplied out: at most {MAX_TERMS} are made")


def summed(parts: Iterable[Extent], what: Callable[[], str]) -> Extent:
    """Of a sum: however many terms are written, each is there once."""
    bits, below, terms, number = 0, 1, 0, 0
    for part in parts:
        bits, terms, number = max(bits, part.bits), terms + part.terms, number + 1
        if below % part.below:
            below = math.lcm(below, part.below)
            if below.bit_length() > MAX_BITS:
                raise too_large(what())
    return Extent(bits + below.bit_length() - 1 + number.bit_length(), below, terms).checked(what)


def of_number(value: Exact) -> Extent:
    """Of an integer or fraction."""
    return Extent(max(value.numerator.bit_length(), value.denominator.bit_length()), value.denominator)


def largest(parts: Iterable[Extent]) -> Extent:
    """Of one of several: a maximum, a remainder."""
    return Extent(max((part.bits for part in parts), default=1))


def extent(node: Any, at: Mapping[str, int], seen: dict[Any, Extent] | None = None) -> Extent:
    """Of a formula at values for some of its symbols; one with a number too large is an error.

    >>> n = sympy.Symbol("n", positive=True, integer=True)
    >>> extent(2 * n**3, {"n": 8}).bits
    14
    """
    seen = {} if seen is None else seen
    found = seen.get(node)
    if found is None:
        found = seen[node] = _extent(node, at, seen)
    return found


def _extent(node: Any, at: Mapping[str, int], seen: dict[Any, Extent]) -> Extent:
    def what() -> str:
        return f"{node} at this point"

    if node.is_Rational:
        return of_number(Fraction(int(node.p), int(node.q))).checked(what)
    if node.is_Symbol:
        return of_number(at[node.name]).checked(what) if node.name in at else Extent(SYMBOL_BITS)
    parts = [extent(part, at, seen) for part in node.args if isinstance(part, sympy.Expr)]
    if node.is_Add:
        return summed(parts, what)
    if node.is_Mul:
        whole = Extent(0)
        for part in parts:
            whole = Extent(whole.bits + part.bits, whole.below * part.below).checked(what)
        return whole
    if node.is_Pow:
        exponent = node.args[1]
        if exponent.is_Symbol and exponent.name in at:
            exponent = at[exponent.name]
        return parts[0].to(abs(int(exponent)), what) if _is_integer(exponent) else largest(parts)
    return largest(parts)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) or bool(value.is_Integer)
