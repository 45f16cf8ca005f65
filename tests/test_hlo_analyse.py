"""The HLO count against XLA's own: float32 bit for bit, exact ints where float32 is exact. No tolerance."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import jaxlib
import pytest
from jax import lax

from symcost.hlo import HloCost, HloError, analyse, parse_shape, pointer_of
from symcost.hlo.counting.windows import valid_positions

EXACT_IN_FLOAT32 = 2**24
DTYPES = {
    "f32": "float32",
    "bf16": "bfloat16",
    "s32": "int32",
    "u32": "uint32",
    "pred": "bool",
    "c64": "complex64",
}


def spec(text: str) -> jax.ShapeDtypeStruct:
    shape = parse_shape(text)
    return jax.ShapeDtypeStruct(shape.dims, DTYPES[shape.dtype])


def lower(f: Callable[..., Any], *specs: Any) -> Any:
    return jax.jit(f).lower(*(spec(s) if isinstance(s, str) else s for s in specs))


def text_of(lowered: Any) -> str:
    return lowered.compiler_ir("hlo").as_hlo_text()


POINTER = pointer_of(jaxlib.__version__)


def assert_equal(ours: HloCost, analysis: Any) -> None:
    theirs = {key: analysis.get(key) or 0 for key in ("flops", "transcendentals", "bytes accessed")}
    assert ours.float32.flops == theirs["flops"]
    assert ours.float32.transcendentals == theirs["transcendentals"]
    assert ours.float32.bytes == theirs["bytes accessed"]
    if theirs["flops"] < EXACT_IN_FLOAT32 and not ours.unknown:
        assert (ours.flops, ours.transcendentals) == (theirs["flops"], theirs["transcendentals"])
    for rows in (ours.by_op, ours.by_path):
        assert sum(flops for flops, _ in rows.values()) == ours.flops
        assert sum(trans for _, trans in rows.values()) == ours.transcendentals


def check(f: Callable[..., Any], *specs: Any) -> HloCost:
    lowered = lower(f, *specs)
    ours = analyse(text_of(lowered), pointer=POINTER)
    assert_equal(ours, lowered.cost_analysis())
    return ours


def conv(strides=(1, 1), padding: Any = "VALID", lhs=(1, 1), rhs=(1, 1), groups=1, batch=1) -> Callable[..., Any]:
    dims = ("NHWC", "HWIO", "NHWC")
    return lambda x, k: lax.conv_general_dilated(x, k, strides, padding, lhs, rhs, dims, groups, batch)


def pool(init: float, reducer: Any, window: Any, strides: Any, padding: Any) -> Callable[..., Any]:
    return lambda x: lax.reduce_window(x, init, reducer, (1, *window, 1), (1, *strides, 1), padding)


def grad(f: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    return jax.grad(lambda *a: f(*a).sum(), argnums)


def counter(limit: int) -> Callable[..., Any]:
    return lambda x: lax.fori_loop(0, limit, lambda i, c: c * 2 + i.astype(c.dtype), x)


SQUARE_CONV = conv(padding="SAME")
PADDED = ((0, 0), (1, 2), (2, 1), (0, 0))
ARRAYS = ("f32[1]", "f32[3,5]", "f32[64,127]")
UNARY = {
    f.__name__: f
    for f in (
        jnp.abs,
        jnp.ceil,
        jnp.floor,
        jnp.sign,
        jnp.round,
        jnp.isfinite,
        jnp.negative,
        jnp.sin,
        jnp.cos,
        jnp.tan,
        jnp.tanh,
        jnp.exp,
        jnp.exp2,
        jnp.expm1,
        jnp.log,
        jnp.log1p,
        jnp.sqrt,
        jnp.cbrt,
        jnp.arcsin,
        jnp.arcsinh,
        jnp.square,
        jnp.sum,
        jnp.prod,
        jnp.max,
        jnp.argmax,
        jnp.any,
        jnp.cumsum,
        jnp.cumprod,
        jnp.sort,
        jnp.argsort,
        jnp.transpose,
        jnp.var,
        jnp.fft.fft,
        jnp.fft.rfft,
        jnp.fft.ifft,
        jnp.diff,
        jnp.ravel,
        jnp.flip,
        lax.rsqrt,
        lax.logistic,
        lax.erf,
        lax.erfc,
        lax.cumlogsumexp,
        nn.softmax,
        nn.gelu,
        nn.silu,
        nn.relu,
    )
}
# One row for each rule: function, then the argument shapes to try.
CASES: list[tuple[str, Callable[..., Any], list[tuple[str, ...]]]] = [
    *((name, f, [(a,) for a in ARRAYS]) for name, f in UNARY.items()),
    ("add", jnp.add, [(a, a) for a in ARRAYS]),
    ("broadcast-add", jnp.add, [("f32[1]", "f32[1]"), ("f32[4,5]", "f32[5]")]),
    ("pow-atan2", lambda x, y: x**y + jnp.arctan2(x, y), [(a, a) for a in ARRAYS]),
    ("integer-pow", lambda x: x**7 + x**-3, [(a,) for a in ARRAYS]),
    ("divide-remainder", lambda x, y: x / y + x % y + x // y, [(a, a) for a in ARRAYS]),
    ("where-clip", lambda x, y: jnp.where(x > y, x, jnp.clip(y, 0, 1)), [(a, a) for a in ARRAYS]),
    ("bits", lambda x, y: (~x & y) ^ (x << 2) | (y >> 1), [("s32[1]", "s32[1]"), ("s32[7,3]", "s32[7,3]")]),
    ("popcount-clz", lambda x: lax.population_count(x) + lax.clz(x), [("s32[1]",), ("u32[6]",)]),
    ("complex", lambda x: jnp.real(x) * jnp.imag(x) + jnp.abs(x * x), [("c64[1]",), ("c64[3,4]",)]),
    ("convert", lambda x: x.astype(jnp.int32).astype(jnp.bfloat16), [("f32[1]",), ("f32[9]",)]),
    ("bitcast", lambda x: lax.bitcast_convert_type(x, jnp.uint32), [("f32[1]",), ("f32[9]",)]),
    (
        "matmul",
        jnp.matmul,
        [("f32[1,1]", "f32[1,1]"), ("f32[3,5]", "f32[5,7]"), ("bf16[128,64]", "bf16[64,256]")],
    ),
    (
        "batched-dot",
        partial(jnp.einsum, "bhqd,bhkd->bhqk"),
        [("f32[1,1,1,1]",) * 2, ("f32[2,3,5,7]", "f32[2,3,11,7]")],
    ),
    (
        "two-contractions",
        partial(jnp.einsum, "abc,bcd->ad"),
        [("f32[1,1,1]",) * 2, ("f32[2,3,4]", "f32[3,4,5]")],
    ),
    ("outer", jnp.outer, [("f32[1]", "f32[1]"), ("f32[3]", "f32[8]")]),
    ("ragged-dot", lax.ragged_dot, [("f32[6,5]", "f32[3,5,7]", "s32[3]")]),
    ("conv", conv(), [("f32[1,1,1,1]", "f32[1,1,1,1]"), ("f32[2,9,8,3]", "f32[3,2,3,5]")]),
    ("conv-same", SQUARE_CONV, [("f32[1,1,1,1]", "f32[1,1,1,1]"), ("f32[1,14,13,8]", "f32[3,5,8,4]")]),
    (
        "conv-strided",
        conv((2, 3), "SAME"),
        [("f32[2,15,16,3]", "f32[7,4,3,6]"), ("f32[1,1,1,1]", "f32[3,3,1,1]")],
    ),
    (
        "conv-pads",
        conv((2, 1), ((3, 0), (1, 4))),
        [("f32[1,6,7,2]", "f32[3,3,2,2]"), ("f32[1,1,1,1]", "f32[3,2,1,1]")],
    ),
    ("conv-crops", conv((1, 1), ((-1, 0), (0, -2))), [("f32[1,8,9,2]", "f32[3,3,2,2]")]),
    ("conv-dilated", conv((1, 2), "SAME", rhs=(2, 3)), [("f32[1,16,17,4]", "f32[3,3,4,8]")]),
    ("conv-holes", conv((1, 1), ((2, 2), (1, 3)), lhs=(2, 3)), [("f32[1,5,6,4]", "f32[3,4,4,2]")]),
    ("conv-both", conv((3, 2), ((5, 1), (0, 6)), (4, 3), (2, 5)), [("f32[1,7,8,2]", "f32[3,2,2,2]")]),
    ("conv-groups", conv(groups=4), [("f32[2,8,8,8]", "f32[3,3,2,12]")]),
    ("conv-depthwise", conv((2, 2), "SAME", groups=6), [("f32[1,9,9,6]", "f32[3,3,1,6]")]),
    ("conv-batch-groups", conv(batch=3), [("f32[6,8,8,2]", "f32[3,3,2,9]")]),
    (
        "conv-transposed",
        lambda x, k: lax.conv_transpose(x, k, (2, 2), "SAME"),
        [("f32[1,6,7,3]", "f32[4,4,3,5]")],
    ),
    ("conv-1d", lambda x, k: lax.conv(x, k, (2,), "SAME"), [("f32[2,3,17]", "f32[4,3,5]")]),
    ("conv-no-space", lambda x, k: lax.conv(x, k, (), "VALID"), [("f32[2,3]", "f32[4,3]")]),
    ("conv-grads", grad(conv((2, 2), "SAME"), (0, 1)), [("f32[2,9,8,3]", "f32[3,3,3,4]")]),
    ("conv-grads-groups", grad(conv((1, 2), "SAME", groups=2), (0, 1)), [("f32[2,8,8,4]", "f32[3,3,2,6]")]),
    ("conv-grads-dilated", grad(conv(rhs=(2, 2)), (0, 1)), [("f32[2,9,9,2]", "f32[3,3,2,3]")]),
    (
        "conv-grads-depthwise",
        grad(conv(padding="SAME", groups=5), (0, 1)),
        [("f32[2,7,7,5]", "f32[3,3,1,5]")],
    ),
    ("max-pool", pool(-jnp.inf, lax.max, (3, 3), (2, 2), "SAME"), [("f32[1,1,1,1]",), ("f32[2,13,12,5]",)]),
    ("sum-pool", pool(0.0, lax.add, (2, 3), (1, 1), PADDED), [("f32[1,1,1,1]",), ("f32[1,7,9,3]",)]),
    (
        "max-pool-grad",
        grad(pool(-jnp.inf, lax.max, (3, 3), (2, 2), "VALID")),
        [("f32[2,9,8,5]",), ("f32[1,3,3,1]",)],
    ),
    ("max-pool-pad-grad", grad(pool(-jnp.inf, lax.max, (3, 2), (2, 2), "SAME")), [("f32[2,9,8,5]",)]),
    ("cumsum-axis", lambda x: jnp.cumsum(x, 1), [("f32[1,1,1]",), ("f32[2,50,3]",)]),
    (
        "scatter-add",
        lambda x, u: x.at[jnp.array([0, 2])].add(u),
        [("f32[4,1]", "f32[2,1]"), ("f32[9,5]", "f32[2,5]")],
    ),
    ("scatter-set", lambda x, u: x.at[1:3].set(u), [("f32[4]", "f32[2]")]),
    ("gather", lambda x, i: x[i], [("f32[1]", "s32[1]"), ("f32[9,5]", "s32[7]")]),
    ("gather-grad", grad(lambda x, i: jnp.take(x, i, axis=0)), [("f32[9,5]", "s32[7]")]),
    (
        "sort-pairs",
        lambda x, y: lax.sort((x, y), num_keys=1),
        [("f32[1]", "f32[1]"), ("f32[5,9]", "s32[5,9]")],
    ),
    ("top-k", lambda x: lax.top_k(x, 2), [("f32[2]",), ("f32[5,9]",)]),
    ("fft-2d", jnp.fft.fft2, [("c64[1,1]",), ("c64[3,8,12]",)]),
    ("irfft", jnp.fft.irfft, [("c64[1,2]",), ("c64[3,9]",)]),
    (
        "cond",
        lambda p, x: lax.cond(p, jnp.sin, lambda v: v @ v + 1, x),
        [("pred[]", a) for a in ("f32[1,1]", "f32[4,4]")],
    ),
    ("switch", lambda i, x: lax.switch(i, [jnp.tanh, jnp.square, jnp.sign], x), [("s32[]", "f32[5]")]),
    (
        "while",
        lambda x: lax.while_loop(lambda c: c.sum() < 9.0, lambda c: c * c, x),
        [("f32[1]",), ("f32[6]",)],
    ),
    ("fori", counter(7), [("f32[1]",), ("f32[6]",)]),
    (
        "scan",
        lambda x: lax.scan(lambda c, a: (c @ a, jnp.tanh(c)), x[0], x),
        [("f32[1,1,1]",), ("f32[5,4,4]",)],
    ),
    ("scan-grad", grad(lambda x: lax.scan(lambda c, a: (c * a, -c), x[0], x)[1]), [("f32[5,4]",)]),
    ("called-twice", lambda x: nn.relu(nn.relu(x)) + jax.jit(nn.relu)(x), [("f32[8]",)]),
    ("uniform", lambda k: jax.random.uniform(k, (100,)), [("u32[2]",)]),
    ("bit-generator", lambda k: lax.rng_bit_generator(k, (3, 5), dtype=jnp.uint32), [("u32[4]",)]),
    ("cholesky", jnp.linalg.cholesky, [("f32[1,1]",), ("f32[5,5]",)]),
    ("solve-triangular", partial(jax.scipy.linalg.solve_triangular, lower=True), [("f32[4,4]", "f32[4,3]")]),
    ("reduce-precision", lambda x: lax.reduce_precision(x, 5, 10), [("f32[1]",), ("f32[9]",)]),
    ("layout", lambda x: jnp.pad(jnp.concatenate([x, x[::-1]]), 1).T.reshape(-1)[2:], [("f32[2,3]",)]),
    ("barrier", lambda x: lax.optimization_barrier(x) + 1, [("f32[3]",)]),
    ("barrier-of-two", lambda x, y: sum(lax.optimization_barrier((x, y))), [("f32[3]", "f32[3]")]),
    ("grad-mlp", grad(lambda w, v, x: jnp.tanh(x @ w) @ v, (0, 1)), [("f32[4,8]", "f32[8,2]", "f32[3,4]")]),
    (
        "dynamic-slices",
        lambda x, i: x.at[i].set(lax.dynamic_slice(x, (i, 0), (1, 5))[0]),
        [("f32[9,5]", "s32[]")],
    ),
]


@pytest.mark.parametrize(("f", "shapes"), [pytest.param(f, shapes, id=name) for name, f, shapes in CASES])
def test_count_of_a_jax_function_is_xlas(f: Callable[..., Any], shapes: list[tuple[str, ...]]) -> None:
    for specs in shapes:
        check(f, *specs)


def test_valid_positions_equal_the_double_loop() -> None:
    ranges = (
        range(1, 6, 2),
        range(1, 7),
        range(1, 5),
        range(1, 5),
        range(-2, 5, 2),
        range(1, 5),
        range(1, 4),
    )
    for size, out, kernel, s, low, ld, rd in itertools.product(*ranges):
        taps = (o * s - low + k * rd for o in range(out) for k in range(kernel))
        assert valid_positions(size, out, kernel, s, low, ld, rd) == sum(
            tap % ld == 0 and 0 <= tap // ld < size for tap in taps
        )


def test_float32_is_bit_equal_above_two_to_the_24_while_the_int_stays_exact() -> None:
    ours = check(lambda x: x + x, "f32[16777217]")
    assert (ours.flops, ours.float32.flops) == (2**24 + 1, 2**24)
    ours = check(lambda x, w, b: jnp.tanh(x @ w + b).sum(), "f32[4097,3001]", "f32[3001,777]", "f32[777]")
    exact = 2 * 4097 * 3001 * 777 + 4097 * 777 + 4097 * 777 - 1
    assert ours.flops == exact != ours.float32.flops


def test_float32_sum_follows_xlas_order_of_visits(monkeypatch: pytest.MonkeyPatch) -> None:
    def branches(x: jax.Array, w: jax.Array) -> jax.Array:
        parts = [jnp.tanh(x[:, i:] @ w[i:]) + x * i for i in range(1, 6)]
        return (parts[4] + parts[3] + parts[2] + parts[1] + parts[0]) * parts[2]

    specs = "f32[4097,1001]", "f32[1001,1001]"
    ours = check(branches, *specs)
    walk = importlib.import_module("symcost.hlo.counting.analyse")
    monkeypatch.setattr(walk, "post_order", lambda home: home.instructions[::-1])
    backwards = analyse(text_of(lower(branches, *specs)))
    assert (backwards.flops, backwards.by_op) == (ours.flops, ours.by_op)
    assert backwards.float32.flops != ours.float32.flops  # so the order is really put to the test


class Tiny(nn.Module):
    """Convolutions, normalisation, attention and a head: enough kinds of layer to be a model."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.BatchNorm(use_running_average=True)(nn.Conv(16, (7, 7), strides=2)(x)))
        x = nn.max_pool(x, (3, 3), (2, 2), "SAME")
        x = x + nn.gelu(nn.Conv(16, (3, 3), feature_group_count=4)(x), approximate=False)
        x = x.reshape(x.shape[0], -1, 16)
        x = x + nn.MultiHeadDotProductAttention(num_heads=4)(nn.LayerNorm()(x))
        return nn.log_softmax(nn.Dense(10)(x.mean(1)))


@lru_cache
def tiny() -> tuple[Any, Any]:
    """The lowered model and its lowered gradient."""
    model, x = Tiny(), spec("f32[2,64,64,3]")
    variables = jax.eval_shape(model.init, jax.random.key(0), x)
    f = lambda v, x: model.apply(v, x)  # noqa: E731
    return lower(f, variables, x), lower(grad(f), variables, x)


@pytest.mark.parametrize(
    "which", [pytest.param(0, id="forward"), pytest.param(1, id="gradient", marks=pytest.mark.campaign)]
)
def test_count_of_a_flax_model_is_xlas_before_and_after_optimisation(which: int) -> None:
    lowered = tiny()[which]
    assert_equal(analyse(text_of(lowered), pointer=POINTER), lowered.cost_analysis())
    compiled = lowered.compile()
    assert_equal(analyse(compiled.as_text(), pointer=POINTER), compiled.cost_analysis())


def test_flops_are_attributed_to_flax_modules() -> None:
    cost = analyse(tiny()[0].compiler_ir("hlo").as_hlo_module().to_string())
    assert "" not in cost.by_path
    conv_flops = [f for path, (f, _) in cost.by_path.items() if path.endswith("Conv_0/conv_general_dilated")]
    taps = sum(0 <= 2 * o - 2 + k < 64 for o in range(32) for k in range(7))
    assert conv_flops == [2 * 2 * 3 * 16 * taps**2]
    # relu is lowered out of line: the path of the call, then its own.
    assert any(path.endswith("jit(relu)/max") for path in cost.by_path)


def test_conditional_takes_the_larger_branch_of_each_kind() -> None:
    cost = check(lambda p, x: lax.cond(p, jnp.tanh, lambda v: v * 2, x), "pred[]", "f32[8]")
    assert cost.by_op["multiply"] == (8, 0)
    assert cost.by_op["tanh"] == (0, 8)


MISFIT = "convolution(x, x), window={{size=2x2{0}}}, dim_labels={1}, feature_group_count={2}"


@pytest.mark.parametrize(
    "instruction",
    ["f32[4] dot(), lhs_contracting_dims={0}", "f32[4,4] dot(x, x), lhs_contracting_dims={7}", "f32[] reduce(), to_apply=e2",
     "f32[4] while(x), body=e2", "f32[4,4] gather(x)", "f32[4,4] " + MISFIT.format(" stride=0x1", "b01f_01io->b01f", 1),
     "f32[4,4] " + MISFIT.format("", "b01f_01io->b01f", 0), "f32[4,4] " + MISFIT.format("", "zz_01io->b01f", 1),
     "f32[4] dynamic-update-slice(x)", "f32[4] triangular-solve(x)", "f32[4] scatter(x), to_apply=e2"],
)  # fmt: skip
def test_an_instruction_that_does_not_fit_its_rule_is_one_line(instruction: str) -> None:
    text = f"""HloModule m
e2 {{
  ROOT p = f32[] parameter(0)
}}
ENTRY e {{
  x = f32[4,4]{{1,0}} parameter(0)
  ROOT y = {instruction}
}}"""
    with pytest.raises(HloError) as caught:
        analyse(text, trips=True, calls=True)
    assert "\n" not in str(caught.value)
