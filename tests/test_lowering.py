"""What XLA receives: the program after the compiler's simplifications, held to XLA's own count kind by kind.

``SYMCOST_EXAMPLES=5000`` explores that many fresh programs instead of the fixed ones of every day.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as jsp
import numpy as np
import pytest
from effort import EXPLORE, also_campaign, examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jax import lax
from jax.experimental import checkify
from lowering_programs import HELD, PICKS, Lowered, Step

import symcost as sc
from symcost.hlo import analyse
from symcost.rules.families.elementwise import jax_version
from symcost.tracing.program.opened import PROGRAMS
from symcost.tracing.program.spec import array_at, parse_spec

NUMBERS, WHOLE, MASK = HELD["numbers"], HELD["whole"], HELD["mask"]
X, N, V = "float32[4,3]", "int32[4,3]", "float32[6]"
Function = Callable[..., Any]


def xla(function: Function, *specs: str, at: dict[str, int] | None = None) -> tuple[int, int]:
    """FLOPs and transcendentals of the lowered program, exactly."""
    arrays = [array_at(parse_spec(spec), at or {}) for spec in specs]
    shapes = [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in arrays]
    lowered: Any = jax.jit(function).lower(*shapes).compiler_ir("hlo")
    counted = analyse(lowered.as_hlo_text())
    return counted.flops, counted.transcendentals


def ours(function: Function, *specs: str) -> tuple[int, int]:
    """The same by symcost."""
    total = sc.trace_function(function, *specs).total("xla")
    return total.flops, total.transcendentals


def two(function: Callable[[Any, Any], Any]) -> Function:
    """A function of twice ``x`` and its sine."""
    return lambda x: function(x * 2, jnp.sin(x))


def known(function: Function, held: Any = NUMBERS) -> Function:
    """A sum of ``x`` and a function of an array that the program holds."""
    return lambda x: x + function(held).astype(x.dtype)


def checked(x: jax.Array) -> jax.Array:
    """Twice the input, after a look at it that the compiled program has not."""
    checkify.debug_check(jnp.all(x > 0), "an input that is not positive")
    return x * 2


def part_in_a_loop(x: jax.Array) -> jax.Array:
    """Of the rows of every block, and of their sines beside them, the rows."""
    return lax.scan(lambda c, r: (c, lax.concatenate([r, jnp.sin(r)], 1)[:, : r.shape[1]] * 2), 0, x)[1]


ROWS: dict[str, tuple[Function, tuple[str, ...], tuple[int, int]]] = {
    # parts of concatenations
    "half of a concatenation": (two(lambda a, b: lax.concatenate([a, b], 1)[:, :3]), (X,), (12, 0)),
    "the other half": (two(lambda a, b: lax.concatenate([a, b], 1)[:, 3:]), (X,), (0, 12)),
    "a part of what a loop runs over": (part_in_a_loop, ("float32[3,5,7]",), (37, 0)),
    "a part of a part": (two(lambda a, b: lax.concatenate([a, b], 1)[:, 1:3]), (X,), (12, 0)),
    "across a border": (two(lambda a, b: lax.concatenate([a, b, a + 1], 0)[2:6]), (X,), (12, 12)),
    "across a border, read by others too": (
        lambda x: (lambda c: (c[2:6], c[5:9]))(lax.concatenate([x * 2, jnp.sin(x), x + 1], 0)), (X,), (24, 12)),
    "across a border, read by others until they are known to read less": (
        lambda x: (lambda c: (c[2:6], c[:4]))(lax.concatenate([x * 2, jnp.sin(x), x + 1], 0)), (X,), (12, 12)),
    "along another axis": (two(lambda a, b: lax.concatenate([a, b], 1)[:2]), (X,), (12, 12)),
    "a concatenation of concatenations": (
        lambda x: lax.concatenate([lax.concatenate([x * 2, x * 3], 0), jnp.sin(x)], 0)[5:10], (X,), (12, 12)),
    "a slice of a slice": (two(lambda a, b: lax.concatenate([a, b, a + 1], 0)[:8][:4]), (X,), (12, 0)),
    "one of a stack": (two(lambda a, b: jnp.stack([a, b], 1)[:, 1]), (X,), (0, 12)),
    "one of a stack of forty": (lambda x: jnp.stack([x * float(i + 2) for i in range(40)])[17], (X,), (12, 0)),
    "one of an unstacked stack": (two(lambda a, b: jnp.unstack(jnp.stack([a, b]))[0]), (X,), (12, 0)),
    "one of a split": (two(lambda a, b: jnp.split(lax.concatenate([a, b], 0), 2)[1]), (X,), (0, 12)),
    "one at a known place": (two(lambda a, b: jnp.stack([a, b])[jnp.array(1)]), (X,), (0, 12)),
    "not through a transposition": (two(lambda a, b: jnp.stack([a, b]).transpose(1, 0, 2)[:, 1]), (X,), (12, 12)),
    "through a transposition and back": (
        two(lambda a, b: lax.concatenate([a, b], 0).T.T[:4]), (X,), (12, 0)),
    "not through a reshape": (two(lambda a, b: jnp.stack([a, b]).reshape(8, 3)[:4]), (X,), (12, 12)),
    "not through padding": (lambda x: lax.pad(jnp.sin(x), 0.0, ((2, 2, 0), (0, 0, 0)))[:2], (X,), (0, 12)),
    "an update of everything": (two(lambda a, b: lax.dynamic_update_slice(a, b, (0, 0))), (X,), (0, 12)),
    "an update of a part": (two(lambda a, b: lax.dynamic_update_slice(a, b[:2], (0, 0))), (X,), (12, 12)),
    "a call is made, needed or not": (
        lambda x: lax.concatenate([x * 2, jax.jit(jnp.sin)(x + 1)], 0)[:4], (X,), (24, 12)),
    "what is sorted along, and not needed": (lambda x: lax.sort((x, jnp.sin(x)), num_keys=1)[0], (V,), (18, 0)),
    # arrays known when compiling
    "an index array": (lambda x: x[WHOLE[:, 0] % 3], (X,), (0, 0)),
    "indices in two dimensions": (lambda x: x[np.array([0, 2]), np.array([1, -1])], (X,), (0, 0)),
    "filled outside": (lambda x: x.at[np.array([0, 9])].get(mode="fill"), (X,), (6, 0)),
    "filled inside": (lambda x: x.at[np.array([0, 1])].get(mode="fill"), (X,), (0, 0)),
    "scattered, clipped": (lambda x: x.at[np.array([0, 9])].set(1.0, mode="clip"), (X,), (0, 0)),
    "a mask": (lambda x: lax.select(lax.bitwise_not(MASK), x, x * 2), (X,), (24, 0)),
    "a mask of everything": (lambda x: lax.select(lax.ge(NUMBERS, np.float32(-9)), x, x * 2), (X,), (0, 0)),
    "a comparison": (lambda x: lax.select(lax.gt(NUMBERS, np.float32(0)), x, x * 2), (X,), (24, 0)),
    "a counter is not known": (lambda x: lax.select(lax.broadcasted_iota("int32", (4, 3), 0) > 1, x, x * 2), (X,), (36, 0)),
    "a product with ones": (lambda x: x * jnp.ones((4, 3)), (X,), (0, 0)),
    "a product with what becomes ones": (lambda x: x * (lax.mul(NUMBERS, np.float32(0)) + 1), (X,), (0, 0)),
    "a matrix product with ones": (lambda x: jnp.ones((2, 4)) @ x, (X,), (48, 0)),
    "a sum with zeros that are more": (lambda x: x[:1] * 2 + jnp.zeros((4, 3)), (X,), (3, 0)),
    "a truth among more": (lambda p: jnp.ones((4, 3), bool) & p[:1], ("bool[4,3]",), (0, 0)),
    "an integer less nothing, more often": (lambda i: i[:1] ^ jnp.zeros((4, 3), jnp.int32), (N,), (0, 0)),
    "a quotient by one": (lambda x: x / 1, (X,), (12, 0)),
    "a conversion": (known(lambda m: lax.convert_element_type(m, jnp.float32), WHOLE), (X,), (12, 0)),
    "a call that folds": (known(lambda m: lax.exp(lax.neg(m))), (X,), (12, 0)),
    "a logarithm of zero stays": (known(lambda m: lax.log(m)), (X,), (12, 12)),
    "a floor stays": (known(lambda m: lax.floor(m)), (X,), (24, 0)),
    "a power stays": (known(lambda m: lax.pow(m, np.float32(2.5))), (X,), (12, 12)),
    "a sum stays": (known(lambda m: lax.reduce_sum(m, (0,))), (X,), (21, 0)),
    "a reversal": (known(lambda m: lax.neg(lax.rev(m, (0,)))), (X,), (12, 0)),
    "a transposition": (known(lambda m: lax.neg(lax.transpose(m, (1, 0))), NUMBERS.T.copy()), (X,), (12, 0)),
    "a part": (known(lambda m: lax.neg(lax.slice(m, (0, 0), (4, 3))), np.ones((5, 3), np.float32)), (X,), (12, 0)),
    "repeated numbers are not known": (known(lambda m: lax.neg(jnp.broadcast_to(m, (4, 3))), NUMBERS[0]), (X,), (24, 0)),
    "several operations, in part": (known(lambda m: lax.sinh(m)), (X,), (72, 12)),
    "a choice by number": (lambda x: lax.select_n(np.array([0, 2, 1, 0, 1, 2], np.int32), x, x * 2, x * 3), (V,), (24, 0)),
    "of no elements": (lambda x: x + lax.reduce_sum(lax.slice(x, (0, 0), (0, 3)), (0,)), (X,), (0, 0)),
    # of integers and booleans
    "an integer less itself": (lambda i: (i * 3) - (i * 3), (N,), (36, 0)),
    "one value less itself": (lambda i: (lambda j: j - j)(i * 3), (N,), (0, 0)),
    "an integer times zero": (lambda i: (i + 1) * 0, (N,), (0, 0)),
    "a float times zero": (lambda x: (x + 1) * 0, (X,), (24, 0)),
    "and with zero, or with ones": (lambda i: ((i + 1) & 0, (i + 1) | -1), (N,), (0, 0)),
    "and with ones, or with zero": (lambda i: (i & -1, i | 0, i ^ 0), (N,), (0, 0)),
    "compared with itself": (lambda i: i == i, (N,), (0, 0)),
    "a truth that is not false": (lambda p: p != False, ("bool[4,3]",), (0, 0)),  # noqa: E712
    "what holds and a smaller truth": (
        lambda p, x: lax.select(jnp.ones((4, 3), bool) & p, x, x * 2), ("bool[1,3]", X), (24, 0)),
    "exclusive or of zero and a smaller number": (lambda i: jnp.zeros((4, 3), jnp.int32) ^ i, ("int32[1,3]",), (0, 0)),
    "a sum of zeros and a smaller array": (lambda x: jnp.zeros((4, 3)) + x, ("float32[1,3]",), (0, 0)),
    "a product of ones and a smaller array": (lambda x: x * jnp.ones((4, 3)), ("float32[4,1]",), (0, 0)),
    "causal attention": (
        lambda q: jax.nn.dot_product_attention(q, q, q, is_causal=True), ("float32[2,8,2,4]",), (5728, 256)),
    "a choice between one": (lambda p, x: lax.select(p, x, x), ("bool[4,3]", X), (0, 0)),
    "a choice by what is not": (lambda p, x: lax.select(~p, x, x * 2), ("bool[4,3]", X), (24, 0)),
    "the real part of a pair": (lambda x: lax.real(lax.complex(jnp.sin(x), jnp.cos(x))), (X,), (0, 12)),
    # number types
    "a power of an integer array": (lambda x, i: x**i, (X, N), (12, 12)),
    "a power of one integer": (lambda x, i: x**i, (X, "int32[]"), (1, 12)),
    "a power of a known integer array": (lambda x: x**WHOLE, (X,), (0, 12)),
    # branches
    "the branch of this platform": (
        lambda x: lax.platform_dependent(x, cpu=lambda v: v * 2, default=lambda v: v @ v.T @ v), (X,), (12, 0)),
    "the branch of another platform": (
        lambda x: lax.platform_dependent(x, tpu=lambda v: v @ v.T @ v, default=jnp.sin), (X,), (0, 12)),
    "the branch of this platform in a gradient": (
        jax.grad(lambda x: jax.jit(lambda y: lax.platform_dependent(y, tpu=lambda v: v @ v, default=jnp.sin))(x).sum()),
        ("float32[5,5]",), (25, 25)),
    "the gradient of a diagonal": (jax.grad(lambda x: (jnp.diag(x) ** 2).sum()), ("float32[5,5]",), (40, 0)),
    # 3 of the seed with an unknown one: the shift and two conversions, of which that of a known seed is computed
    "the bits of a known seed": (lambda x: x + jax.random.bits(jax.random.key(0), ()), ("uint32[4]",), (43, 0)),
    "the bits of a seed": (lambda x, i: x + jax.random.bits(jax.random.key(i), ()), ("uint32[4]", "int32[]"), (44, 0)),
    "the bits of a known unsigned seed": (
        lambda x: x + jax.random.bits(jax.random.key(np.uint32(7)), ()), ("uint32[4]",), (42, 0)),
    "a diagonal": (jnp.diag, ("float32[5,5]",), (30, 0)),
    "a known branch": (lambda x: lax.cond(jnp.array(False), lambda v: v * 2, jnp.sin, x), (X,), (0, 12)),
    "branches in a batch": (
        lambda x: jax.vmap(lambda r: lax.cond(r[0] > 0, lambda r: r * 2, jnp.sin, r))(x), (X,), (44, 12)),
    "a branch sees what is known": (
        lambda x: lax.cond(x[0, 0] > 0, lambda v, o: v * o, lambda v, o: v + 1, x, jnp.ones((4, 3))), (X,), (14, 0)),
    "loops in a batch": (
        lambda x: jax.vmap(lambda r: lax.while_loop(lambda r: r < 3, lambda r: r * 2, r))(x), (V,), (29, 0)),
    "a loop sees what is known": (
        lambda x: (lambda o: lax.while_loop(lambda c: c[0, 0] < 3, lambda c: c * o + 1, x))(jnp.ones((4, 3))), (X,), (13, 0)),
    "a check of values": (checked, (X,), (12, 0)),
    # windows
    "one window over everything": (
        lambda x: lax.reduce_window(x, 0.0, lax.add, (11,), (1,), [(5, 5)]), (V,), (6, 0)),
    "one window over everything, of a maximum": (
        lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (11,), (1,), [(5, 5)]), (V,), (6, 0)),
}  # fmt: skip
"""What is shown: the function, its inputs, FLOPs and transcendentals as XLA counts them."""
ROWS |= {
    f"{left} times {right}": (lambda a, b: a @ b, (f"{left}[7,5]", f"{right}[5,3]"), (210 + extra, 0))
    for left, right, extra in (
        ("bfloat16", "float32", 35),
        ("float32", "bfloat16", 15),
        ("bfloat16", "float16", 50),
        ("int8", "float32", 35),
        ("float32", "int8", 15),
        ("int8", "int32", 35),
        ("uint8", "int8", 50),
        ("bool", "float32", 35),
    )
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_every_simplification_counts_as_xla_counts_it(name: str) -> None:
    function, specs, figures = ROWS[name]
    assert xla(function, *specs) == figures
    assert ours(function, *specs) == figures


SPECIAL: dict[str, tuple[Function, int]] = {
    "digamma": (jsp.digamma, 1), "gammaln": (jsp.gammaln, 1), "i0e": (jsp.i0e, 1), "i1": (jsp.i1, 1),
    "spence": (jsp.spence, 1), "exp1": (jsp.exp1, 1), "ndtri": (jsp.ndtri, 1), "log_ndtr": (jsp.log_ndtr, 1),
    "zeta": (jsp.zeta, 2), "zeta of two": (lambda x: jsp.zeta(x, 2.0), 1),
    "trigamma": (lambda x: jsp.polygamma(1, x), 1), "polygamma of a number": (lambda x: jsp.polygamma(0, x), 1),
    "igamma": (jsp.gammainc, 2), "igammac": (jsp.gammaincc, 2), "igamma of a number": (lambda x: jsp.gammainc(2.0, x), 1),
    "igamma_grad_a": (jax.grad(lambda a, x: jsp.gammainc(a, x).sum()), 2),
    "regularized_incomplete_beta": (jsp.betainc, 3),
    "gradient of gammaln": (jax.grad(lambda x: jsp.gammaln(x).sum()), 1),
    "random_gamma_grad": (jax.grad(lambda a: jax.random.gamma(jax.random.key(0), a).sum()), 1),
    "a draw of gamma": (lambda a: jax.random.gamma(jax.random.key(0), a), 1),
    "a draw of loggamma": (lambda a: jax.random.loggamma(jax.random.key(0), a), 1),
    "a draw of beta": (lambda a: jax.random.beta(jax.random.key(0), a, a + 1), 1),
    "a draw of a ball": (lambda a: jax.random.ball(jax.random.key(0), 5, shape=a.shape), 1),
    "a draw of gamma by the hardware's generator": (lambda a: jax.random.gamma(jax.random.key(0, impl="rbg"), a), 1),
    "gradient of digamma": (jax.grad(lambda x: jsp.digamma(x).sum()), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", SPECIAL)
def test_special_functions_count_as_xla_counts_them(name: str) -> None:
    function, arguments = SPECIAL[name]
    specs = [V] * arguments
    assert ours(function, *specs) == xla(function, *specs)


def test_every_function_that_is_opened_has_a_row() -> None:
    assert set(PROGRAMS) <= set(SPECIAL)


def test_draws_by_rejection_have_a_symbol_for_each_unknown_trip_count() -> None:
    """Every further trip of the inner loop draws a normal number for each element; of the outer one, one uniform more."""
    costs = sc.trace_function(lambda a: jax.random.gamma(jax.random.key(0), a), "float32[n]")
    assert list(costs.unknown_trips) == ["trips_loop", "trips_loop_2"]
    outer, inner = (costs.subs(n=7, trips_loop=t, trips_loop_2=u).flops for t, u in ((2, 1), (1, 2)))
    once = costs.subs(n=7, trips_loop=1, trips_loop_2=1).flops
    assert outer - once > inner - once > 42 * 7  # a normal number is 42 FLOPs


@pytest.mark.parametrize(("name", "words"), [("threefry2x32", 2), ("rbg", 4)])
def test_a_choice_between_random_keys_chooses_their_words(name: str, words: int) -> None:
    def chosen(p: jax.Array, i: jax.Array) -> jax.Array:
        keys = [jax.random.key(i + k, impl=name) for k in range(2)]
        return jax.random.key_data(lax.select(p, *keys))

    assert ours(chosen, "bool[]", "int32[]") == xla(chosen, "bool[]", "int32[]")
    (row,) = [row for row in sc.trace_function(chosen, "bool[]", "int32[]").rows if row.op == "select_n"]
    assert row.cost.int_ops == words
    assert row.cost.bytes_written == 4 * words


def padded(mode: str) -> Function:
    """The gradient of a sum of squares of a padded array."""
    return jax.grad(lambda x: (jnp.pad(x, ((2, 1), (0, 0)), mode=mode) ** 2).sum())


PADDED = ("edge", "reflect", "symmetric", "wrap")
SYMBOLIC: dict[str, tuple[Function, tuple[str, ...]]] = {
    "half of a concatenation": (
        lambda x, a, b: lax.concatenate([x @ a, x @ b], 1)[:, : x.shape[1]], ("float32[n,k]", "float32[k,k]", "float32[k,k]")),
    "two number types": (lambda a, b: a @ b, ("bfloat16[n,k]", "float32[k,n]")),
    "an index array": (lambda x: x[jnp.zeros(x.shape[0] - 1, jnp.int32)], ("float32[n,k]",)),
    "a mask": (lambda x: lax.select(lax.bitwise_not(np.tri(x.shape[0], dtype=bool)), x @ x.T, x @ x.T), ("float32[n,k]",)),
    "random numbers": (lambda x: x + jax.random.normal(jax.random.key(0), x.shape), ("float32[n,k]",)),
    "a power": (lambda x, i: x**i, ("float32[n,k]", "int32[n,k]")),
    "ones": (lambda x: x * jnp.ones(x.shape), ("float32[n,k]",)),
    "branches in a batch": (
        lambda x: jax.vmap(lambda r: lax.cond(r[0] > 0, lambda r: r * 2, jnp.sin, r))(x), ("float32[n,k]",)),
    "a transform": (jnp.fft.fft, ("float32[n,k]",)),
    "a convolution by transforms": (lambda a, b: jax.scipy.signal.fftconvolve(a, b), ("float32[n]", "float32[n]")),
    **{f"the gradient of {mode} padding": (padded(mode), ("float32[n,k]",)) for mode in PADDED},
}  # fmt: skip


@pytest.mark.parametrize("name", SYMBOLIC)
def test_closed_forms_count_what_is_left_at_every_size(name: str) -> None:
    function, specs = SYMBOLIC[name]
    costs = sc.trace_function(function, *specs)
    for point in ({"n": 1, "k": 1}, {"n": 3, "k": 21}, {"n": 5, "k": 7}, {"n": 40, "k": 9}, {"n": 270, "k": 260}):
        at = {name: point[name] for name in costs.symbols}
        if costs.domain.problem(at) is None:
            total = costs.subs(**at).total("xla")
            assert (total.flops, total.transcendentals) == xla(function, *specs, at=at)


def test_a_known_array_that_is_large_is_turned_by_the_program() -> None:
    """Above 65 536 elements: the closed form says for which sizes it holds."""
    function = lambda x: x * lax.neg(lax.rev(np.tri(x.shape[0], dtype=np.float32), (0,)))  # noqa: E731
    small, large = (np.full((n, n), 0) for n in (256, 257))
    assert ours(function, "float32[256,256]") == (small.size, 0) == xla(function, "float32[256,256]")
    assert ours(function, "float32[257,257]") == (2 * large.size, 0) == xla(function, "float32[257,257]")
    costs = sc.trace_function(function, "float32[n,n]")
    inside = [n for n in (2, 100, 256, 257, 300, 1000) if costs.domain.problem({"n": n}) is None]
    assert [costs.subs(n=n).total("xla").flops for n in inside] == [n * n * (1 + (n > 256)) for n in inside] != []


def test_under_full_only_numbers_are_folded() -> None:
    """What XLA drops beside is an operation of the program as traced."""
    half = sc.trace_function(ROWS["half of a concatenation"][0], X).total("full")
    assert (half.flops, half.transcendentals) == (12, 12)
    assert sc.trace_function(ROWS["a product with ones"][0], X).flops == 0
    assert sc.trace_function(ROWS["a mask"][0], X).total("full").int_ops == 12  # the mask's inversion
    assert sc.trace_function(ROWS["bfloat16 times float32"][0], "bfloat16[7,5]", "float32[5,3]").flops == 210
    assert sc.trace_function(ROWS["the branch of this platform"][0], X).macs == 0


@st.composite
def programs(draw: st.DrawFn) -> Lowered:
    """A few steps, and which of their values are results."""
    names = draw(st.lists(st.sampled_from(sorted(PICKS)), min_size=2, max_size=9))
    steps = [Step(name, tuple(draw(st.integers(0, 11)) for _ in range(PICKS[name]))) for name in names]
    return Lowered(tuple(steps), draw(st.integers(1, 2)))


@also_campaign
@settings(
    max_examples=examples(40, 500), derandomize=not EXPLORE, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(programs())
def test_random_programs_count_as_xla_counts_them(program: Lowered) -> None:
    assert ours(program, X) == xla(program, X)


def test_the_body_of_a_scan_is_a_function_of_its_own_until_jax_0_12() -> None:
    function = lambda x: lax.scan(lambda c, _: (c * jnp.ones(6) + 1, None), x, None, length=3)[0]  # noqa: E731
    closed = lambda x: (lambda o: lax.scan(lambda c, _: (c * o + 1, None), x, None, length=3)[0])(jnp.ones(6))  # noqa: E731
    assert ours(function, V) == xla(function, V)
    assert ours(closed, V) == xla(closed, V) == ((8, 0) if jax_version() >= (0, 12) else (14, 0))


def test_a_size_below_an_exception_is_outside_unless_it_was_tried() -> None:
    costs = sc.trace_function(padded("symmetric"), "float32[n,k]")  # one row is added to itself
    assert str(costs.domain) == "n, k positive integers; n >= 2"
    with pytest.raises(sc.DomainError):
        costs.subs(n=1, k=3)
