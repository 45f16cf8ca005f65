"""Laws of sums: products of parts add up, permuted operands cost the same, recomputation is one more forward pass."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from conv_case import Convolution, convolutions, specs, with_gradients
from effort import EXPLORE, also_campaign, by_turns, examples
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

import symcost as sc

laws = settings(max_examples=examples(25, 200), derandomize=not EXPLORE, database=None, deadline=None)
Shapes = tuple[tuple[int, ...], ...]


def counted(function: Any, *shapes: tuple[int, ...]) -> tuple[int, int, int]:
    """MACs, those of the textbook, and those on padding, with all gradients."""
    costs = sc.trace_function(with_gradients(function), *specs(shapes), referee=False)
    return costs.macs, costs.total("textbook").macs, costs.total("full").padding_macs


def times(number: int, each: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(number * count for count in each)


# -- convolutions --------------------------------------------------------------------------------------------------
@pytest.mark.campaign
@laws
@given(st.sampled_from([conv for conv in convolutions() if conv.channels == "plain"]), st.integers(2, 4))
def test_convolutions_of_parts_add_up(conv: Convolution, parts: int) -> None:
    (n, c_i, *places), (c_o, _, *taps) = conv.shapes
    one = counted(conv, *conv.shapes)
    assert counted(conv, (parts * n, c_i, *places), (c_o, c_i, *taps)) == times(parts, one), "a larger batch"
    assert counted(conv, (n, parts * c_i, *places), (c_o, parts * c_i, *taps)) == times(parts, one), "inputs"
    assert counted(conv, (n, c_i, *places), (parts * c_o, c_i, *taps)) == times(parts, one), "outputs"
    grouped = replace(conv, channels="groups")  # three groups, each of which is the convolution
    assert counted(grouped, (n, 3 * c_i, *places), (3 * c_o, c_i, *taps)) == times(3, one), "groups"
    batches = replace(conv, channels="batch groups")  # two groups of images, each with kernels of its own
    assert counted(batches, (2 * n, c_i, *places), (2 * c_o, c_i, *taps)) == times(2, one), "batch groups"


@also_campaign
@laws
@given(st.sampled_from([conv for conv in convolutions() if conv.channels == "plain"]), st.data())
def test_a_convolution_costs_the_same_in_every_layout(conv: Convolution, data: st.DataObject) -> None:
    names = [ends + "DHW"[: len(conv.axes)] for ends in ("NC", "OI", "NC")]
    orders = [data.draw(st.permutations(range(len(letters)))) for letters in names]
    axes = [conv.axes[i - 2] for i in orders[1] if i >= 2]  # jax takes them in the order of the kernel's layout
    layouts = tuple("".join(letters[i] for i in order) for letters, order in zip(names, orders, strict=True))

    def moved(x: jax.Array, w: jax.Array) -> jax.Array:
        return lax.conv_general_dilated(
            jnp.transpose(x, orders[0]), jnp.transpose(w, orders[1]), [axis.s for axis in axes],
            [axis.pads for axis in axes], [axis.e for axis in axes], [axis.d for axis in axes], layouts,
        )  # fmt: skip

    assert counted(moved, *conv.shapes) == counted(conv, *conv.shapes)


# -- matrix products -----------------------------------------------------------------------------------------------
@st.composite
def contractions(draw: st.DrawFn) -> tuple[str, list[str], list[str], dict[str, int]]:
    """Two operands of an einsum and its output, the same in another order of operands and axes, and the sizes."""
    batch, left, right, inner = (draw(st.integers(low, 2)) for low in (0, 0, 0, 1))
    letters = iter("abcdefgh")
    b, i, j, k = ("".join(next(letters) for _ in range(number)) for number in (batch, left, right, inner))
    operands = [b + i + k, b + k + j]
    mixed = ["".join(draw(st.permutations(term))) for term in (*operands, b + i + j)]
    swapped = [mixed[1], mixed[0]] if draw(st.booleans()) else mixed[:2]
    sizes = {name: draw(st.integers(1, 6)) for name in b + i + j + k}
    return b + i + j, operands, [*swapped, mixed[2]], sizes


@also_campaign
@laws
@given(contractions())
def test_a_contraction_costs_the_same_in_every_order(case: tuple[str, list[str], list[str], dict[str, int]]) -> None:
    out, operands, (left, right, other), sizes = case

    def shapes(terms: list[str]) -> Shapes:
        return tuple(tuple(sizes[name] for name in term) for term in terms)

    macs = math.prod(sizes.values())
    for terms, made in ((operands, out), ([left, right], other)):
        found = counted(lambda x, y, e=f"{terms[0]},{terms[1]}->{made}": jnp.einsum(e, x, y), *shapes(terms))
        assert found == (3 * macs, 3 * macs, 0), f"{terms} -> {made}: each of three products is {macs}"


@pytest.mark.parametrize("groups", [1, 3, 8])
def test_gradients_of_a_ragged_product_have_its_products(groups: int) -> None:
    # each of 12 rows meets the 5 x 7 matrix of its own group: 12*5*7
    def run(x: jax.Array, w: jax.Array, sizes: jax.Array) -> Any:
        out, pullback = jax.vjp(lambda x, w: lax.ragged_dot(x, w, sizes), x, w)
        return out, pullback(out)

    costs = sc.trace_function(run, "float32[12,5]", f"float32[{groups},5,7]", f"int32[{groups}]")
    assert [row.cost.macs for row in costs.rows if row.cost.macs] == [420] * 3


# -- recomputation -------------------------------------------------------------------------------------------------
class Block(nn.Module):
    """A residual block: a norm, a product, an activation."""

    product: str
    activation: str

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        c = x.shape[-1]
        made = {
            "dense": nn.Dense(c), "convolution": nn.Conv(c, (3, 3)), "transposed": nn.ConvTranspose(c, (3, 3)),
            "depthwise": nn.Conv(c, (3, 1), feature_group_count=c), "attention": nn.MultiHeadDotProductAttention(2),
        }[self.product]  # fmt: skip
        return x + getattr(nn, self.activation)(made(nn.LayerNorm()(x)))


class Network(nn.Module):
    """``L`` blocks, recomputed or not."""

    product: str
    activation: str
    recomputed: bool
    L: int = 2

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for _ in range(self.L):
            x = (nn.remat(Block) if self.recomputed else Block)(self.product, self.activation)(x)
        return x


RECOMPUTED = [
    pytest.param(product, activation, marks=by_turns(i, j, 3))
    for i, product in enumerate(("dense", "convolution", "transposed", "depthwise", "attention"))
    for j, activation in enumerate(("relu", "tanh", "gelu", "silu", "softmax", "softplus"))
]


@pytest.mark.parametrize(("product", "activation"), RECOMPUTED)
def test_recomputation_adds_what_it_recomputes_and_no_more_than_a_forward_pass(product: str, activation: str) -> None:
    spec = "float32[2,6,6,4]"
    forward = sc.trace(Network(product, activation, recomputed=False), spec, referee=False)
    stored, again = (
        sc.trace(Network(product, activation, r), spec, mode="train", referee=False) for r in (False, True)
    )
    for convention in ("textbook", "full"):
        one, less, more = (costs.total(convention) for costs in (forward, stored, again))
        rows = [row.under(convention) for row in again.rows if row.phase == "recompute"]
        assert less.macs == 3 * one.macs
        assert more.macs - less.macs == sum(row.macs for row in rows) == one.macs  # every product is needed again
        assert 0 < more.flops - less.flops <= min(one.flops, sum(row.flops for row in rows))
