"""Tables of every kind, for whoever shows or keeps them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import flax.linen as nn
import jax

import symcost as sc


class Block(nn.Module):
    """Two LayerNorms and two linear layers."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.LayerNorm()(x + nn.Dense(self.d, name="mix")(x))
        return nn.LayerNorm()(x + nn.gelu(nn.Dense(self.d, name="out")(x)))


class Net(nn.Module):
    """An unrolled stack with a stem and a head."""

    d: int
    L: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Dense(self.d, name="stem_linear")(x)
        for i in range(self.L):
            x = Block(self.d, name=f"block_{i}")(x)
        return nn.Dense(10, name="head")(x)


class Convs(nn.Module):
    """Strided convolutions, whose sizes round."""

    c: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range(2):
            x = nn.relu(nn.Conv(self.c, (3, 3), strides=(2, 2), name=f"conv_{i}")(x))
        return x.mean(axis=(1, 2))


TABLES: dict[str, Callable[[], Any]] = {
    "symbolic depth": lambda: sc.trace(lambda d, L: Net(d, L), "float32[n,8]"),
    "fixed depth": lambda: sc.trace(Net(16, 12), "float32[n,8]"),
    "training": lambda: sc.trace(Net(16, 3), "float32[n,8]", mode="train"),
    "rounded sizes": lambda: sc.trace(lambda c: Convs(c), "float32[n,r,r,3]"),
    "at a point": lambda: table("symbolic depth").subs(n=2, d=16, L=3),
    "partly at a point": lambda: table("symbolic depth").subs(d=16),
    "partly trained": lambda: sc.trace(Net(16, 3), "float32[n,8]", mode="train", wrt="block_*/mix/**"),
    "partly active": lambda: sc.table(sc.Sequential(sc.Linear(c_o=8), sc.MoE(E="E", d_f="f", k=2)), ("n", "N", 4)),
    "function": lambda: sc.trace_function(lambda x, w: x @ w, "float32[n,c]", "float32[c,d]"),
    "nothing at all": lambda: sc.CostTable([]),
}


@cache
def table(kind: str) -> Any:
    """A table of a kind, made once in a process: nothing may change it."""
    return TABLES[kind]()
