"""Three linear layers, and their costs for what is trained of them."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax

import symcost as sc


class Stack(nn.Module):
    """Three linear layers without bias."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range(3):
            x = nn.Dense(self.d, use_bias=False, name=f"layer_{i}")(x)
        return x


def stack(d: int) -> Stack:
    """Its factory."""
    return Stack(d)


def trained(wrt: Any, mode: str = "train") -> Any:
    """The costs of the stack."""
    return sc.trace(stack, "float32[n,d]", mode=mode, wrt=wrt)
