"""Named axes around a model: collectives in modules while they are initialised and when they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from effort import rows
from flax import nnx
from jax import lax

import symcost as sc


class Mean(nn.Module):
    """A linear layer whose output is averaged over the devices."""

    axis: Any = "i"

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return lax.pmean(nn.Dense(100)(x), self.axis)


class Inside(nn.Module):
    """Collectives in a submodule, in a method that ``setup`` serves, and an index of the device."""

    def setup(self) -> None:
        self.mean, self.out = Mean(), nn.Dense(8)

    def __call__(self, x: jax.Array) -> jax.Array:
        gathered = lax.all_gather(self.mean(x), "i")
        return self.out(gathered.sum(0) + lax.axis_index("i"))


class Norm(nn.Module):
    """A batch norm that joins the batches of all devices."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.BatchNorm(use_running_average=False, axis_name="i")(nn.Dense(16)(x))


class NnxNorm(nnx.Module):
    """The same in nnx."""

    def __init__(self, *, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(100, 16, rngs=rngs)
        self.norm = nnx.BatchNorm(16, axis_name="i", rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.norm(self.linear(x))


class SizedByTheAxis(nn.Module):
    """Every device holds its share of the features: the axis is known while parameters are declared."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return lax.psum(nn.Dense(96 // lax.axis_size("i"), use_bias=False)(x), "i")


MODELS: dict[str, tuple[Callable[[], Any], int]] = {
    "mean": (Mean, 100 * 100 + 100),
    "two axes": (lambda: Mean(axis=("i", "j")), 100 * 100 + 100),
    "inside": (Inside, 100 * 100 + 100 + 100 * 8 + 8),
    "batch norm": (Norm, 100 * 16 + 16 + 2 * 16),
    "batch norm of nnx": (lambda: NnxNorm, 100 * 16 + 16 + 2 * 16),
    "sized by the axis": (SizedByTheAxis, 100 * 24),
}


@pytest.mark.parametrize("mode", ["forward", "train"])
@pytest.mark.parametrize("name", MODELS)
def test_a_model_may_reduce_over_axes_that_are_given(name: str, mode: str) -> None:
    make, params = MODELS[name]
    costs = sc.trace(make(), "float32[n,100]", axes={"i": 4, "j": 2}, mode=mode)
    assert costs.params == costs.trainable == params
    assert costs.subs(n=3).macs > 0
    assert costs.certificate.xla.equal, costs.certificate
    assert costs.domain.problem({"n": 1}) is None


def test_the_products_of_a_reducing_layer_are_those_of_the_layer() -> None:
    costs = sc.trace(Mean(), "float32[n,c]", axes={"i": 4})
    plain = sc.trace(nn.Dense(100), "float32[n,c]")
    assert sc.equal(costs.macs, plain.macs)
    assert sc.equal(costs.params, sc.parse("100*c + 100"))


def test_a_symbolic_width_and_axes_go_together() -> None:
    class Wide(nn.Module):
        d: int

        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            return lax.psum(nn.Dense(self.d, use_bias=False)(x), "i")

    costs = sc.trace(lambda d: Wide(d), "float32[n,c]", axes={"i": 8}, mode="train")
    assert sc.equal(costs.params, sc.parse("c*d"))
    assert sc.equal(costs.macs, sc.parse("2*n*c*d"))  # forward and the gradient of the weights


def test_a_function_may_reduce_over_axes_that_are_given() -> None:
    def gathered(x: jax.Array) -> jax.Array:
        return jnp.dot(lax.all_gather(x, "i", tiled=True), x.T)

    assert sc.equal(sc.trace_function(gathered, "float32[n,d]", axes={"i": 4}).macs, sc.parse("4*n**2*d"))


def test_an_axis_that_is_not_given_is_told_with_its_name() -> None:
    with pytest.raises(sc.LiftError, match=r"unbound axis name: i.*give axes="):
        sc.trace(Mean(), "float32[n,100]", axes={"j": 4})


@pytest.mark.parametrize("size", [0, -2, 1.5, True])
def test_a_size_that_is_none_is_refused(size: Any) -> None:
    with pytest.raises(sc.SymcostError, match=r"axes\['i'\].*must be a positive integer"):
        sc.trace(Mean(), "float32[n,100]", axes={"i": size})


@pytest.mark.parametrize("mode", ["forward", pytest.param("train", marks=pytest.mark.campaign)])
@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_reduces_over_axes_is_verified(name: str, mode: Any) -> None:
    verdict = sc.verify(MODELS[name][0](), "float32[n,100]", at={"n": 3}, axes={"i": 4, "j": 2}, mode=mode, targets=[])
    assert verdict, verdict
    assert verdict.flops == verdict.checks[0].theirs


@pytest.mark.parametrize("name", rows(("inside", "two axes"), {"inside"}))
def test_compilers_are_asked_about_one_device_of_the_axes(name: str) -> None:
    costs = sc.trace(MODELS[name][0](), "float32[n,100]", axes={"i": 4, "j": 2}, mode="train", referee=False)
    verdict = sc.verify(costs, at={"n": 3}, targets="cpu")
    assert verdict, verdict
    (compiled,) = verdict.targets
    assert compiled.devices == 8
    assert compiled.collectives["all-reduce"]


def test_a_function_that_reduces_over_axes_is_verified() -> None:
    def gathered(x: jax.Array) -> jax.Array:
        return jnp.dot(lax.all_gather(x, "i", tiled=True), x.T)

    verdict = sc.verify(gathered, "float32[n,d]", at={"n": 3, "d": 5}, axes={"i": 4}, function=True, targets=[])
    assert verdict, verdict
    assert verdict.flops == 2 * 4 * 3 * 3 * 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"axes": {"i": 4}, "mesh": {"i": 4}},
            "axes={'i': 4} are a mesh of their own, beside mesh and shard: leave one of them",
        ),
        (
            {"axes": {"i": 4}, "shard": {"inputs": "i"}},
            "axes={'i': 4} are a mesh of their own, beside mesh and shard: leave one of them",
        ),
        ({"axes": {"i": 0}}, "the mesh axis i has 0 devices: it must be a positive integer"),
        (
            {"axes": {"j": 4}},
            "unbound axis name: i. To fix this, please call psum under `jax.shard_map`: give axes={'name': size}",
        ),
        ({}, "give axes={'name': size} for an axis that the model reduces over"),
    ],
)
def test_axes_that_do_not_fit_are_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(sc.SymcostError) as told:
        sc.verify(Mean(), "float32[n,100]", at={"n": 3}, targets=[], **options)
    assert message in str(told.value)
    assert "\n" not in str(told.value)
