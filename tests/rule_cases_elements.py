"""Rows for elementwise primitives."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.extend.core.primitives as jax_primitives
from jax import lax
from rule_case import Case


def _each(name: str, function: Callable[..., Any], arity: int, flops: int = 0, calls: int = 0,
int_ops: int = 0,
          dtype: str = "float32", variant: str = "") -> Case:  # fmt: skip
    return Case(
        name, function, (f"{dtype}[a,b]",) * arity, flops=f"{flops}*a*b", transcendentals=f"{calls}*a*b",
        int_ops=f"{int_ops}*a*b", variant=variant or (dtype if dtype != "float32" else ""),
        x64=dtype in ("float64", "complex128", "int64"),
    )  # fmt: skip


def _bind(name: str, **params: Any) -> Callable[..., Any]:
    primitive = getattr(jax_primitives, f"{name}_p")
    return lambda *arrays: primitive.bind(*arrays, **params)


# name: (operands, FLOPs, transcendentals) on float32
FLOATS = {
    "add": (2, 1, 0), "sub": (2, 1, 0), "mul": (2, 1, 0), "div": (2, 1, 0), "rem": (2, 1, 0), "neg": (1, 1,
    0),
    "abs": (1, 1, 0), "sign": (1, 1, 0), "max": (2, 1, 0), "min": (2, 1, 0), "eq": (2, 1, 0), "ne": (2, 1, 0),
    "lt": (2, 1, 0), "le": (2, 1, 0), "gt": (2, 1, 0), "ge": (2, 1, 0), "floor": (1, 1, 0), "ceil": (1, 1, 0),
    "round": (1, 1, 0), "is_finite": (1, 1, 0), "clamp": (3, 1, 0), "square": (1, 1, 0),
    "complex": (2, 0, 0),  # its parts are where they were
    "conj": (1, 1, 0), "nextafter": (2, 24, 0), "exp": (1, 0, 1), "expm1": (1, 0, 1), "log": (1, 0, 1),
    "log1p": (1, 0, 1), "sqrt": (1, 0, 1), "rsqrt": (1, 0, 1), "cbrt": (1, 0, 1), "pow": (2, 0, 1),
    "sin": (1, 0, 1), "cos": (1, 0, 1), "tan": (1, 0, 1), "tanh": (1, 0, 1), "atan": (1, 0, 1),
    "atan2": (2, 0, 1), "erf": (1, 0, 1), "exp2": (1, 1, 1), "logistic": (1, 3, 1), "asin": (1, 5, 2),
    "acos": (1, 3, 2), "sinh": (1, 10, 3), "cosh": (1, 3, 2), "asinh": (1, 11, 3), "acosh": (1, 7, 4),
    "atanh": (1, 6, 2), "erfc": (1, 62, 1), "erf_inv": (1, 37, 2), "lgamma": (1, 53, 4), "digamma": (1, 73,
    3),
    "bessel_i0e": (1, 83, 1), "bessel_i1e": (1, 83, 1), "zeta": (2, 121, 11), "polygamma": (2, 260, 19),
}  # fmt: skip
# name: (operands, operations) on int32
INTEGERS = {
    "add": (2, 1), "mul": (2, 1), "div": (2, 1), "rem": (2, 1), "max": (2, 1), "lt": (2, 1), "sign": (1, 1),
    "bitwise_and": (2, 1), "bitwise_or": (2, 1), "bitwise_xor": (2, 1), "bitwise_not": (1, 1),
    "mulhi": (2, 1), "population_count": (1, 1), "clz": (1, 1), "shift_left": (2, 1),
    "shift_right_logical": (2, 1),
    "shift_right_arithmetic": (2, 1),
}  # fmt: skip
# name: FLOPs, transcendentals on bfloat16, where the work is done in float32
NARROW = {
    "sinh": (12, 3), "cosh": (5, 2), "erfc": (64, 1), "erf_inv": (39, 2), "lgamma": (55, 4), "digamma": (75,
    3),
    "exp": (0, 1), "logistic": (3, 1),
}  # fmt: skip
# name: (operands, FLOPs, transcendentals) on float64
DOUBLES = {
    "add": (2, 1, 0), "exp": (1, 0, 1), "erfc": (1, 90, 1), "erf_inv": (1, 100, 2), "bessel_i0e": (1, 173, 1),
    "bessel_i1e": (1, 173, 1), "lgamma": (1, 53, 4), "digamma": (1, 73, 3), "asin": (1, 5, 2), "sinh": (1, 10,
    3),
}  # fmt: skip


def _twice(x: Any, y: Any) -> Any:
    """The transpose of a value used twice adds its two cotangents."""
    return jax.linear_transpose(lambda v: (-v, -v), x)((x, y))


def _select(*arrays: Any) -> Any:
    return lax.select_n(*arrays)


ELEMENTWISE = [
    *(_each(n, getattr(lax, n), k, flops, calls) for n, (k, flops, calls) in FLOATS.items()),
    *(_each(n.removeprefix("bitwise_"), getattr(lax, n), k, int_ops=ops, dtype="int32")
      for n, (k, ops) in INTEGERS.items()),
    *(_each(n, getattr(lax, n), 1, flops, calls, dtype="bfloat16") for n, (flops, calls) in NARROW.items()),
    *(_each(n, getattr(lax, n), k, flops, calls, dtype="float64") for n, (k, flops,
         calls) in DOUBLES.items()),
    *(_each(n, _bind(n), 2, flops=1) for n in ("eq_to", "lt_to", "le_to")),
    _each("zeta", lax.zeta, 2, 124, 11, dtype="bfloat16"),
    _each("sign", lax.sign, 1, int_ops=2, dtype="uint32"),
    _each("add_any", _twice, 2, flops=3),
    _each("round", lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN), 1, flops=1, variant="to even"),
    _each("reduce_precision", lambda x: lax.reduce_precision(x, 8, 7), 1, flops=1),
    Case("clamp", lax.clamp, ("float32[]", "float32[a,b]", "float32[]"), flops="a*b",
         variant="scalar bounds"),
    Case("select_n", _select, ("bool[a,b]", "float32[a,b]", "float32[a,b]"), flops="a*b"),
    Case("select_n", _select, ("bool[a,b]", "int32[a,b]", "int32[a,b]"), int_ops="a*b", variant="integers"),
    Case("select_n", _select, ("bool[]", "float32[a,b]", "float32[a,b]"), flops="a*b",
         variant="scalar predicate"),
    Case("select_n", _select, ("int32[a,b]", *("float32[a,b]",) * 3), flops="2*a*b", int_ops="2*a*b",
         variant="three cases"),
    Case("select_n", _select, ("int32[]", *("float32[a,b]",) * 5), flops="4*a*b", int_ops="4",
         variant="five cases, scalar predicate"),
    *(_each("integer_pow", functools.partial(lax.integer_pow, y=y), 1, flops=flops, variant=f"power {y}")
      for y, flops in ((-7, 5), (-2, 2), (-1, 1), (2, 1), (3, 2), (5, 3), (15, 6), (16, 4), (31, 8))),
    _each("integer_pow", functools.partial(lax.integer_pow, y=3), 1, int_ops=2, dtype="int32"),
    *(_each("convert_element_type", functools.partial(lax.convert_element_type, new_dtype=target), 1,
         flops=flops,
            int_ops=int_ops, dtype=source, variant=f"{source} to {target}")
      for source, target, flops, int_ops in (
          ("float32", "bfloat16", 1, 0), ("float32", "int32", 1, 0), ("int32", "float32", 1, 0),
          ("float32", "bool", 1, 0), ("bool", "float32", 1, 0), ("bool", "int32", 0, 1), ("int32", "int8", 0,
          1),
          ("float64", "float32", 1, 0))),
    _each("bitcast_convert_type", functools.partial(lax.bitcast_convert_type, new_dtype="int32"), 1,
         int_ops=1),
    _each("bitcast_convert_type", functools.partial(lax.bitcast_convert_type, new_dtype="uint8"), 1,
         int_ops=4,
          variant="narrower"),
    Case("bitcast_convert_type", functools.partial(lax.bitcast_convert_type, new_dtype="float32"),
         ("uint8[a,b,4]",),
         int_ops="a*b", variant="wider"),
]  # fmt: skip
if hasattr(lax, "one_minus_square"):
    ELEMENTWISE.append(_each("one_minus_square", lax.one_minus_square, 1, flops=3))
if hasattr(lax, "log2"):
    ELEMENTWISE += [
        _each("log2", lax.log2, 1, flops=1, calls=1),
    ]
