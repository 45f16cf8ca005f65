"""Twins of embeddings."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from symcost.layers.kinds import embedding as layers
from symcost.layers.kinds.conv import Conv2d
from symcost.layers.twins.base import inner, modules, number, twin


@twin(layers.TiedEmbedding)
def tied_embedding(layer: layers.TiedEmbedding, x: Any) -> Any:
    """``nn.Embed``, the body, and products with its rows (``attend`` would make a transposed copy of the table)."""
    table = nn.Embed(number(layer.V), number(layer.d), name="embedding")
    return jnp.einsum("nNd,Vd->nNV", inner(layer.body, table(x), "body"), table.embedding)


class Positions(nn.Module):
    """A learned vector for each position."""

    N_max: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        """The sum with the first vectors."""
        table = self.param("embedding", jax.nn.initializers.normal(0.02), (self.N_max, x.shape[-1]))
        return x + table[: x.shape[1]]


class Token(nn.Module):
    """A learned token before the others."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        """One token more."""
        token = self.param("token", jax.nn.initializers.zeros, (1, 1, x.shape[-1]))
        return jnp.concatenate([jnp.broadcast_to(token, (x.shape[0], 1, x.shape[-1])), x], axis=1)


modules({
    layers.Embedding: lambda layer: nn.Embed(layer.V, layer.d),
    layers.PositionEmbedding: lambda layer: Positions(layer.N_max),
    layers.ClassToken: lambda layer: Token(),
})  # fmt: skip


@twin(layers.TakeToken)
def take_token(layer: layers.TakeToken, x: Any) -> Any:
    """The first token."""
    return x[:, 0]


@twin(layers.PatchEmbedding)
def patch_embedding(layer: layers.PatchEmbedding, x: Any) -> Any:
    """A convolution, its places as tokens."""
    x = inner(Conv2d(c_o=layer.d, k=layer.k, s=layer.k, bias=layer.bias), x, "conv")
    return x.reshape(x.shape[0], -1, x.shape[-1])
