"""Kernels: their bodies over the grid, what their authors state, and MACs that nobody knows.

Each row has its arithmetic: blocks by places by what one place does.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from jax import lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu
from jax.extend.core import Primitive

import symcost as sc
from symcost.formulas.symbols import parse
from symcost.report.words import facts
from symcost.rules.families import blocks

Spec = tuple[str, ...]


def kernel(x: Any, y: Any, o: Any) -> None:
    """One block of a product, and one."""
    o[...] = x[...] @ y[...] + 1.0


def accumulated(x: Any, y: Any, o: Any) -> None:
    """The sum over the grid of the products of blocks, doubled at the end: bounds, as a kernel may branch."""

    @pl.when(pl.program_id(0) == 0)
    def _() -> None:
        o[...] = jnp.zeros_like(o)

    o[...] += x[...] @ y[...]

    @pl.when(pl.program_id(0) == pl.num_programs(0) - 1)
    def _() -> None:
        o[...] = o[...] * 2.0


def called(body: Callable[..., None], rows: int | None = None, depth: int | None = None, **options: Any) -> Any:
    """A kernel over blocks of rows of ``x``, or over blocks of the inner dimension."""

    def run(x: jax.Array, y: jax.Array) -> Any:
        (m, k), n = x.shape, y.shape[1]
        grid, cut = ((m // rows,), (rows, k, 1, 0)) if rows else ((k // (depth or k),), (m, depth or k, 0, 1))
        at, by = (lambda i: (i * cut[2], i * cut[3])), (lambda i: (i * cut[3], 0))
        specs = [pl.BlockSpec(cut[:2], at), pl.BlockSpec((cut[1], n), by)]
        out = pl.BlockSpec((cut[0], n), lambda i: (i * cut[2], 0))
        shape = jax.ShapeDtypeStruct((m, n), x.dtype)
        return pl.pallas_call(body, out_shape=shape, grid=grid, in_specs=specs, out_specs=out, **options)(x, y)

    return run


ESTIMATE = pl.CostEstimate(flops=123, transcendentals=4, bytes_accessed=5)
X, Y = "float32[m,k]", "float32[k,n]"
KERNELS: dict[str, tuple[Any, tuple[str, str], str, str]] = {
    "one block": (called(kernel), (X, Y), "m*k*n", "2*m*k*n + m*n"),
    "blocks of eight rows": (called(kernel, rows=8), ("float32[8*m,k]", Y), "8*m*k*n", "16*m*k*n + 8*m*n"),
    "summed over blocks": (
        called(accumulated, depth=8), ("float32[m,8*k]", "float32[8*k,n]"), "8*m*k*n", "16*m*k*n + 2*m*k*n"),
    "its own estimate": (called(kernel, cost_estimate=ESTIMATE), (X, Y), "m*k*n", "2*m*k*n + m*n"),
}  # fmt: skip


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_costs_its_body_at_every_place_of_the_grid(name: str) -> None:
    function, specs, macs, flops = KERNELS[name]
    costs = sc.trace_function(function, *specs)
    assert sc.equal(costs.macs, parse(macs))
    assert sc.equal(costs.flops, parse(flops))
    total = costs.subs(m=2, k=3, n=5).total("full")
    x, y = ((16 if "8*m" in specs[0] else 2, 24 if "8*k" in specs[0] else 3), (24 if "8*k" in specs[1] else 3, 5))
    assert total.bytes_written == 4 * x[0] * y[1]  # outside, a kernel is one operation
    assert total.bytes_read == 4 * (x[0] * x[1] + y[0] * y[1])


def test_what_a_kernel_states_is_told_beside_what_its_body_counts_and_is_xla_s_count() -> None:
    costs = sc.trace_function(called(kernel, cost_estimate=ESTIMATE), X, Y)
    total = costs.total("xla")
    assert (total.flops, total.transcendentals) == (123, 4)
    assert sc.equal(total.macs, costs.macs)
    assert dict(facts.notes(costs))["coverage"] == (
        "operations counted: 1 by rules; pallas_call kernel states 123 FLOPs and 4 transcendentals, "
        "its body counts 2*k*m*n + m*n FLOPs and 0 transcendentals"
    )
    right = pl.CostEstimate(flops=2 * 4 * 5 * 6 + 4 * 6, transcendentals=0, bytes_accessed=0)
    agreed = sc.trace_function(called(kernel, cost_estimate=right), "float32[4,5]", "float32[5,6]")
    assert dict(facts.notes(agreed))["coverage"].endswith(
        "pallas_call kernel states 264 FLOPs and 0 transcendentals, as its body counts"
    )


def test_a_kernel_that_may_branch_counts_its_larger_branches_and_is_a_bound() -> None:
    stated = called(accumulated, depth=8, cost_estimate=ESTIMATE)
    for function in (called(accumulated, depth=8), stated):
        costs = sc.trace_function(function, "float32[m,8*k]", "float32[8*k,n]")
        assert costs.coverage["bounds"] == 1
        assert [row.bound for row in costs.rows if row.op.startswith("pallas_call")] == [True]
    told = dict(facts.notes(sc.trace_function(stated, "float32[2,16]", "float32[16,3]")))["coverage"]
    # two places: 2*2*8*3 of the product, a sum and a doubling of 2*3 each
    assert told.endswith("its body counts at most 216 FLOPs and 0 transcendentals")


# -- what is not known ------------------------------------------------------------------------------------------
def dynamic(body: Callable[..., None], **options: Any) -> Any:
    """As many places as the number that is handed in, times two."""

    def run(x: jax.Array, places: jax.Array) -> Any:
        return pl.pallas_call(body, out_shape=jax.ShapeDtypeStruct(x.shape, x.dtype), grid=(places, 2), **options)(x)

    return run


def looping(x: Any, o: Any) -> None:
    """As many products as the place's number."""
    o[...] = lax.fori_loop(0, pl.program_id(0), lambda i, c: c + x[...] @ x[...], x[...])


def squared(x: Any, o: Any) -> None:
    """A product with itself."""
    o[...] = x[...] @ x[...]


def shifted(x: Any, o: Any) -> None:
    """No product."""
    o[...] = x[...] + 1.0


def foreign(x: Any, o: Any) -> None:
    """A call of a library that nothing can count."""
    v = x[...]
    o[...] = lax.linalg.tridiagonal_solve(v[0], v[1], v[2], v)


def alone(body: Callable[..., None], **options: Any) -> Any:
    """A kernel at four places."""
    return lambda x: pl.pallas_call(body, out_shape=jax.ShapeDtypeStruct(x.shape, x.dtype), grid=(4,), **options)(x)


SQUARE = "float32[a,a]"
UNKNOWN: dict[str, tuple[Any, Spec, str]] = {
    "squared": (dynamic(squared, cost_estimate=ESTIMATE), (SQUARE, "int32[]"), "the size of its grid is not known while tracing"),
    "looping": (alone(looping, cost_estimate=ESTIMATE), (SQUARE,), "how often a loop in it runs is not known while tracing"),
    "foreign": (alone(foreign, cost_estimate=ESTIMATE), ("float32[3,3]",), "no rule for the primitive tridiagonal_solve"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_macs_that_nobody_knows_are_a_symbol_and_never_nothing(name: str) -> None:
    function, specs, reason = UNKNOWN[name]
    costs = sc.trace_function(function, *specs)
    symbol = f"macs_{name}"
    (macs,) = sc.symbols(symbol)
    for convention in ("full", "textbook", "xla"):
        assert costs.total(convention).macs == macs
    assert (costs.flops, costs.transcendentals, costs.total("textbook").flops) == (123, 4, 2 * macs)
    assert (costs.total("xla").flops, costs.total("xla").transcendentals) == (123, 4)
    assert symbol in costs.symbols
    assert costs.coverage["estimates"] == 1
    assert costs.unknown_macs[symbol].startswith(f"{name} in the model (forward): {reason}")
    assert ("kernel", f"{symbol} = MACs of one execution of {costs.unknown_macs[symbol]}") in facts.notes(costs)
    sizes = dict.fromkeys(costs.domain.symbols, 8)
    assert costs.subs(**sizes, **{symbol: 50}).macs == 50
    assert not costs.unknown_trips


def test_no_product_at_an_unknown_number_of_places_is_no_product() -> None:
    costs = sc.trace_function(dynamic(shifted, cost_estimate=ESTIMATE), SQUARE, "int32[]")
    assert (costs.macs, costs.flops, costs.total("textbook").flops) == (0, 123, 0)


@pytest.mark.parametrize(("flops", "macs"), [(2 * 5 * 2 * 64, "5*2*64"), (2 * 64 + 64, "macs_squared")])
def test_products_at_a_whole_number_of_places_are_what_their_author_states(flops: int, macs: str) -> None:
    stated = pl.CostEstimate(flops=flops, transcendentals=0, bytes_accessed=0)
    costs = sc.trace_function(dynamic(squared, cost_estimate=stated), "float32[4,4]", "int32[]")
    assert sc.equal(costs.macs, parse(macs))
    assert costs.flops == flops


ERRORS = {
    "the size of its grid is not known while tracing": (dynamic(squared), (SQUARE, "int32[]"), "squared"),
    "no rule for the primitive tridiagonal_solve": (alone(foreign), ("float32[3,3]",), "foreign"),
}


@pytest.mark.parametrize("reason", ERRORS)
def test_a_kernel_that_neither_states_nor_shows_its_cost_says_what_to_do(reason: str) -> None:
    function, specs, name = ERRORS[reason]
    with pytest.raises(sc.RuleError) as told:
        sc.trace_function(function, *specs)
    assert str(told.value).startswith(f"the kernel {name} in the model cannot be counted: {reason}")
    assert str(told.value).endswith("; give its pallas_call a cost_estimate")


def test_a_loop_of_unknown_length_in_a_kernel_without_estimate_is_a_symbol_of_its_trips() -> None:
    costs = sc.trace_function(alone(looping), SQUARE)
    assert sc.equal(costs.macs, parse("4*trips_loop*a**3"))
    assert ("loop", "trips_loop = trips of a loop in the model") in facts.notes(costs)


def test_unknown_macs_are_written_to_json_and_read_back(tmp_path: Path) -> None:
    costs = sc.trace_function(dynamic(squared, cost_estimate=ESTIMATE), SQUARE, "int32[]")
    costs.save(tmp_path / "kernel.json")
    read = sc.load(tmp_path / "kernel.json")
    assert read.unknown_macs == costs.unknown_macs != {}
    assert facts.notes(read) == facts.notes(costs)
    assert read.subs(a=2, macs_squared=8).total("textbook").flops == 16


class Experts(nn.Module):
    """Two products with the matrix of each row's expert."""

    @nn.compact
    def __call__(self, x: jax.Array, sizes: jax.Array) -> jax.Array:
        weights = self.param("weights", nn.initializers.zeros, (2, 128, 128))
        inner = dynamic(squared, cost_estimate=ESTIMATE)
        return inner(x, sizes[0]) + inner(x + 1.0, sizes[1]) + weights[0]


class Layer(nn.Module):
    """A product with a bias, by a kernel."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        weights = self.param("weights", nn.initializers.zeros, (32, 16))
        bias = self.param("bias", nn.initializers.zeros, (1, 16))

        def body(x: Any, w: Any, b: Any, o: Any) -> None:
            o[...] = x[...] @ w[...] + b[...]

        return pl.pallas_call(body, out_shape=jax.ShapeDtypeStruct((x.shape[0], 16), x.dtype))(x, weights, bias)


def test_parameters_that_a_kernel_multiplies_are_the_textbook_s() -> None:
    costs = sc.trace(Layer(), "float32[n,32]")
    assert costs.params == 32 * 16 + 16
    assert costs.total("textbook").params == 32 * 16
    assert sc.equal(costs.macs, parse("n*32*16"))


class Stack(nn.Module):
    """Blocks of them."""

    depth: int

    @nn.compact
    def __call__(self, x: jax.Array, sizes: jax.Array) -> jax.Array:
        for _ in range(self.depth):
            x = Experts()(x, sizes)
        return x


def test_alike_kernels_of_alike_blocks_share_a_symbol() -> None:
    costs = sc.trace(lambda L: Stack(L), "float32[128,128]", "int32[2]")
    assert sc.equal(costs.macs, parse("L*(macs_Experts_squared + macs_Experts_squared_2)"))
    assert set(costs.unknown_macs) == {"macs_Experts_squared", "macs_Experts_squared_2"}


# -- parts of kernels -------------------------------------------------------------------------------------------
def in_memory_of_its_own(x: jax.Array) -> jax.Array:
    """Five products summed in memory that is allocated for them."""

    def body(x: Any, o: Any) -> None:
        def inside(total: Any) -> None:
            total[...] = jnp.zeros_like(total)

            def step(_: Any, carry: int) -> int:
                total[...] += x[...] @ x[...]
                return carry

            lax.fori_loop(0, 5, step, 0)
            o[...] = total[...]

        pl.run_scoped(inside, pltpu.VMEM((128, 128), jnp.float32))

    return pl.pallas_call(body, out_shape=jax.ShapeDtypeStruct(x.shape, x.dtype))(x)


def on_two_cores(x: jax.Array) -> jax.Array:
    """The same product on each core, in a state that changes."""

    def change(refs: Any) -> None:
        source, target = refs

        @pl.core_map(pltpu.create_tensorcore_mesh("core", num_cores=2))
        def _() -> None:
            def inside(held: Any) -> None:
                pltpu.sync_copy(source, held)
                held[...] = held[...] @ held[...]
                pltpu.sync_copy(held, target)

            pl.run_scoped(inside, pltpu.VMEM((128, 128), jnp.float32))

    return pl.run_state(change)((x, jnp.zeros_like(x)))[1]


def rounded(x: jax.Array) -> jax.Array:
    """Random words, a rounding by them, a product with a reciprocal: what only TPUs do."""

    def body(x: Any, o: Any) -> None:
        pltpu.prng_seed(3)
        words = pltpu.bitcast(pltpu.prng_random_bits(x.shape), jnp.uint32)
        narrow = pltpu.stochastic_round(x[...], words, target_dtype=jnp.bfloat16)
        o[...] = narrow.astype(jnp.float32) * pl.reciprocal(x[...])

    return pl.pallas_call(body, out_shape=jax.ShapeDtypeStruct(x.shape, x.dtype))(x)


PARTS: dict[str, tuple[Callable[..., Any], Spec, int, int]] = {
    "memory of its own": (in_memory_of_its_own, ("float32[128,128]",), 5 * 128**3, 5 * (2 * 128**3 + 128**2)),
    "a batch of kernels": (
        jax.vmap(in_memory_of_its_own), ("float32[3,128,128]",), 3 * 5 * 128**3, 3 * 5 * (2 * 128**3 + 128**2)),
    "a loop around a kernel": (
        lambda x: lax.scan(lambda c, _: (in_memory_of_its_own(c), None), x, None, length=7)[0], ("float32[128,128]",),
        7 * 5 * 128**3, 7 * 5 * (2 * 128**3 + 128**2)),
    "two cores": (on_two_cores, ("float32[128,128]",), 2 * 128**3, 2 * 2 * 128**3),
    # rounding, conversion, reciprocal, product
    "words and rounding": (rounded, ("float32[8,128]",), 0, 4 * 8 * 128),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:(jax.experimental.pallas|pltpu):DeprecationWarning")  # names that moved in jax 0.12
@pytest.mark.parametrize("name", PARTS)
def test_parts_of_kernels_count_what_they_compute(name: str) -> None:
    function, specs, macs, flops = PARTS[name]
    costs = sc.trace_function(function, *specs)
    assert (costs.macs, costs.flops) == (macs, flops)


def test_every_primitive_of_kernels_with_a_rule_is_one_of_jax() -> None:
    """In this version of jax, or under its name in another: some end in ``_p`` up to 0.10."""
    rooms = ("state.primitives", "core", "pallas.primitives", "pallas.core", "pallas.mosaic.primitives",
             "pallas.triton.primitives", "pallas.mosaic_gpu.primitives", "pallas.mosaic_gpu.core", "ad_util")  # fmt: skip
    theirs = {
        value.name.removesuffix("_p")
        for room in rooms
        for value in vars(importlib.import_module(f"jax._src.{room}")).values()
        if isinstance(value, Primitive)
    }
    ours = {
        n.removesuffix("_p") for names in (blocks.BLOCKS, blocks.COPIES, blocks.WAITS, blocks.PLACES) for n in names
    }
    newer = {"barrier_arrive_and_wait", "has_memory_space", "remove_memory_space", "store", "wait_gmem_to_smem"}
    assert ours - theirs <= newer
