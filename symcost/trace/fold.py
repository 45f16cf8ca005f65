"""Constants: which equations the compiler computes away before anything is counted.

Facts about the lowering to HLO (checked against ``lower().cost_analysis()`` in the tests): an equation whose operands
are all scalar or splat constants is folded (except powers and reductions), and ``x*1``, ``x+0``, ``x-0``, ``b&True``,
``b|False`` disappear.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

SHAPING = frozenset({"broadcast_in_dim", "reshape", "squeeze", "expand_dims", "transpose", "copy", "stop_gradient"})

_FOLDED: dict[str, Callable[..., Any]] = {
    "add": operator.add, "add_any": operator.add, "sub": operator.sub, "mul": operator.mul, "div": np.divide,
    "max": np.maximum, "min": np.minimum, "neg": operator.neg, "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x),
    "exp": np.exp, "log": np.log, "tanh": np.tanh, "abs": np.abs, "sign": np.sign, "floor": np.floor,
    "ceil": np.ceil, "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal, "and": np.bitwise_and, "or": np.bitwise_or, "not": np.invert, "square": np.square,
    "sin": np.sin, "cos": np.cos,
}  # fmt: skip


def scalar(value: Any) -> Any:
    """The number that every element of a constant array is, or nothing."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or array.size == 0:
        return None
    first = array.reshape(-1)[0]
    return first if array.size == 1 or bool((array == first).all()) else None


def folded(name: str, params: Any, constants: list[Any], dtype: Any) -> Any:
    """The constant that an equation of constants becomes, or nothing when it is not folded."""
    if name in SHAPING:
        return constants[0]
    if name == "convert_element_type":
        return _cast(constants[0], dtype)
    function = _FOLDED.get(name)
    if function is None:
        return None
    if name == "div" and dtype.kind in "iu":
        return None if constants[1] == 0 else _cast(int(constants[0] / constants[1]), dtype)
    with np.errstate(all="ignore"):
        return _cast(function(*constants), dtype)


def _cast(value: Any, dtype: Any) -> Any:
    try:
        with np.errstate(all="ignore"):
            return np.asarray(value).astype(dtype)[()]
    except (TypeError, ValueError):
        return None


def identity(name: str, constants: list[Any], dtype: Any) -> int | None:
    """Which operand an equation passes on unchanged, if the compiler sees that from its constant operand."""
    if len(constants) != 2:
        return None
    for position, constant in enumerate(constants):
        if constant is None:
            continue
        other = 1 - position
        same = (
            (name == "mul" and constant == 1)
            or (name in ("add", "add_any") and constant == 0)
            or (name == "sub" and constant == 0 and position == 1)
            or (name == "and" and dtype.kind == "b" and bool(constant))
            or (name == "or" and dtype.kind == "b" and not bool(constant))
        )
        if same:
            return other
    return None
