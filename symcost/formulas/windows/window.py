"""Sliding-window arithmetic: the window positions that fall inside the input.

Source: the shape inference and cost analysis of XLA (``shape_inference.cc``, ``hlo_cost_analysis.cc``) and the
textbook formula ``h_o = floor((h_i + 2p - d(k - 1) - 1)/s) + 1``.
"""

from __future__ import annotations


def positions_inside(size: int, k: int, out: int, s: int = 1, lo: int = 0, d: int = 1, lhs_d: int = 1) -> int:
    """(tap, output) pairs that read a real input element: neither padding nor a hole of a dilated input.

    The sum over taps ``t < k`` of the outputs ``o < out`` with ``u = o s - lo + t d``, ``u = 0 mod lhs_d`` and
    ``0 <= u/lhs_d < size``. A convolution's products are this number along each spatial dimension; the dense
    count is ``k * out``.

    >>> positions_inside(4, k=3, out=4, lo=1)
    10
    """
    total = 0
    for tap in range(k):
        start = tap * d - lo  # u at o = 0
        if lhs_d == 1:
            first = max(0, -(start // s))
            last = min(out - 1, (size - 1 - start) // s)
            total += max(0, last - first + 1)
        else:
            total += sum(1 for o in range(out) if (u := start + o * s) % lhs_d == 0 and 0 <= u // lhs_d < size)
    return total
