"""Time of compiled functions: the fastest of many runs, in whole nanoseconds, in rounds over all of them.

Other work on the machine only ever makes a run slower, and comes in bursts: a round over every function, and again, finds
each one undisturbed more often than one long look at it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from symcost.layers.base import Layer

WARM = 2
LEAST = 3
ROUNDS = 3
NANO = 10**9


class Timed:
    """One compiled function with its arguments, and the fastest run so far."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        import jax

        self.compiled, self.arguments = jax.jit(function), arguments
        self.best: int | None = None
        for _ in range(WARM):
            jax.block_until_ready(self.compiled(*arguments))

    def run(self, seconds: float) -> None:
        """Run it for a while."""
        import jax

        runs, end = 0, time.perf_counter() + seconds
        while runs < LEAST or time.perf_counter() < end:
            start = time.perf_counter_ns()
            jax.block_until_ready(self.compiled(*self.arguments))
            spent = max(time.perf_counter_ns() - start, 1)
            self.best, runs = min(self.best or spent, spent), runs + 1

    @property
    def seconds(self) -> Fraction:
        """Of the fastest run."""
        return Fraction(self.best or 1, NANO)


def timed(net: Layer, x: tuple[int, ...]) -> Timed:
    """The network as a Flax module in float32; images are given channels first, as the layers take them."""
    import jax
    import jax.numpy as jnp

    from symcost.layers.twins.base import build

    shape = (x[0], *x[2:], x[1]) if len(x) == 4 else x  # images are channels last there
    module = build(net)
    entering = jnp.ones(shape)
    shapes: Any = jax.eval_shape(module.init, jax.random.key(0), entering)
    variables = jax.tree.map(lambda leaf: jnp.full(leaf.shape, 1e-3, leaf.dtype), shapes)
    return Timed(lambda v, a: module.apply(v, a), variables, entering)


def in_rounds(functions: Sequence[Timed], seconds: float, on_round: Callable[[str], None] = lambda said: None) -> None:
    """Every function for ``seconds`` in all, in turns."""
    for number in range(ROUNDS):
        on_round(f"round {number + 1} of {ROUNDS}")
        for each in functions:
            each.run(seconds / ROUNDS)
