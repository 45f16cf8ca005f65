"""Rows for complex numbers. The numbers are those of the formulas, one part at a time; XLA's are asked of XLA."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.sharding import AbstractMesh, AxisType, PartitionSpec
from rule_case import Case, points
from rule_cases_products import BMKN, CONV, GMKN, MKN, NCHW, WIDE

Z = "complex64[a,b]"
# name: (operands, FLOPs, transcendentals) on complex64; z = x + yi
ELEMENTS = {
    "add": (2, 2, 0), "sub": (2, 2, 0), "neg": (1, 2, 0), "mul": (2, 4 + 2, 0), "square": (1, 4 + 2, 0),
    # a product with the conjugate, the square of the divisor's length, two quotients
    "div": (2, 6 + 3 + 2, 0),
    "real": (1, 0, 0), "imag": (1, 0, 0), "conj": (1, 1, 0), "abs": (1, 3, 1), "sign": (1, 3 + 2, 1),
    "eq": (2, 3, 0), "ne": (2, 3, 0),
    # x < x', x == x', y < y' and which of them tells; then two parts are chosen
    "max": (2, 4 + 2, 0), "min": (2, 4 + 2, 0), "clamp": (3, 2 * (4 + 2), 0),
    "exp": (1, 2, 3), "exp2": (1, 2 + 2, 3), "expm1": (1, 2 + 1, 3), "log": (1, 4, 2), "log1p": (1, 1 + 4, 2),
    "logistic": (1, 2 + 2 + 1 + 11, 3), "sqrt": (1, 3 + 4 + 1, 3), "rsqrt": (1, 8 + 11, 3),
    "pow": (2, 4 + 6 + 2, 2 + 3), "sin": (1, 5 + 2, 3), "cos": (1, 5 + 2, 3), "sinh": (1, 5 + 2, 3),
    "cosh": (1, 5 + 2, 3), "tan": (1, 2 + 5 + 1 + 2, 3), "tanh": (1, 2 + 5 + 1 + 2, 3),
    "asinh": (1, 6 + 1 + 8 + 2 + 4, 3 + 2), "asin": (1, 1 + 21 + 1, 5), "acos": (1, 23 + 2, 5),
    "acosh": (1, 2 + 2 * 8 + 6 + 2 + 4, 2 * 3 + 2), "atanh": (1, 3 + 11 + 4 + 2, 2), "atan": (1, 1 + 20 + 1, 2),
    # the root of two squares, x + iy over it, the logarithm, times -i
    "atan2": (2, 6 + 6 + 2 + 8 + 1 + 2 + 11 + 4 + 1, 3 + 2),
}  # fmt: skip
if hasattr(lax, "log2"):
    ELEMENTS["log2"] = (1, 4 + 2, 2)

# power: products of 6 by square and multiply, and a division of 11 where it is negative
POWERS = {-7: 4 * 6 + 11, -1: 11, 2: 6, 3: 2 * 6, 5: 3 * 6, 16: 4 * 6}
# from, to: FLOPs of one element
CONVERSIONS = {
    ("float32", "complex64"): 0, ("int32", "complex64"): 1, ("complex64", "float32"): 0, ("complex64", "bfloat16"): 1,
    ("complex64", "bool"): 1, ("complex128", "float64"): 0, ("complex128", "float32"): 1,
    ("complex128", "complex64"): 2, ("float64", "complex64"): 1,
}  # fmt: skip
REDUCTIONS = {"reduce_sum": 2, "reduce_prod": 6, "reduce_max": 4 + 2, "reduce_min": 4 + 2}
RUNNING = {"cumsum": 2, "cumprod": 6, "cummax": 4 + 2, "cummin": 4 + 2}


def _element(name: str, function: Callable[..., Any], arity: int, flops: int, calls: int = 0, dtype: str = "complex64",
             variant: str = "complex64") -> Case:  # fmt: skip
    return Case(name, function, (f"{dtype}[a,b]",) * arity, flops=f"{flops}*a*b", transcendentals=f"{calls}*a*b",
                variant=variant, x64=dtype in ("complex128", "float64"))  # fmt: skip


def _conv(x: Any, k: Any) -> Any:
    return lax.conv_general_dilated(x, k, (2, 3), "SAME", dimension_numbers=NCHW)


def _input_gradient(x: Any, k: Any, out: Any) -> Any:
    return jax.linear_transpose(lambda x: _conv(x, k), x)(out)


def _depthwise(x: Any, k: Any) -> Any:
    return lax.conv_general_dilated(x, k, (1, 1), "SAME", dimension_numbers=NCHW, feature_group_count=x.shape[1])


def _put(x: Any, i: Any, updates: Any) -> Any:
    numbers = lax.ScatterDimensionNumbers(
        update_window_dims=(1,), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,)
    )
    return lax.scatter_add(x, i, updates, numbers, mode="promise_in_bounds")


def _changed(x: Any) -> Any:
    array = jax.new_ref(x)
    jax.ref.addupdate(array, ..., x)
    return jax.ref.freeze(array)


def _power_sum(u: Any, v: Any) -> Any:
    return u + v * v


MESH = AbstractMesh((2,), ("i",), axis_types=(AxisType.Auto,))
ON_TWO = functools.partial(jax.shard_map, mesh=MESH, in_specs=PartitionSpec("i"))
IMAGE, KERNEL = "complex64[n,c,h,w]", "complex64[o,c,k,l]"
OUT = "n*o*ceiling(h/2)*ceiling(w/3)"
STRIDED = f"{OUT}*c*k*l"
SEEN = "n*c*h*w"
TAPS = "o*c*k*l"

COMPLEX = [
    *(_element(name, getattr(lax, name), *counts) for name, counts in ELEMENTS.items()),
    *(_element("integer_pow", functools.partial(lax.integer_pow, y=y), 1, flops, variant=f"complex power {y}")
      for y, flops in POWERS.items()),
    *(_element("convert_element_type", functools.partial(lax.convert_element_type, new_dtype=target), 1, flops,
               dtype=source, variant=f"{source} to {target}") for (source, target), flops in CONVERSIONS.items()),
    _element("sqrt", lax.sqrt, 1, 8, 3, dtype="complex128", variant="complex128"),
    Case("add_any", lambda x, y: jax.linear_transpose(lambda v: (-v, -v), x)((x, y)), (Z, Z), flops="(2 + 2 + 2)*a*b",
         variant="complex64"),
    Case("select_n", lambda *arrays: lax.select_n(*arrays), ("int32[a,b]", Z, Z, Z), flops="2*2*a*b", int_ops="2*a*b",
         variant="complex64"),
    *(Case(name, functools.partial(lambda f, x: f(x, (0,)), getattr(lax, name)), (Z,), flops=f"{each}*(a - 1)*b",
           variant="complex64") for name, each in REDUCTIONS.items()),
    *(Case(name, functools.partial(getattr(lax, name), axis=1), (Z,), flops=f"{each}*a*(b - 1)", variant="complex64")
      for name, each in RUNNING.items()),
    Case("reduce", lambda x: lax.reduce(x, jnp.complex64(0), _power_sum, (0,)), (Z,), flops="(2 + 6)*(a - 1)*b",
         variant="complex64"),
    Case("reduce_window_sum", lambda x: lax.reduce_window(x, 0j, lax.add, (1, 3), (1, 1), "SAME"), (Z,),
         flops="2*2*a*b", variant="complex64"),
    Case("sort", lax.sort, (Z,), flops="4*a*b*clog2(b)", points=points("a b", (4, 10), (3, 16), (1, 1)),
         variant="complex64"),
    Case("scatter-add", _put, (Z, "int32[m,1]", "complex64[m,b]"), flops="2*m*b",
         points=points("a b m", (5, 4, 2), (7, 3, 10), (1, 1, 1)), variant="complex64"),
    Case("addupdate", _changed, (Z,), flops="2*a*b", variant="complex64"),
    Case("psum", ON_TWO(lambda x: lax.psum(x, "i"), out_specs=PartitionSpec("i"), check_vma=False),
         ("complex64[4*a,b]",), flops="2*2*a*b", variant="complex64"),
    Case("reduce_scatter", ON_TWO(lambda x: lax.psum_scatter(x, "i", tiled=True), out_specs=PartitionSpec("i")),
         ("complex64[4*a,b]",), flops="2*a*b", variant="complex64"),
    # a complex MAC is 4 real ones
    Case("dot_general", lambda x, y: x @ y, ("complex64[m,k]", "complex64[k,n]"), "4*m*k*n", "8*m*k*n", points=MKN,
         variant="complex64"),
    # as programs do it: the real operand is converted, which adds parts that are 0
    Case("dot_general", lambda x, y: x.astype(y.dtype) @ y, ("float32[m,k]", "complex64[k,n]"), "4*m*k*n", "8*m*k*n",
         points=MKN, variant="real times complex"),
    Case("dot_general", lambda x, y: jnp.einsum("bnhd,bmhd->bhnm", x, y), ("complex64[b,n,m,k]", "complex64[b,n,m,k]"),
         "4*b*n*n*m*k", "8*b*n*n*m*k", points=BMKN, variant="complex scores"),
    Case("ragged_dot_general", lax.ragged_dot, ("complex64[m,k]", "complex64[g,k,n]", "int32[g]"), "4*m*k*n",
         "8*m*k*n", points=GMKN, variant="complex64"),
    # a complex convolution is 3 real ones, a sum for the input, two for the kernel and two for the result
    Case("conv_general_dilated", _conv, (IMAGE, KERNEL), f"3*{STRIDED}", f"6*{STRIDED} + {SEEN} + 2*{TAPS} + 2*{OUT}",
         points=WIDE, variant="complex64"),
    Case("conv_general_dilated", _input_gradient, (IMAGE, KERNEL, "complex64[n,o,ceiling(h/2),ceiling(w/3)]"),
         f"3*{STRIDED}", f"6*{STRIDED} + {OUT} + 2*{TAPS} + 2*{SEEN}", points=WIDE, variant="complex input gradient"),
    Case("conv_general_dilated", _depthwise, (IMAGE, "complex64[c,1,k,l]"), "3*n*c*k*l*h*w",
         "6*n*c*k*l*h*w + n*c*h*w + 2*c*k*l + 2*n*c*h*w", points=CONV, variant="complex depthwise"),
]  # fmt: skip
