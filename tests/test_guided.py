"""Sizes that ask something of one another, heads of widths and tables of sequences: answered without samples by the user."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from effort import rows

import symcost as sc
from symcost.formulas.form import Form
from symcost.tracing.evidence.guard import guard
from symcost.tracing.evidence.recording import recording


def rotated(x: jax.Array) -> jax.Array:
    """The two halves of each head turned by an angle of the position."""
    first, second = jnp.split(x, 2, axis=-1)
    angle = jnp.arange(x.shape[1])[:, None] / 10000.0 ** (jnp.arange(first.shape[-1]) / first.shape[-1])
    sine, cosine = jnp.sin(angle)[:, None], jnp.cos(angle)[:, None]
    return jnp.concatenate([first * cosine - second * sine, second * cosine + first * sine], axis=-1)


def in_pairs(x: jax.Array) -> jax.Array:
    """Every second entry beside the next one, turned."""
    even, odd = x[..., ::2], x[..., 1::2]
    angle = jnp.arange(x.shape[1])[:, None] / 10000.0 ** (jnp.arange(even.shape[-1]) / even.shape[-1])
    sine, cosine = jnp.sin(angle)[:, None], jnp.cos(angle)[:, None]
    return jnp.stack([even * cosine - odd * sine, odd * cosine + even * sine], axis=-1).reshape(x.shape)


def attended(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
    scores = jnp.einsum("nqhd,nkhd->nhqk", q, k) / math.sqrt(q.shape[-1])
    return jnp.einsum("nhqk,nkhd->nqhd", jax.nn.softmax(scores), v)


class Grouped(nn.Module):
    """LLaMA's attention: keys and values of K heads for H queries, heads of ``d // H``."""

    d: int
    H: int
    K: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        h = self.d // self.H
        q, k, v = (nn.Dense(m * h, use_bias=False)(x).reshape(*x.shape[:2], m, h) for m in (self.H, self.K, self.K))
        k, v = (jnp.repeat(each, self.H // self.K, axis=2) for each in (rotated(k), v))
        return nn.Dense(self.d, use_bias=False)(attended(rotated(q), k, v).reshape(*x.shape[:2], self.H * h))


class PartlyRotated(nn.Module):
    """GPT-NeoX's attention: a quarter of each head is turned, in pairs."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        h = self.d // self.H
        r = h // 4
        q, k, v = (nn.Dense(self.d)(x).reshape(*x.shape[:2], self.H, h) for _ in range(3))
        q, k = (jnp.concatenate([in_pairs(each[..., :r]), each[..., r:]], axis=-1) for each in (q, k))
        return nn.Dense(self.d)(attended(q, k, v).reshape(x.shape))


class Windowed(nn.Module):
    """Attention inside windows of w x w, padded where they do not fit, as in Swin and SAM."""

    d: int
    w: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x, w = nn.Dense(self.d)(x), self.w
        n, r, _, d = x.shape
        more = (w - r % w) % w
        if more > 0:
            x = jnp.pad(x, ((0, 0), (0, more), (0, more), (0, 0)))
        k = (r + more) // w
        y = x.reshape(n, k, w, k, w, d).transpose(0, 1, 3, 2, 4, 5).reshape(-1, w * w, d)
        y = jnp.einsum("bij,bjc->bic", jnp.einsum("bic,bjc->bij", y, y), y)
        y = y.reshape(n, k, k, w, w, d).transpose(0, 1, 3, 2, 4, 5).reshape(n, r + more, r + more, d)
        return nn.Dense(d)(y[:, :r, :r] if more > 0 else y)


def chunked(x: jax.Array) -> jax.Array:
    """Chunks of 64, padded where the last one is not whole, and cut again."""
    n, N, d = x.shape
    more = (64 - N % 64) % 64
    if more > 0:
        x = jnp.pad(x, ((0, 0), (0, more), (0, 0)))
    y = x.reshape(n, -1, 64, d)
    y = (y @ jnp.swapaxes(y, -1, -2) @ y).reshape(n, -1, d)
    return y[:, :N] if more > 0 else y


def prefilled(q: jax.Array, k: jax.Array, v: jax.Array, keys: jax.Array, values: jax.Array) -> jax.Array:
    """N queries in G groups of heads beside a cache of S keys."""
    n, N, H, h = q.shape
    K = k.shape[2]
    keys, values = (jax.lax.dynamic_update_slice(c, new, (0, 0, 0, 0)) for c, new in ((keys, k), (values, v)))
    scores = jnp.einsum("nqkgh,nskh->nkgqs", q.reshape(n, N, K, H // K, h), keys)
    return jnp.einsum("nkgqs,nskh->nqkgh", jax.nn.softmax(scores), values).reshape(q.shape)


@dataclass(frozen=True)
class Row:
    """A program, the conditions that its domain must state, and points at which every number is compared."""

    program: Callable[..., Any]
    specs: tuple[str, ...]
    conditions: set[str]
    points: tuple[Mapping[str, int], ...]


ROWS = {
    "grouped": Row(lambda d, H, K: Grouped(d, H, K), ("float32[n,N,d]",), {"H % K == 0", "floor(d/H) % 2 == 0"},
                   ({"n": 2, "N": 100, "d": 768, "H": 12, "K": 4}, {"n": 1, "N": 77, "d": 4096, "H": 32, "K": 8})),
    "partly rotated": Row(lambda d, H: PartlyRotated(d, H), ("float32[n,N,d]",), {"d % H == 0"},
                          ({"n": 2, "N": 100, "d": 768, "H": 12}, {"n": 1, "N": 77, "d": 4096, "H": 16})),
    "windows": Row(lambda d, w: Windowed(d, w), ("float32[n,r,r,3]",), set(),
                   ({"n": 2, "r": 56, "d": 96, "w": 7}, {"n": 1, "r": 100, "d": 64, "w": 8})),
    "cache": Row(prefilled, ("float32[n,N,H,h]", *["float32[n,N,K,h]"] * 2, *["float32[n,S,K,h]"] * 2),
                 {"H % K == 0", "N <= S"}, ({"n": 2, "N": 100, "H": 12, "K": 4, "h": 64, "S": 512},)),
    "chunks": Row(chunked, ("float32[n,N,d]",), set(),
                  ({"n": 2, "N": 100, "d": 64}, {"n": 1, "N": 640, "d": 32})),
}  # fmt: skip


@pytest.mark.parametrize("name", rows(ROWS, {"windows", "partly rotated", "grouped"}))
def test_sizes_that_meet_are_answered_at_once_and_equal_a_fresh_trace(name: str) -> None:
    row = ROWS[name]
    derive: Callable[..., sc.CostTable] = sc.trace_function if name in ("cache", "chunks") else sc.trace
    costs = derive(row.program, *row.specs, referee=False)
    assert costs.domain is not None
    assert set(costs.domain.conditions()) >= row.conditions
    assert {each.word for each in costs.domain.evidence.values()} == {"proved"}
    for point in row.points:
        costs.subs(check=True, **point)


def test_a_chunk_that_is_padded_and_cut_is_one_form() -> None:
    costs = sc.trace_function(chunked, "float32[n,N,d]", referee=False)
    assert costs.domain is not None
    assert costs.domain.conditions() == []
    assert str(costs.macs) == "8192*d*n*ceiling(N/64)"


def test_the_remainder_of_a_padding_is_that_of_the_size() -> None:
    with recording({"N": 100}) as seen:
        N = seen.dimension("N")
        assert seen.form((64 - N % 64) % 64) == seen.form(-N % 64)
        assert seen.form((N % 128 + 3) % 64) == seen.form((N + 3) % 64)
        assert seen.form((N % 96) % 64) != seen.form(N % 64)
        assert [seen.value((64 * N + 5) % 64), seen.value((N % 96) % 64)] == [5, 4]


@pytest.mark.parametrize(("op", "number", "text"), [
    ("<=", 62, "N % 64 != 0"), (">=", 63, "N % 64 == 0"), ("<=", 61, "(N + 63) % 64 <= 61"),
    (">=", 62, "(N + 63) % 64 >= 62"),
])  # fmt: skip
def test_a_padding_of_none_is_told_as_a_multiple(op: str, number: int, text: str) -> None:
    N = Form.symbol("N")
    assert str(guard((N + 63) - 64 * ((N + 63) // 64), op, number)) == text
