"""What the tracer makes of loops, branches, remat, named axes, unknown primitives, state and training."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from flax import nnx
from jax import lax
from jax.extend.core import Primitive

import symcost as sc
from symcost.errors import LiftError, SymcostError, TraceError
from symcost.hlo import analyse
from symcost.symbols import parse


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
    return parse(right).sub(left).expand() == 0 if hasattr(parse(right), "sub") else (left - parse(right)).expand() == 0


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


# -- domains -------------------------------------------------------------------------------------------------------
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
    with pytest.raises(sc.DomainError, match="N must be at most T"):
        costs.subs(n=1, N=9, T=8, d=4)


def test_a_rounded_width_is_a_ceiling() -> None:
    class Rounded(nn.Module):
        d: int

        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            return nn.Dense(-(-self.d // 8) * 8, use_bias=False)(x)

    costs = sc.trace(lambda d: Rounded(d), "float32[n,4]")
    assert [costs.subs(n=1, d=d).params for d in (9, 16, 100)] == [4 * 16, 4 * 16, 4 * 104]


# -- bad input -----------------------------------------------------------------------------------------------------
def test_a_bug_in_the_model_is_reported_with_its_own_words() -> None:
    class Broken(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            raise ValueError("no such layer")

    with pytest.raises(LiftError, match=r"ValueError: no such layer.*whatever the values"):
        sc.trace(Broken(), "float32[n,d]")


def test_a_model_that_reads_the_values_of_arrays_says_so() -> None:
    with pytest.raises(LiftError, match=r"jax\.lax\.cond"):
        sc.trace_function(lambda x: x if x.sum() > 0 else -x, "float32[n]")


@pytest.mark.parametrize("spec", ["__import__('os')", "float32[n", "float33[n]", "float32[n,-1]", "float32[0]"])
def test_a_bad_spec_is_refused(spec: str) -> None:
    with pytest.raises(SymcostError):
        sc.trace_function(jnp.sin, spec)


def test_errors_of_the_model_are_one_line() -> None:
    def bad(x: jax.Array) -> jax.Array:
        raise TypeError("first line\nsecond line")

    with pytest.raises((LiftError, TraceError)) as caught:
        sc.trace_function(bad, "float32[n]")
    assert "\n" not in str(caught.value)


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


@pytest.mark.parametrize("r", [16, 17, 33, 50, 64, 96, 224])
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


class Deep(nnx.Module):
    """``L`` layers, and a bug after them."""

    def __init__(self, d: int, L: int, *, rngs: nnx.Rngs) -> None:
        self.layers = nnx.List([nnx.Linear(d, d, rngs=rngs) for _ in range(L)])

    def __call__(self, x: jax.Array) -> jax.Array:
        for layer in self.layers:
            x = layer(x)
        return x + jnp.zeros((x.shape[0], x.shape[1] + 1))


def test_a_bug_in_a_deep_model_is_reported_in_its_own_words_not_as_a_limit_of_ours() -> None:
    with pytest.raises(LiftError, match=r"the model raised at all of .*TypeError: add got incompatible shapes"):
        sc.trace(Deep, "float32[n,d]")


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


class Tied(nn.Module):
    """A residual around a projection: it runs only where its two widths are equal, and divide into heads."""

    width: int
    hidden: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Dense(self.width)(x)
        return x + nn.Dense(self.hidden)(x.reshape(len(x), 4, self.width // 4).reshape(len(x), -1))


def test_widths_that_have_to_be_equal_are_named() -> None:
    with pytest.raises(LiftError, match=r"shapes.* - it works where width = hidden: use one symbol for both$"):
        sc.trace(Tied, "float32[n,d]")
    assert sc.trace(lambda w: Tied(w, w), "float32[n,d]").total().params.free_symbols


def test_building_an_nnx_model_leaves_flax_as_it_was() -> None:
    before = nnx.Variable.__init__, nnx.RngStream.__call__
    sc.trace(lambda d: nnx.Linear(d, d, rngs=nnx.Rngs(0)), "float32[n,d]")
    assert (nnx.Variable.__init__, nnx.RngStream.__call__) == before


# -- special values --------------------------------------------------------------------------------------------------
class Projected(nn.Module):
    """A residual layer of 64 channels, with a projection unless the input is as wide already."""

    c: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Dense(self.c)(x)
        skip = x if x.shape[-1] == 64 else nn.Dense(64, name="skip")(x)
        return skip + nn.Dense(64)(x)


def test_a_value_at_which_alone_the_program_is_another_one_leaves_the_domain() -> None:
    costs = sc.trace(Projected, "float32[n,3]")
    assert "c != 64" in str(costs.domain)
    with pytest.raises(sc.DomainError, match=r"c=64 is outside the domain: the program is another one there"):
        costs.subs(n=1, c=64)
    assert costs.subs(n=1, c=65).params == sum(x.size for x in jax.tree.leaves(nn_params(Projected(65))))


def nn_params(module: nn.Module) -> Any:
    return jax.eval_shape(module.init, jax.random.key(0), jnp.zeros((1, 3)))


def test_a_table_that_is_used_whole_belongs_to_the_domain() -> None:
    class Masked(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            mask = jnp.tril(jnp.ones((512, 512), bool))
            return jnp.where(lax.dynamic_slice(mask, (0, 0), x.shape), x, 0.0)

    costs = sc.trace(Masked(), "float32[N,N]")
    assert costs.domain.at_most == {"N": 512}
    assert costs.subs(N=512).flops == sc.trace(Masked(), "float32[512,512]").flops
