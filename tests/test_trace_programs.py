"""What the tracer makes of loops, branches, remat, named axes, unknown primitives, state and training."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import pytest
from flax import nnx
from jax import lax
from jax.extend.core import Primitive

import symcost as sc
from symcost.errors import LiftError, SymcostError
from symcost.formulas.symbols import parse


class Block(nn.Module):
    """A residual dense layer that can be a scan's body."""

    @nn.compact
    def __call__(self, x: jax.Array, _: Any = None) -> tuple[jax.Array, None]:
        return x + nn.Dense(x.shape[-1])(nn.relu(x)), None


class Scanned(nn.Module):
    """``L`` blocks by ``nn.scan``."""

    L: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        scan = nn.scan(Block, variable_axes={"params": 0}, split_rngs={"params": True}, length=self.L)
        return scan(name="layers")(x, None)[0]


class Unrolled(nn.Module):
    """The same blocks in a Python loop."""

    L: int
    remat: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        block = nn.remat(Block) if self.remat else Block
        for i in range(self.L):
            x = block(name=f"layer_{i}")(x)[0]
        return x


def same(left: Any, right: str) -> bool:
    """Whether an expression is the one written."""
    return (left - parse(right)).expand() == 0


# -- loops ---------------------------------------------------------------------------------------------------------
def test_a_scan_costs_as_much_as_the_unrolled_model() -> None:
    scanned = sc.trace(lambda L: Scanned(L), "float32[n,d]")
    unrolled = sc.trace(lambda L: Unrolled(L), "float32[n,d]")
    for metric in ("params", "macs", "flops"):
        assert (getattr(scanned, metric) - getattr(unrolled, metric)).expand() == 0, metric
    assert (scanned.macs - parse("L*n*d**2")).expand() == 0


def test_xla_counts_the_body_of_a_scan_once() -> None:
    scanned = sc.trace(lambda L: Scanned(L), "float32[n,d]")
    assert not scanned.total("xla").macs.has(parse("L"))


def test_a_while_loop_of_unknown_length_gets_a_symbol_for_its_trips() -> None:
    def halve(x: jax.Array) -> jax.Array:
        return lax.while_loop(lambda c: c.sum() > 1.0, lambda c: c * 0.5, x)

    costs = sc.trace_function(halve, "float32[n]")
    (trips,) = costs.unknown_trips
    assert trips.startswith("trips_")
    assert costs.flops.has(parse(trips))
    at = {"n": 8, trips: 5}
    # each round: n halvings, and the condition's n - 1 additions and one comparison, which runs once more at the end
    assert costs.subs(**at).flops == 5 * 8 + 6 * (8 - 1 + 1)


def test_a_fori_loop_runs_as_often_as_it_says() -> None:
    costs = sc.trace_function(lambda x: lax.fori_loop(0, 7, lambda i, c: c * 2.0, x), "float32[n]")
    assert costs.flops == 7 * parse("n")


def test_an_endless_loop_is_refused() -> None:
    with pytest.raises(SymcostError, match="never ends"):
        sc.trace_function(lambda x: lax.while_loop(lambda c: True, lambda c: c + 1.0, x), "float32[n]")


# -- branches ------------------------------------------------------------------------------------------------------
def test_a_conditional_costs_its_larger_branch_and_is_marked_as_a_bound() -> None:
    def choose(flag: jax.Array, x: jax.Array) -> jax.Array:
        return lax.cond(flag, lambda x: x @ x.T @ x, lambda x: x * 2.0, x)

    costs = sc.trace_function(choose, "bool[]", "float32[n,n]")
    assert costs.macs == 2 * parse("n") ** 3
    assert costs.coverage["bounds"] == 1
    assert any(row.bound for row in costs.rows)


# -- probes --------------------------------------------------------------------------------------------------------
def test_an_unknown_primitive_is_counted_by_the_compiler() -> None:
    from jax.interpreters import mlir

    twice = Primitive("symcost_test_twice")
    twice.def_abstract_eval(lambda x: x)
    mlir.register_lowering(twice, mlir.lower_fun(lambda x: x * 3.0 + 1.0, multiple_results=False))
    costs = sc.trace_function(lambda x: twice.bind(x), "float32[n,d]")
    assert costs.flops == 2 * parse("n*d")
    assert costs.coverage["probes"] == 1


def test_an_unknown_primitive_that_cannot_be_lowered_is_an_error_that_names_it() -> None:
    opaque = Primitive("symcost_test_opaque")
    opaque.def_abstract_eval(lambda x: x)
    with pytest.raises(SymcostError, match="symcost_test_opaque"):
        sc.trace_function(lambda x: opaque.bind(x), "float32[n]")


# -- named axes, state, rngs, arguments ----------------------------------------------------------------------------
def test_a_norm_over_a_named_axis_is_traced_with_the_axis_size() -> None:
    class Synced(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            return nn.BatchNorm(use_running_average=False, axis_name="batch")(x)

    costs = sc.trace(Synced(), "float32[n,d]", axes={"batch": 8})
    assert costs.params == 2 * parse("d")
    assert "psum" in {row.op for row in costs.rows}


def test_without_its_axis_the_error_says_what_to_give() -> None:
    class Synced(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            return lax.psum(x, "batch")

    with pytest.raises(LiftError, match="axes="):
        sc.trace(Synced(), "float32[n,d]")


def test_running_statistics_are_no_parameters() -> None:
    class Normed(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array, train: bool) -> jax.Array:
            return nn.BatchNorm(use_running_average=not train)(x)

    assert sc.trace(Normed(), "float32[n,d]", call={"train": True}).params == 2 * parse("d")


def test_several_random_streams_and_array_arguments_of_the_call() -> None:
    class Noisy(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array, *, mask: jax.Array) -> jax.Array:
            noise = jax.random.normal(self.make_rng("noise"), x.shape)
            return nn.Dropout(0.5, deterministic=False)(x + noise) * mask

    costs = sc.trace(Noisy(), "float32[n,d]", call={"mask": "float32[n,1]"}, rngs=("noise", "dropout"))
    assert costs.flops.has(parse("n*d").free_symbols.pop())


# -- training ------------------------------------------------------------------------------------------------------
def test_training_has_forward_and_backward_rows() -> None:
    costs = sc.trace(lambda L: Unrolled(L), "float32[n,d]", mode="train")
    phases = {group.name: group.total("full").macs for group in costs.by_phase()}
    assert (phases["forward"] - parse("L*n*d**2")).expand() == 0
    # the gradients of the weights, and of the inputs of all layers but the first
    assert (phases["backward"] - parse("(2*L - 1)*n*d**2")).expand() == 0


def test_remat_recomputes_and_saves_less() -> None:
    plain = sc.trace(lambda L: Unrolled(L), "float32[n,d]", mode="train")
    remat = sc.trace(lambda L: Unrolled(L, remat=True), "float32[n,d]", mode="train")
    assert "recompute" in {group.name for group in remat.by_phase()}
    point = {"n": 8, "d": 64, "L": 6}
    assert remat.subs(**point).residuals < plain.subs(**point).residuals
    assert remat.subs(**point).flops > plain.subs(**point).flops


def test_residuals_of_a_forward_trace_are_an_error() -> None:
    with pytest.raises(SymcostError, match='mode="train"'):
        _ = sc.trace(Unrolled(2), "float32[n,d]").residuals


def test_nnx_and_linen_agree_in_training() -> None:
    class Linear(nnx.Module):
        def __init__(self, c_o: int, rngs: nnx.Rngs) -> None:
            self.layer = nnx.Linear(12, c_o, rngs=rngs)

        def __call__(self, x: jax.Array) -> jax.Array:
            return nnx.relu(self.layer(x))

    class Dense(nn.Module):
        c_o: int

        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            return nn.relu(nn.Dense(self.c_o)(x))

    left = sc.trace(lambda c_o: Linear(c_o, nnx.Rngs(0)), "float32[n,12]", mode="train")
    right = sc.trace(lambda c_o: Dense(c_o), "float32[n,12]", mode="train")
    assert (left.params, left.macs, left.flops) == (right.params, right.macs, right.flops)


def test_building_an_nnx_model_leaves_flax_as_it_was() -> None:
    before = nnx.Variable.__init__, nnx.RngStream.__call__
    sc.trace(lambda d: nnx.Linear(d, d, rngs=nnx.Rngs(0)), "float32[n,d]")
    assert (nnx.Variable.__init__, nnx.RngStream.__call__) == before


POLICIES = {"nothing_saveable": "4*(L - 1)*d*n", "dots_saveable": "4*(2*L - 1)*d*n"}
"""The inputs of all blocks but the first, whose input is the model's; and what each block's product is."""


@pytest.mark.parametrize("policy", POLICIES)
def test_residuals_follow_the_policy_of_remat(policy: str) -> None:
    class Layer(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            return nn.relu(nn.Dense(x.shape[-1], use_bias=False)(x))

    class Stack(nn.Module):
        L: int

        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            kept = getattr(jax.checkpoint_policies, policy)
            for i in range(self.L):
                x = nn.remat(Layer, policy=kept)(name=f"layer_{i}")(x)
            return x

    costs = sc.trace(lambda L: Stack(L), "float32[n,d]", mode="train")
    assert sc.equal(costs.residuals, parse(POLICIES[policy]))
