"""An MLP-Mixer in flax nnx: cost in batch n, number of tokens, width d and depth L.

An input symbol and a parameter of the same name are the same number: the token-mixing layers are as wide as there
are tokens.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

import symcost as sc


class Mlp(nnx.Module):
    """Two linear layers with a GELU between, back to the width of the input."""

    def __init__(self, width: int, hidden: int, rngs: nnx.Rngs) -> None:
        self.up = nnx.Linear(width, hidden, rngs=rngs)
        self.down = nnx.Linear(hidden, width, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.down(nnx.gelu(self.up(x)))


class Block(nnx.Module):
    """One MLP over the tokens, one over the channels."""

    def __init__(self, tokens: int, d: int, rngs: nnx.Rngs) -> None:
        self.norm_tokens, self.norm_channels = nnx.LayerNorm(d, rngs=rngs), nnx.LayerNorm(d, rngs=rngs)
        self.tokens, self.channels = Mlp(tokens, 2 * tokens, rngs), Mlp(d, 4 * d, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = x + jnp.swapaxes(self.tokens(jnp.swapaxes(self.norm_tokens(x), 1, 2)), 1, 2)
        return x + self.channels(self.norm_channels(x))


class Mixer(nnx.Module):
    """Patches of 16 x 16 pixels, L blocks, mean over the patches, classes."""

    def __init__(self, tokens: int, d: int, L: int, *, rngs: nnx.Rngs) -> None:
        self.patches = nnx.Linear(16 * 16 * 3, d, rngs=rngs)
        self.blocks = nnx.List([Block(tokens, d, rngs) for _ in range(L)])
        self.norm = nnx.LayerNorm(d, rngs=rngs)
        self.head = nnx.Linear(d, 1000, rngs=rngs)

    def __call__(self, patches: jax.Array) -> jax.Array:
        x = self.patches(patches)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(axis=1))


if __name__ == "__main__":
    costs = sc.trace(Mixer, "float32[n,tokens,768]")
    print(costs)
    tokens, channels = (
        next(g for g in costs.by_path(3) if g.name == f"blocks/#/{name}") for name in ("tokens", "channels")
    )
    print()
    print("MACs of token mixing:  ", tokens.total("textbook").macs)
    print("MACs of channel mixing:", channels.total("textbook").macs)
