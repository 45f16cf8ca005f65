"""What the reference networks share: convolution with norm and activation, and exact width multipliers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from symcost.errors import ShapeError
from symcost.layers.algebra import Dim
from symcost.layers.base import Layer
from symcost.layers.combine import Sequential
from symcost.layers.conv import Conv2d, DepthwiseConv2d
from symcost.layers.norm import BatchNorm

Multiplier = int | float | str | Fraction
"""A width or depth multiplier; decimals mean what they say: 1.4 is 7/5."""


def conv_norm(
    c_o: Dim, k: int, act: Layer | None = None, *, s: int = 1, g: Dim = 1, p: int | None = None
) -> Sequential:
    """Convolution without bias, batch norm, activation; padding ``(k - 1)/2`` unless given."""
    conv = Conv2d(c_o=c_o, k=k, s=s, p=(k - 1) // 2 if p is None else p, g=g, bias=False)
    return finished(conv, BatchNorm(), act)


def depthwise_norm(k: int, act: Layer | None = None, *, s: int = 1) -> Sequential:
    """Depthwise convolution without bias, batch norm, activation."""
    return finished(DepthwiseConv2d(k=k, s=s, p=(k - 1) // 2, bias=False), BatchNorm(), act)


def finished(conv: Layer, norm: Layer | None, act: Layer | None) -> Sequential:
    """A convolution with what follows it."""
    parts: dict[str, Layer | None] = {"conv": conv, "norm": norm, "act": act}
    return Sequential(**{name: part for name, part in parts.items() if part is not None})


def multiplier(value: Multiplier, what: str) -> Fraction:
    """A multiplier as an exact fraction.

    >>> multiplier(1.4, "width")
    Fraction(7, 5)
    """
    try:
        made = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise ShapeError(f"{what}={value} must be a number such as 1.4 or 7/5: give one") from None
    if made <= 0:
        raise ShapeError(f"{what}={value} must be positive: give one such as 0.75")
    return made


def make_divisible(value: Fraction | int, divisor: int = 8, least: int | None = None) -> int:
    """The multiple of ``divisor`` nearest to ``value``, at least ``least``, and never 10 % below ``value``.

    >>> make_divisible(Fraction(35, 100) * 32), make_divisible(Fraction(7, 5) * 24)
    (16, 32)
    """
    made = max(least or divisor, int(value + Fraction(divisor, 2)) // divisor * divisor)
    return made + divisor if 10 * made < 9 * value else made


def integer(value: Any, what: str) -> int:
    """A depth that must be a number."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ShapeError(f"{what}={value} must be a positive integer: the network's structure depends on it")
    return value
