"""XLA's arithmetic on counts: its properties are C++ `float`s, so above 2**24 the order of additions shows.

Every instruction's count is an int64 rounded once to float32; regions are scaled in float32; sums round at
each addition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_INT64_MAX = 2**63 - 1
_ZERO = np.float32(0)


def rounded(count: int) -> np.float32:
    """`static_cast<float>(int64)`: one rounding, to nearest even (by way of a double it could be two).

    Above int64, where XLA itself overflows, the nearest float32 by way of a double.
    """
    return np.float32(np.int64(count)) if abs(count) <= _INT64_MAX else np.float32(float(count))


@dataclass(frozen=True)
class Pair:
    """Flops and transcendentals as XLA accumulates them."""

    flops: np.float32 = _ZERO
    transcendentals: np.float32 = _ZERO

    def __add__(self, other: Pair) -> Pair:
        return Pair(self.flops + other.flops, self.transcendentals + other.transcendentals)

    def scaled(self, times: int) -> Pair:
        """Both counts times a factor, rounded as XLA rounds."""
        factor = rounded(times)
        return Pair(self.flops * factor, self.transcendentals * factor)

    def larger(self, other: Pair) -> Pair:
        """The larger of each count, as XLA takes of branches."""
        return Pair(max(self.flops, other.flops), max(self.transcendentals, other.transcendentals))


NOTHING = Pair()
