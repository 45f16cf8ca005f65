"""Rows for matrix products and convolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from rule_case import Case, Points, points


def _dot(dimensions: Any, **more: Any) -> Callable[..., Any]:
    return lambda x, y: lax.dot_general(x, y, dimensions, **more)


MKN = points("m k n", (3, 5, 7), (8, 2, 4), (1, 1, 1))
BMKN = points("b m k n", (2, 3, 5, 7), (3, 8, 2, 4), (1, 1, 1, 1))
# one row in one group is all constants, which XLA folds
GMKN = points("g m k n", (3, 8, 5, 7), (2, 6, 3, 4), (3, 1, 1, 1), (1, 2, 2, 1))


def _ragged_contraction(x: Any, y: Any, sizes: Any) -> Any:
    numbers = lax.RaggedDotDimensionNumbers((((0,), (0,)), ((), ())), (0,), ())
    return lax.ragged_dot_general(x, y, sizes, numbers)


CONTRACTIONS = [
    Case("dot_general", lambda x, y: x @ y, ("float32[m,k]", "float32[k,n]"), "m*k*n", "2*m*k*n", points=MKN),
    Case(
        "dot_general", _dot((((2,), (1,)), ((0,), (0,)))), ("float32[b,m,k]", "float32[b,k,n]"),
        "b*m*k*n", "2*b*m*k*n", points=BMKN, variant="batch",
    ),
    Case(
        "dot_general", lambda x, y: jnp.einsum("bnhd,bmhd->bhnm", x, y), ("float32[b,n,m,k]",
        "float32[b,n,m,k]"),
        "b*n*n*m*k", "2*b*n*n*m*k", points=BMKN, variant="attention scores",
    ),
    Case("dot_general", _dot((((), ()), ((), ()))), ("float32[m]", "float32[n]"), "m*n", "2*m*n", points=MKN,
         variant="outer"),
    Case("dot_general", _dot((((0, 1), (0, 1)), ((), ()))), ("float32[m,k]", "float32[m,k]"), "m*k", "2*m*k",
         points=MKN, variant="two contracted"),
    Case(
        "dot_general", _dot((((1,), (0,)), ((), ())), preferred_element_type=jnp.int32), ("int8[m,k]",
        "int8[k,n]"),
        "m*k*n", "2*m*k*n", points=MKN, variant="int8",
    ),
    Case(
        "ragged_dot_general", lax.ragged_dot, ("float32[m,k]", "float32[g,k,n]", "int32[g]"),
        "m*k*n", "2*m*k*n", points=GMKN, variant="rows",
    ),
    Case(
        "ragged_dot_general", _ragged_contraction, ("float32[k,m]", "float32[k,n]", "int32[g]"),
        "m*k*n", "2*m*k*n", points=GMKN, variant="contraction",
    ),
]  # fmt: skip


# Convolutions: n c_i h_i w_i come as n c h w, output features as o, the kernel as k x l.
NCHW = ("NCHW", "OIHW", "NCHW")
CONV = points("n c o h w k l", (2, 3, 4, 8, 9, 3, 2), (1, 4, 2, 11, 7, 5, 3), (1, 1, 1, 1, 1, 1, 1))
WIDE = points("n c o h w k l", (2, 3, 4, 8, 9, 3, 2), (1, 4, 2, 12, 10, 2, 3), (3, 1, 1, 9, 8, 3, 3))
X, K = "float32[n,c,h,w]", "float32[o,c,k,l]"
VALID = "n*o*c*k*l*(h - k + 1)*(w - l + 1)"
SAME = "n*o*c*k*l*h*w"
STRIDED = "n*o*c*k*l*ceiling(h/2)*ceiling(w/3)"
UP = "n*o*c*k*l*h*w"


def _conv(strides: tuple[int, int] = (1, 1), padding: Any = "VALID", **more: Any) -> Callable[..., Any]:
    return lambda x, k: lax.conv_general_dilated(x, k, strides, padding, dimension_numbers=NCHW, **more)


def _groups(x: Any, k: Any) -> Any:
    groups = x.shape[1] // k.shape[1]
    return lax.conv_general_dilated(x, k, (1, 1), "SAME", feature_group_count=groups, dimension_numbers=NCHW)


def _batch_groups(x: Any, k: Any, groups: int = 2) -> Any:
    return lax.conv_general_dilated(x, k, (1, 1), ((1, 0), (0, 2)), batch_group_count=groups, dimension_numbers=NCHW)


def _input_gradient(x: Any, k: Any, out: Any) -> Any:
    return jax.linear_transpose(lambda x: _conv((2, 3), "SAME")(x, k), x)(out)


def _kernel_gradient(x: Any, k: Any, out: Any) -> Any:
    return jax.linear_transpose(lambda k: _conv((2, 3), "SAME")(x, k), k)(out)


def _grouped_kernel_gradient(x: Any, k: Any, out: Any) -> Any:
    return jax.linear_transpose(lambda k: _groups(x, k), k)(out)


def _grouped_input_gradient(x: Any, k: Any, out: Any) -> Any:
    return jax.linear_transpose(lambda x: _groups(x, k), x)(out)


def _conv_case(
    variant: str,
    function: Callable[..., Any],
    macs: str,
    at: Points = WIDE,
    x: str = X,
    k: str = K,
    *more: str,
) -> Case:
    specs = (x, k, *more)
    return Case("conv_general_dilated", function, specs, macs, f"2*{macs}", points=at, variant=variant)


GROUPS = points("n g c o h w k l", (2, 3, 2, 4, 8, 9, 3, 2), (1, 2, 4, 2, 5, 7, 3, 3), (1,) * 8)
HALVES = points("n c o h w k l", (2, 3, 4, 8, 9, 3, 2), (1, 4, 2, 12, 10, 2, 3), (3, 1, 2, 9, 8, 3, 3))
OUT_STRIDED = "float32[n,o,ceiling(h/2),ceiling(w/3)]"

CONVOLUTIONS = [
    _conv_case("valid", _conv(), VALID, CONV),
    _conv_case("same", _conv(padding="SAME"), SAME, CONV),
    _conv_case("strided", _conv((2, 3), "SAME"), STRIDED),
    _conv_case("lopsided padding", _conv((1, 2), ((3, 1), (0, 2))),
               "n*o*c*k*l*(h + 5 - k)*(floor((w + 2 - l)/2) + 1)"),
    _conv_case("cropped", _conv((1, 1), ((-1, 0), (0, -2))), "n*o*c*k*l*(h - k)*(w - l - 1)"),
    _conv_case("dilated", _conv(padding=((2, 2), (2, 2)), rhs_dilation=(2, 3)),
               "n*o*c*k*l*(h + 6 - 2*k)*(w + 7 - 3*l)"),
    _conv_case("channels last", lambda x, k: lax.conv_general_dilated(
        x, k, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")), SAME, CONV,
        "float32[n,h,w,c]", "float32[k,l,c,o]"),
    _conv_case("groups", _groups, "n*g*o*c*k*l*h*w", GROUPS, "float32[n,g*c,h,w]", "float32[g*o,c,k,l]"),
    _conv_case("depthwise", _groups, "n*g*o*k*l*h*w", GROUPS, "float32[n,g,h,w]", "float32[g*o,1,k,l]"),
    _conv_case("batch groups", _batch_groups, "n*2*o*c*k*l*(h + 2 - k)*(w + 3 - l)", HALVES,
               "float32[2*n,c,h,w]", "float32[2*o,c,k,l]"),
    # the textbook count of a transposed convolution: every input element meets every tap
    _conv_case("transposed valid", lambda x, k: lax.conv_transpose(
        x, k, (2, 3), "VALID", dimension_numbers=NCHW), UP),
    _conv_case("transposed same", lambda x, k: lax.conv_transpose(
        x, k, (2, 3), "SAME", dimension_numbers=NCHW), UP),
    _conv_case("transposed dilated", lambda x, k: lax.conv_transpose(
        x, k, (2, 2), "SAME", rhs_dilation=(2, 1), dimension_numbers=NCHW), UP),
    _conv_case("dilated input strided", _conv((3, 2), ((1, 2), (2, 0)), lhs_dilation=(2, 3)), UP),
    _conv_case("input gradient", _input_gradient, STRIDED, WIDE, X, K, OUT_STRIDED),
    _conv_case("kernel gradient", _kernel_gradient, STRIDED, WIDE, X, K, OUT_STRIDED),
    _conv_case("grouped input gradient", _grouped_input_gradient, "n*g*o*c*k*l*h*w", GROUPS,
               "float32[n,g*c,h,w]", "float32[g*o,c,k,l]", "float32[n,g*o,h,w]"),
    _conv_case("grouped kernel gradient", _grouped_kernel_gradient, "n*g*o*c*k*l*h*w", GROUPS,
               "float32[n,g*c,h,w]", "float32[g*o,c,k,l]", "float32[n,g*o,h,w]"),
    Case("conv_general_dilated", lambda x, k: lax.conv_general_dilated(x, k, (2,), "SAME"),
         ("float32[n,c,h]", "float32[o,c,k]"), "n*o*c*k*ceiling(h/2)", "2*n*o*c*k*ceiling(h/2)", points=CONV,
         variant="one dimension"),
    Case("conv_general_dilated", lambda x, k: lax.conv_general_dilated(x, k, (1, 1, 2), "SAME"),
         ("float32[n,c,h,w,w]", "float32[o,c,k,l,l]"), "n*o*c*k*l*l*h*w*ceiling(w/2)",
         "2*n*o*c*k*l*l*h*w*ceiling(w/2)", points=CONV, variant="three dimensions"),
]  # fmt: skip
