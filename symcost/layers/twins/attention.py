"""Twins of attention."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from symcost.layers.kinds.activation import ReLU, Softmax
from symcost.layers.kinds.attention import Attention, LinearAttention, LinearCore
from symcost.layers.kinds.linear import Linear
from symcost.layers.twins.base import inner, number, twin

BASE = 10000.0
MASKED = -1e9


class Cache(nn.Module):
    """Earlier keys or values before the new ones."""

    length: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        """Old and new."""
        shape = (x.shape[0], self.length, *x.shape[2:])
        return jnp.concatenate([self.variable("cache", "stored", jnp.zeros, shape).value, x], axis=1)


@twin(Attention)
def attention(layer: Attention, x: Any) -> Any:
    """Projections, scores, softmax, context; queries in groups that share their keys."""
    n, tokens, d = x.shape
    H_kv = layer.H if layer.H_kv is None else layer.H_kv
    d_k = d // layer.H if layer.d_k is None else number(layer.d_k)
    M = tokens if layer.M is None else number(layer.M)
    query = inner(Linear(layer.H * d_k, bias=layer.bias), x, "query").reshape(n, tokens, H_kv, layer.H // H_kv, d_k)
    key, value = (
        inner(Linear(H_kv * d_k, bias=layer.bias), x, name).reshape(n, tokens, H_kv, d_k) for name in ("key", "value")
    )
    if layer.rotary and M > 1:
        angles = _angles(tokens, d_k, M - tokens)[:, None]
        cos, sin = jnp.cos(angles), jnp.sin(angles)
        query, key = _rotated(query, cos[:, None], sin[:, None]), _rotated(key, cos, sin)
    query = query * d_k**-0.5
    if tokens != M:
        key, value = Cache(M - tokens, name="keys")(key), Cache(M - tokens, name="values")(value)
    scores = jnp.einsum("nqgrd,nkgd->ngqrk", query, key)  # as the product leaves them: no copy in another order
    if layer.causal and tokens > 1:
        position = jnp.arange(tokens)
        if tokens != M:
            position = position + (M - tokens)
        scores = jnp.where(position[:, None, None] >= jnp.arange(M), scores, MASKED)
    weights = inner(Softmax(), scores, "softmax")
    out = jnp.einsum("ngqrk,nkgd->nqgrd", weights, value).reshape(n, tokens, layer.H * d_k)
    return inner(Linear(d, bias=layer.bias), out, "out")


def _angles(tokens: int, d_k: int, start: int) -> Any:
    position = jnp.arange(tokens, dtype=jnp.float32)
    if start:
        position = position + float(start)
    return position[:, None] * (BASE ** -(np.arange(0, d_k, 2, dtype=np.float32) / d_k))


def _rotated(x: Any, cos: Any, sin: Any) -> Any:
    a, b = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


@twin(LinearCore)
def linear_core(layer: LinearCore, x: Any) -> Any:
    """Heads of queries, keys, values; the sums are one more feature of the values."""
    n, c = x.shape[0], x.shape[-1]
    heads = x.reshape(n, -1, c // (3 * layer.d_k), 3 * layer.d_k)
    query, key, value = jnp.split(heads, 3, axis=-1)
    query, key = inner(ReLU(), query, "query"), inner(ReLU(), key, "key")
    value = jnp.pad(value, [(0, 0), (0, 0), (0, 0), (0, 1)], constant_values=1.0)
    states = jnp.einsum("nkhd,nkhe->nhde", key, value)
    sums = jnp.einsum("nqhd,nhde->nqhe", query, states)
    out = sums[..., :-1] / (sums[..., -1:] + 1e-15)
    return out.reshape(*x.shape[:-1], c // 3)


@twin(LinearAttention)
def linear_attention(layer: LinearAttention, x: Any) -> Any:
    """Projections around the core."""
    d = x.shape[-1]
    y = inner(Linear(3 * d, bias=layer.bias), x, "qkv")
    y = inner(LinearCore(d // layer.H), y, "core")
    return inner(Linear(d, bias=layer.bias), y, "out")
