"""Mixtures of experts and encoder-decoders, in linen."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from zoo.case import Case


# -- Switch/GShard routing with capacity, einsum dispatch -------------------------------------------------------------
class TopKRouter(nn.Module):
    """Dispatch and combine tensors of (tokens, experts, capacity)."""

    experts: int
    k: int
    capacity: int

    @nn.compact
    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        logits = nn.Dense(self.experts, use_bias=False, name="router")(x.astype(jnp.float32))
        probs = jax.nn.softmax(logits, axis=-1)
        gates, index = jax.lax.top_k(probs, self.k)
        gates = gates / gates.sum(-1, keepdims=True)
        chosen = jax.nn.one_hot(index, self.experts, dtype=jnp.int32)  # (T, k, E)
        flat = chosen.transpose(1, 0, 2).reshape(-1, self.experts)
        position = (jnp.cumsum(flat, axis=0) * flat - 1).reshape(self.k, -1, self.experts).transpose(1, 0, 2)
        position = position.max(axis=-1)
        keep = position < self.capacity
        slots = jax.nn.one_hot(jnp.where(keep, position, self.capacity), self.capacity, dtype=x.dtype)
        dispatch = jnp.einsum("tke,tkc->tec", chosen.astype(x.dtype), slots)
        combine = jnp.einsum("tk,tke,tkc->tec", gates, chosen.astype(x.dtype), slots)
        balance = self.experts * jnp.mean(probs.mean(0) * jnp.mean(chosen[:, 0].astype(jnp.float32), 0))
        return dispatch, combine, balance


class MoEMlp(nn.Module):
    """Experts in one batched weight."""

    experts: int
    hidden: int
    k: int = 2
    capacity_factor: float = 1.25

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        b, s, d = x.shape
        tokens = x.reshape(b * s, d)
        capacity = max(1, math.ceil(tokens.shape[0] * self.k * self.capacity_factor / self.experts))
        dispatch, combine, balance = TopKRouter(self.experts, self.k, capacity)(tokens)
        self.sow("losses", "balance", balance)
        init = nn.initializers.lecun_normal()
        w1 = self.param("w1", init, (self.experts, d, self.hidden))
        w2 = self.param("w2", init, (self.experts, self.hidden, d))
        h = jnp.einsum("tec,td->ecd", dispatch, tokens)
        h = jnp.einsum("ech,ehd->ecd", nn.gelu(jnp.einsum("ecd,edh->ech", h, w1)), w2)
        return jnp.einsum("tec,ecd->td", combine, h).reshape(b, s, d)


class PythonMoE(nn.Module):
    """Mixtral in the simplest way: a Python loop over experts, everything dense."""

    experts: int
    hidden: int
    k: int = 2

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        gates, index = jax.lax.top_k(nn.Dense(self.experts, use_bias=False, name="gate")(x), self.k)
        gates = nn.softmax(gates)
        out = jnp.zeros_like(x)
        for e in range(self.experts):
            y = nn.Dense(x.shape[-1], name=f"expert{e}_down")(nn.silu(nn.Dense(self.hidden, name=f"expert{e}_up")(x)))
            weight = jnp.sum(jnp.where(index == e, gates, 0.0), axis=-1, keepdims=True)
            out = out + weight * y
        return out


class MoETransformer(nn.Module):
    """Every ``every``-th layer is a mixture."""

    vocab: int
    dim: int
    heads: int
    layers: int
    experts: int
    every: int = 2
    python: bool = False
    k: int = 2

    @nn.compact
    def __call__(self, ids: jax.Array) -> jax.Array:
        x = nn.Embed(self.vocab, self.dim)(ids)
        mask = nn.make_causal_mask(ids)
        for i in range(self.layers):
            y = nn.LayerNorm()(x)
            x = x + nn.MultiHeadDotProductAttention(self.heads)(y, mask=mask)
            y = nn.LayerNorm()(x)
            if i % self.every == self.every - 1:
                cls: Any = PythonMoE if self.python else MoEMlp
                x = x + cls(self.experts, 4 * self.dim, self.k, name=f"moe_{i}")(y)
            else:
                x = x + nn.Dense(self.dim)(nn.gelu(nn.Dense(4 * self.dim)(y)))
        return nn.Dense(self.vocab)(nn.LayerNorm()(x))


# -- T5 ---------------------------------------------------------------------------------------------------------------
def relative_position_bucket(relative: jax.Array, bidirectional: bool, buckets: int, max_distance: int) -> jax.Array:
    """As in mesh tensorflow."""
    result = 0
    if bidirectional:
        buckets //= 2
        result += (relative > 0) * buckets
        relative = jnp.abs(relative)
    else:
        relative = -jnp.clip(relative, None, 0)
    max_exact = buckets // 2
    large = max_exact + (
        jnp.log(relative / max_exact + 1e-6) / np.log(max_distance / max_exact) * (buckets - max_exact)
    ).astype(jnp.int32)
    return result + jnp.where(relative < max_exact, relative, jnp.clip(large, None, buckets - 1))


class T5Attention(nn.Module):
    """Unscaled attention, inner width of its own, relative bias in the first layer only."""

    dim: int
    heads: int
    head_dim: int
    has_bias: bool = False
    bidirectional: bool = True
    buckets: int = 32

    @nn.compact
    def __call__(
        self, x: jax.Array, kv: jax.Array, bias: jax.Array | None, causal: bool = False
    ) -> tuple[jax.Array, jax.Array]:
        inner = self.heads * self.head_dim

        def project(name: str, y: jax.Array) -> jax.Array:
            return nn.Dense(inner, use_bias=False, name=name)(y).reshape(*y.shape[:2], self.heads, self.head_dim)

        q, k, v = project("q", x), project("k", kv), project("v", kv)
        if bias is None:
            lq, lk = q.shape[1], k.shape[1]
            if self.has_bias:
                relative = jnp.arange(lk)[None] - jnp.arange(lq)[:, None]
                bucket = relative_position_bucket(relative, self.bidirectional, self.buckets, 128)
                table = nn.Embed(self.buckets, self.heads, name="relative_attention_bias")
                bias = table(bucket).transpose(2, 0, 1)[None]
            else:
                bias = jnp.zeros((1, self.heads, lq, lk))
            if causal:
                bias = jnp.where(jnp.tril(jnp.ones((lq, lk), bool)), bias, -1e10)
        weights = nn.softmax(jnp.einsum("bqhd,bkhd->bhqk", q, k) + bias)
        y = jnp.einsum("bhqk,bkhd->bqhd", weights, v).reshape(*x.shape[:2], inner)
        return nn.Dense(self.dim, use_bias=False, name="o")(y), bias


class T5(nn.Module):
    """Encoder and decoder with a shared embedding, scaled when tied."""

    vocab: int
    dim: int
    ff: int
    heads: int
    head_dim: int
    encoder_layers: int
    decoder_layers: int

    @nn.compact
    def __call__(self, input_ids: jax.Array, decoder_ids: jax.Array) -> jax.Array:
        def norm(y: jax.Array) -> jax.Array:
            return nn.RMSNorm(epsilon=1e-6)(y)

        def feed_forward(y: jax.Array) -> jax.Array:
            h = nn.gelu(nn.Dense(self.ff, use_bias=False)(y)) * nn.Dense(self.ff, use_bias=False)(y)
            return nn.Dense(self.dim, use_bias=False)(h)

        shared = nn.Embed(self.vocab, self.dim, name="shared")
        x, bias = shared(input_ids), None
        for i in range(self.encoder_layers):
            h = norm(x)
            attention = T5Attention(self.dim, self.heads, self.head_dim, i == 0, True, name=f"enc{i}_self")
            y, bias = attention(h, h, bias)
            x = x + y
            x = x + feed_forward(norm(x))
        memory = norm(x)
        x, bias, cross = shared(decoder_ids), None, None
        for i in range(self.decoder_layers):
            h = norm(x)
            attention = T5Attention(self.dim, self.heads, self.head_dim, i == 0, False, name=f"dec{i}_self")
            y, bias = attention(h, h, bias, causal=True)
            x = x + y
            y, cross = T5Attention(self.dim, self.heads, self.head_dim, name=f"dec{i}_cross")(norm(x), memory, cross)
            x = x + y
            x = x + feed_forward(norm(x))
        return shared.attend(norm(x) * self.dim**-0.5)


MOE = dict(n=1, N=512, V=32000, d=768, H=12, L=12, E=8)
T5_BASE = dict(n=1, S=512, T=128, V=32128, d=768, f=2048, H=12, k=64, a=12, b=12)
CASES = [
    Case("moe_layer", lambda E, f: MoEMlp(E, f), ("float32[n,N,d]",),
         dict(n=1, N=1024, d=768, E=8, f=3072), dict(n=2, N=12, d=8, E=3, f=20)),
    Case("moe_layer_train", lambda E, f, k: MoEMlp(E, f, k), ("float32[n,N,d]",),
         dict(n=1, N=1024, d=768, E=8, f=3072, k=2), dict(n=2, N=12, d=8, E=3, f=20, k=1), {}, {"mode": "train"}),
    Case("moe_alternating", lambda V, d, H, L, E: MoETransformer(V, d, H, L, E), ("int32[n,N]",),
         MOE, dict(n=2, N=8, V=40, d=12, H=3, L=2, E=4)),
    Case("moe_python", lambda V, d, H, L, E: MoETransformer(V, d, H, L, E, 1, True), ("int32[n,N]",),
         MOE, dict(n=2, N=8, V=40, d=12, H=3, L=2, E=4)),
    Case("moe_python_alternating", lambda d, L, E: MoETransformer(1000, d, 4, L, E, 2, True), ("int32[n,N]",),
         dict(n=1, N=512, d=768, L=12, E=8), dict(n=2, N=8, d=12, L=3, E=4)),
    Case("t5", lambda V, d, f, H, k, a, b: T5(V, d, f, H, k, a, b), ("int32[n,S]", "int32[n,T]"),
         T5_BASE, dict(n=2, S=9, T=5, V=50, d=12, f=20, H=3, k=4, a=1, b=1)),
    Case("t5_train", lambda d, f, H, L: T5(32128, d, f, H, 64, L, L), ("int32[n,S]", "int32[n,T]"),
         dict(n=1, S=512, T=128, d=768, f=2048, H=12, L=12), dict(n=2, S=9, T=5, d=12, f=20, H=3, L=2),
         {}, {"mode": "train"}),
    Case("moe_capacity", lambda f: MoEMlp(8, f), ("float32[n,N,d]",),
         dict(n=8, N=1024, d=768, f=3072), dict(n=4, N=64, d=8, f=20)),
    Case("t5_depth", lambda d, L: T5(1000, d, 4 * d, 8, 64, L, L), ("int32[n,S]", "int32[n,T]"),
         dict(n=1, S=512, T=128, d=768, L=12), dict(n=2, S=9, T=5, d=12, L=2)),
]  # fmt: skip
