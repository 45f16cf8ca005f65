"""Programs that decide by their sizes, each with what a recording must see of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from symcost.tracing.program.given import make_model
from symcost.tracing.program.model import Model
from symcost.tracing.program.spec import parse_tree


@dataclass(frozen=True)
class Row:
    """A program, the guards that it must be seen to make at the base, and the values that are tried around it."""

    name: str
    program: Callable[..., Any]
    specs: tuple[str, ...]
    base: Mapping[str, int]
    values: Mapping[str, tuple[int, ...]]
    guards: tuple[str, ...] = ()
    factory: bool = False
    pins: tuple[str, ...] = ()
    roundings: tuple[str, ...] = ()
    same: tuple[Mapping[str, int], ...] = field(default=())  # points that must be told to be the same program

    def model(self) -> Model:
        """The program as the tracer takes it, with nothing remembered."""
        if self.factory:
            return make_model(self.program, self.specs)
        return Model(None, None, parse_tree(self.specs), (), {}, {}, function=self.program)


def row(
    name: str, program: Callable[..., Any], specs: str, base: str, values: str, guards: str = "", **more: Any
) -> Row:
    def point(text: str) -> dict[str, int]:
        return {k: int(v) for k, v in (part.split("=") for part in text.split())}

    more["same"] = tuple(map(point, more.get("same", ())))
    tried = {k: tuple(map(int, v.split(","))) for k, v in (part.split("=") for part in values.split())}
    listed = tuple(part for part in guards.split("; ") if part)
    return Row(name, program, tuple(specs.split(" ")), point(base), tried, listed, **more)


# -- small modules ----------------------------------------------------------------------------------------------------
class Positions(nn.Module):
    """A table of positions for 14 by 14 patches, resized for others."""

    d: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        x = nn.Conv(self.d, (16, 16), (16, 16))(x)
        _, h, w, _ = x.shape
        table = self.param("table", nn.initializers.normal(), (1, 14, 14, self.d))
        if (h, w) != (14, 14):
            table = jax.image.resize(table, (1, h, w, self.d), "bicubic")
        return nn.Dense(self.d)((x + table).reshape(x.shape[0], h * w, self.d))


class Norm(nn.Module):
    """At most 32 groups."""

    c: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.GroupNorm(min(32, self.c))(nn.Dense(self.c)(x))


class Seventy(nn.Module):
    """A width by a float."""

    d: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.Dense(int(self.d * 0.7))(x)


def divisible(v: Any, by: int = 8) -> Any:
    new = max(by, int(v + by / 2) // by * by)
    return new + by if new < 0.9 * v else new


class Mobile(nn.Module):
    """A width multiplier in percent."""

    w: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.Dense(divisible(24 * self.w / 100))(x)


class Heads(nn.Module):
    """Heads of 64."""

    d: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.MultiHeadDotProductAttention(max(1, self.d // 64))(nn.Dense(self.d)(x))


class Squeeze(nn.Module):
    """A width of at least 8."""

    c: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.Dense(self.c)(nn.Dense(max(8, self.c // 16))(nn.Dense(self.c)(x)))


class Table(nn.Module):
    """A table of 512 positions, cut to the sequence."""

    N: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        table = self.param("table", nn.initializers.normal(), (512, 8))
        return nn.Dense(8)(x + table[: x.shape[1]])


class Stack(nn.Module):
    """As many layers as asked for."""

    L: int
    d: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        for i in range(self.L):
            x = nn.Dense(self.d, name=f"layer_{i}")(x)
        return x


class Width(nnx.Module):
    """A factor that depends on the width."""

    def __init__(self, c_i: int, d: int, *, rngs: Any) -> None:
        self.first = nnx.Linear(c_i, d, rngs=rngs)
        self.second = nnx.Linear(d, 4 * d if d < 100 else 2 * d, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.second(jax.nn.relu(self.first(x)))


SIZES = {64: 3, 96: 5}


def named(x: Any) -> Any:
    """A number by its size, from a dictionary."""
    return x @ jnp.ones((x.shape[1], SIZES[x.shape[1]]))


def integers(x: Any) -> Any:
    """Twice as wide where the size is a plain integer."""
    d = x.shape[1]
    return x @ jnp.ones((d, 2 * d if isinstance(d, int) else d))


def next_power(x: Any) -> Any:
    """Padded to the next power of two."""
    n = x.shape[0]
    return jnp.pad(x, (0, 2 ** (n - 1).bit_length() - n))


def chunks(x: Any) -> Any:
    """Padded to a multiple of 16, and cut where something was added."""
    n, length = x.shape
    pad = -length % 16
    y = jnp.exp(jnp.pad(x, ((0, 0), (0, pad)))).reshape(n, -1, 16).sum(-1, keepdims=True) * jnp.ones(16)
    y = y.reshape(n, -1)
    return y[:, :length] if pad else y


def halves(x: Any) -> Any:
    """A skip connection, cropped where a row was dropped."""
    n, r = x.shape
    y = jnp.repeat(x[:, : r // 2 * 2].reshape(n, r // 2, 2).max(-1), 2, axis=1)
    return y + x[:, (r - y.shape[1]) // 2 :][:, : y.shape[1]]


def product(x: Any, width: Any) -> Any:
    """The first columns of an array with the first rows of it: a product whose sizes tell the width."""
    return x[:, :width] @ x[:width, :]


ROWS = [
    row("threshold", lambda x: x[:5] @ x[:5].T if x.shape[0] > 2048 else x, "float32[N,4]", "N=100",
        "N=8,2048,2049,5000", "N <= 2048", same=("N=2048",)),
    row("above a threshold", lambda x: x[:5] @ x[:5].T if x.shape[0] >= 2048 else x, "float32[N,4]", "N=3000",
        "N=8,2047,2048,5000", "N >= 2048", same=("N=2048",)),
    row("chained comparison", lambda x: x[:4] if 16 <= x.shape[0] < 64 else x, "float32[N]", "N=20", "N=8,16,63,64",
        "N >= 16; N <= 63", same=("N=63",)),
    row("remainder", lambda x: x @ x.T if x.shape[1] % 96 else x, "float32[n,d]", "n=3 d=100", "n=3 d=95,96,101,192",
        "d % 96 != 0", same=("n=3 d=101",)),
    row("multiple", lambda x: x @ x.T if x.shape[1] % 96 == 0 else x, "float32[n,d]", "n=3 d=192",
        "n=3 d=95,96,101,288", "d % 96 == 0", same=("n=3 d=96",)),
    row("window, short", lambda x: x[:, -4096:].T @ x[:, -4096:], "float32[n,N]", "n=3 N=100", "n=3 N=7,4095,4097,9000",
        "N <= 4095", same=("n=3 N=4095",)),
    row("window, long", lambda x: x[:, -4096:].T @ x[:, -4096:], "float32[n,N]", "n=3 N=5000",
        "n=3 N=7,4095,4096,4097,9000", "N >= 4096", same=("n=3 N=9000",)),
    row("tuple", lambda x: x @ x.T if x.shape != (14, 14) else x, "float32[h,w]", "h=14 w=9", "h=13,14 w=13,14",
        "h == 14; w != 14"),
    row("positions", lambda d: Positions(d), "float32[n,r,r,3]", "n=2 r=64 d=8", "n=2 r=208,224,240 d=8",
        "ceiling(r/16) != 14", factory=True),
    row("dictionary", named, "float32[n,d]", "n=3 d=64", "n=3 d=64,96", "", pins=("d",)),
    row("membership", lambda x: x @ x.T if x.shape[1] in (64, 96) else x, "float32[n,d]", "n=3 d=50",
        "n=3 d=50,64,80,96", "d != 64; d != 96", same=("n=3 d=80",)),
    row("membership of a set", lambda x: x @ x.T if x.shape[1] in {64, 96} else x, "float32[n,d]", "n=3 d=50",
        "n=3 d=50,64,80,96", pins=("d",)),
    row("minimum", lambda x: product(x, min(x.shape[0], 32)), "float32[n,n]", "n=20", "n=8,31,32,33,64", "n <= 32",
        same=("n=31",)),
    row("maximum", lambda x: product(x, max(8, x.shape[0] // 16)), "float32[n,n]", "n=64", "n=32,128,143,144,160,320",
        "n <= 143", same=("n=128",)),
    row("order", lambda x, y: x @ y.T if x.shape[0] < y.shape[0] else y @ x.T, "float32[n,d] float32[m,d]",
        "n=3 m=5 d=7", "n=2,5,6 m=5,6 d=7", "m >= n + 1", same=("n=2 m=9 d=4",)),
    row("float width", lambda x: product(x, int(0.7 * x.shape[0])), "float32[d,d]", "d=64", "d=10,33,90,170,335", "",
        roundings=("int(0.7*d)",), same=("d=90", "d=170")),
    row("float width of a module", Seventy, "float32[n,8]", "n=1 d=64", "n=1 d=10,90,170,335,660", factory=True,
        roundings=("int(d*0.7)",), same=("n=1 d=90",)),
    row("half to even", lambda x: product(x, max(1, round(x.shape[0] / 16))), "float32[d,d]", "d=64",
        "d=8,24,40,56,88,120", roundings=("round(d/16)",), same=("d=40",)),
    row("ceiling", lambda x: product(x, math.ceil(x.shape[0] / 16)), "float32[d,d]", "d=64", "d=33,40,48,49,100", same=("d=49",)),
    row("root", lambda x: product(x, int(math.sqrt(x.shape[0]))), "float32[d,d]", "d=64", "d=35,36,37,100",
        roundings=("int(math.sqrt(d))",), same=("d=37",)),
    row("float threshold", lambda x: x @ x if x.shape[0] * 0.1 > 5.5 else x, "float32[d,d]", "d=64", "d=54,55,56,57",
        "d*0.1 > 5.5", same=("d=57",)),
    row("logarithm", lambda x: x @ x if np.log2(x.shape[0]) >= 6 else x, "float32[d,d]", "d=100", "d=63,64,65",
        "np.log2(d) >= 6"),
    row("multiplier in percent", Mobile, "float32[n,3]", "n=1 w=100", "n=1 w=10,35,54,75,105,130", factory=True),
    row("width from heads", Heads, "float32[n,5,8]", "n=1 d=256", "n=1 d=64,128,192,320", "d >= 128", factory=True),
    row("clamped width", Squeeze, "float32[n,3]", "n=1 c=64", "n=1 c=32,128,143,144,256", "c <= 143", factory=True,
        same=("n=1 c=128",)),
    row("groups", Norm, "float32[n,5]", "n=2 c=64", "n=2 c=8,31,32,96", "c % 32 == 0", factory=True, same=("n=2 c=96",)),
    row("table", lambda: Table(0), "float32[n,N,8]", "n=2 N=100", "n=2 N=7,511,512,513", "N <= 512; N != 512", factory=True,
        same=("n=2 N=511",)),
    row("rest of a shape", lambda x: x.reshape(x.shape[0], -1, 64).sum(1), "float32[n,d]", "n=2 d=640",
        "n=2 d=64,96,128", "d % 64 == 0", same=("n=2 d=128",)),
    row("rest between heads", lambda x, y: split_heads(x, y.shape[0]), "float32[n,N,d] float32[H]", "n=2 N=5 d=64 H=4",
        "n=2 N=5 d=60,63,66 H=3,4,5", "d % H == 0", same=("n=3 N=7 d=60 H=5",)),
    row("heads", lambda x: x.reshape(x.shape[0], 4, x.shape[1] // 4).sum(1), "float32[n,d]", "n=2 d=64",
        "n=2 d=62,68", "d % 4 == 0", same=("n=2 d=68",)),
    row("three products", lambda a, b, c: jnp.einsum("ln,sn,sp->lp", a, b, c), "float32[l,n] float32[s,n] float32[s,p]",
        "l=30 n=20 s=17 p=9", "l=3,64 n=16,50 s=7,64 p=9,64", ""),
    row("median", lambda x: jnp.median(x), "float32[n]", "n=11", "n=10,12,101"),
    row("padding", lambda x, w: jax.lax.conv(x, w, (2, 2), "SAME"), "float32[n,4,r,r] float32[8,4,3,3]", "n=2 r=13",
        "n=2 r=12,14,15", same=("n=2 r=15",)),
    row("diagonal", lambda x: jnp.diagonal(x), "float32[n,m]", "n=9 m=5", "n=4,5,6 m=5", "n >= m + 1"),
    row("best fifty", lambda x: jax.lax.top_k(x, min(50, x.shape[1])), "float32[n,V]", "n=2 V=100", "n=2 V=49,50,51",
        "V >= 50", same=("n=2 V=51",)),
    row("search", lambda x, q: jnp.searchsorted(x, q), "float32[k] float32[n]", "k=20 n=3", "k=8,31,32,64 n=3", pins=("k",)),
    row("chunks, padded", chunks, "float32[n,N]", "n=2 N=33", "n=2 N=16,32,40,50,64", "N % 16 != 0", same=("n=2 N=50",)),
    row("chunks, whole", chunks, "float32[n,N]", "n=2 N=48", "n=2 N=16,33,64", "N % 16 == 0", same=("n=2 N=64",)),
    row("cropped", halves, "float32[n,r]", "n=2 r=33", "n=2 r=32,34,35,131"),
    row("next power", next_power, "float32[n]", "n=20", "n=16,17,31,32,33,64", roundings=("int.bit_length(n - 1)",)),
    row("split", lambda x: jnp.split(x, 3, axis=1)[0], "float32[n,d]", "n=2 d=12", "n=2 d=11,15", "d % 3 == 0",
        same=("n=2 d=15",)),
    row("broadcast", lambda x, y: x + y, "float32[n,d] float32[m,d]", "n=4 m=4 d=3", "n=4,5 m=1,4,5 d=3", "n == m"),
    row("truth", lambda x: x @ x if (x.shape[0] - 64) // 8 else x, "float32[d,d]", "d=100", "d=64,65,71,72"),
    row("loop", lambda x: jax.lax.fori_loop(0, x.shape[0], lambda i, y: y @ y, x), "float32[d,d]", "d=6", "d=2,5,9",
        same=("d=9",)),
    row("unrolled", lambda x: sum(x[i] @ x[i].T for i in range(x.shape[0])), "float32[k,3,4]", "k=3", "k=2,4", pins=("k",)),
    row("repeated", lambda x: sum(y @ y.T for y in [x[0]] * x.shape[0]), "float32[k,3,4]", "k=3", "k=2,4", pins=("k",)),
    row("common divisor", lambda x: product(x, math.gcd(x.shape[0], 12)), "float32[d,d]", "d=64", "d=36,40,48,66"),
    row("power", lambda x: product(x, 2 ** (x.shape[0] // 16)), "float32[d,d]", "d=64", "d=16,48,65,80"),
    row("bits", lambda x: x @ x if x.shape[0] & (x.shape[0] - 1) == 0 else x, "float32[d,d]", "d=64", "d=32,33,48,128",
        same=("d=128",)),
    row("plain integer", integers, "float32[n,d]", "n=2 d=6", "n=2 d=3,8", same=("n=2 d=8",)),
    row("conditional width of nnx", Width, "float32[n,c_i]", "n=2 c_i=3 d=20", "n=2 c_i=3 d=99,100,101", "d <= 99",
        factory=True, same=("n=2 c_i=3 d=99",)),
    row("gradient", lambda x: jax.grad(lambda y: (y[:, :5].T @ y[:, :5]).sum())(x), "float32[n,d]", "n=4 d=9",
        "n=4 d=4,5,6,20", "d >= 6", same=("n=4 d=20",)),
    row("list index", lambda x: product(x, [8, 16, 24].index(x.shape[0]) + 1), "float32[d,d]", "d=16", "d=8,16,24"),
    row("numpy scalar", lambda x: x @ x if np.int64(64) > x.shape[0] else x, "float32[d,d]", "d=20", "d=63,64,65",
        "d <= 63"),
    row("a bit", lambda x: product(x, x.shape[0] // 2 + 3 if x.shape[0] & 1 else x.shape[0] // 2), "float32[d,d]", "d=21",
        "d=20,22,23,40", "whole_1 != 0", same=("d=23",)),
    row("half a size", lambda x: x @ x.T, "float32[n,d/2]", "n=2 d=8", "n=2 d=7,9,10", "d % 2 == 0", same=("n=2 d=10",)),
    row("patches of a spec", lambda x: x @ x.T, "float32[n,floor(r/16)]", "n=2 r=64", "n=2 r=63,65,90", same=("n=2 r=90",)),
    row("name", lambda x: x @ x.T if f"{x.shape[0]:03d}" == "064" else x, "float32[n,d]", "n=64 d=3", "n=63,64 d=2", pins=("n",)),
    row("match", lambda x: matched(x), "float32[d,d]", "d=20", "d=8,16,20", "d != 8; d != 16"),
]  # fmt: skip


def split_heads(x: Any, heads: int) -> Any:
    """Heads, and back, with the length left to be found."""
    n, _, d = x.shape
    y = x.reshape(n, -1, heads, d // heads)
    return jnp.einsum("nqhd,nkhd->nhqk", y, y) @ y.reshape(n, 1, -1, d)


def matched(x: Any) -> Any:
    """Another program for two sizes."""
    match x.shape[0]:
        case 8:
            return x @ x
        case 16:
            return x.sum()
    return x


def plain_length(x: Any) -> Any:
    """A program that does not take a symbolic length."""
    if jax.export.is_symbolic_dim(x.shape[0]):
        raise NotImplementedError("a length that is no number")
    return jnp.cumsum(x @ x.T, 0)
