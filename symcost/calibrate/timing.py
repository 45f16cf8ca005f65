"""Time of a compiled function: the fastest of many runs, in whole nanoseconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

WARM = 2
LEAST = 5
NANO = 10**9


def fastest(function: Callable[..., Any], *arguments: Any, seconds: float = 0.25) -> Fraction:
    """Seconds of the fastest run within a time; other work on the machine only ever makes a run slower."""
    import jax

    compiled = jax.jit(function)
    for _ in range(WARM):
        jax.block_until_ready(compiled(*arguments))
    best, runs, end = None, 0, time.perf_counter() + seconds
    while runs < LEAST or time.perf_counter() < end:
        start = time.perf_counter_ns()
        jax.block_until_ready(compiled(*arguments))
        spent = time.perf_counter_ns() - start
        best, runs = spent if best is None else min(best, spent), runs + 1
    return Fraction(max(best or 1, 1), NANO)
