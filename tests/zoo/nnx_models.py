"""Models in nnx: lists of blocks, scan and vmap over layers, caches, LoRA, batch statistics."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from zoo.case import Case


class Block(nnx.Module):
    """Pre-norm transformer block."""

    def __init__(self, dim: int, heads: int, mlp: int, dropout: float = 0.1, *, rngs: nnx.Rngs):
        self.norm1 = nnx.LayerNorm(dim, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(heads, dim, decode=False, rngs=rngs)
        self.norm2 = nnx.LayerNorm(dim, rngs=rngs)
        self.up = nnx.Linear(dim, mlp, rngs=rngs)
        self.down = nnx.Linear(mlp, dim, rngs=rngs)
        self.dropout = nnx.Dropout(dropout, rngs=rngs)

    def __call__(self, x: jax.Array, mask: jax.Array | None = None) -> jax.Array:
        x = x + self.dropout(self.attention(self.norm1(x), mask=mask))
        return x + self.dropout(self.down(nnx.gelu(self.up(self.norm2(x)))))


class ListGPT(nnx.Module):
    """Blocks in an nnx.List, tied embedding."""

    def __init__(self, vocab: int, dim: int, heads: int, layers: int, *, rngs: nnx.Rngs, length: int = 1024):
        self.embed = nnx.Embed(vocab, dim, rngs=rngs)
        self.positions = nnx.Param(jax.random.normal(rngs.params(), (length, dim)) * 0.02)
        self.blocks = nnx.List([Block(dim, heads, 4 * dim, rngs=rngs) for _ in range(layers)])
        self.norm = nnx.LayerNorm(dim, rngs=rngs)

    def __call__(self, ids: jax.Array) -> jax.Array:
        x = self.embed(ids) + self.positions[...][: ids.shape[1]]
        mask = nnx.make_causal_mask(ids)
        for block in self.blocks:
            x = block(x, mask)
        return self.embed.attend(self.norm(x))


class ScannedEncoder(nnx.Module):
    """Layers made by nnx.vmap and run by nnx.scan with remat."""

    def __init__(self, dim: int, heads: int, mlp: int, layers: int, *, rngs: nnx.Rngs):
        @nnx.split_rngs(splits=layers)
        @nnx.vmap(in_axes=(0,), out_axes=0)
        def create(rngs: nnx.Rngs) -> Block:
            return Block(dim, heads, mlp, rngs=rngs)

        self.layers = create(rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        @nnx.scan(in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
        @nnx.remat
        def forward(x: jax.Array, layer: Block) -> jax.Array:
            return layer(x)

        return forward(x, self.layers)


class ConvBlock(nnx.Module):
    """Convolution, batch norm, dropout."""

    def __init__(self, cin: int, cout: int, stride: int, rngs: nnx.Rngs):
        self.conv = nnx.Conv(cin, cout, (3, 3), strides=stride, use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(cout, rngs=rngs)
        self.dropout = nnx.Dropout(0.1, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.dropout(nnx.relu(self.bn(self.conv(x))))


class CNN(nnx.Module):
    """The tutorial's kind of network: the linear layer knows the image size."""

    def __init__(self, width: int, stages: int, classes: int, side: int, *, rngs: nnx.Rngs):
        self.blocks = nnx.List([ConvBlock(3 if i == 0 else width, width, 2, rngs) for i in range(stages)])
        self.head = nnx.Linear(width * math.ceil(side / 2**stages) ** 2, classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        for block in self.blocks:
            x = block(x)
        return self.head(x.reshape(x.shape[0], -1))


class LoRAMlp(nnx.Module):
    """Low-rank adapters beside frozen layers."""

    def __init__(self, dim: int, rank: int, layers: int, *, rngs: nnx.Rngs):
        self.layers = nnx.List([nnx.Linear(dim, dim, rngs=rngs) for _ in range(layers)])
        self.adapters = nnx.List([nnx.LoRA(dim, rank, dim, rngs=rngs) for _ in range(layers)])
        self.out = nnx.LoRALinear(dim, dim, lora_rank=rank, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        for layer, adapter in zip(self.layers, self.adapters, strict=True):
            x = nnx.relu(layer(x) + adapter(x))
        return self.out(x)


class Recurrent(nnx.Module):
    """nnx.RNN over an LSTM."""

    def __init__(self, features: int, hidden: int, classes: int, *, rngs: nnx.Rngs):
        self.rnn = nnx.RNN(nnx.OptimizedLSTMCell(features, hidden, rngs=rngs))
        self.gru = nnx.RNN(nnx.GRUCell(hidden, hidden, rngs=rngs))
        self.head = nnx.Linear(hidden, classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.head(self.gru(self.rnn(x))[:, -1])


class SwitchMLP(nnx.Module):
    """Experts made by vmap and applied by vmap, every token to every expert, top-1 mask."""

    def __init__(self, dim: int, hidden: int, experts: int, *, rngs: nnx.Rngs):
        @nnx.split_rngs(splits=experts)
        @nnx.vmap
        def create(rngs: nnx.Rngs) -> nnx.Sequential:
            up, down = nnx.Linear(dim, hidden, rngs=rngs), nnx.Linear(hidden, dim, rngs=rngs)
            return nnx.Sequential(up, nnx.silu, down)

        self.experts = create(rngs)
        self.router = nnx.Linear(dim, experts, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        probs = nnx.softmax(self.router(x))
        best = jnp.argmax(probs, -1)
        gate = jax.nn.one_hot(best, probs.shape[-1]) * probs

        @nnx.vmap(in_axes=(0, None), out_axes=0)
        def apply(expert: Any, y: jax.Array) -> jax.Array:
            return expert(y)

        return jnp.einsum("ebnd,bne->bnd", apply(self.experts, x), gate)


def list_gpt(V: int, d: int, H: int, L: int) -> nnx.Module:
    """With random streams as tutorials write them."""
    return ListGPT(V, d, H, L, rngs=nnx.Rngs(params=0, dropout=1))


IDS = ("int32[n,N]",)
CASES = [
    Case("nnx_list_gpt", list_gpt, IDS,
         dict(n=1, N=1024, V=50257, d=768, H=12, L=12), dict(n=2, N=5, V=30, d=12, H=3, L=1)),
    Case("nnx_list_gpt_train", list_gpt, IDS,
         dict(n=1, N=1024, V=50257, d=768, H=12, L=12), dict(n=2, N=5, V=30, d=12, H=3, L=1), {}, {"mode": "train"}),
    Case("nnx_scanned", lambda d, m, L: ScannedEncoder(4 * d, 4, m, L, rngs=nnx.Rngs(0)), ("float32[n,N,4*d]",),
         dict(n=2, N=512, d=192, m=3072, L=12), dict(n=2, N=5, d=3, m=20, L=2)),
    Case("nnx_scanned_train", lambda d, m, L: ScannedEncoder(4 * d, 4, m, L, rngs=nnx.Rngs(0)), ("float32[n,N,4*d]",),
         dict(n=2, N=512, d=192, m=3072, L=12), dict(n=2, N=5, d=3, m=20, L=2), {}, {"mode": "train"}),
    Case("nnx_cnn", lambda w, C, r: CNN(w, 3, C, r, rngs=nnx.Rngs(0)), ("float32[n,r,r,3]",),
         dict(n=8, r=32, w=64, C=10), dict(n=2, r=16, w=4, C=5)),
    Case("nnx_cnn_stages", lambda w, s, C: CNN(w, s, C, 64, rngs=nnx.Rngs(0)), ("float32[n,64,64,3]",),
         dict(n=8, w=64, s=4, C=10), dict(n=2, w=4, s=2, C=5), {}, {"mode": "train"}),
    Case("nnx_lora", lambda d, r, L: LoRAMlp(d, r, L, rngs=nnx.Rngs(0)), ("float32[n,d]",),
         dict(n=32, d=4096, r=8, L=12), dict(n=2, d=6, r=2, L=1)),
    Case("nnx_recurrent", Recurrent, ("float32[n,T,features]",),
         dict(n=32, T=100, features=40, hidden=256, classes=10), dict(n=2, T=4, features=5, hidden=8, classes=3)),
    Case("nnx_switch", SwitchMLP, ("float32[n,N,dim]",),
         dict(n=1, N=512, dim=768, hidden=3072, experts=8), dict(n=2, N=5, dim=6, hidden=10, experts=3)),
]  # fmt: skip
