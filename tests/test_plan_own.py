"""What a model says itself of how its arrays lie on a mesh: specs of inputs, and metadata of parameters in linen and nnx."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import pytest
from effort import rows
from flax import nnx

import symcost as sc

MESH = {"data": "X", "model": "Y"}
BY_HAND = {"inputs/0": ("data",), "**/up/kernel": (None, "model"), "**/down/kernel": ("model",)}
make = nn.initializers.lecun_normal()


class Linen(nn.Module):
    """An MLP whose kernels say by logical or by plain names how they lie."""

    F: int
    logical: bool = False

    @nn.compact
    def __call__(self, x: Any) -> Any:
        box = nn.with_logical_partitioning if self.logical else nn.with_partitioning
        wide = "mlp" if self.logical else "model"
        narrow = "embed" if self.logical else None
        up = nn.Dense(self.F, use_bias=False, name="up", kernel_init=box(make, (narrow, wide)))
        return nn.Dense(x.shape[-1], use_bias=False, name="down", kernel_init=box(make, (wide, narrow)))(nn.gelu(up(x)))


class Nnx(nnx.Module):
    """The same in nnx."""

    def __init__(self, d: int, F: int) -> None:
        rngs = nnx.Rngs(0)
        self.up = nnx.Linear(d, F, use_bias=False, rngs=rngs, kernel_init=nnx.with_partitioning(make, (None, "model")))
        self.down = nnx.Linear(
            F, d, use_bias=False, rngs=rngs, kernel_init=nnx.with_partitioning(make, ("model", None))
        )

    def __call__(self, x: Any) -> Any:
        return self.down(jax.nn.gelu(self.up(x)))


class Plain(nn.Module):
    """The same without a word."""

    F: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        up = nn.Dense(self.F, use_bias=False, name="up")
        return nn.Dense(x.shape[-1], use_bias=False, name="down")(nn.gelu(up(x)))


@pytest.fixture(scope="module")
def by_hand() -> sc.CostTable:
    """What the plan alone says."""
    return sc.trace(lambda F: Plain(F), "float32[B,d]", plan=sc.Plan(MESH, BY_HAND))


@pytest.mark.parametrize("kind", rows(("linen", "logical", "rules around", "nnx"), {"linen", "rules around"}))
def test_what_the_model_says_is_a_plan(kind: str, by_hand: sc.CostTable) -> None:
    rules = {"mlp": "model", "embed": None} if kind == "logical" else {}
    models = {"linen": lambda F: Linen(F), "nnx": lambda d, F: Nnx(d, F)}
    model: Any = models.get(kind, lambda F: Linen(F, logical=True))
    with nn.logical_axis_rules((("mlp", "model"), ("embed", None)) if kind == "rules around" else ()):
        costs = sc.trace(model, "float32[B@data,d]", plan=sc.Plan(MESH, rules=rules))
    assert costs.communication == by_hand.communication
    assert sc.equal(costs.per_device.params, by_hand.per_device.params)
    assert costs.plan is not None
    assert {path: tuple(cut) for path, cut in costs.plan.shard.items()} == {
        "inputs/0": (("data",), None), "params/down/kernel": (("model",), None), "params/up/kernel": (None, ("model",))
    }  # fmt: skip


@pytest.mark.campaign
def test_the_plan_has_the_last_word() -> None:
    plan = sc.Plan({"model": "Y"}, {"**/up/kernel": ("model",), "**/down/kernel": (None, "model")})
    costs = sc.trace(lambda F: Linen(F), "float32[B,d]", plan=plan)
    assert costs.plan is not None
    assert costs.plan.cut("params/up/kernel", 2) == (("model",), ())
    assert costs.plan.cut("params/down/kernel", 2) == ((), ("model",))


@pytest.mark.campaign
def test_a_dimension_lies_along_two_axes() -> None:
    costs = sc.trace(
        lambda F: Plain(F), "float32[B@data+fsdp,d]", plan=sc.Plan({"data": "X", "fsdp": "Z"}), mode="train"
    )
    B, d, F, X, Z = sc.symbols("B d F X Z")
    assert costs.per_device.macs == 5 * B * d * F / (X * Z)
    assert {axes for _, axes in costs.communication} == {("data", "fsdp")}


@pytest.mark.parametrize(
    ("spec", "plan", "told"),
    [
        ("float32[B@data,d]", None, 'an input is cut along axes of a mesh, and there is none: give plan=sc.Plan({"data": ...})'),
        ("float32[B@dta,d]", sc.Plan({"data": 2}), "shard cuts 'inputs/0' along 'dta', which the mesh lacks: did you mean data?"),
        ("float32[B@,d]", sc.Plan({"data": 2}),
         "cannot read the axes of 'B@' in 'float32[B@,d]': write B@data, or B@data+fsdp along two"),
        ("float32[B@data,d]", sc.Plan({"data": 2, "tensor": 2}),
         "params/down/kernel lies along 'mlp', which is no axis of the mesh (data, tensor): give rules={'mlp': None} of the plan, "
         "or the axis that it stands for"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line(spec: str, plan: Any, told: str) -> None:
    with pytest.raises(sc.SpecError) as problem:
        sc.trace(lambda F: Linen(F, logical=True), spec, plan=plan)
    assert str(problem.value) == told


def test_rules_name_axes_of_the_mesh() -> None:
    with pytest.raises(sc.SpecError, match="rules take 'mlp' to 'modl', which the mesh lacks: did you mean model"):
        sc.Plan({"model": 2}, rules={"mlp": "modl"})
