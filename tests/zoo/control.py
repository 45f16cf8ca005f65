"""Control flow and awkward arithmetic: loops, branches, thresholds, fractions of widths."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from zoo.case import Case


class FractionalWidths(nn.Module):
    """Widths that are floats until the last moment."""

    dim: int
    ratio: float = 0.25

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        squeezed = nn.Dense(int(self.dim * self.ratio))(x)
        wide = nn.Dense(round(self.dim * 8 / 3))(nn.relu(squeezed))
        ceiled = nn.Dense(-(-2 * self.dim // 3))(nn.gelu(wide))
        return nn.Dense(max(16, self.dim // 4))(ceiled)


class CondHalt(nn.Module):
    """One of two paths at run time, linen's own cond."""

    dim: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        heavy, light = nn.Dense(self.dim, name="heavy"), nn.Dense(self.dim, name="light")
        if self.is_initializing():
            return heavy(x) + light(x)
        return nn.cond(
            jnp.mean(x) > 0, lambda _, y: heavy(nn.relu(heavy(y))), lambda _, y: light(y), self, x
        )  # fmt: skip


def switch_features(x: jax.Array, index: jax.Array, w: jax.Array) -> jax.Array:
    """A branch by an integer."""
    branches = [lambda y: y @ w, lambda y: jnp.tanh(y @ w) @ w, lambda y: y * 2.0]
    return jax.lax.switch(index, branches, x)


def newton_schulz(x: jax.Array) -> jax.Array:
    """fori_loop with a known trip count, as in Muon."""
    x = x / (jnp.linalg.norm(x) + 1e-7)

    def body(_: Any, y: jax.Array) -> jax.Array:
        gram = y @ y.T
        return 3.4445 * y + (-4.775 * gram + 2.0315 * gram @ gram) @ y

    return jax.lax.fori_loop(0, 5, body, x)


def power_iteration(a: jax.Array, v: jax.Array) -> jax.Array:
    """A while loop whose number of trips nobody knows."""

    def test(state: tuple[jax.Array, jax.Array]) -> jax.Array:
        return state[1] > 1e-6

    def body(state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        new = a @ state[0]
        new = new / jnp.linalg.norm(new)
        return new, jnp.max(jnp.abs(new - state[0]))

    return jax.lax.while_loop(test, body, (v, jnp.float32(1)))[0]


class DeepEquilibrium(nn.Module):
    """Dense layers iterated a known number of times by fori_loop over the sequence length."""

    dim: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        w = self.param("w", nn.initializers.orthogonal(), (self.dim, self.dim))
        u = nn.Dense(self.dim)(x)
        z = jnp.zeros_like(u)
        return jax.lax.fori_loop(0, x.shape[1], lambda _, z: jnp.tanh(z @ w + u), z)


class ChunkedAttention(nn.Module):
    """Full attention up to a threshold, chunks of queries above it."""

    dim: int
    heads: int
    threshold: int = 512
    chunk: int = 128

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        b, length, _ = x.shape
        q, k, v = (nn.DenseGeneral((self.heads, self.dim // self.heads), name=name)(x) for name in "qkv")

        def attend(part: jax.Array) -> jax.Array:
            weights = nn.softmax(jnp.einsum("bqhd,bkhd->bhqk", part, k))
            return jnp.einsum("bhqk,bkhd->bqhd", weights, v)

        if length > self.threshold:
            parts = q.reshape(b, length // self.chunk, self.chunk, *q.shape[2:]).swapaxes(0, 1)
            y = jax.lax.map(attend, parts).swapaxes(0, 1).reshape(q.shape)
        else:
            y = attend(q)
        return nn.DenseGeneral(self.dim, axis=(-2, -1))(y)


class SkipEverySecond(nn.Module):
    """Layers that differ by their index: widths grow, every third one has a skip."""

    dim: int
    layers: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Dense(self.dim)(x)
        for i in range(self.layers):
            y = nn.relu(nn.Dense(self.dim * (1 + i % 2))(x))
            x = nn.Dense(self.dim)(y) + (x if i % 2 else 0)
        return x


class Funnel(nn.Module):
    """Lists of widths given as one number: halving towers."""

    dim: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for size in [self.dim * 2 ** (3 - i) for i in range(4)]:
            x = nn.elu(nn.Dense(size)(x))
        return nn.Dense(1)(x)


class Autoregressive(nn.Module):
    """Greedy decoding: nn.scan over steps with a carry of tokens."""

    vocab: int
    dim: int
    steps: int

    @nn.compact
    def __call__(self, start: jax.Array) -> jax.Array:
        class Step(nn.Module):
            vocab: int
            dim: int

            @nn.compact
            def __call__(self, carry: Any, _: Any) -> Any:
                token, h = carry
                h, _ = nn.GRUCell(self.dim)(h, nn.Embed(self.vocab, self.dim)(token))
                token = jnp.argmax(nn.Dense(self.vocab)(h), -1)
                return (token, h), token

        scan = nn.scan(Step, variable_broadcast="params", split_rngs={"params": False}, length=self.steps)
        carry = start, jnp.zeros((start.shape[0], self.dim))
        return scan(self.vocab, self.dim)(carry, None)[1].T


CASES = [
    Case("fractional_widths", lambda d: FractionalWidths(d), ("float32[n,c]",),
         dict(n=8, c=768, d=768), dict(n=2, c=5, d=70), also=(dict(n=1, c=3, d=1000),)),
    Case("cond", lambda d: CondHalt(d), ("float32[n,d]",), dict(n=8, d=768), dict(n=2, d=6)),
    Case("while_sequence", lambda d: DeepEquilibrium(d), ("float32[n,N,c]",),
         dict(n=1, N=512, c=64, d=768), dict(n=2, N=5, c=4, d=6)),
    Case("chunked_attention", lambda d, H: ChunkedAttention(d, H), ("float32[n,N,d]",),
         dict(n=1, N=512, d=768, H=12), dict(n=2, N=64, d=12, H=3)),
    Case("chunked_attention_long", lambda d, H: ChunkedAttention(d, H), ("float32[n,128*k,d]",),
         dict(n=1, k=16, d=768, H=12), dict(n=1, k=7, d=96, H=3), {}, {"at_least": {"k": 5}}),
    Case("skip_every_second", lambda d, L: SkipEverySecond(d, L), ("float32[n,c]",),
         dict(n=8, c=64, d=256, L=10), dict(n=2, c=5, d=6, L=4)),
    Case("funnel", lambda d: Funnel(d), ("float32[n,c]",), dict(n=8, c=64, d=64), dict(n=2, c=5, d=3)),
    Case("autoregressive", lambda V, d, k: Autoregressive(V, d, k), ("int32[n]",),
         dict(n=8, V=32000, d=512, k=64), dict(n=2, V=10, d=6, k=3)),
]  # fmt: skip
FUNCTIONS = [
    Case("switch", switch_features, ("float32[n,d]", "int32[]", "float32[d,d]"), dict(n=64, d=512), dict(n=3, d=4)),
    Case("newton_schulz", newton_schulz, ("float32[a,b]",), dict(a=768, b=3072), dict(a=4, b=6)),
    Case("power_iteration", power_iteration, ("float32[d,d]", "float32[d]"), dict(d=512), dict(d=5)),
]  # fmt: skip
