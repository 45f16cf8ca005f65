"""Output sizes of windows, as XLA infers them: what closed forms are compared with."""

from __future__ import annotations


def output_size(size: int, k: int, s: int = 1, lo: int = 0, hi: int = 0, d: int = 1, lhs_d: int = 1) -> int:
    """Positions of a window of ``k`` taps along one dimension.

    ``floor((dilated + lo + hi - (d(k - 1) + 1))/s) + 1`` with ``dilated = (size - 1) lhs_d + 1``; 0 when the
    window does not fit.

    >>> output_size(224, k=11, s=4, lo=2, hi=2)
    55
    """
    dilated = (size - 1) * lhs_d + 1 if size > 0 else 0
    room = dilated + lo + hi - (d * (k - 1) + 1)
    return room // s + 1 if room >= 0 else 0
