"""XLA's arithmetic on counts: its properties are C++ `float`s, so above 2**24 the order of additions shows.

Every instruction's count is an int64 rounded once to float32; regions are scaled in float32; sums round at
each addition.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

_INT64_MAX = 2**63 - 1
_ZERO = np.float32(0)


def rounded(count: int) -> np.float32:
    """`static_cast<float>(int64)`: one rounding, to nearest even (by way of a double it could be two).

    Above int64, where XLA itself overflows, the nearest float32 by way of a double.
    """
    return np.float32(np.int64(count)) if abs(count) <= _INT64_MAX else np.float32(float(count))


def summed(sizes: Iterable[int]) -> np.float32:
    """The sum in this order, each part and each partial sum rounded."""
    total = _ZERO
    for size in sizes:
        total = total + rounded(size)
    return total


@dataclass(frozen=True)
class Properties:
    """Flops, transcendentals and bytes as XLA accumulates them."""

    flops: np.float32 = _ZERO
    transcendentals: np.float32 = _ZERO
    bytes: np.float32 = _ZERO

    def __add__(self, other: Properties) -> Properties:
        return Properties(
            self.flops + other.flops, self.transcendentals + other.transcendentals, self.bytes + other.bytes
        )

    def scaled(self, times: int) -> Properties:
        """The counts times a factor, rounded as XLA rounds; bytes are not taken over from a region."""
        factor = rounded(times)
        return Properties(self.flops * factor, self.transcendentals * factor)

    def with_bytes(self, sizes: Iterable[int]) -> Properties:
        """The same with the bytes of an instruction."""
        return Properties(self.flops, self.transcendentals, summed(sizes))

    def larger(self, other: Properties) -> Properties:
        """The larger of each, as XLA takes of branches."""
        return Properties(
            max(self.flops, other.flops),
            max(self.transcendentals, other.transcendentals),
            max(self.bytes, other.bytes),
        )


NOTHING = Properties()
