"""Windows over sizes that may be symbols: output length, and the taps that meet padding, in closed form.

The lectures' formula ``h_o = floor((h_i + 2p - d(k - 1) - 1)/s) + 1``, with a padding on each side of its own.
"""

from __future__ import annotations

from typing import Any

from symcost.formulas.form import as_form
from symcost.formulas.functions import positive_part
from symcost.formulas.windows.window import positions_inside
from symcost.layers.sizes.algebra import Size, ceil_ratio, exact, floor_ratio, ratio


def output_length(size: Size, k: Size, s: Size = 1, d: Size = 1, lo: Size = 0, hi: Size = 0) -> Size:
    """``floor((size + lo + hi - d(k - 1) - 1)/s) + 1``.

    >>> output_length(224, k=11, s=4, lo=2, hi=2)
    55
    """
    return floor_ratio(size + lo + hi - d * (k - 1) - 1, s) + 1


def taps_on_padding(size: Size, k: Size, s: Size = 1, d: Size = 1, lo: Size = 0, hi: Size = 0) -> Size:
    """(tap, output) pairs that read padding: what is lost at the left and at the right border.

    Tap ``t`` at output ``o`` reads position ``o s + t d - lo``. At the left the outputs with ``o s < lo - t d`` are
    lost, ``ceiling((lo - t d)/s)`` for each tap; at the right, with ``X = size + lo + hi - d(k - 1) - 1`` the last
    position at which a window may start, those with ``o s > X - (hi - t' d)`` for each tap ``t'`` counted from the
    end. Holds where ``size + min(lo, hi) >= d(k - 1)`` and ``max(lo, hi) <= d k``; integers are counted as they are.

    >>> taps_on_padding(4, k=3, lo=1, hi=1)
    2
    """
    sizes: Any = (size, k, s, d, lo, hi)
    if all(isinstance(each, int) for each in sizes):
        return _lost(*sizes)
    last = size + lo + hi - d * (k - 1) - 1
    return _lost_left(lo, s, d) + _lost_right(last, hi, s, d)


def taps_on_same_padding(size: Size, k: int, s: int, d: int) -> tuple[Size, int]:
    """The same for ``same`` padding with a stride, whose amounts depend on ``size mod s``, and from which size on.

    The taps lost are a constant for each remainder ``r``, times ``floor((size + s - r)/s) - floor((size + s - r - 1)/s)``,
    which is 1 where ``size = r mod s`` and else 0.
    """
    far = s * (d * k + 2)
    constants = [_lost_to_same(far + r, k, s, d) for r in range(s)]
    least = max((size + 1 for size in range(1, far) if _lost_to_same(size, k, s, d) != constants[size % s]), default=1)
    steps = [floor_ratio(size + s - r, s) - floor_ratio(size + s - r - 1, s) for r in range(s)]
    return sum((constant * step for constant, step in zip(constants, steps, strict=True)), start=0), least


def _lost_to_same(size: int, k: int, s: int, d: int) -> int:
    padding: Any = same_padding(size, k, s, d)
    return _lost(size, k, s, d, *padding)


def _lost(size: int, k: int, s: int, d: int, lo: int, hi: int) -> int:
    """The taps on padding of numbers."""
    outputs: Any = output_length(size, k, s, d, lo, hi)
    return k * outputs - positions_inside(size, k, outputs, s, lo, d)


def same_padding(size: Size, k: Size, s: Size, d: Size) -> tuple[Size, Size]:
    """Padding before and behind for ``ceiling(size/s)`` outputs, the odd one of an odd sum behind."""
    whole = exact((ceil_ratio(size, s) - 1) * s + d * (k - 1) + 1 - size)
    if isinstance(whole, int):
        whole = max(whole, 0)
    before = floor_ratio(whole, 2)
    return before, exact(whole - before)


class NoFormError(Exception):
    """The products on padding have no closed form."""


def _depths(pad: Size, d: Size) -> list[Size] | None:
    """How deep every tap that meets the padding stands in it, 0 for one that does not; None where their number is open.

    They are ``pad, pad - d, pad - 2d, ...``: at most ``pad`` of them, and ``q`` where the padding is ``q d``.
    """
    if isinstance(pad, int) and isinstance(d, int):
        return list(range(pad, 0, -d))
    if isinstance(pad, int) and pad == 0:
        return []
    if isinstance(times := ratio(pad, d), int):
        return [exact(tap * d) for tap in range(times, 0, -1)]
    if isinstance(pad, int):
        return [pad, *(exact(positive_part(as_form(pad - tap * d))) for tap in range(1, pad))]
    return None


def _lost_left(lo: Size, s: Size, d: Size) -> Size:
    if (depths := _depths(lo, d)) is not None:
        return sum((ceil_ratio(depth, s) for depth in depths), start=0)
    if s == 1:
        return _arithmetic(lo, d)
    if d == 1:  # the sum of ceiling(u/s) over 0 < u <= lo is that of floor(v/s) + 1 over 0 <= v < lo
        return _floors_below(lo, s) + lo
    raise NoFormError


def _lost_right(last: Size, hi: Size, s: Size, d: Size) -> Size:
    if (depths := _depths(hi, d)) is not None:
        outputs = floor_ratio(last, s)
        return sum((outputs - floor_ratio(last - depth, s) for depth in depths), start=0)
    if s == 1:
        return _arithmetic(hi, d)
    if d == 1:
        return hi * floor_ratio(last, s) - _floors_below(last, s) + _floors_below(last - hi, s)
    raise NoFormError


def _arithmetic(depth: Size, d: Size) -> Size:
    """``depth + (depth - d) + (depth - 2d) + ...`` down to the last positive term."""
    terms = ceil_ratio(depth, d)
    return terms * depth - ratio(d * terms * (terms - 1), 2)


def _floors_below(end: Size, s: Size) -> Size:
    """``floor(0/s) + floor(1/s) + ... + floor((end - 1)/s)`` with ``q = floor(end/s)``: ``q end - s q(q + 1)/2``."""
    q = floor_ratio(end, s)
    return q * end - ratio(s * q * (q + 1), 2)
