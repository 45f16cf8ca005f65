"""Sequences and sets in linen: LSTMs, state spaces, conformer, graph net, PointNet, cached decoding."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from zoo.case import Case


# -- LSTM sequence to sequence ----------------------------------------------------------------------------------------
class Seq2Seq(nn.Module):
    """Bidirectional encoder, decoder with dot attention, nn.RNN throughout."""

    vocab: int
    hidden: int
    layers: int = 2

    @nn.compact
    def __call__(self, source: jax.Array, target: jax.Array) -> jax.Array:
        embed = nn.Embed(self.vocab, self.hidden)
        x = embed(source)
        for _ in range(self.layers):
            x = nn.Bidirectional(nn.RNN(nn.LSTMCell(self.hidden)), nn.RNN(nn.LSTMCell(self.hidden)))(x)
            x = nn.Dense(self.hidden)(x)
        carry, y = nn.RNN(nn.OptimizedLSTMCell(self.hidden), return_carry=True)(embed(target))
        scores = jax.nn.softmax(jnp.einsum("bth,bsh->bts", y, x))
        y = jnp.concatenate([y, jnp.einsum("bts,bsh->bth", scores, x)], -1)
        return nn.Dense(self.vocab)(jnp.tanh(nn.Dense(self.hidden)(y)) + carry[1][:, None])


class CharRNN(nn.Module):
    """nn.scan over a GRU cell, written by hand; teacher forcing."""

    hidden: int
    vocab: int

    @nn.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        x = jax.nn.one_hot(tokens, self.vocab)
        scan = nn.scan(
            nn.GRUCell, variable_broadcast="params", split_rngs={"params": False}, in_axes=1, out_axes=1
        )  # fmt: skip
        cell = scan(features=self.hidden)
        carry = jnp.zeros((x.shape[0], self.hidden))
        _, y = cell(carry, x)
        return nn.Dense(self.vocab)(y)


class UnrolledRNN(nn.Module):
    """A Python loop over time."""

    hidden: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        h = jnp.zeros((x.shape[0], self.hidden))
        cell = nn.SimpleCell(self.hidden)
        for t in range(x.shape[1]):
            h, _ = cell(h, x[:, t])
        return h


# -- Mamba: selective state space -------------------------------------------------------------------------------------
class MambaBlock(nn.Module):
    """Selective scan by ``lax.scan`` or ``lax.associative_scan``."""

    dim: int
    state: int = 16
    expand: int = 2
    conv: int = 4
    dt_rank: Any = "auto"
    associative: bool = False

    @nn.compact
    def __call__(self, u: jax.Array) -> jax.Array:
        _, length, _ = u.shape
        inner = int(self.expand * self.dim)
        rank = -(-self.dim // 16) if self.dt_rank == "auto" else self.dt_rank
        x, z = jnp.split(nn.Dense(2 * inner, use_bias=False, name="in_proj")(u), 2, axis=-1)
        x = nn.Conv(inner, (self.conv,), padding=[(self.conv - 1, 0)], feature_group_count=inner, name="conv1d")(x)
        x = nn.silu(x)
        parts = nn.Dense(rank + 2 * self.state, use_bias=False, name="x_proj")(x)
        dt, b, c = jnp.split(parts, [rank, rank + self.state], axis=-1)
        delta = nn.softplus(nn.Dense(inner, name="dt_proj")(dt))
        a = -jnp.exp(self.param("A_log", lambda _, s: jnp.log(jnp.tile(jnp.arange(1, s[1] + 1.0), (s[0], 1))),
                                (inner, self.state)))  # fmt: skip
        decay = jnp.exp(jnp.einsum("bld,dn->bldn", delta, a))
        drive = jnp.einsum("bld,bln,bld->bldn", delta, b, x)
        if self.associative:

            def combine(left: Any, right: Any) -> Any:
                return left[0] * right[0], left[1] * right[0] + right[1]

            _, h = jax.lax.associative_scan(combine, (decay, drive), axis=1)
            y = jnp.einsum("bldn,bln->bld", h, c)
        else:

            def step(h: jax.Array, inputs: Any) -> Any:
                decay_t, drive_t, c_t = inputs
                h = decay_t * h + drive_t
                return h, jnp.einsum("bdn,bn->bd", h, c_t)

            start = jnp.zeros((u.shape[0], inner, self.state))
            moved = tuple(jnp.moveaxis(t, 1, 0) for t in (decay, drive, c))
            _, y = jax.lax.scan(step, start, moved, length=length)
            y = jnp.moveaxis(y, 0, 1)
        y = y + x * self.param("D", nn.initializers.ones, (inner,))
        return nn.Dense(self.dim, use_bias=False, name="out_proj")(y * nn.silu(z))


class Mamba(nn.Module):
    """Residual blocks; the vocabulary padded to a multiple of 8."""

    dim: int
    layers: int
    vocab: int
    state: int = 16
    associative: bool = False

    def setup(self) -> None:
        vocab = self.vocab
        if vocab % 8 != 0:
            vocab += 8 - vocab % 8
        self.embedding = nn.Embed(vocab, self.dim)
        self.layers_ = [MambaBlock(self.dim, self.state, associative=self.associative) for _ in range(self.layers)]
        self.norms = [nn.RMSNorm() for _ in range(self.layers)]
        self.norm_f = nn.RMSNorm()

    def __call__(self, ids: jax.Array) -> jax.Array:
        x = self.embedding(ids)
        for norm, layer in zip(self.norms, self.layers_, strict=True):
            x = x + layer(norm(x))
        return self.embedding.attend(self.norm_f(x))


# -- Conformer --------------------------------------------------------------------------------------------------------
class ConformerBlock(nn.Module):
    """Half feed-forward, attention, convolution module with GLU, half feed-forward."""

    dim: int
    heads: int
    kernel: int
    train: bool

    def feed_forward(self, x: jax.Array) -> jax.Array:
        """Swish, dropout."""
        y = nn.swish(nn.Dense(4 * self.dim)(nn.LayerNorm()(x)))
        y = nn.Dropout(0.1, deterministic=not self.train)(y)
        return nn.Dense(self.dim)(y)

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        x = x + 0.5 * self.feed_forward(x)
        y = nn.LayerNorm()(x)
        x = x + nn.MultiHeadDotProductAttention(self.heads)(y, y, mask=mask)
        y = nn.glu(nn.Conv(2 * self.dim, (1,))(nn.LayerNorm()(x)))
        y = nn.Conv(self.dim, (self.kernel,), padding="SAME", feature_group_count=self.dim)(y)
        y = nn.swish(nn.BatchNorm(use_running_average=not self.train)(y))
        x = x + nn.Conv(self.dim, (1,))(y)
        x = x + 0.5 * self.feed_forward(x)
        return nn.LayerNorm()(x)


class Conformer(nn.Module):
    """Subsampling by four, lengths carried along."""

    dim: int
    heads: int
    layers: int
    vocab: int
    kernel: int = 31

    @nn.compact
    def __call__(self, features: jax.Array, lengths: jax.Array, train: bool = False) -> jax.Array:
        x = features[..., None]
        for _ in range(2):
            x = nn.relu(nn.Conv(self.dim, (3, 3), (2, 2), padding="VALID")(x))
            lengths = (lengths - 1) // 2
        x = nn.Dense(self.dim)(x.reshape(x.shape[0], x.shape[1], -1))
        valid = jnp.arange(x.shape[1])[None] < lengths[:, None]
        mask = nn.make_attention_mask(valid, valid)
        for _ in range(self.layers):
            x = ConformerBlock(self.dim, self.heads, self.kernel, train)(x, mask)
        return nn.log_softmax(nn.Dense(self.vocab)(x))


# -- Sets and graphs --------------------------------------------------------------------------------------------------
class GraphNet(nn.Module):
    """Message passing with segment sums, as in jraph."""

    latent: int
    steps: int

    @nn.compact
    def __call__(self, nodes: jax.Array, edges: jax.Array, senders: jax.Array, receivers: jax.Array) -> jax.Array:
        def mlp(x: jax.Array) -> jax.Array:
            for _ in range(2):
                x = nn.relu(nn.Dense(self.latent)(x))
            return nn.LayerNorm()(x)

        total = nodes.shape[0]
        nodes, edges = mlp(nodes), mlp(edges)
        for _ in range(self.steps):
            edges = edges + mlp(jnp.concatenate([edges, nodes[senders], nodes[receivers]], -1))
            received = jax.ops.segment_sum(edges, receivers, num_segments=total)
            degree = jax.ops.segment_sum(jnp.ones_like(receivers, jnp.float32), receivers, total)
            received = received / jnp.maximum(degree, 1.0)[:, None]
            nodes = nodes + mlp(jnp.concatenate([nodes, received], -1))
        return nn.Dense(1)(nodes.sum(0))


class PointNet(nn.Module):
    """Shared MLPs, input transform, max pooling over points."""

    classes: int
    width: int = 64

    @nn.compact
    def __call__(self, points: jax.Array, train: bool = False) -> jax.Array:
        def mlp(x: jax.Array, sizes: tuple[int, ...]) -> jax.Array:
            for size in sizes:
                x = nn.relu(nn.BatchNorm(use_running_average=not train)(nn.Dense(size)(x)))
            return x

        t = mlp(points, (self.width, 2 * self.width, 16 * self.width)).max(axis=1)
        t = nn.Dense(9)(mlp(t, (8 * self.width, 4 * self.width))).reshape(-1, 3, 3) + jnp.eye(3)
        x = mlp(points @ t, (self.width, self.width))
        x = mlp(x, (self.width, 2 * self.width, 16 * self.width)).max(axis=1)
        x = nn.Dropout(0.3, deterministic=not train)(mlp(x, (8 * self.width, 4 * self.width)))
        return nn.Dense(self.classes)(x)


# -- Autoregressive decoding with a cache -----------------------------------------------------------------------------
class CachedDecoder(nn.Module):
    """One step of flax's cached attention; the cache is made for ``length`` positions."""

    dim: int
    heads: int
    layers: int
    length: int

    @nn.compact
    def __call__(self, token: jax.Array) -> jax.Array:
        x = nn.Embed(1000, self.dim)(token)
        batch = x.shape[0]
        head = self.dim // self.heads
        for i in range(self.layers):
            q, k, v = (nn.DenseGeneral((self.heads, head), name=f"{w}_proj{i}")(x) for w in "qkv")
            shape = (batch, self.length, self.heads, head)
            keys = self.variable("cache", f"k{i}", jnp.zeros, shape)
            values = self.variable("cache", f"v{i}", jnp.zeros, shape)
            index = self.variable("cache", f"i{i}", lambda: jnp.array(0, jnp.int32))
            at = index.value
            keys.value = jax.lax.dynamic_update_slice(keys.value, k, (0, at, 0, 0))
            values.value = jax.lax.dynamic_update_slice(values.value, v, (0, at, 0, 0))
            index.value = at + 1
            mask = (jnp.arange(self.length) <= at)[None, None, None]
            y = nn.dot_product_attention(q, keys.value, values.value, mask=mask)
            x = x + nn.DenseGeneral(self.dim, axis=(-2, -1), name=f"o{i}")(y)
        return nn.Dense(1000)(x)


SPEECH = ("float32[n,T,80]", "int32[n]")
GRAPH = ("float32[N,a]", "float32[E,b]", "int32[E]", "int32[E]")
CASES = [
    Case("lstm_seq2seq", lambda V, h, L: Seq2Seq(V, h, L), ("int32[n,S]", "int32[n,T]"),
         dict(n=32, S=50, T=48, V=32000, h=512, L=2), dict(n=2, S=5, T=4, V=20, h=8, L=1)),
    Case("char_rnn_train", lambda h, V: CharRNN(h, V), ("int32[n,T]",),
         dict(n=32, T=128, h=256, V=96), dict(n=2, T=5, h=8, V=12), {}, {"mode": "train"}),
    Case("unrolled_rnn", lambda h: UnrolledRNN(h), ("float32[n,T,c]",),
         dict(n=32, T=100, c=64, h=256), dict(n=2, T=3, c=5, h=8)),
    Case("mamba", lambda d, L, V, s: Mamba(d, L, V, s), ("int32[n,N]",),
         dict(n=1, N=1024, d=768, L=24, V=50280, s=16), dict(n=2, N=6, d=16, L=1, V=40, s=4)),
    Case("mamba_associative", lambda d, s: MambaBlock(d, s, associative=True), ("float32[n,64*k,d]",),
         dict(n=1, k=16, d=768, s=16), dict(n=2, k=1, d=16, s=4)),
    Case("mamba_train", lambda d, s: MambaBlock(d, s), ("float32[n,N,d]",),
         dict(n=1, N=1024, d=768, s=16), dict(n=2, N=6, d=16, s=4), {}, {"mode": "train"}),
    Case("conformer", lambda d, H, L, V: Conformer(d, H, L, V), SPEECH,
         dict(n=1, T=1600, d=512, H=8, L=17, V=1024), dict(n=2, T=40, d=12, H=3, L=1, V=20), {"train": False}),
    Case("conformer_train", lambda d, H, L, V, k: Conformer(d, H, L, V, k), SPEECH,
         dict(n=4, T=1600, d=512, H=8, L=17, V=1024, k=31), dict(n=2, T=40, d=12, H=3, L=1, V=20, k=7),
         {"train": True}, {"mode": "train"}),
    Case("graph_net", lambda d, L: GraphNet(d, L), GRAPH,
         dict(N=1000, E=5000, a=16, b=4, d=128, L=10), dict(N=7, E=12, a=3, b=2, d=8, L=1)),
    Case("graph_net_train", lambda d, L: GraphNet(d, L), GRAPH,
         dict(N=1000, E=5000, a=16, b=4, d=128, L=10), dict(N=7, E=12, a=3, b=2, d=8, L=1), {}, {"mode": "train"}),
    Case("pointnet", lambda C, w: PointNet(C, w), ("float32[n,P,3]",),
         dict(n=32, P=1024, C=40, w=64), dict(n=2, P=10, C=5, w=4), {"train": False}),
    Case("cached_decoder", lambda d, H, L, T: CachedDecoder(d, H, L, T), ("int32[n,1]",),
         dict(n=1, d=768, H=12, L=12, T=1024), dict(n=2, d=12, H=3, L=1, T=6)),
    Case("conformer_train_width", lambda d: Conformer(4 * d, 4, 1, 100, 7), ("float32[n,4*T,80]", "int32[n]"),
         dict(n=4, T=400, d=128), dict(n=2, T=10, d=3), {"train": True}, {"mode": "train"}),
    Case("graph_net_train_width", lambda d: GraphNet(d, 2), GRAPH,
         dict(N=1000, E=5000, a=16, b=4, d=128), dict(N=7, E=12, a=3, b=2, d=8), {}, {"mode": "train"}),
    Case("lstm_seq2seq_width", lambda h: Seq2Seq(1000, h), ("int32[n,S]", "int32[n,T]"),
         dict(n=32, S=50, T=48, h=512), dict(n=2, S=5, T=4, h=8)),
]  # fmt: skip
