"""A plain GPT in flax linen: its cost in closed form, and where attention overtakes the MLP.

Symbols: n sequences of N tokens, width d, H heads, L blocks, V words.
"""

from __future__ import annotations

import flax.linen as nn
import jax
import sympy

import symcost as sc


class Block(nn.Module):
    """Attention and MLP, each behind a LayerNorm, each with a residual connection."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        mask = nn.make_causal_mask(x[..., 0])
        h = nn.LayerNorm(name="norm_attention")(x)
        x = x + nn.MultiHeadDotProductAttention(num_heads=self.H, qkv_features=self.d, name="attention")(h, mask=mask)
        h = nn.LayerNorm(name="norm_mlp")(x)
        h = nn.gelu(nn.Dense(4 * self.d, name="mlp_up")(h))
        return x + nn.Dense(self.d, name="mlp_down")(h)


class GPT(nn.Module):
    """Token embedding, L blocks, tied output projection."""

    d: int
    H: int
    L: int
    V: int

    @nn.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        embedding = nn.Embed(self.V, self.d, name="tokens")
        x = embedding(tokens)
        for index in range(self.L):
            x = Block(self.d, self.H, name=f"block_{index}")(x)
        return embedding.attend(nn.LayerNorm(name="norm")(x))


def crossover(costs: sc.CostTable) -> sympy.Expr:
    """The sequence length at which the N**2 products of attention cost as many MACs as the MLP."""
    (N,) = sc.symbols("N")
    macs = {group.name.rpartition("/")[2]: sympy.expand(group.total("textbook").macs) for group in costs.by_path(2)}
    quadratic = sympy.expand(macs["attention"]).coeff(N, 2) * N**2
    (found,) = sympy.solve(sympy.Eq(quadratic, macs["mlp_up"] + macs["mlp_down"]), N)
    return found


if __name__ == "__main__":
    costs = sc.trace(GPT, "int32[n,N]")
    print(costs)
    print()
    print("attention's N**2 products overtake the MLP at N =", crossover(costs))
