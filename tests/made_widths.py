"""A layer whose width is made of another: what programs make of a size in ways that tests try."""

from __future__ import annotations

from collections.abc import Callable

import flax.linen as nn
import jax


class Width(nn.Module):
    """A layer of a width that is made of another."""

    d: int
    made: Callable[[int], int]

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(self.made(self.d))(x)
