"""Programs that decide by their sizes, of the tests of decisions."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp


class Encoder(nn.Module):
    """Patches of 16 with a table of 14 x 14 positions, which another resolution has resized."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Conv(self.d, (16, 16), (16, 16))(x)
        table = self.param("table", nn.initializers.normal(), (1, 14, 14, self.d))
        if x.shape[1:3] != (14, 14):
            table = jax.image.resize(table, (1, *x.shape[1:3], self.d), "bicubic")
        return nn.Dense(self.d)((x + table).reshape(x.shape[0], -1, self.d))


class Grouped(nn.Module):
    """A convolution normalised in 32 groups at most."""

    c: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.GroupNorm(min(32, self.c))(nn.Conv(self.c, (3, 3))(x))


class Headed(nn.Module):
    """Attention with as many heads of 64 as there is room for."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.MultiHeadDotProductAttention(max(1, self.d // 64))(nn.Dense(self.d)(x))


def divisible(width: float, by: int = 8) -> int:
    """A width rounded to a multiple, never by more than a tenth down, as MobileNet rounds it."""
    rounded = max(by, int(width + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * width else rounded


class Multiplied(nn.Module):
    """Layers whose widths are multiplied by percents."""

    w: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for width in (24, 32, 96):
            x = nn.Dense(divisible(width * self.w / 100))(x)
        return x


class Rotated(nn.Module):
    """A rotation of the first entries of every head, however many there are."""

    d: int
    H: int
    r: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        q = nn.Dense(self.d)(x).reshape(*x.shape[:-1], self.H, self.d // self.H)
        return jnp.concatenate([jnp.cos(q[..., : self.r]), q[..., self.r :]], axis=-1)


class Kinds(nn.Module):
    """A window of 512 keys in every fourth layer."""

    L: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range(self.L):
            x = nn.Dense(8)(x) + nn.Dense(8)(x[:, -512:] if i % 4 == 3 else x).mean(1, keepdims=True)
        return x


class Grid(nn.Module):
    """Every third layer of a grid of two depths is wider: a remainder of their sum."""

    a: int
    b: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range(self.a):
            for j in range(self.b):
                x = nn.Dense(8)(nn.Dense(16)(x) if (i + j) % 3 == 0 else x)
        return x


class Activated(nn.Module):
    """A perceptron in every fourth layer: of the activations' gradients the last one alone is of known numbers."""

    L: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range(self.L):
            x = nn.Dense(8)(nn.relu(nn.Dense(16)(x)) if i % 4 == 3 else x)
        return x.sum()


class Skipped(nn.Module):
    """A perceptron whose input enters once more after the fifth layer."""

    D: int
    w: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        h = x
        for i in range(self.D):
            h = nn.relu(nn.Dense(self.w)(h))
            if i == 4:
                h = jnp.concatenate([h, x], -1)
        return h


def window(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
    """Attention to the last 4,096 keys."""
    keys, values = k[:, -4096:], v[:, -4096:]
    return jnp.einsum("qk,kd->qd", jax.nn.softmax(jnp.einsum("qd,kd->qk", q[0], keys[0])), values[0])


def scaled(x: jax.Array) -> jax.Array:
    """Long sequences are scaled."""
    return x * math.log(x.shape[0]) + 1 if x.shape[0] > 2048 else x


def rounded(x: jax.Array, w: jax.Array) -> jax.Array:
    """A sixteenth of the width, rounded half to even."""
    return x @ w[:, : max(1, round(x.shape[1] / 16))]


def padded(x: jax.Array) -> jax.Array:
    """Chunks of 16; what was padded is cut off again."""
    n, length = x.shape
    pad = -length % 16
    y = (jnp.exp(jnp.pad(x, ((0, 0), (0, pad))).reshape(n, -1, 16)).sum(-1, keepdims=True) * jnp.ones(16)).reshape(
        n, -1
    )
    return y[:, :length] if pad else y


def cropped(x: jax.Array) -> jax.Array:
    """A skip connection around a pair of halving and doubling."""
    n, r = x.shape
    y = jnp.repeat(x[:, : r // 2 * 2].reshape(n, r // 2, 2).max(-1), 2, axis=1)
    return y + x[:, (r - y.shape[1]) // 2 :][:, : y.shape[1]]


def every_24th(x: jax.Array) -> jax.Array:
    """One product more where the length is no multiple of 24."""
    return x * x.mean(-1, keepdims=True) if x.shape[1] % 24 == 0 else x @ jnp.ones((8, 8))


class Looked(nn.Module):
    """A width that stands in a dictionary for some inputs."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense({600: 24, 8: 16}.get(self.d, 12))(nn.Dense(self.d)(x))


def looked(x: jax.Array) -> jax.Array:
    """A product more where the width stands in a dictionary, beside another free size."""
    y = x @ jnp.ones((x.shape[2], 8))
    return y @ jnp.ones((8, 8)) if {64: 2, 96: 3}.get(x.shape[2], 1) > 1 else y


def buckets(x: jax.Array) -> jax.Array:
    """A length padded to the next of few: by nothing where it is one of them."""
    fitting = [size for size in (64, 128, 512) if size >= x.shape[1]]
    return jnp.pad(x, ((0, 0), (0, (fitting or [4096])[0] - x.shape[1]), (0, 0))) * 2


def prefilled(x: jax.Array, kept: jax.Array) -> jax.Array:
    """Keys written over the first ones of a cache: over all of them where it is as long."""
    return jax.lax.dynamic_update_slice(kept, x, (0, 0, 0)) * 2


def together(x: jax.Array) -> jax.Array:
    """One product more where two decisions fall together, both of which are always taken."""
    return jnp.exp(x * x if all([x.shape[1] > 512, x.shape[2] > 100]) else x)


class Parity(nn.Module):
    """A width by the parity of a rounded half, beside a threshold of another size."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(24 if round(x.shape[1] / 2) % 2 else 16)(nn.Dense(max(1, self.d // 64))(x))


class Recent(nn.Module):
    """Every second layer sees the last keys alone."""

    L: int
    w: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range(self.L):
            x = x + nn.Dense(8)(x[:, -self.w :] if i % 2 == 0 else x).mean(1, keepdims=True)
        return x


class Behind(nn.Module):
    """A layer more where two decisions fall together: at no one sample does either of them matter by itself."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        if x.shape[1] > 4096 and self.d > 600:
            x = nn.Dense(8)(x)
        return nn.Dense(self.d)(x)


@functools.lru_cache
def remembered(d: int, N: int) -> bool:
    """A decision that is taken once for all layers of a size."""
    return d % 24 == 0 and N > 4096


class Remembered(nn.Module):
    """A layer more by a decision that is remembered."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(24 if remembered(self.d, x.shape[1]) else 8)(nn.Dense(self.d)(x))


class Stochastic(nn.Module):
    """Blocks that are left out by chance, later ones more often."""

    L: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range(self.L):
            x = x + nn.Dropout(0.3 * i / max(self.L - 1, 1))(nn.Dense(8)(x), deterministic=False)
        return x


class Speech(nn.Module):
    """A chain of windows as wav2vec 2.0 has it: of fewer than 400 samples nothing is left."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = x[..., None]
        for width, stride in ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)):
            x = nn.gelu(nn.Conv(self.d, (width,), (stride,), padding="VALID")(x))
        return x


def windows(x: jax.Array) -> jax.Array:
    """Attention in windows of 7, on a map that is padded to such, or is one window."""
    n, r, _, c = x.shape
    w, shift = (r, 0) if r <= 7 else (7, 3)
    pad = -r % w
    y = jnp.roll(jnp.pad(x, ((0, 0), (0, pad), (0, pad), (0, 0))), (-shift, -shift), (1, 2))
    p = r + pad
    y = y.reshape(n, p // w, w, p // w, w, c).transpose(0, 1, 3, 2, 4, 5).reshape(-1, w * w, c)
    y = jnp.einsum("bqk,bkd->bqd", jax.nn.softmax(jnp.einsum("bqd,bkd->bqk", y, y)), y)
    y = y.reshape(n, p // w, p // w, w, w, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, p, p, c)
    return x + jnp.roll(y, (shift, shift), (1, 2))[:, :r, :r]


def evened(x: jax.Array) -> jax.Array:
    """Pairs of rows, the last one left out where they are odd in number."""
    if x.shape[0] % 2:
        x = x[:-1]
    return x.reshape(-1, 2, 4).sum(1)


def spectral(x: jax.Array) -> jax.Array:
    """The first twelve frequencies of a signal, or as many as it has, mixed and made a signal again."""
    f = jnp.fft.rfft(x, axis=1)
    modes = min(12, f.shape[1])
    y = jnp.einsum("nki,kio->nko", f[:, :modes], jnp.ones((modes, 6, 6), jnp.complex64))
    return jnp.fft.irfft(jnp.pad(y, ((0, 0), (0, f.shape[1] - modes), (0, 0))), n=x.shape[1], axis=1)


class Residual(nn.Module):
    """As many blocks as a depth of ``6*k + 4`` asks for, as wide residual networks count it."""

    depth: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        assert (self.depth - 4) % 6 == 0, "a depth of 6*k + 4"
        x = nn.Dense(8)(x)
        for width in (8, 16):
            for _ in range((self.depth - 4) // 6):
                x = nn.Dense(width)(nn.relu(x))
        return x


class Strided(nn.Module):
    """Keys of a map that is reduced where a stride says so."""

    s: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        k = nn.Conv(8, (self.s,), (self.s,))(x) if self.s > 1 else x
        return jnp.einsum("nqd,nkd->nqk", x, k)


class Shuffled(nn.Module):
    """Two convolutions in groups with their channels shuffled between them."""

    d: int
    G: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Conv(self.d, (3,), feature_group_count=self.G)(nn.Conv(self.d, (1,))(x))
        n, length, channels = x.shape
        x = x.reshape(n, length, self.G, channels // self.G).swapaxes(2, 3).reshape(x.shape)
        return nn.Conv(self.d, (1,), feature_group_count=self.G)(x)


def cells(x: jax.Array) -> jax.Array:
    """A map pooled to six cells or a little more, by windows of a sixth of it."""
    width = x.shape[1] // 6
    return jax.lax.reduce_window(x, 0.0, jax.lax.add, (1, width), (1, width), "VALID")


class Even(nn.Module):
    """Attention of an even width alone."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        if self.d % 2:
            raise ValueError(f"an odd width of {self.d}")
        return nn.MultiHeadDotProductAttention(self.H)(nn.Dense(self.d)(x))


def stack(wide: Callable[[int, int], bool]) -> Callable[[int], nn.Module]:
    """A stack in which some layers have a second projection."""

    class Stack(nn.Module):
        L: int

        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            for i in range(self.L):
                x = nn.Dense(8, name=f"down_{i}")(nn.Dense(16, name=f"up_{i}")(x) if wide(i, self.L) else x)
            return x

    return lambda L: Stack(L)
