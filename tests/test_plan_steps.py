"""Steps as engineers write them: their closed forms are those of hand arithmetic, and what compilers make of them."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import pytest
from effort import needs
from step_programs import DECODER, Decoder, Tied, experts_trained, pipelined, sent_to_experts, trained_by_optax

import symcost as sc

MESH = {"data": "X", "model": "Y"}
ON_TPU = needs("libtpu", "a TPU's program")
EXPERTS = ("float32[S,d]", "float32[d,E]", "float32[E,d,F]", "float32[E,F,d]")
BY_EXPERT = {"inputs/0": ("expert",), "inputs/2": ("expert",), "inputs/3": ("expert",)}


def test_tokens_are_sent_to_experts_by_hand() -> None:
    """Twice, as many as have room; a device that has room for none is outside of what is told."""
    costs = sc.trace_function(sent_to_experts, *EXPERTS, plan=sc.Plan({"expert": "Y"}, BY_EXPERT))
    E, d = sc.symbols("E d")
    assert costs.communication == {("all-to-all", ("expert",)): 8 * E * d * sc.parse("floor(S/(4*Y))")}
    at = dict(S=128, d=32, E=16, F=64, Y=8)
    assert sc.verify(costs, at=at, targets=["cpu"])
    with pytest.raises(sc.DomainError, match=r"floor\(S/\(4\*Y\)\) must be at least 1"):
        _ = costs.subs(**{**at, "S": 24}).communication


@pytest.mark.campaign
def test_a_pipeline_by_hand_waits_for_its_first_and_last_microbatch() -> None:
    costs = sc.trace_function(
        pipelined, "float32[m,B,d]", "float32[L,d,d]", plan=sc.Plan({"stage": "P"}, {"inputs/1": ("stage",)})
    )
    m, B, d, L, P = sc.symbols("m B d L P")
    assert sc.equal(costs.per_device.macs, (m + P - 1) * L / P * B * d**2)
    turn = costs.collectives[0]
    assert (turn.kind, turn.bytes, turn.times) == ("collective-permute", 4 * B * d, m + P - 1)
    assert sc.verify(costs, at=dict(m=4, B=16, d=32, L=8, P=4), targets=["cpu"])


@pytest.mark.campaign
@pytest.mark.parametrize("mode", ["forward", "train"])
def test_a_vocabulary_that_is_cut_is_told_from_small_sizes_on(mode: Any) -> None:
    """Where a device's part of an array begins is no work of it, of which XLA writes more or less."""
    cut = {"inputs/*": ("data",), "**/embedding": ("model",)}
    costs = sc.trace(lambda V, d: Tied(V, d), "int32[B,T]", "int32[B,T]", plan=sc.Plan(MESH, cut), mode=mode)
    B, T, V, d, X, Y = sc.symbols("B T V d X Y")
    trained = int(mode == "train")
    assert costs.per_device.params == V * d / Y + d**2
    assert sc.equal(costs.per_device.macs * X, (1 + 2 * trained) * (B * T * V * d / Y + B * T * d**2))
    assert sc.equal(costs.communication["all-reduce", ("data",)], 4 + trained * (8 * V * d / Y + 4 * d**2))
    assert sc.equal(costs.communication["all-reduce", ("model",)] * X, (1 + trained) * 4 * B * T * d + 12 * B * T)
    assert sc.verify(costs, at=dict(B=16, T=32, V=512, d=64, X=4, Y=2), targets=["cpu"])


@pytest.mark.parametrize(("cut", "gathered"), [
    pytest.param({"inputs/1/**/kernel*": ("data",)}, 0, marks=pytest.mark.campaign),
    ({"inputs/0/**/kernel*": ("data",), "inputs/1/**/kernel*": ("data",)}, 2 * 4 * 128 * 512),
])  # fmt: skip
@pytest.mark.parametrize("target", ["cpu", pytest.param("tpu-v5e", marks=[ON_TPU, pytest.mark.campaign])])
def test_a_step_of_nnx_and_optax_is_cut_as_its_state(cut: dict[str, Any], gathered: int, target: str) -> None:
    """Its arrays are trees of nnx and of optax. ZeRO 1: the state is cut; 3: the parameters too, which are gathered."""
    step, params, state = trained_by_optax(128, 512)
    plan = sc.Plan({"data": 8}, {"inputs/2": ("data",), "inputs/3": ("data",), **cut})
    costs = sc.trace_function(step, params, state, *["float32[1024,128]"] * 2, plan=plan)
    assert costs.communication.get(("all-gather", ("data",)), 0) == gathered
    whole = 4 * (2 * 128 * 512 + 512 + 128 + 2 * 128)
    assert costs.communication["all-reduce", ("data",)] == whole + 4, "all gradients, and the loss"
    verdict = sc.verify(costs, targets=[target])
    assert verdict, str(verdict)


@pytest.mark.campaign
@pytest.mark.parametrize("target", ["cpu", pytest.param("tpu-v5e", marks=ON_TPU)])
def test_experts_by_hand_are_trained(target: str) -> None:
    """The selection of one expert is a call that compilers of TPUs count."""
    sizes = ("float32[128,32]", "float32[32,16]", "float32[16,32,64]", "float32[16,64,32]")
    costs = sc.trace_function(experts_trained, *sizes, plan=sc.Plan({"expert": 8}, BY_EXPERT))
    assert costs.communication["all-to-all", ("expert",)] == 3 * 4 * 16 * 32 * (128 // 8 // 4)
    verdict = sc.verify(costs, targets=[target])
    assert verdict, str(verdict)


@pytest.mark.campaign
@pytest.mark.parametrize("target", ["cpu", *(pytest.param(name, marks=ON_TPU) for name in ("tpu-v5e", "tpu-v6e"))])
def test_a_decoder_with_its_loss_is_trained(target: str) -> None:
    plan = sc.Plan({"data": 4, "model": 2}, DECODER)
    costs = sc.trace(lambda: Decoder(256, 512, 4, 1024), *["int32[32,64]"] * 2, plan=plan, mode="train")
    kernels = 2 * 1024 * 256 + 4 * (2 * 256 * 256 + 2 * 256 * 128 + 3 * 256 * 512)
    assert costs.per_device.params == kernels // 8 + 9 * 256
    verdict = sc.verify(costs, targets=[target])
    assert verdict, str(verdict)


@pytest.mark.parametrize("target", [pytest.param("tpu-v5e", marks=ON_TPU)])
def test_gradients_that_are_equal_columns_are_reduced_as_one(target: str) -> None:
    """The sum of what a last layer gives has the same gradient in each of its columns."""
    plan = sc.Plan({"data": 8}, {"inputs/0": ("data",)})
    costs = sc.trace(nn.Sequential([nn.LayerNorm(), nn.Dense(1000)]), "float32[16,1024]", plan=plan, mode="train")
    verdict = sc.verify(costs, targets=[target])
    assert verdict, str(verdict)
    (told,) = (check.because for check in verdict.checks if check.metric == "all-reduce bytes along data")
    assert told == "-4,091,904 reduced as one of many equal columns: an operand of its product is equal numbers"


class Fused(nn.Module):
    """Queries, keys and values of one kernel."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        parts = jnp.split(nn.Dense(3 * self.d, use_bias=False, name="qkv")(x), 3, -1)
        q, k, v = (part.reshape(*x.shape[:2], self.H, self.d // self.H) for part in parts)
        return jnp.einsum("bhts,bshc->bthc", nn.softmax(jnp.einsum("bthc,bshc->bhts", q, k)), v)


def test_parts_of_a_kernel_that_an_axis_cuts_across_are_told_with_their_array() -> None:
    plan = sc.Plan(MESH, {"inputs/0": ("data",), "**/qkv/kernel": (None, "model")})
    with pytest.raises(sc.LiftError) as problem:
        sc.trace(lambda d, H: Fused(d, H), "float32[B,T,d]", plan=plan)
    told = str(problem.value)
    assert "along model lie params/qkv/kernel (3*d)" in told
    assert "give numbers for Y" in told
    assert told.endswith("as queries, keys and values of one kernel, give these a dimension of their own")
