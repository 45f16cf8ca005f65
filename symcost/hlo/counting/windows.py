"""How many (output, kernel) pairs of a convolution fall on a real input element, exactly."""

from __future__ import annotations

from functools import lru_cache
from math import gcd


@lru_cache(maxsize=4096)
def valid_positions(
    size: int, out: int, kernel: int, stride: int, pad_low: int, lhs_dilate: int, rhs_dilate: int
) -> int:
    """Pairs of an output and a tap that read a real input element.

    Pairs (o, k) with 0 <= o < out, 0 <= k < kernel whose tap u = o*stride - pad_low + k*rhs_dilate is a multiple of
    lhs_dilate and 0 <= u/lhs_dilate < size.

    XLA (hlo_cost_analysis.cc, GetConvolutionFlops) counts them by a double loop; here one loop runs over the
    shorter of the two and the other is an arithmetic progression. The equation is symmetric in (o, stride)
    and (k, rhs_dilate).

    >>> valid_positions(size=5, out=5, kernel=3, stride=1, pad_low=1, lhs_dilate=1, rhs_dilate=1)
    13
    """
    if kernel > out:
        out, kernel, stride, rhs_dilate = kernel, out, rhs_dilate, stride
    last = (size - 1) * lhs_dilate
    common = gcd(stride, lhs_dilate)
    period = lhs_dilate // common
    inverse = pow(stride // common, -1, period)
    total = 0
    for k in range(kernel):
        base = k * rhs_dilate - pad_low
        if base % common:
            continue
        low = max(0, -(base // stride))  # smallest o with base + o*stride >= 0
        high = min(out - 1, (last - base) // stride)
        residue = (-(base // common) * inverse) % period  # o must be residue modulo period
        first = low + (residue - low) % period
        if first <= high:
            total += (high - first) // period + 1
    return total
