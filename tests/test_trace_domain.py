"""Where closed forms hold: divisors, orders, roundings, small maps, patterns of layers, special values."""

from __future__ import annotations

import itertools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from effort import rows
from jax import lax

import symcost as sc
from symcost.formulas.symbols import parse
from symcost.hlo import analyse


def test_heads_must_divide_the_width() -> None:
    class Attend(nn.Module):
        H: int

        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            return nn.MultiHeadDotProductAttention(num_heads=self.H)(x)

    costs = sc.trace(lambda H: Attend(H), "float32[n,N,d]")
    assert "d % H == 0" in costs.domain.conditions()
    with pytest.raises(sc.DomainError, match="must be an integer"):
        costs.subs(n=1, N=4, d=64, H=5)


@pytest.mark.parametrize("whole", [pytest.param(False, marks=pytest.mark.campaign), True])
def test_groups_of_heads_hold_from_one_head_on(whole: bool) -> None:
    """Heads are a multiple of those of keys and divide the width, or are as wide as it allows: no more is asked."""

    class Grouped(nn.Module):
        V: int
        d: int
        H: int
        K: int

        @nn.compact
        def __call__(self, tokens: jax.Array) -> jax.Array:
            if whole and self.d % self.H:
                raise ValueError(f"{self.H} heads in a width of {self.d}")
            x = nn.Embed(self.V, self.d)(tokens)
            queries = nn.DenseGeneral((self.H, self.d // self.H))(x)
            keys = nn.DenseGeneral((self.K, self.d // self.H))(x)
            return jax.nn.dot_product_attention(queries, keys, keys)

    costs = sc.trace(Grouped, "int32[n,N]")
    widths = ["d/H >= 2"] if whole else ["d >= 2*H"]
    asked = set(costs.domain.conditions()) - {"d >= 2"}
    assert asked == {"V >= 2", "H % K == 0", *(["d % H == 0"] if whole else []), *widths}
    for H, K in ((1, 1), (2, 1), (6, 3)):
        costs.subs(n=2, N=5, V=11, d=4 * H, H=H, K=K, check=True)


def test_a_sequence_must_fit_the_table_of_positions() -> None:
    class Positions(nn.Module):
        T: int

        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            if x.shape[1] > self.T:
                raise ValueError(f"sequence of {x.shape[1]} in a table of {self.T}")
            table = self.param("table", nn.initializers.normal(), (self.T, x.shape[2]))
            return x + table[: x.shape[1]]

    costs = sc.trace(lambda T: Positions(T), "float32[n,N,d]")
    assert "N <= T" in costs.domain.conditions()
    assert costs.params == parse("T*d")
    with pytest.raises(sc.DomainError, match="N <= T must hold"):
        costs.subs(n=1, N=9, T=8, d=4)


def test_a_rounded_width_is_a_ceiling() -> None:
    class Rounded(nn.Module):
        d: int

        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            return nn.Dense(-(-self.d // 8) * 8, use_bias=False)(x)

    costs = sc.trace(lambda d: Rounded(d), "float32[n,4]")
    assert [costs.subs(n=1, d=d).params for d in (9, 16, 100)] == [4 * 16, 4 * 16, 4 * 104]


def test_a_size_that_is_a_sum_of_three_symbols() -> None:
    costs = sc.trace_function(
        lambda x, y, z: jnp.concatenate([x, y, z], -1) * 2.0, "float32[n,c]", "float32[n,d]", "float32[n,e]"
    )
    assert (costs.flops - parse("n*(c + d + e)")).expand() == 0


# -- small maps, large multiples, deep models ------------------------------------------------------------------------
class DepthwiseStages(nn.Module):
    """Depthwise 7 x 7 convolutions on maps that become smaller than their kernel."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for _ in range(2):
            x = nn.Conv(4, (4, 4), strides=4, padding="VALID")(x)
            x = nn.Conv(4, (7, 7), padding=3, feature_group_count=4)(x)
        return x


@pytest.mark.parametrize("r", rows([16, 17, 33, 50, 64, 96, 224], [33, 50, 64, 96]))
def test_a_kernel_larger_than_its_map_is_counted_exactly_too(r: int) -> None:
    costs = sc.trace(DepthwiseStages(), "float32[n,r,r,3]")
    assert costs.domain.at_least == {"r": 16}
    at = costs.subs(n=2, r=r).total("xla")
    lowered = jax.jit(DepthwiseStages().apply).lower(
        jax.eval_shape(DepthwiseStages().init, jax.random.key(0), jnp.zeros((2, r, r, 3))),
        jax.ShapeDtypeStruct((2, r, r, 3), "float32"),
    )
    assert at.flops == analyse(lowered.compiler_ir("hlo").as_hlo_text()).flops


def test_a_length_rounded_up_to_a_large_multiple_is_found() -> None:
    def chunked(x: jax.Array) -> jax.Array:
        chunks = x.shape[1] // 128 + 1  # always one more than fits
        padded = lax.pad(x, 0.0, ((0, 0, 0), (0, chunks * 128 - x.shape[1], 0)))
        return padded.reshape(x.shape[0], chunks, 128).sum(-1)

    costs = sc.trace_function(chunked, "float32[n,N]")
    for length in (1, 127, 128, 129, 500, 1024):
        assert costs.subs(n=3, N=length).flops == 3 * (length // 128 + 1) * 127


class Patterned(nn.Module):
    """Every ``period``-th layer is wide; the others have a second projection."""

    d: int
    L: int
    period: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for layer in range(self.L):
            if (layer + 1) % self.period:
                x = nn.Dense(self.d)(nn.Dense(self.d)(x))
            else:
                x = nn.Dense(self.d, use_bias=False)(nn.Dense(4 * self.d)(nn.relu(x)))
        return x


def test_a_reduction_of_channels_holds_below_and_above_its_ratio() -> None:
    """Squeeze and excitation: ``max(1, c // 16)`` of an input's channels is 1 up to 31 of them."""

    class Squeezed(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            channels = x.shape[-1]
            scale = nn.Dense(max(1, channels // 16))(x.mean((1, 2)))
            return x * nn.sigmoid(nn.Dense(channels)(scale))[:, None, None]

    costs = sc.trace(Squeezed(), "float32[n,h,w,c]")
    assert costs.domain.conditions() == []
    for channels in (1, 15, 16, 31, 32, 47, 48, 200):
        width = max(1, channels // 16)
        assert costs.subs(n=1, h=2, w=2, c=channels).params == 2 * channels * width + channels + width


@pytest.mark.campaign
def test_what_layers_keep_repeats_as_they_do() -> None:
    """Dilations of 1, 2, 4, ... 512 and again: padded inputs are kept for the backward pass, of every layer other ones."""

    class Dilated(nn.Module):
        L: int

        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            for layer in range(self.L):
                x = nn.Conv(4, (2,), kernel_dilation=(2 ** (layer % 10),), padding="CAUSAL")(x)
            return x

    costs = sc.trace(Dilated, "float32[n,T,4]", mode="train")
    at = {"n": 3, "T": 600}
    kept = [costs.subs(**at, L=depth).residuals for depth in range(20, 41)]
    padded = [
        4 * 3 * 4 * (600 + 2 ** (layer % 10)) + 4 for layer in range(20, 40)
    ]  # and the 0 that they are padded with
    assert [after - before for before, after in itertools.pairwise(kept)] == padded


@pytest.mark.parametrize("period", [2, 3, 6])
def test_layers_that_differ_in_a_pattern_are_counted_at_every_depth(period: int) -> None:
    costs = sc.trace(lambda d, L: Patterned(d, L, period), "float32[n,d]")
    assert str(costs.domain).split("; ")[0] == "n, d, L positive integers"
    for depth in (1, 2, 5, 6, 7, 12, 31):
        macs = 3 * 7**2 * (8 * (depth // period) + 2 * (depth - depth // period))
        assert costs.subs(n=3, d=7, L=depth).macs == macs
    assert costs.peak_activations == parse("5*n*d")
    if period > 2:
        assert f"peaks are upper bounds up to L={period - 1}: not every kind of layer occurs yet" in str(costs.domain)


# -- special values --------------------------------------------------------------------------------------------------
class Projected(nn.Module):
    """A residual layer of 64 channels, with a projection unless the input is as wide already."""

    c: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Dense(self.c)(x)
        skip = x if x.shape[-1] == 64 else nn.Dense(64, name="skip")(x)
        return skip + nn.Dense(64)(x)


def test_a_value_at_which_alone_the_program_is_another_one_is_a_piece_of_its_own() -> None:
    costs = sc.trace(Projected, "float32[n,3]")
    assert str(costs.params) == "Piecewise((132*c + 128, Ne(c, 64)), (8640 - 64*2, True))".replace("8640 - 64*2", str(
        sum(x.size for x in jax.tree.leaves(nn_params(Projected(64))))))  # fmt: skip
    for c in (63, 64, 65):
        assert costs.subs(n=1, c=c).params == sum(x.size for x in jax.tree.leaves(nn_params(Projected(c))))


def nn_params(module: nn.Module) -> Any:
    return jax.eval_shape(module.init, jax.random.key(0), jnp.zeros((1, 3)))


VANISHING: dict[str, Any] = {  # where a number made of a size is 0 or 1
    "n - 1 times": lambda x: jnp.median(x, axis=1),
    "n - 1 times, and a quantile": lambda x: jnp.quantile(x, 0.3, axis=1),
    "n - 5 times, and n - 3 more": lambda x: x * (x.shape[1] - 5) + (x.shape[1] - 3),
    "a part in n + 1": lambda x: x * (1 / (x.shape[1] + 1)),
}


@pytest.mark.parametrize("name", VANISHING)
def test_sizes_at_which_an_equation_vanishes_have_numbers_of_their_own(name: str) -> None:
    function = VANISHING[name]
    costs = sc.trace_function(function, "float32[b,n]")
    for n in range(1, 12):
        here, right = costs.subs(b=3, n=n), sc.trace_function(function, f"float32[3,{n}]")
        assert (here.flops, here.macs) == (right.flops, right.macs)


def test_a_slice_that_takes_everything_is_a_piece_of_its_own() -> None:
    def program(x: jax.Array) -> jax.Array:
        return x[:, : min(64, x.shape[1])] @ x.T[: min(64, x.shape[1])]

    costs = sc.trace_function(program, "float32[b,n]")
    assert str(costs.macs) == "Piecewise((Piecewise((64*b**2, n >= 65), (b**2*n, True)), n <= 63), (64*b**2, True))"
    for n in (1, 2, 63, 64, 65, 1000):
        right = sc.trace_function(program, f"float32[4,{n}]")
        here = costs.subs(b=4, n=n)
        assert (here.activations, here.flops) == (right.activations, right.flops)


def test_a_table_that_is_used_whole_belongs_to_the_domain() -> None:
    class Masked(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            mask = jnp.tril(jnp.ones((512, 512), bool))
            return jnp.where(lax.dynamic_slice(mask, (0, 0), x.shape), x, 0.0)

    costs = sc.trace(Masked(), "float32[N,N]")
    assert costs.domain.problem({"N": 512}) is None
    assert "N <= 512" in str(costs.domain.problem({"N": 513}))
    assert costs.subs(N=512).flops == sc.trace(Masked(), "float32[512,512]").flops
