"""The table of rules: at least one row per primitive, one per variant that a rule distinguishes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.ad_checkpoint import checkpoint_name
from jax.experimental.layout import Layout, with_layout_constraint
from jax.sharding import AbstractMesh, AxisType, NamedSharding, PartitionSpec
from rule_case import Case, Points, points
from rule_cases_complex import COMPLEX
from rule_cases_elements import ELEMENTWISE
from rule_cases_factorisations import FACTORISATIONS
from rule_cases_products import CONTRACTIONS, CONVOLUTIONS

F, I32 = "float32[a,b]", "int32[a,b]"


def _reduce(name: str, dtype: str = "float32") -> list[Case]:
    function = getattr(lax, name)
    kind = "flops" if dtype.startswith("float") else "int_ops"
    spec, variant = f"{dtype}[a,b]", "" if dtype == "float32" else dtype
    return [
        Case(
            name,
            lambda x: function(x, (0,)),
            (spec,),
            **{kind: "(a - 1)*b"},
            variant=f"rows {variant}",
        ),
        Case(
            name,
            lambda x: function(x, (0, 1)),
            (spec,),
            **{kind: "(a*b - 1)"},
            variant=f"all {variant}",
        ),
    ]


def _two_results(x: Any, y: Any) -> Any:
    return lax.reduce((x, y), (0.0, 1.0), lambda u, v: (u[0] + v[0], jnp.exp(u[1] * v[1])), (0,))


REDUCTIONS = [
    *(row for name in ("reduce_sum", "reduce_prod", "reduce_max", "reduce_min") for row in _reduce(name)),
    *(row for name in ("reduce_and", "reduce_or") for row in _reduce(name, "bool")),
    *_reduce("reduce_xor", "int32"),
    *_reduce("reduce_sum", "int32"),
    Case("reduce", lambda x: lax.reduce(x, 0.0, lambda u, v: u + v * v, (0,)), (F,), flops="2*(a - 1)*b"),
    Case("reduce", _two_results, (F, F), flops="2*(a - 1)*b", transcendentals="(a - 1)*b",
         variant="two results"),
    *(Case(name, functools.partial(getattr(lax, name), axis=0, index_dtype=jnp.int32), (F,),
           flops="4*(a - 1)*b", int_ops="5*(a - 1)*b") for name in ("argmax", "argmin")),
    Case("argmax", lambda x: lax.argmax(x, 1, jnp.int32), (I32,), int_ops="7*(b - 1)*a", variant="integers"),
    *(Case(name, functools.partial(getattr(lax, name), axis=1), (F,), flops="a*(b - 1)")
      for name in ("cumsum", "cumprod", "cummax", "cummin")),
    Case("cumsum", lambda x: lax.cumsum(x, axis=0, reverse=True), (I32,), int_ops="(a - 1)*b",
         variant="reverse"),
    Case("cumlogsumexp", lambda x: lax.cumlogsumexp(x, axis=1), (F,), flops="8*a*(b - 1)",
         transcendentals="2*a*(b - 1)"),
]  # fmt: skip


POOL = points("n h w c", (2, 11, 8, 3), (1, 12, 9, 4), (1, 3, 2, 1))
IMAGE = "float32[n,h,w,c]"
SMALL = "n*c*(floor((h - 3)/2) + 1)*(floor((w - 2)/2) + 1)"
SAME = "n*c*ceiling(h/2)*ceiling(w/2)"
OUT = "float32[n,floor((h - 3)/2) + 1,floor((w - 2)/2) + 1,c]"


def _pool(start: float, combine: Callable[..., Any], padding: str = "VALID", **more: Any) -> Callable[..., Any]:
    return lambda x: lax.reduce_window(x, start, combine, (1, 3, 2, 1), (1, 2, 2, 1), padding, **more)


_max_pool = _pool(-jnp.inf, lax.max)


def _max_pool_gradient(x: Any, out: Any) -> Any:
    return jax.vjp(_max_pool, x)[1](out)


def _max_pool_tangent(x: Any, tangent: Any) -> Any:
    return jax.jvp(_max_pool, (x,), (tangent,))[1]


POOLING = [
    Case("reduce_window_max", _max_pool, (IMAGE,), flops=f"5*{SMALL}", points=POOL),
    Case("reduce_window_max", _pool(-jnp.inf, lax.max, "SAME"), (IMAGE,), flops=f"5*{SAME}", points=POOL,
         variant="padded"),
    Case("reduce_window_min", _pool(jnp.inf, lax.min, "SAME"), (IMAGE,), flops=f"5*{SAME}", points=POOL),
    Case("reduce_window_sum", _pool(0.0, lax.add, "SAME"), (IMAGE,), flops=f"5*{SAME}", points=POOL),
    Case("reduce_window_sum", _pool(0.0, lax.add, window_dilation=(1, 2, 1, 1)), (IMAGE,),
         flops="5*n*c*(floor((h - 5)/2) + 1)*(floor((w - 2)/2) + 1)", points=POOL[:2], variant="dilated"),
    Case("reduce_window", _pool(1.0, lax.mul, "SAME"), (IMAGE,), flops=f"5*{SAME}", points=POOL),
    Case("reduce_window", _pool(0.0, lambda u, v: u + jnp.exp(v)), (IMAGE,), flops=f"5*{SMALL}",
         transcendentals=f"5*{SMALL}", points=POOL, variant="with a call"),
    Case("select_and_scatter_add", _max_pool_gradient, (IMAGE, OUT), flops=f"6*{SMALL}", points=POOL),
    Case("select_and_gather_add", _max_pool_tangent, (IMAGE, IMAGE), flops=f"15*{SMALL}", points=POOL),
    # the gradient of an average: zeros are put between the cotangents and summed by windows
    Case("reduce_window_sum", lambda x, out: jax.vjp(_pool(0.0, lax.add), x)[1](out), (IMAGE, OUT),
         flops="5*n*h*w*c", points=points("n h w c", (2, 11, 8, 3), (1, 13, 10, 4), (1, 3, 2, 1)),
         variant="gradient"),
]  # fmt: skip


ROWS = points("a b m", (5, 4, 2), (7, 3, 10), (1, 1, 1))
_TAKE = lax.GatherDimensionNumbers(offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,))
_TAKE_2D = lax.GatherDimensionNumbers(offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0, 1))
_PUT = lax.ScatterDimensionNumbers(
    update_window_dims=(1,), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,)
)
_PUT_2D = lax.ScatterDimensionNumbers(
    update_window_dims=(), inserted_window_dims=(0, 1), scatter_dims_to_operand_dims=(0, 1)
)


def _gather(mode: str, numbers: Any = _TAKE) -> Callable[..., Any]:
    return lambda x, i: lax.gather(x, i, numbers, (1, x.shape[1]), mode=mode)


def _scatter(function: Callable[..., Any], mode: str = "promise_in_bounds", numbers: Any = _PUT) -> Callable[..., Any]:
    return lambda x, i, updates: function(x, i, updates, numbers, mode=mode)


TAKE = (F, "int32[m,1]")
PUT = (F, "int32[m,1]", "float32[m,b]")
LENGTHS = points("a b", (4, 10), (3, 16), (5, 17), (2, 1), (1, 1))

INDEXING = [
    Case("gather", _gather("clip"), TAKE, points=ROWS, variant="clip"),
    Case("gather", _gather("promise_in_bounds"), TAKE, points=ROWS),
    Case("gather", _gather("fill"), TAKE, int_ops="3*m + m*b", points=ROWS, variant="fill"),
    Case("gather", _gather("fill", _TAKE_2D), (F, "int32[m,2]"), int_ops="7*m + m*b", points=ROWS,
         variant="fill, two indices"),
    Case("scatter", _scatter(lax.scatter), PUT, points=ROWS),
    Case("scatter", _scatter(lax.scatter, "clip"), PUT, int_ops="m", points=ROWS, variant="clip"),
    Case("scatter", lambda x, i: lax.scatter_apply(x, i, jnp.exp, _PUT, update_shape=(i.shape[0], x.shape[1]),
                                                   mode="promise_in_bounds"),
         TAKE, transcendentals="m*b", points=ROWS, variant="apply"),
    *(Case(f"scatter-{name}", _scatter(getattr(lax, f"scatter_{name}")), PUT, flops="m*b", points=ROWS)
      for name in ("add", "sub", "mul", "min", "max")),
    Case("scatter-add", _scatter(lax.scatter_add, "clip", _PUT_2D), (F, "int32[m,2]", "float32[m]"),
         flops="m",
         int_ops="2*m", points=ROWS, variant="clip, two indices"),
    Case("scatter-add", _scatter(lax.scatter_add, "fill"), (I32, "int32[m,1]", "int32[m,b]"), int_ops="m*b",
         points=ROWS, variant="drop, integers"),
    Case("dynamic_slice", lambda x, i: lax.dynamic_slice(x, (i, i), (1, x.shape[1])), (F, "uint32[]")),
    Case("dynamic_update_slice", lambda x, row, i: lax.dynamic_update_slice(x, row, (i, i)),
         (F, "float32[1,b]", "uint32[]")),
    Case("sort", lax.sort, (F,), flops="a*b*clog2(b)", points=LENGTHS),
    Case("sort", lambda x: lax.sort(x, dimension=0), (I32,), int_ops="a*b*clog2(a)", points=LENGTHS,
         variant="integers"),
    Case("sort", lambda x, y: lax.sort((x, y), num_keys=2), (F, F), flops="a*b*clog2(b)", points=LENGTHS,
         variant="two keys"),
    Case("top_k", lambda x: lax.top_k(x, 1), (F,), flops="a*b"),
    Case("top_k", lambda x: lax.top_k(x, 1), (I32,), int_ops="a*b", variant="integers"),
    Case("approx_top_k", lambda x: lax.approx_max_k(x, 2), (F,), flops="a*b*clog2(b)", points=LENGTHS[:3]),
    Case("approx_top_k", lambda x: lax.approx_min_k(x, 2, reduction_dimension=0), (F,), flops="a*b*clog2(a)",
         points=LENGTHS[:3], variant="smallest"),
    Case("approx_top_k", lambda x: lax.approx_max_k(x, 1), (F,), flops="2*a*(b - 1)", int_ops="a*(b - 1)",
         points=LENGTHS, variant="the best"),
]  # fmt: skip


WAVES = points("a b", (3, 8), (5, 6), (2, 7), (1, 1))


def _changed(x: jax.Array) -> jax.Array:
    """Three times itself and one, in an array that changes."""
    array = jax.new_ref(x)
    jax.ref.addupdate(array, ..., x * 2.0)
    jax.ref.set(array, ..., jax.ref.get(array, ...) + 1.0)
    return jax.ref.freeze(array)


def _fft(kind: str, *lengths: int) -> Callable[..., Any]:
    return lambda x: lax.fft(x, kind, lengths or x.shape[-1:])


KERNELS = [
    Case("fft", _fft("FFT"), ("complex64[a,b]",), flops="5*a*b*flog2(b)", points=WAVES),
    Case("fft", _fft("IFFT"), ("complex64[a,b]",), flops="5*a*b*flog2(b)", points=WAVES, variant="inverse"),
    Case("fft", _fft("RFFT"), (F,), flops="5*a*(floor(b/2) + 1)*flog2(b)", points=WAVES, variant="real"),
    Case("fft", _fft("IRFFT", 10), ("complex64[a,6]",), flops="5*a*6*3", points=WAVES,
         variant="inverse real"),
    Case("fft", lambda x: lax.fft(x, "FFT", x.shape), ("complex64[a,b]",),
         flops="5*a*b*(flog2(a) + flog2(b))",
         points=WAVES, variant="two dimensions"),
    *(Case(name, _changed, (F,), flops="3*a*b") for name in ("new_ref", "addupdate", "get", "swap", "freeze")),
]  # fmt: skip


MESH = AbstractMesh((2,), ("i",), axis_types=(AxisType.Auto,))
SHARDS = NamedSharding(MESH, PartitionSpec("i"))
MOVES: dict[str, Callable[..., Any]] = {
    "broadcast_in_dim": lambda x: lax.broadcast_in_dim(x, (2, *x.shape), (1, 2)),
    "concatenate": lambda x: lax.concatenate((x, x), 0),
    "copy": jnp.copy,
    "device_put": jax.device_put,
    "iota": lambda x: lax.broadcasted_iota(jnp.int32, x.shape, 1),
    "layout_constraint": lambda x: with_layout_constraint(x, Layout((1, 0))),
    "name": lambda x: checkpoint_name(x, "here"),
    "optimization_barrier": lax.optimization_barrier,
    "pad": lambda x: lax.pad(x, 0.0, ((1, 2, 1), (0, 1, 0))),
    "reshape": lambda x: lax.reshape(x, (x.size,)),
    "rev": lambda x: lax.rev(x, (0,)),
    "debug_callback": lambda x: (jax.debug.callback(lambda _: None, x), x)[1],
    "debug_print": lambda x: (jax.debug.print("{}", x), x)[1],
    "sharding_constraint": lambda x: lax.with_sharding_constraint(x, SHARDS),
    "slice": lambda x: lax.slice(x, (0, 0), x.shape, (2, 1)),
    "split": lambda x: lax.split(x, (1, 1), axis=0),
    "squeeze": lambda x: lax.squeeze(lax.slice(x, (0, 0), (1, x.shape[1])), (0,)),
    "stack": lambda x: jnp.stack((x, x)),
    "stop_gradient": lax.stop_gradient,
    "tile": lambda x: lax.tile(x, (2, 3)),
    "transpose": lambda x: lax.transpose(x, (1, 0)),
    "unstack": jnp.unstack,
}
LAYOUT = [
    *(Case(name, function, (F,), points=points("a b", (2, 3), (2, 10), (2, 1))) for name, function in MOVES.items())
]


def _keyed(function: Callable[..., Any], impl: str = "threefry2x32") -> Callable[..., Any]:
    """Raw words in and out: typed keys at the edge of a program bring sharding calls with them."""

    def raw(words: Any, *more: Any) -> Any:
        out = function(jax.random.wrap_key_data(words, impl=impl), *more)
        return jax.random.key_data(out) if jnp.issubdtype(out.dtype, jax.dtypes.prng_key) else out

    return raw


def _bits(*shape: int, dtype: Any = jnp.uint32) -> Callable[..., Any]:
    return lambda key: jax.random.bits(key, shape, dtype)


def _raw_threefry(x: Any, k: Any) -> Any:
    return jax.extend.core.primitives.threefry2x32_p.bind(k, k, x, x)


FRY, RBG = "uint32[2]", "uint32[4]"
HERE: Points = points("a", (5,), (2,), (1,))
RANDOM = [
    Case("threefry2x32", _raw_threefry, ("uint32[a]", "uint32[]"), int_ops="117*a + 2", points=HERE),
    Case("threefry2x32", _raw_threefry, ("uint32[a]", "uint32[a]"), int_ops="119*a", points=HERE,
         variant="keys"),
    Case("random_bits", _keyed(_bits()), (FRY,), int_ops="120", points=HERE),
    Case("random_bits", _keyed(_bits(1, 1)), (FRY,), int_ops="122", points=HERE, variant="one"),
    Case("random_bits", _keyed(_bits(12)), (FRY,), int_ops="2 + 12*(117 + 1 + 3)", points=HERE,
         variant="row"),
    Case("random_bits", _keyed(_bits(3, 1, 5)), (FRY,), int_ops="2 + 15*(117 + 1 + 5)", points=HERE,
         variant="plane"),
    Case("random_bits", _keyed(_bits(3, 4, 5)), (FRY,), int_ops="2 + 60*(117 + 1 + 7)", points=HERE,
         variant="box"),
    Case("random_bits", _keyed(_bits(12, dtype=jnp.uint8)), (FRY,), int_ops="2 + 12*(117 + 2 + 3)",
         points=HERE,
         variant="8 bits"),
    Case("random_bits", _keyed(_bits(12, dtype=jnp.uint64)), (FRY,), int_ops="2 + 12*(117 + 4 + 3)",
         points=HERE,
         variant="64 bits", x64=True),
    Case("random_bits", jax.vmap(_keyed(_bits(3))), ("uint32[a,2]",), int_ops="2*a + 3*a*(117 + 1) + 9",
         points=HERE,
         variant="keys"),
    Case("random_bits", _keyed(_bits(3, 4), "rbg"), (RBG,), int_ops="14", points=HERE, variant="rbg"),
    Case("random_split", _keyed(lambda key: jax.random.split(key, 3)), (FRY,), int_ops="2 + 3*(117 + 3)",
         points=HERE),
    Case("random_split", _keyed(lambda key: jax.random.split(key, (3, 4))), (FRY,),
         int_ops="2 + 12*(117 + 5)",
         points=HERE, variant="plane"),
    Case("random_split", jax.vmap(_keyed(lambda key: jax.random.split(key, 3))), ("uint32[a,2]",),
         int_ops="2*a + 3*a*117 + 9", points=HERE, variant="keys"),
    Case("random_split", _keyed(lambda key: jax.random.split(key, 3), "rbg"), (RBG,), int_ops="4 + 6*117 + 9",
         points=HERE, variant="rbg"),
    Case("random_fold_in", _keyed(jax.random.fold_in), (FRY, "uint32[]"), int_ops="120", points=HERE),
    Case("random_fold_in", jax.vmap(_keyed(jax.random.fold_in)), ("uint32[a,2]", "uint32[a]"),
         int_ops="120*a",
         points=HERE, variant="keys"),
    Case("random_fold_in", _keyed(jax.random.fold_in, "rbg"), (RBG, "uint32[]"), int_ops="239", points=HERE,
         variant="rbg"),
    Case("random_seed", lambda seed: jax.random.key_data(jax.random.key(seed)), ("int32[]",), int_ops="3",
         points=HERE),
    Case("random_seed", jax.vmap(lambda seed: jax.random.key_data(jax.random.key(seed))), ("uint32[a]",),
         int_ops="a",
         points=HERE, variant="unsigned"),
    Case("random_wrap", _keyed(lambda key: key), (FRY,), points=HERE),
    Case("random_unwrap", _keyed(lambda key: key), (FRY,), points=HERE),
    Case("random_clone", _keyed(jax.random.clone), (FRY,), points=HERE),
    Case("rng_bit_generator", lambda state: lax.rng_bit_generator(state, (3, 4)), (RBG,), int_ops="14",
         points=HERE),
    Case("rng_uniform", lambda low, high: lax.rng_uniform(low, high, (3, 4)), ("float32[]", "float32[]"),
         transcendentals="12", points=HERE),
]  # fmt: skip


WHOLE, SPLIT = PartitionSpec(), PartitionSpec("i")


def _on_two(body: Callable[..., Any], out: PartitionSpec = SPLIT, check: bool = True) -> Callable[..., Any]:
    return jax.shard_map(body, mesh=MESH, in_specs=SPLIT, out_specs=out, check_vma=check)


def _collective(name: str, body: Callable[..., Any], flops: str = "0", int_ops: str = "0", **more: Any) -> Case:
    return Case(name, _on_two(body, **more), ("float32[4*a,b]",), flops=flops, int_ops=int_ops)


COLLECTIVES = [
    _collective("psum", lambda x: lax.psum(x, "i"), "2*a*b", check=False),
    _collective("psum_invariant", lambda x: lax.psum(x, "i"), "2*a*b", out=WHOLE),
    _collective("pmax", lambda x: lax.pmax(x, "i"), "2*a*b", out=WHOLE),
    _collective("pmin", lambda x: lax.pmin(x, "i"), "2*a*b", out=WHOLE),
    _collective("pvary", lambda x: lax.pcast(lax.psum(x, "i"), "i", to="varying"), "2*a*b"),
    _collective("all_gather", lambda x: lax.all_gather(x, "i")),
    _collective("all_gather_invariant", lambda x: lax.all_gather(x, "i", to="invarying"), out=WHOLE),
    _collective("reduce_scatter", lambda x: lax.psum_scatter(x, "i", tiled=True), "a*b"),
    _collective("ppermute", lambda x: lax.ppermute(x, "i", [(0, 1), (1, 0)])),
    _collective("all_to_all", lambda x: lax.all_to_all(x, "i", 0, 0, tiled=True)),
    _collective("axis_index", lambda x: x + lax.axis_index("i"), "2*a*b + 1", int_ops="3"),
]

CASES = [
    *CONTRACTIONS,
    *CONVOLUTIONS,
    *ELEMENTWISE,
    *REDUCTIONS,
    *POOLING,
    *INDEXING,
    *KERNELS,
    *LAYOUT,
    *RANDOM,
    *COLLECTIVES,
    *COMPLEX,
    *FACTORISATIONS,
]
