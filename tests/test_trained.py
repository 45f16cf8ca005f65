"""What is trained: filters of parameters, what frozen ones save, and the split in everything that tells of parameters."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from flax import nnx
from trained_case import trained

import symcost as sc


# -- what the gradient costs: forward 1, gradient of the weights 1, gradient of the input 1 ---------------------------
@pytest.mark.parametrize(
    ("wrt", "per_layer"),
    [
        (None, (2, 3, 3)),  # the lowest layer needs no gradient of its input
        ("**", (2, 3, 3)),
        ("layer_0/**", (2, 2, 2)),  # through frozen layers the gradient of the input goes on
        ("layer_1/*", (1, 3 - 1, 2)),  # and stops at the lowest trained one
        ("layer_2/kernel", (1, 1, 2)),
        (["layer_0/*", "layer_2/*"], (2, 2, 3)),
        (["layer_*/kernel", "!layer_1/**"], (2, 2, 3)),
        ("!layer_0/**", (1, 2, 3)),
        (lambda path, array: path[0] == "layer_2" and array.ndim == 2, (1, 1, 2)),
    ],
)
def test_frozen_layers_take_no_gradient_of_their_weights(wrt: Any, per_layer: tuple[int, ...]) -> None:
    costs = trained(wrt)
    groups = {group.name: group.total().macs for group in costs.by_path() if group.name.startswith("layer")}
    for i, times in enumerate(per_layer):
        assert sc.equal(groups[f"layer_{i}"], times * sc.parse("n*d**2"))
    assert sc.equal(costs.macs, sum(per_layer) * sc.parse("n*d**2"))


@pytest.mark.parametrize("mode", ["forward", "train"])
def test_the_split_is_there_in_both_modes_and_under_every_convention(mode: str) -> None:
    costs = trained("layer_1/**", mode)
    assert sc.equal(costs.params, sc.parse("3*d**2"))
    assert sc.equal(costs.trainable, sc.parse("d**2"))
    for convention in sc.CONVENTIONS:
        total = costs.total(convention)
        assert sc.equal(total.frozen, sc.parse("2*d**2"))
        assert sc.equal(total.trainable, total.params - total.frozen)
    assert costs.subs(n=1, d=5).trainable == 25
    assert sc.equal(trained(None, mode).trainable, sc.parse("3*d**2"))


def test_residuals_are_those_that_the_trained_part_needs() -> None:
    assert sc.equal(
        trained(None).residuals, sc.parse("4*2*n*d")
    )  # the inputs of layers 1 and 2; the input is kept anyway
    assert sc.equal(trained("layer_2/**").residuals, sc.parse("4*n*d"))
    assert sc.equal(trained("layer_0/**").residuals, 0)  # products with frozen weights keep nothing


# -- LoRA -------------------------------------------------------------------------------------------------------------
class LoRA(nn.Module):
    """A frozen matrix and two narrow ones beside it."""

    r: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        d = x.shape[-1]
        narrow = nn.Dense(self.r, use_bias=False, name="lora_a")(x)
        return nn.Dense(d, use_bias=False, name="base")(x) + nn.Dense(d, use_bias=False, name="lora_b")(narrow)


class Block(nn.Module):
    """Attention with LoRA on queries and values, then two layers of 4 d features."""

    r: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        d = x.shape[-1]
        q, v = LoRA(self.r, name="q")(x), LoRA(self.r, name="v")(x)
        k = nn.Dense(d, use_bias=False, name="k")(x)
        weights = jax.nn.softmax(jnp.einsum("nqd,nkd->nqk", q, k))
        x = x + nn.Dense(d, use_bias=False, name="o")(jnp.einsum("nqk,nkd->nqd", weights, v))
        return x + nn.Dense(d, use_bias=False, name="down")(nn.gelu(nn.Dense(4 * d, use_bias=False, name="up")(x)))


class Transformer(nn.Module):
    """A stack of them."""

    r: int
    L: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range(self.L):
            x = Block(self.r, name=f"block_{i}")(x)
        return x


@pytest.mark.campaign
def test_lora_on_a_transformer_has_a_closed_form() -> None:
    """By hand, in MACs of a block.

    Forward: 12 N d^2 of frozen layers, 4 N d r of LoRA, 2 N^2 d of attention. Backward: once more for the input of the
    frozen ones, twice more for LoRA and for both operands of attention. The first block's input needs no gradient: not
    through q, k and v (3 N d^2), not through the two A (2 N d r), and its keys depend on nothing trained (N^2 d).
    """
    costs = sc.trace(lambda r, L: Transformer(r, L), "float32[n,N,d]", mode="train", wrt=["**/lora_a/*", "**/lora_b/*"])
    whole = sc.parse("n*L*(24*N*d**2 + 12*N*d*r + 6*N**2*d) - n*(3*N*d**2 + 2*N*d*r + N**2*d)")
    assert sc.equal(costs.macs, whole)
    assert sc.equal(costs.trainable, sc.parse("4*L*d*r"))
    assert sc.equal(costs.params, sc.parse("L*(12*d**2 + 4*d*r)"))
    here = sc.trace(Transformer(3, 2), "float32[2,5,8]", mode="train", wrt=["**/lora_a/*", "**/lora_b/*"])
    for convention in sc.CONVENTIONS:
        assert costs.subs(n=2, N=5, d=8, r=3, L=2).total(convention) == here.total(convention)


class NnxLoRA(nnx.Module):
    """Two layers with LoRA of nnx's own."""

    def __init__(self, d: int, *, rngs: nnx.Rngs) -> None:
        self.layers = nnx.List([nnx.LoRALinear(d, d, lora_rank=4, rngs=rngs, use_bias=False) for _ in range(2)])

    def __call__(self, x: jax.Array) -> jax.Array:
        for layer in self.layers:
            x = layer(x)
        return x


@pytest.mark.parametrize(
    ("wrt", "of"),
    [
        (nnx.LoRAParam, "16*d"),
        ("**/lora_a", "8*d"),
        ("layers/0/**", "d**2 + 8*d"),
        (nnx.All(nnx.LoRAParam, nnx.PathContains(0)), "8*d"),
        ([nnx.LoRAParam, "!layers/0/**"], "8*d"),
        ((nnx.LoRAParam, "layers/1/kernel"), "d**2 + 16*d"),
        (nnx.Not(nnx.LoRAParam), "2*d**2"),
        (..., "2*d**2 + 16*d"),
    ],
)
def test_filters_of_nnx_select_too(wrt: Any, of: str) -> None:
    costs = sc.trace(NnxLoRA, "float32[n,d]", mode="train", wrt=wrt)
    assert sc.equal(costs.trainable, sc.parse(of))
    assert sc.equal(costs.params, sc.parse("2*d**2 + 16*d"))


def test_a_type_of_variables_that_is_trained_is_a_parameter() -> None:
    class Adapter(nnx.Variable):
        pass

    class Model(nnx.Module):
        def __init__(self, d: int, *, rngs: nnx.Rngs) -> None:
            self.base = nnx.Linear(d, d, use_bias=False, rngs=rngs)
            self.scale = Adapter(jnp.ones((d,)))

        def __call__(self, x: jax.Array) -> jax.Array:
            return self.base(x) * self.scale[...]

    costs = sc.trace(Model, "float32[n,d]", mode="train", wrt=Adapter)
    assert sc.equal(costs.trainable, sc.parse("d"))
    assert sc.equal(costs.params, sc.parse("d**2 + d"))
    assert sc.equal(costs.macs, sc.parse("n*d**2"))


def test_layers_that_a_scan_repeats_are_split_too() -> None:
    class Body(nn.Module):
        r: int

        @nn.compact
        def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, None]:
            return LoRA(self.r)(x), None

    class Scanned(nn.Module):
        r: int
        L: int

        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            body: Any = nn.scan(Body, variable_axes={"params": 0}, split_rngs={"params": True}, length=self.L)
            return body(self.r, name="layers")(x, None)[0]

    costs = sc.trace(lambda r, L: Scanned(r, L), "float32[n,d]", mode="train", wrt="**/lora_*/*")
    assert sc.equal(costs.trainable, sc.parse("2*L*d*r"))
    assert sc.equal(costs.params, sc.parse("L*(d**2 + 2*d*r)"))
    everything = sc.trace(lambda r, L: Scanned(r, L), "float32[n,d]", mode="train")
    assert sc.equal(everything.macs - costs.macs, sc.parse("L*n*d**2"))  # the gradients of the frozen matrices


def test_integer_weights_may_be_frozen_and_are_no_obstacle() -> None:
    class Quantised(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            kernel = self.param("kernel", lambda key: jnp.zeros((64, 32), jnp.int8))
            scale = self.param("scale", lambda key: jnp.ones((32,)))
            return (x @ kernel.astype(jnp.float32)) * scale

    costs = sc.trace(Quantised(), "float32[n,64]", mode="train", wrt="scale")
    assert (costs.params, costs.trainable) == (64 * 32 + 32, 32)


def test_a_parameter_of_the_name_weight_is_none_of_a_product_for_that() -> None:
    class Scale(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            return x * self.param("weight", nn.initializers.ones, (8,)) + self.param(
                "frozen", nn.initializers.ones, (8,)
            )

    costs = sc.trace(Scale(), "float32[n,8]")
    assert costs.total("textbook").params == 0
    assert (costs.params, costs.trainable) == (16, 16)


# -- errors -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wrt", "message"),
    [
        ("layer_1", "wrt='layer_1' matches no parameter: did you mean 'layer_1/**'?"),
        ("kernel", "wrt='kernel' matches no parameter: did you mean '**/kernel'?"),
        (["layer_0/*", "layer_0/kernal"], "wrt='layer_0/kernal' matches no parameter: did you mean layer_0/kernel"),
        ("!stem/**", "wrt='!stem/**' matches no parameter: "),
        ("zzz", "they are layer_0/kernel, layer_1/kernel, layer_2/kernel"),
        (["layer_0/*", "!**"], "trains nothing: what it selects is left out again"),
        ([], "wrt is empty: give a pattern such as '**/lora/**', or leave it out to train everything"),
        ("layer_0//kernel", "wrt='layer_0//kernel' has an empty part: write it as 'head/*' or '**/bias'"),
        ("", "wrt='' has an empty part"),
        (3, "wrt=3 is no filter of a linen model: give patterns such as '**/lora/**', or a function of path and array"),
        (nnx.LoRAParam, "is no filter of a linen model"),
        (lambda path, array: False, "selects no parameter"),
    ],
)
def test_a_filter_that_is_none_or_trains_nothing_is_one_line(wrt: Any, message: str) -> None:
    with pytest.raises(sc.SymcostError) as caught:
        trained(wrt)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrt", "message"),
    [
        (nnx.BatchStat, "selects no parameter: their types are Param, LoRAParam"),
        (3, "wrt=3 is no filter of nnx: give a type of variable"),
    ],
)
def test_what_nnx_cannot_read_or_does_not_have_is_one_line(wrt: Any, message: str) -> None:
    with pytest.raises(sc.TraceError, match=message):
        sc.trace(NnxLoRA, "float32[n,d]", mode="train", wrt=wrt)


def test_a_layer_that_only_deep_models_have_bounds_the_depth() -> None:
    costs = sc.trace(lambda L: Transformer(2, L), "float32[n,N,8]", wrt="block_3/**", at_least={"L": 4})
    assert sc.equal(costs.trainable, 12 * 64 + 4 * 8 * 2)
    with pytest.raises(sc.DomainError, match="L must be at least 4"):
        costs.subs(L=3)
