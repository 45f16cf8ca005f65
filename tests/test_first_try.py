"""Kinds of models seen in other people's packages: answered without an option, all their sizes seen, equal to fresh traces."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from effort import rows
from flax import nnx
from flax.nnx import bridge
from test_guided import attended, rotated

import symcost as sc


class Resampled(nn.Module):
    """Patches with a table of positions of 16 x 16, resampled to images that have not as many, as in DINOv2."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        y = nn.Conv(self.d, (14, 14), strides=(14, 14), padding="VALID")(x)
        n, h, w, d = y.shape
        table = self.param("table", nn.initializers.zeros, (256, self.d))
        if h * w != 256:
            grid = table.reshape(16, 16, d)
            rows, columns = (jnp.ones((16, size)) * 0.5 for size in (h, w))
            table = jnp.einsum("akd,ah->hkd", grid, rows)
            table = jnp.einsum("hkd,kw->hwd", table, columns).reshape(h * w, d)
        return nn.Dense(self.d)(y.reshape(n, h * w, d) + table)


class ByLength(nn.Module):
    """A class token before the patches, heads of what is left, and the batch by ``len`` or as what is left."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Conv(self.d, (16, 16), strides=(16, 16))(x).reshape(len(x), -1, self.d)
        x = jnp.concatenate([jnp.zeros((len(x), 1, self.d)), x], axis=1)
        q, k, v = jnp.moveaxis(nn.Dense(3 * self.d)(x).reshape(-1, x.shape[1], 3, self.H, self.d // self.H), 2, 0)
        return nn.Dense(self.d)(attended(q, k, v).reshape(len(x), -1, self.d))


class Windows(nn.Module):
    """Attention inside windows of w x w, cut and put together by what is left of a shape."""

    d: int
    w: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x, w = nn.Dense(self.d)(x), self.w
        k, d = x.shape[1] // w, x.shape[-1]
        y = x.reshape(-1, k, w, k, w, d).transpose(0, 1, 3, 2, 4, 5).reshape(-1, w * w, d)
        y = jnp.einsum("bij,bjc->bic", jnp.einsum("bic,bjc->bij", y, y), y)
        return y.reshape(-1, k, k, w, w, d).transpose(0, 1, 3, 2, 4, 5).reshape(x.shape)


class Tabled(nn.Module):
    """Grouped queries and rotations cut out of a table of T positions."""

    d: int
    H: int
    K: int
    T: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        h = self.d // self.H
        q, k, v = (nn.Dense(m * h, use_bias=False)(x).reshape(*x.shape[:2], m, h) for m in (self.H, self.K, self.K))
        table = rotated(jnp.ones((1, self.T, 1, h)))[:, : x.shape[1]]
        k, v = (jnp.repeat(each, self.H // self.K, axis=2) for each in (k * table, v))
        return nn.Dense(self.d)(attended(q * table, k, v).reshape(*x.shape[:2], -1))


class Thirds(nn.Module):
    """Heads beside a gated layer of two thirds of four widths, as in LLaMA."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        q, k, v = (nn.Dense(self.d)(x).reshape(*x.shape[:2], self.H, self.d // self.H) for _ in range(3))
        x = x + nn.Dense(self.d)(attended(q, k, v).reshape(x.shape))
        gate, up = (nn.Dense(8 * self.d // 3 * 2)(x) for _ in range(2))
        return x + nn.Dense(self.d)(nn.silu(gate) * up)


class Waves(nn.Module):
    """A table of positions that its initialiser makes of pairs, beside heads, as in Whisper."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        def pairs(key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
            if shape[1] % 2:
                raise ValueError("it takes pairs")
            return jnp.tile(jnp.ones((shape[0], shape[1] // 2), dtype), 2)

        x = x + self.param("table", pairs, (64, self.d))
        q, k, v = (nn.Dense(self.d)(x).reshape(*x.shape[:2], self.H, self.d // self.H) for _ in range(3))
        return nn.Dense(self.d)(attended(q, k, v).reshape(x.shape))


class Cached(nn.Module):
    """One token after S that are kept: each of L layers has keys of its own in an array of all."""

    d: int
    L: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array, keys: jax.Array, t: jax.Array) -> Any:
        kept = []
        for layer in range(self.L):
            q, k = (nn.Dense(self.d)(x).reshape(len(x), 1, self.H, self.d // self.H) for _ in range(2))
            k = jax.lax.dynamic_update_slice(keys[layer], k, (0, t, 0, 0))
            x = x + nn.Dense(self.d)(attended(q, k, k).reshape(x.shape))
            kept.append(k)
        return x, jnp.stack(kept)


class Stepped(nn.Module):
    """A loop that ends when the numbers are small."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> Any:
        step = nn.Dense(self.d, name="step")
        x = step(x)
        return nn.while_loop(lambda _, state: state[1].sum() > 0.1, lambda _, state: (state[0] + 1, step(state[1])),
                             self, (0, x), broadcast_variables="params")  # fmt: skip


class Wide(nn.Module):
    """Two layers of linen."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(self.d)(nn.relu(nn.Dense(4 * self.d)(x)))


class Bridged(nnx.Module):
    """A module of linen inside one of nnx, whose variables are made by a first call."""

    def __init__(self, d: int, rngs: nnx.Rngs) -> None:
        self.inner = bridge.ToNNX(Wide(d), rngs=rngs)
        bridge.lazy_init(self.inner, jnp.zeros((1, d)))
        self.head = nnx.Linear(d, 3, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.head(self.inner(x))


@dataclass(frozen=True)
class Row:
    """A model, its input, conditions that its domain must state, and points at which every number is compared."""

    factory: Callable[..., Any]
    spec: str
    conditions: set[str]
    points: tuple[Mapping[str, int], ...]


ROWS = {
    "a special size among the samples": Row(
        lambda d: Resampled(d), "float32[n,r,r,3]", set(),
        ({"n": 2, "r": 224, "d": 96}, {"n": 1, "r": 518, "d": 384}, {"n": 1, "r": 98, "d": 64})),
    "the length of an array": Row(
        lambda d, H: ByLength(d, H), "float32[n,r,r,3]", {"d % H == 0"},
        ({"n": 2, "r": 224, "d": 96, "H": 12}, {"n": 5, "r": 100, "d": 64, "H": 4})),
    "windows": Row(
        lambda d, w: Windows(d, w), "float32[n,r,r,3]", {"r % w == 0"},
        ({"n": 2, "r": 56, "d": 96, "w": 7}, {"n": 1, "r": 96, "d": 64, "w": 8})),
    "a table beside groups": Row(
        lambda d, H, K, T: Tabled(d, H, K, T), "float32[n,N,d]", {"H % K == 0"},
        ({"n": 2, "N": 100, "d": 768, "H": 12, "K": 4, "T": 2048}, {"n": 1, "N": 77, "d": 4096, "H": 32, "K": 8, "T": 99})),
    "a width in thirds beside heads": Row(
        lambda d, H: Thirds(d, H), "float32[n,N,d]", {"d % H == 0"},
        ({"n": 2, "N": 100, "d": 512, "H": 8}, {"n": 1, "N": 33, "d": 49, "H": 7}, {"n": 1, "N": 70, "d": 96, "H": 12})),
    "pairs inside an initialiser": Row(
        lambda d, H: Waves(d, H), "float32[n,64,d]", {"d % H == 0", "d % 2 == 0"},
        ({"n": 2, "d": 512, "H": 8}, {"n": 1, "d": 4000, "H": 500}, {"n": 1, "d": 70, "H": 35})),
    "linen inside nnx": Row(
        lambda d: Bridged(d, nnx.Rngs(0)), "float32[n,d]", set(), ({"n": 2, "d": 768}, {"n": 7, "d": 95})),
}  # fmt: skip


@pytest.mark.parametrize("name", rows(ROWS, {"a table beside groups", "a special size among the samples"}))
def test_a_kind_of_model_is_answered_at_once_and_equals_fresh_traces(name: str) -> None:
    row = ROWS[name]
    costs = sc.trace(row.factory, row.spec, referee=False)
    assert costs.domain is not None
    assert set(costs.domain.conditions()) >= row.conditions
    assert {each.word for each in costs.domain.evidence.values()} == {"proved"}
    for point in row.points:
        costs.subs(check=True, **point)


def test_a_size_of_the_input_may_be_the_depth_of_an_unrolled_model() -> None:
    """Its samples are those of a depth, small ones, and no floor is left of heads that divide the width."""
    specs = "float32[n,1,d]", "float32[L,n,S,H,d//H]", "int32[]"
    costs = sc.trace(lambda d, L, H: Cached(d, L, H), *specs, referee=False)
    assert costs.domain is not None
    assert costs.domain.conditions() == ["d % H == 0"]
    assert str(costs.macs) == "2*L*S*d*n + 3*L*d**2*n"
    for point in ({"n": 2, "S": 100, "d": 512, "H": 8, "L": 6}, {"n": 1, "S": 33, "d": 50, "H": 5, "L": 1}):
        costs.subs(check=True, **point)


def test_a_linen_module_inside_an_nnx_one_is_told_without_a_word_of_its_initialisers() -> None:
    costs = sc.trace(lambda d: Bridged(d, nnx.Rngs(0)), "float32[n,d]", referee=False)
    assert (str(costs.macs), costs.domain.conditions() if costs.domain else None) == ("8*d**2*n + 3*d*n", [])


def test_the_trips_of_a_lifted_loop_stay_a_symbol() -> None:
    costs = sc.trace(lambda d: Stepped(d), "float32[n,d]", referee=False)
    (trips,) = costs.unknown_trips
    assert str(costs.macs) == f"d**2*n*{trips} + d**2*n"
    costs.subs(check=True, n=2, d=64, **{trips: 5})


def cut(x: jax.Array) -> jax.Array:
    """At most 1,024 entries of a table, all of it where that is as many."""
    table = jnp.ones((1024, x.shape[1]))
    if x.shape[0] > 1024:
        raise ValueError("the table has 1024 entries")
    return x @ table.T if x.shape[0] == 1024 else (x * table[: x.shape[0]]).sum(1)


def test_a_bound_that_one_piece_says_by_itself_is_told_of_all() -> None:
    costs = sc.trace_function(cut, "float32[N,d]", referee=False)
    assert costs.domain is not None
    assert costs.domain.conditions() == ["N <= 1024"]
    for N in (1024, 700):
        costs.subs(check=True, N=N, d=30)


def crossed(x: jax.Array) -> jax.Array:
    """Products of pairs of features, each pair once, as in DLRM."""
    i, j = jnp.tril_indices(x.shape[1], -1)
    return jnp.einsum("nfd,ngd->nfg", x, x)[:, i, j]


def test_half_of_two_numbers_side_by_side_is_no_condition() -> None:
    costs = sc.trace_function(crossed, "float32[n,F,d]", referee=False)
    assert costs.domain is not None
    assert (str(costs.macs), costs.domain.conditions()) == ("F**2*d*n", ["F >= 2"])
    for F in (27, 40):
        costs.subs(check=True, n=3, F=F, d=16)


@pytest.mark.parametrize("made", [nn.initializers.ones, nn.initializers.zeros, nn.initializers.constant(2.0)])
def test_a_parameter_may_be_a_single_number(made: Any) -> None:
    class Scaled(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            return x * self.param("scale", made, ())

    costs = sc.trace(Scaled(), "float32[n,d]")
    assert (costs.params, costs.subs(n=3, d=5).flops) == (1, 15)
    assert sc.trace(Scaled(), "float32[n,d]", mode="train").params == 1


class Tables(nn.Module):
    """A table of embeddings for each of ``T`` categories, side by side, as in DLRM."""

    d: int
    T: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.stack([nn.Embed(7, self.d, name=f"table_{i}")(x[:, i]) for i in range(self.T)], 1)


@pytest.mark.campaign
def test_an_operation_may_have_as_many_results_as_there_are_layers() -> None:
    """The gradient of a stack is an ``unstack`` with one result for each."""
    costs = sc.trace(lambda d, T: Tables(d, T), "int32[n,T]", mode="train", referee=False)
    for T in (2, 9):
        costs.subs(check=True, n=3, d=12, T=T)


ORDERS: dict[str, tuple[Callable[..., Any], str]] = {
    "a product of three": (lambda a, b, x: jnp.linalg.multi_dot([a, b, x]), "float32[n,d] float32[d,d] float32[d]"),
    "a stack of them": (
        lambda a, b, x: jnp.einsum("bnd,de,ef->bnf", a, b, x),
        "float32[b,n,d] float32[d,d] float32[d,c]",
    ),
}


@pytest.mark.parametrize("name", ["a product of three", pytest.param("a stack of them", marks=pytest.mark.campaign)])
def test_an_order_of_products_that_is_another_at_the_smallest_sizes_alone_is_met_there(name: str) -> None:
    """At n=2, d=1 the outer product comes first: no symbol alone leads there."""
    function, shapes = ORDERS[name]
    costs = sc.trace_function(function, *shapes.split(), referee=False)
    names = [str(symbol) for symbol in costs.symbols]
    inside = 0
    for sizes in itertools.product((1, 2, 9), repeat=len(names)):
        try:
            costs.subs(**dict(zip(names, sizes, strict=True)), check=True)
        except sc.DomainError:
            continue
        inside += 1
    assert inside >= 3


def test_a_random_key_may_be_held_by_the_program() -> None:
    key = jax.random.key(0)
    keys = jax.random.split(key, 3)

    def noised(x: jax.Array) -> jax.Array:
        return x @ x.T + jax.random.normal(key, (x.shape[0],) * 2) + jax.random.uniform(keys[1], x.shape[:1])

    costs = sc.trace_function(noised, "float32[n,d]")
    assert str(costs.macs) == "d*n**2"
    shape = jax.ShapeDtypeStruct((5, 3), jnp.float32)
    analysis = jax.jit(noised).lower(shape).cost_analysis()
    assert costs.subs(n=5, d=3, check=True).total("xla").flops == int(analysis["flops"])  # type: ignore[index]
    assert sc.verify(noised, "float32[5,3]", targets=["cpu"])


class Biased(nn.Module):
    """Attention with a bias by distance for each head, causal and masked: two inputs of n sequences of N tokens, as in BLOOM."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        n, N = mask.shape
        near = 2 ** math.floor(math.log2(self.H))
        slopes = jnp.array([*(2.0**-i for i in range(near)), *(3.0**-i for i in range(self.H - near))])
        allowed = nn.combine_masks(nn.make_causal_mask(mask), jnp.broadcast_to(mask[:, None, None], (n, 1, N, N)))
        bias = jnp.where(allowed > 0, 0.0, -1e9) + slopes[:, None, None] * mask.cumsum(-1)[:, None, None]
        q, k, v = jnp.split(nn.Dense(3 * self.d)(x).reshape(n, N, self.H, -1), 3, -1)
        return nn.Dense(self.d)(nn.dot_product_attention(q, k, v, bias=bias).reshape(x.shape))


def test_sizes_of_the_input_that_are_equal_by_chance_are_no_condition() -> None:
    costs = sc.trace(lambda d, H: Biased(d, H), "float32[n,N,d]", "int32[n,N]", referee=False)
    assert costs.domain is not None
    assert not any("== n" in text or "== N" in text for text in costs.domain.conditions())
    for point in ({"n": 2, "N": 2048, "d": 768, "H": 12}, {"n": 1, "N": 77, "d": 48, "H": 3}):
        costs.subs(check=True, **point)


class Positions(nn.Module):
    """Patches of an image beside a table of all pairs of them, which asks for small images."""

    patch: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Conv(4, (self.patch,) * 2, strides=(self.patch,) * 2, padding="VALID")(x)
        count = x.shape[1] * x.shape[2]
        table = np.ones((count, count), np.float32)
        return jnp.asarray(table) @ x.reshape(x.shape[0], count, 4)


def test_patches_are_sampled_inside_their_images() -> None:
    costs = sc.trace(lambda p: Positions(p), "float32[n,r,r,3]")
    assert costs.domain.conditions() == ["p <= r"]
    assert costs.subs(n=2, r=64, p=16, check=True).macs == 2 * (16 * 16 * 16 * 12 + 16 * 16 * 4)
