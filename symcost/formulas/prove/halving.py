"""Where a condition turns between two integers."""

from __future__ import annotations

from collections.abc import Callable


def last_good(good: int, bad: int, holds: Callable[[int], bool]) -> int:
    """The last integer from a good one towards a bad one at which a condition holds that turns once between them.

    >>> last_good(1, 1000, lambda n: n * n <= 1000), last_good(1000, 1, lambda n: n * n > 1000)
    (31, 32)
    """
    while abs(bad - good) > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good
