"""What the reference networks share: convolution with norm and activation, and exact width multipliers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from symcost.errors import ShapeError
from symcost.formulas.form import Form, as_form
from symcost.layers.base import Layer
from symcost.layers.kinds.combine import Residual, Sequential
from symcost.layers.kinds.conv import Conv2d, DepthwiseConv2d
from symcost.layers.kinds.norm import BatchNorm
from symcost.layers.sizes.algebra import Size, ceiling, exact, floor, largest, size

Multiplier = Any
"""A width or depth multiplier: a number, whose decimals mean what they say (1.4 is 7/5), or an expression of symbols,
such as ``a/20`` for the widths in twentieths."""


def conv_norm(c_o: Size, k: int, act: Layer | None = None, *, s: int = 1) -> Sequential:
    """Convolution without bias, batch norm, activation; padding ``(k - 1)/2``."""
    return finished(Conv2d(c_o=c_o, k=k, s=s, p=(k - 1) // 2, bias=False), BatchNorm(), act)


def depthwise_norm(k: int, act: Layer | None = None, *, s: int = 1) -> Sequential:
    """Depthwise convolution without bias, batch norm, activation."""
    return finished(DepthwiseConv2d(k=k, s=s, p=(k - 1) // 2, bias=False), BatchNorm(), act)


def finished(conv: Layer, norm: Layer | None, act: Layer | None) -> Sequential:
    """A convolution with what follows it."""
    parts: dict[str, Layer | None] = {"conv": conv, "norm": norm, "act": act}
    return Sequential(**{name: part for name, part in parts.items() if part is not None})


def around(body: Layer, c_i: Size, c_o: Size, s: int) -> Layer:
    """The input goes around a block where it fits: at stride 1, with as many channels behind as before."""
    if s != 1:
        return body
    more = exact(c_o - c_i)
    if isinstance(more, Form):
        return Residual(body, where_it_fits=True)
    return body if more else Residual(body)


def multiplier(value: Multiplier, what: str) -> Fraction | Form:
    """A multiplier as an exact fraction, or as a form of its symbols.

    >>> multiplier(1.4, "width"), multiplier("a/20", "width")
    (Fraction(7, 5), a/20)
    """
    try:
        made = Fraction(str(value))
    except ZeroDivisionError:
        raise ShapeError(f"{what}={value} must be a number such as 1.4 or 7/5: give one") from None
    except ValueError:
        return _symbolic(value, what)
    if made <= 0:
        raise ShapeError(f"{what}={value} must be positive: give one such as 0.75")
    return made


def _symbolic(value: Multiplier, what: str) -> Form:
    try:
        made = as_form(size(value, what))
    except ShapeError as problem:
        hint = "give a number such as 1.4 or 7/5, or an expression of symbols such as a/20"
        raise ShapeError(f"{what}={value} cannot be read as a multiplier: {hint}") from problem
    if any(coefficient < 0 for coefficient in made.terms.values()):
        raise ShapeError(f"{what}={value} must be positive whatever its symbols are: give one such as a/20")
    return made


def make_divisible(value: Size | Fraction, divisor: int = 8) -> Size:
    """The multiple of ``divisor`` nearest to ``value``, at least one, and never 10 % below ``value``.

    Both roundings at once: the nearest multiple where that is enough, else the first that is not 10 % below,
    ``divisor Max(1, floor(value/divisor + 1/2), ceiling(9 value/(10 divisor)))``.

    >>> make_divisible(Fraction(35, 100) * 32), make_divisible(Fraction(7, 5) * 24)
    (16, 32)
    >>> make_divisible(multiplier("a/20", "width") * 32)
    8*Max(1, ceiling(9*a/50), floor(a/5 + 2/5))
    """
    steps = value * Fraction(1, divisor)
    if isinstance(steps, Form) and steps.is_integral and all(c > 0 for c in steps.terms.values()):
        return divisor * steps  # a multiple already, whatever its symbols are
    return exact(divisor * largest([1, floor(steps + Fraction(1, 2)), ceiling(steps * Fraction(9, 10))]))
