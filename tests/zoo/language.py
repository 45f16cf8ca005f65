"""Language models in linen: BERT, GPT-2 in two styles, LLaMA, T5, cached decoding."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from zoo.case import Case


# -- BERT, as in transformers: a config object and setup() ------------------------------------------------------------
@dataclasses.dataclass(frozen=True)
class BertConfig:
    """The usual names."""

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    hidden_dropout_prob: float = 0.1


class BertLayer(nn.Module):
    """Post-norm layer with separate query, key and value."""

    config: BertConfig

    def setup(self) -> None:
        c = self.config
        if c.hidden_size % c.num_attention_heads != 0:
            raise ValueError(
                f"`config.hidden_size`: {c.hidden_size} has to be a multiple of `config.num_attention_heads`: "
                f"{c.num_attention_heads}"
            )
        self.head_dim = c.hidden_size // c.num_attention_heads
        self.query, self.key, self.value = (nn.Dense(c.hidden_size) for _ in range(3))
        self.out = nn.Dense(c.hidden_size)
        self.attention_norm = nn.LayerNorm(epsilon=1e-12)
        self.intermediate = nn.Dense(c.intermediate_size)
        self.output = nn.Dense(c.hidden_size)
        self.output_norm = nn.LayerNorm(epsilon=1e-12)
        self.dropout = nn.Dropout(c.hidden_dropout_prob)

    def _split_heads(self, x: jax.Array) -> jax.Array:
        return x.reshape((*x.shape[:2], self.config.num_attention_heads, self.head_dim))

    def __call__(self, x: jax.Array, attention_mask: jax.Array, deterministic: bool = True) -> jax.Array:
        q, k, v = (self._split_heads(f(x)) for f in (self.query, self.key, self.value))
        mask = jnp.expand_dims(attention_mask, axis=(-3, -2))
        bias = jax.lax.select(
            jnp.broadcast_to(mask > 0, mask.shape),
            jnp.full(mask.shape, 0.0),
            jnp.full(mask.shape, jnp.finfo(jnp.float32).min),
        )
        weights = nn.dot_product_attention_weights(q, k, bias=bias, deterministic=True)
        y = jnp.einsum("...hqk,...khd->...qhd", weights, v)
        y = self.dropout(self.out(y.reshape(x.shape)), deterministic=deterministic)
        x = self.attention_norm(x + y)
        y = self.output(nn.gelu(self.intermediate(x), approximate=False))
        return self.output_norm(x + self.dropout(y, deterministic=deterministic))


class BertForMaskedLM(nn.Module):
    """Embeddings, layers, tied decoder."""

    config: BertConfig

    def setup(self) -> None:
        c = self.config
        init = nn.initializers.normal(0.02)
        self.word_embeddings = nn.Embed(c.vocab_size, c.hidden_size, embedding_init=init)
        self.position_embeddings = nn.Embed(c.max_position_embeddings, c.hidden_size, embedding_init=init)
        self.token_type_embeddings = nn.Embed(c.type_vocab_size, c.hidden_size, embedding_init=init)
        self.norm = nn.LayerNorm(epsilon=1e-12)
        self.layers = [BertLayer(c, name=str(i)) for i in range(c.num_hidden_layers)]
        self.transform = nn.Dense(c.hidden_size)
        self.transform_norm = nn.LayerNorm()
        self.bias = self.param("bias", nn.initializers.zeros, (c.vocab_size,))

    def __call__(
        self, input_ids: jax.Array, attention_mask: jax.Array, token_type_ids: jax.Array | None = None,
        deterministic: bool = True,
    ) -> jax.Array:  # fmt: skip
        if token_type_ids is None:
            token_type_ids = jnp.zeros_like(input_ids)
        positions = jnp.broadcast_to(jnp.arange(input_ids.shape[-1]), input_ids.shape)
        x = self.word_embeddings(input_ids) + self.position_embeddings(positions)
        x = self.norm(x + self.token_type_embeddings(token_type_ids))
        for layer in self.layers:
            x = layer(x, attention_mask, deterministic=deterministic)
        x = self.transform_norm(nn.gelu(self.transform(x)))
        return self.word_embeddings.attend(x) + self.bias


def bert(V: int, d: int, L: int, H: int, f: int) -> nn.Module:
    """The factory a user would write around the config."""
    return BertForMaskedLM(BertConfig(V, d, L, H, f))


# -- GPT-2: nanoGPT's style, and scanned with remat -------------------------------------------------------------------
@dataclasses.dataclass
class GPTConfig:
    """nanoGPT."""

    vocab_size: int = 50257
    block_size: int = 1024
    num_layers: int = 12
    num_heads: int = 12
    num_embeds: int = 768
    dropout_rate: float = 0.1
    use_bias: bool = True


class CausalSelfAttention(nn.Module):
    """Fused qkv; an explicit triangular mask."""

    num_heads: int
    use_bias: bool = True

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        b, t, c = x.shape
        assert c % self.num_heads == 0
        head_dim = c // self.num_heads
        qkv = nn.Dense(3 * c, use_bias=self.use_bias, name="c_attn")(x)
        qkv = qkv.reshape(b, t, 3 * self.num_heads, head_dim)
        q, k, v = jnp.array_split(qkv, 3, axis=2)
        attn = jnp.einsum("...qhd,...khd->...hqk", q, k) * (1.0 / jnp.sqrt(head_dim))
        attn = jax.nn.softmax(jnp.where(mask, attn, jnp.finfo(attn.dtype).min))
        y = jnp.einsum("...hqk,...khd->...qhd", attn, v).reshape(b, t, c)
        return nn.Dense(c, use_bias=self.use_bias, name="c_proj")(y)


class GPTBlock(nn.Module):
    """Pre-norm; written so that it can be scanned."""

    config: GPTConfig
    scanned: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> Any:
        c = self.config
        x = x + CausalSelfAttention(c.num_heads, c.use_bias, name="attn")(nn.LayerNorm(name="ln_1")(x), mask)
        y = nn.Dense(4 * c.num_embeds, name="c_fc")(nn.LayerNorm(name="ln_2")(x))
        x = x + nn.Dense(c.num_embeds, name="mlp_proj")(nn.gelu(y, approximate=True))
        return (x, None) if self.scanned else x


class GPT(nn.Module):
    """Decoder with tied embeddings; layers in a list or scanned with remat."""

    config: GPTConfig
    scan: bool = False

    @nn.compact
    def __call__(self, idx: jax.Array) -> jax.Array:
        c = self.config
        _, t = idx.shape
        assert t <= c.block_size, f"cannot forward sequence of length {t}, block size is only {c.block_size}"
        mask = nn.make_causal_mask(idx, dtype=bool)
        wte = nn.Embed(c.vocab_size, c.num_embeds, name="wte")
        x = wte(idx) + nn.Embed(c.block_size, c.num_embeds, name="wpe")(jnp.arange(0, t)[None])
        if self.scan:
            block = nn.scan(
                nn.remat(GPTBlock, prevent_cse=False, policy=jax.checkpoint_policies.nothing_saveable),
                variable_axes={"params": 0}, split_rngs={"params": True}, in_axes=nn.broadcast, length=c.num_layers,
            )  # fmt: skip
            x, _ = block(c, True, name="h")(x, mask)
        else:
            for i in range(c.num_layers):
                x = GPTBlock(c, name=str(i))(x, mask)
        return wte.attend(nn.LayerNorm(name="ln_f")(x))


# -- LLaMA: grouped queries, rotary positions, SwiGLU of a rounded width ----------------------------------------------
class RMSNorm(nn.Module):
    """Root mean square norm, computed in float32."""

    eps: float = 1e-6

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        weight = self.param("weight", nn.initializers.ones, (x.shape[-1],))
        variance = jnp.mean(jax.lax.square(x.astype(jnp.float32)), -1, keepdims=True)
        return weight * (x * jax.lax.rsqrt(variance + self.eps)).astype(x.dtype)


def rotary(x: jax.Array, theta: float = 10000.0) -> jax.Array:
    """Rotate halves."""
    d = x.shape[-1]
    freqs = 1.0 / theta ** (np.arange(0, d, 2)[: d // 2] / d)
    angles = jnp.outer(jnp.arange(x.shape[1]), freqs)
    cos, sin = jnp.cos(angles)[None, :, None], jnp.sin(angles)[None, :, None]
    x1, x2 = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([x1 * cos - x2 * sin, x2 * cos + x1 * sin], axis=-1)


class LlamaBlock(nn.Module):
    """Attention with fewer key-value heads; feed-forward width rounded to a multiple."""

    dim: int
    heads: int
    kv_heads: int
    multiple_of: int

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        b, t, _ = x.shape
        head = self.dim // self.heads
        dense = functools.partial(nn.Dense, use_bias=False)
        h = RMSNorm(name="attention_norm")(x)
        q = rotary(dense(self.heads * head, name="wq")(h).reshape(b, t, self.heads, head))
        k = rotary(dense(self.kv_heads * head, name="wk")(h).reshape(b, t, self.kv_heads, head))
        v = dense(self.kv_heads * head, name="wv")(h).reshape(b, t, self.kv_heads, head)
        k, v = (jnp.repeat(y, self.heads // self.kv_heads, axis=2) for y in (k, v))
        scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) / np.sqrt(head) + mask
        y = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores, axis=-1), v).reshape(b, t, -1)
        x = x + dense(self.dim, name="wo")(y)
        hidden = int(2 * (4 * self.dim) / 3)
        hidden = self.multiple_of * ((hidden + self.multiple_of - 1) // self.multiple_of)
        h = RMSNorm(name="ffn_norm")(x)
        gate = jax.nn.silu(dense(hidden, name="w1")(h)) * dense(hidden, name="w3")(h)
        return x + dense(self.dim, name="w2")(gate)


class Llama(nn.Module):
    """LLaMA with grouped-query attention."""

    vocab: int
    dim: int
    layers: int
    heads: int
    kv_heads: int
    multiple_of: int = 256

    def setup(self) -> None:
        self.wte = nn.Embed(self.vocab, self.dim)
        self.blocks = [LlamaBlock(self.dim, self.heads, self.kv_heads, self.multiple_of) for _ in range(self.layers)]
        self.norm = RMSNorm()
        self.lm_head = nn.Dense(self.vocab, use_bias=False)

    def __call__(self, ids: jax.Array) -> jax.Array:
        t = ids.shape[1]
        mask = jnp.triu(jnp.full((t, t), -jnp.inf), k=1)
        x = self.wte(ids)
        for block in self.blocks:
            x = block(x, mask)
        return self.lm_head(self.norm(x))


GPT2 = dict(n=1, N=1024, V=50257, d=768, H=12, L=12)
LLAMA = dict(n=1, N=2048, V=32000, d=4096, L=32, H=32, K=8)
CASES = [
    Case("bert", bert, ("int32[n,N]", "int32[n,N]"),
         dict(n=1, N=512, V=30522, d=768, L=12, H=12, f=3072), dict(n=2, N=6, V=50, d=12, L=1, H=3, f=20)),
    Case("bert_train", bert, ("int32[n,N]", "int32[n,N]", "int32[n,N]"),
         dict(n=8, N=128, V=30522, d=1024, L=24, H=16, f=4096), dict(n=2, N=6, V=50, d=12, L=1, H=3, f=20),
         {"deterministic": False}, {"mode": "train"}),
    Case("gpt2", lambda V, d, H, L: GPT(GPTConfig(V, 1024, L, H, d)), ("int32[n,N]",),
         GPT2, dict(n=2, N=7, V=50, d=12, H=3, L=2)),
    Case("gpt2_block_size", lambda V, T, d, H, L: GPT(GPTConfig(V, T, L, H, d)), ("int32[n,N]",),
         {**GPT2, "T": 1024}, dict(n=2, N=7, V=50, T=16, d=12, H=3, L=2)),
    Case("gpt2_train", lambda V, d, H, L: GPT(GPTConfig(V, 1024, L, H, d)), ("int32[n,N]",),
         GPT2, dict(n=2, N=7, V=50, d=12, H=3, L=2), {}, {"mode": "train"}),
    Case("gpt2_scan_remat", lambda d, L: GPT(GPTConfig(1000, 1024, L, 4, 4 * d), scan=True), ("int32[n,N]",),
         dict(n=8, N=512, d=192, L=12), dict(n=2, N=7, d=3, L=2), {}, {"mode": "train"}),
    Case("llama", lambda V, d, L, H, K: Llama(V, d, L, H, K), ("int32[n,N]",),
         LLAMA, dict(n=2, N=6, V=50, d=24, L=1, H=6, K=2)),
    Case("llama_train", lambda d, L, H, K, m: Llama(32000, d, L, H, K, m), ("int32[n,N]",),
         dict(n=1, N=2048, d=4096, L=32, H=32, K=32, m=256), dict(n=2, N=6, d=24, L=1, H=6, K=2, m=8),
         {}, {"mode": "train"}),
    Case("gpt2_train_depth", lambda d, L: GPT(GPTConfig(1000, 1024, L, 4, 4 * d)), ("int32[n,N]",),
         dict(n=8, N=512, d=192, L=12), dict(n=2, N=7, d=3, L=2), {}, {"mode": "train"}),
    Case("llama_width", lambda d: Llama(1000, 16 * d, 1, 8, 4, 16), ("int32[n,N]",),
         dict(n=1, N=2048, d=256), dict(n=2, N=6, d=3)),
]  # fmt: skip
