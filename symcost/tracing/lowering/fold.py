"""Constants: which equations the compiler computes away before anything is counted.

Facts about the lowering to HLO (StableHLO's simplification and folding passes; held by ``tests/test_lowering.py``): an
equation whose operands are all known is computed, element by element if need be, for the primitives of
:data:`FOLDED`; the others (powers, floors, reductions, random numbers) stay.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symcost.rules.families.elementwise import jax_version

LIMIT = 65536
"""Elements above which conversions, choices, concatenations and reversals of known arrays stay in the program."""
READ = 1 << 22
"""Elements above which a known array is not looked into: it is taken to hold several numbers."""
Content = Any
"""What is known of a value: a number (all its elements), an array, :data:`UNSEEN`, or ``None``."""
Known = Callable[..., Any]


class Unseen:
    """The content of a constant that was not computed here: known to the compiler, not one number."""


UNSEEN = Unseen()


def settled(array: Any) -> Content:
    """A constant's content: one number where all elements are the same bits, else the array.

    >>> int(settled(np.array([3, 3]))), settled(np.array([3, 4]))
    (3, array([3, 4]))
    """
    if not isinstance(getattr(array, "dtype", np.dtype(int)), np.dtype):  # a random key: no numbers that programs see
        return None
    array = np.asarray(array)
    if not _is_real(array.dtype) or not array.size:
        return None
    if not array.ndim:
        return array[()]
    first = array.reshape(-1)[0]
    if array.size == 1:
        return first
    if array.size > READ:
        return UNSEEN
    bits = np.ascontiguousarray(array).reshape(-1).view(f"u{array.dtype.itemsize}")
    return first if bool((bits == bits[0]).all()) else array


def _is_real(dtype: Any) -> bool:
    """Integers, booleans and floats, narrow ones (``bfloat16``) too."""
    return dtype.kind in "biuf" or (dtype.kind == "V" and "float" in dtype.name)


def is_number(content: Content) -> bool:
    """Whether every element is known to be one number."""
    return content is not None and content is not UNSEEN and not getattr(content, "ndim", 0)


def elements(shape: Sequence[int]) -> int:
    """Number of elements."""
    return math.prod(shape)


def _wide(function: Known, low: float = -math.inf, above: bool = False) -> Known:
    """A function computed in double precision, where every operand is at least (or above) ``low``."""

    def compute(array: Any) -> Any:
        wide = np.asarray(array).astype(np.float64)
        outside = wide <= low if above else wide < low
        return None if bool(np.any(outside)) else function(wide)

    return compute


def _divided(left: Any, right: Any) -> Any:
    """A quotient; of integers truncated, and none by zero."""
    if np.asarray(left).dtype.kind not in "iu":
        return np.divide(left, right)
    if bool(np.any(np.equal(right, 0))):
        return None
    whole = np.abs(left) // np.abs(right)
    return np.where(np.equal(np.less(left, 0), np.less(right, 0)), whole, -whole)


def _remainder(left: Any, right: Any) -> Any:
    """What is left of a division that truncates."""
    whole = np.asarray(left).dtype.kind in "iu"
    return None if whole and bool(np.any(np.equal(right, 0))) else np.fmod(left, right)


def _sign(array: Any) -> Any:
    array = np.asarray(array)
    return None if array.dtype.kind == "u" or bool(np.any(array != array)) else np.sign(array)


def _integer(function: Known) -> Known:
    """A function of integers and booleans alone."""
    return lambda *arrays: function(*arrays) if np.asarray(arrays[0]).dtype.kind in "biu" else None


_erf = np.vectorize(math.erf, otypes=[np.float64])

FOLDED: dict[str, Known] = {
    "add": operator.add, "add_any": operator.add, "sub": operator.sub, "mul": operator.mul, "div": _divided,
    "rem": _remainder, "max": np.maximum, "min": np.minimum, "neg": operator.neg, "abs": np.abs, "sign": _sign,
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "and": _integer(np.bitwise_and), "or": _integer(np.bitwise_or), "not": _integer(np.invert),
    "square": lambda x: x * x, "one_minus_square": lambda x: (1 - x) * (1 + x),
    "clamp": lambda low, x, high: np.minimum(np.maximum(x, low), high),
    "sqrt": _wide(np.sqrt, 0), "rsqrt": _wide(lambda x: 1 / np.sqrt(x), 0, above=True), "exp": _wide(np.exp),
    "exp2": _wide(np.exp2), "log": _wide(np.log, 0, above=True), "log2": _wide(np.log2, 0, above=True),
    "tanh": _wide(np.tanh), "sin": _wide(np.sin), "cos": _wide(np.cos), "tan": _wide(np.tan), "cosh": _wide(np.cosh),
    "logistic": _wide(lambda x: 1 / (1 + np.exp(-x))), "erf": _wide(_erf),
}  # fmt: skip
if jax_version() >= (0, 12):
    FOLDED["xor"] = _integer(np.bitwise_xor)


def folded(name: str, params: Any, contents: Sequence[Content], shape: Sequence[int], dtype: Any) -> Content:
    """The content of the result of an elementwise equation of known operands, or nothing when it stays."""
    if not _is_real(dtype):
        return None
    if name == "convert_element_type":
        return _converted(contents[0], shape, dtype)
    if name == "select_n":
        return _chosen(contents, shape)
    function = _power(params["y"]) if name == "integer_pow" else FOLDED.get(name)
    if function is None:
        return None
    if any(content is UNSEEN for content in contents):
        return UNSEEN
    with np.errstate(all="ignore"):
        computed = function(*contents)
        return None if computed is None else settled(np.asarray(computed).astype(dtype))


def _power(exponent: int) -> Known:
    """Square and multiply."""
    return lambda x: x**exponent if exponent >= 0 else 1 / x**-exponent


def _converted(content: Content, shape: Sequence[int], dtype: Any) -> Content:
    """Another number type: not of a large array, and never from a float that no integer is.

    The conversion of one number in more elements than :data:`LIMIT` stays, too; it is left out here as for fewer, for a
    closed form is one program at all sizes.
    """
    if elements(shape) > LIMIT and not is_number(content):
        return None
    array = np.asarray(content)
    with np.errstate(all="ignore"):
        if dtype.kind == "b":
            return settled(array != 0)
        if dtype.kind in "iu" and array.dtype.kind not in "biu":
            wide = array.astype(np.float64)
            bounds = np.iinfo(dtype)
            minus_zero = (wide == 0) & np.signbit(wide)
            if not np.isfinite(wide).all() or minus_zero.any():
                return None
            if (np.trunc(wide) < bounds.min).any() or (np.trunc(wide) > bounds.max).any():
                return None
        return settled(array.astype(dtype))


def _chosen(contents: Sequence[Content], shape: Sequence[int]) -> Content:
    """A choice by a predicate that is known in every element."""
    which, *cases = contents
    if is_number(which):
        return cases[min(max(int(which), 0), len(cases) - 1)]
    if elements(shape) > LIMIT or any(content is UNSEEN for content in contents):
        return None
    whole = [np.broadcast_to(case, shape) for case in cases]
    return settled(np.choose(np.broadcast_to(np.asarray(which).astype(np.int64), shape), whole, mode="clip"))


def identity(name: str, contents: Sequence[Content], dtype: Any) -> int | None:
    """Which operand an equation passes on unchanged under every convention: ``x*1``, ``x+0``, ``x-0``, ``b&True``."""
    if len(contents) != 2 or not _is_real(dtype):
        return None
    for position, content in enumerate(contents):
        if not is_number(content):
            continue
        same = (
            (name == "mul" and content == 1)
            or (name in ("add", "add_any") and content == 0)
            or (name == "sub" and content == 0 and position == 1)
            or (name == "and" and dtype.kind == "b" and bool(content))
            or (name == "or" and dtype.kind == "b" and not bool(content))
        )
        if same:
            return 1 - position
    return None
