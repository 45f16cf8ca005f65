"""Control flow: closed forms of whole functions, XLA's count of the lowered program at three sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import lax
from jax.experimental import hijax
from jax.sharding import AbstractMesh, AxisType
from jax.sharding import PartitionSpec as P

import symcost as sc
from symcost.formulas.symbols import evaluate, parse
from symcost.hlo import analyse
from symcost.tracing.program.control import HANDLERS
from symcost.tracing.program.opened import DRAWN, PROGRAMS


def scanned(x: jax.Array, w: jax.Array, **options: Any) -> Any:
    """Five trips over stacked inputs that stack their results."""
    return lax.scan(lambda c, row: (jnp.tanh(c @ w) + row, c * row), x[0], x, **options)


def countdown(x: jax.Array) -> jax.Array:
    """Seven trips, from seven to one."""
    return lax.while_loop(lambda c: c[0] > 0, lambda c: (c[0] - 1, c[1] * 2.0), (7, x))[1]


def until(x: jax.Array) -> jax.Array:
    """Four trips: 1, 3, 5, 7, and 9 ends it."""
    return lax.while_loop(lambda c: c[0] != 9, lambda c: (2 + c[0], c[1] * 2.0), (1, x))[1]


def halved(x: jax.Array) -> jax.Array:
    """Seven trips around a conditional that is the product in its larger branch."""

    def body(c: jax.Array, _: None) -> tuple[jax.Array, None]:
        return lax.cond(c[0, 0] > 0, lambda v: v @ v, lambda v: v + 1.0, c), None

    return lax.scan(body, x, None, length=7)[0]


MESH = AbstractMesh((4,), ("i",), axis_types=(AxisType.Auto,))


def sharded(x: jax.Array, w: jax.Array) -> jax.Array:
    """A product whose inner dimension lies on four devices."""
    split = (P(None, "i"), P("i", None))
    return jax.shard_map(lambda a, b: lax.psum(a @ b, "i"), mesh=MESH, in_specs=split, out_specs=P())(x, w)


class Own(getattr(hijax, "HiPrim", None) or hijax.VJPHiPrimitive):  # type: ignore[misc] - its name before jax 0.12
    """A primitive of one's own that says of which program it is made: a product and a sum, of a pair and an array."""

    def __init__(self, *types: Any) -> None:
        (x, w), b = types
        self.in_avals, self.out_aval, self.params = types, b, {}
        assert x.shape[1] == w.shape[0]
        super().__init__()

    def expand(self, pair: tuple[jax.Array, jax.Array], b: jax.Array) -> jax.Array:
        """The program."""
        return pair[0] @ pair[1] + b


def own(x: jax.Array, w: jax.Array, b: jax.Array) -> Any:
    """The same, called."""
    return Own((jax.typeof(x), jax.typeof(w)), jax.typeof(b))((x, w), b)


N_C = [{"n": n, "c": c} for n, c in ((1, 1), (3, 5), (8, 16))]
N_C_D = [{"n": n, "c": c, "d": d} for n, c, d in ((1, 1, 1), (3, 5, 7), (8, 16, 4))]
N = [{"n": n} for n in (1, 4, 9)]
X, W = "float32[5,n,c]", "float32[c,c]"
ROWS: dict[tuple[str, str], tuple[Callable[..., Any], tuple[str, ...], str, list[dict[str, int]]]] = {
    ("scan", "forward"): (scanned, (X, W), "5*(2*n*c**2 + 2*n*c)", N_C),
    ("scan", "reverse"): (lambda x, w: scanned(x, w, reverse=True), (X, W), "5*(2*n*c**2 + 2*n*c)", N_C),
    ("scan", "two trips at once"): (lambda x, w: scanned(x, w, unroll=2), (X, W), "5*(2*n*c**2 + 2*n*c)", N_C),
    ("scan", "no loop left"): (lambda x, w: scanned(x, w, unroll=5), (X, W), "5*(2*n*c**2 + 2*n*c)", N_C),
    ("while", "up to a bound"): (lambda x: lax.fori_loop(0, 6, lambda i, c: c * 2.0, x), ("float32[n]",), "6*n", N),
    ("while", "down to zero"): (countdown, ("float32[n]",), "7*n", N),
    ("while", "until it is equal"): (until, ("float32[n]",), "4*n", N),
    ("cond", "the larger branch"): (
        lambda x: lax.cond(x[0, 0] > 0, lambda v: v @ v, lambda v: v + 1.0, x), ("float32[n,n]",), "Max(n**2, 2*n**3) + 1", N),
    ("cond", "inside a loop"): (halved, ("float32[n,n]",), "7*(Max(n**2, 2*n**3) + 1)", N),
    ("platform_index", "the branch for this platform"): (
        lambda x: lax.platform_dependent(x, tpu=lambda v: v @ v, default=lambda v: v * 2.0), ("float32[n,n]",), "n**2", N),
    ("call_hi_primitive", "the program that it says it is"): (
        own, ("float32[n,c]", "float32[c,d]", "float32[n,d]"), "2*n*c*d + n*d", N_C_D),
    ("custom_linear_solve", "the solver alone"): (
        lambda x: lax.custom_linear_solve(lambda v: 3.0 * v, x, lambda _, b: b / 3.0, symmetric=True), ("float32[n]",), "n", N),
    ("shard_map", "a sum over devices"): (
        sharded, ("float32[n,4*c]", "float32[4*c,d]"), "4*(2*n*c*d + n*d)", N_C_D),
}  # fmt: skip
"""By primitive and variant: function, inputs, FLOPs under the full convention, sizes."""


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_control_flow_costs_what_it_runs_and_under_xla_what_xla_says(row: tuple[str, str]) -> None:
    function, specs, flops, points = ROWS[row]
    costs = sc.trace_function(function, *specs)
    assert sc.equal(costs.flops, parse(flops))
    for point in points:
        at = costs.subs(**point)
        concrete = [jax.ShapeDtypeStruct(shape_of(spec, point), "float32") for spec in specs]
        lowered = jax.jit(function).trace(*concrete).lower(lowering_platforms=("cpu",))
        theirs, marks = lowered.cost_analysis(), analyse(lowered.compiler_ir("hlo").as_hlo_text()).calls
        total = at.total("xla")  # XLA prints -1 for each call that shards or gathers
        assert (total.flops, total.transcendentals) == (theirs["flops"] - marks[0], theirs.get("transcendentals", 0))


def shape_of(spec: str, point: dict[str, int]) -> tuple[int, ...]:
    """The sizes of ``float32[n,4*c]`` at a point."""
    return tuple(evaluate(parse(part), point) for part in spec[len("float32[") : -1].split(","))


@pytest.mark.parametrize("condition", [lambda i: i != 8, lambda i: i < 9], ids=["steps over it", "stands still"])
def test_a_loop_that_never_ends_says_what_it_compares(condition: Callable[[Any], Any]) -> None:
    step = 2 if condition(9) else 0

    def function(x: jax.Array) -> jax.Array:
        return lax.while_loop(lambda c: condition(c[0]), lambda c: (c[0] + step, c[1] * 2.0), (1, x))[1]

    with pytest.raises(
        sc.SymcostError, match=r"never ends: it compares 1 with \d, and a trip adds \d to the one and 0"
    ):
        sc.trace_function(function, "float32[n]")


def test_every_kind_of_control_flow_has_a_row() -> None:
    kernels = {"pallas_call", "core_map", "mpmd_map", "run_scoped", "run_state"}  # no CPU runs those: test_kernels.py
    beside = {*kernels, *PROGRAMS, DRAWN}  # rows of programs are in test_lowering.py
    assert set(HANDLERS) - {primitive for primitive, _ in ROWS} == beside


def test_a_loop_moves_its_parts_once_however_long_it_is() -> None:
    """The body reads a row and writes a row each time: bytes and joules grow as the length does, not as its square."""

    def run(x: jax.Array) -> Any:
        return lax.scan(lambda carry, row: (jnp.tanh(carry + row), carry * 2), x[0], x)

    costs = sc.trace_function(run, "float32[N,128]")
    (loop,) = (row for row in costs.rows if row.op == "scan")
    assert (loop.cost.activations, loop.cost.bytes_read, loop.cost.bytes_written) == (0, 0, 0)
    # sum and hyperbolic tangent and product of a row each: 128 elements a trip; the input, and the row that it begins with
    assert str(costs.total("full").activations) == "512*N + 128"
    once, twice = (sc.energy(costs).value(N=N) for N in (1000, 2000))
    assert twice < 2 * once
