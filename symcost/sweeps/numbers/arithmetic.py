"""The operations of the graph on arrays, for every kind of number, in numpy and in JAX alike.

``xp`` is numpy or jax.numpy. A value of two words is a pair: the integer modulo 2**64 as int64 that wraps, and a float64
whose error is below 2**61 (:mod:`symcost.sweeps.numbers.tiers` bounds it), so that together they are one exact integer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from symcost.sweeps.numbers.tiers import FLOAT, INT, PYTHON, TWO

Value = Any
"""An array, or a pair of arrays (two words)."""
WORD = 2.0**64
NEAR = 2.0**62


def cast(xp: Any, value: Value, have: int, want: int) -> Value:
    """The same integers held another way."""
    if have == want:
        return value
    if have == TWO:
        word, approximate = value
        if want == PYTHON:
            return whole(word, approximate)
        return word if want == INT else word.astype(xp.float64)
    if want == PYTHON:
        return value.astype(xp.int64).astype(object)
    if want == TWO:
        return value.astype(xp.int64), value.astype(xp.float64)
    return value.astype(xp.float64 if want == FLOAT else xp.int64)


def mapped(function: Callable[[Any], Any], value: Value) -> Value:
    """A function on an array, or on each word of two."""
    return tuple(map(function, value)) if isinstance(value, tuple) else function(value)


def whole(word: Any, approximate: Any) -> Any:
    """Two words as Python's integers (numpy only)."""
    base = [int(f) for f in approximate.ravel().tolist()]
    words = [w & (2**64 - 1) for w in word.ravel().tolist()]
    integers = objects([b + _signed((w - b) % 2**64) for b, w in zip(base, words, strict=True)])
    return integers.reshape(word.shape)


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def objects(values: Sequence[Any]) -> Any:
    """Python's numbers as an array (numpy only)."""
    import numpy as np

    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def operate(xp: Any, op: str, kind: int, args: list[Value], exact_division: bool) -> Value:
    """An operation on values of one kind; ``exact_division`` says that float64 division rounds as IEEE 754 has it."""
    if op in ("and", "or", "not"):
        logic: dict[str, Any] = {"and": xp.logical_and, "or": xp.logical_or, "not": xp.logical_not}
        return logic[op](*args)
    if kind == TWO:
        return _TWO_WORDS[op](xp, *args)
    if kind == FLOAT and op in ("floordiv", "mod"):
        quotient = _float_quotient(xp, args[0], args[1], exact_division)
        return quotient if op == "floordiv" else args[0] - quotient * args[1]
    return _PLAIN[op](xp, *args)


_PLAIN: dict[str, Any] = {
    "add": lambda xp, a, b: a + b,
    "sub": lambda xp, a, b: a - b,
    "mul": lambda xp, a, b: a * b,
    "floordiv": lambda xp, a, b: a // b,
    "mod": lambda xp, a, b: a % b,
    "div": lambda xp, a, b: fractions(a, b),
    "max": lambda xp, a, b: xp.maximum(a, b),
    "min": lambda xp, a, b: xp.minimum(a, b),
    "le": lambda xp, a, b: (a <= b).astype(bool),
    "lt": lambda xp, a, b: (a < b).astype(bool),
    "eq": lambda xp, a, b: (a == b).astype(bool),
    "select": lambda xp, condition, a, b: xp.where(condition, a, b),
    "flog2": lambda xp, a: _log2(xp, a, 0),
    "clog2": lambda xp, a: _log2(xp, a - 1, 1),
    "isqrt": lambda xp, a: _isqrt(xp, a),
}


def fractions(a: Any, b: Any) -> Any:
    """Exact quotients of Python's integers, integers where they are whole."""
    import numpy as np

    from symcost.formulas.graph.graph import APPLY

    return np.frompyfunc(APPLY["div"], 2, 1)(a, b)


def _log2(xp: Any, value: Any, more: int) -> Any:
    """``floor(log2(value)) + more`` from the exponent of the float64, and 0 where the value is 0 or less."""
    if value.dtype == object:
        return xp.frompyfunc(lambda v: v.bit_length() - 1 + more if v > 0 else 0, 1, 1)(value)
    return xp.where(value > 0, (xp.frexp(value)[1] - 1 + more).astype(xp.float64), 0.0)


def _isqrt(xp: Any, value: Any) -> Any:
    """``floor(sqrt(value))``, and 0 where the value is less than 0; a root that was rounded upwards is one too many."""
    if value.dtype == object:
        return xp.frompyfunc(lambda v: math.isqrt(max(v, 0)), 1, 1)(value)
    above = xp.floor(xp.sqrt(xp.maximum(value, 0.0)))
    return above - (above * above > value) * (value > 0)


def _float_quotient(xp: Any, a: Any, b: Any, exact_division: bool) -> Any:
    """``floor(a/b)`` of float64 integers with ``|a| + |b| < 2**53``.

    The rounded quotient is never lifted to the next integer then. A compiler that multiplies by the reciprocal may be
    one off, which the remainder shows.
    """
    quotient = xp.floor(a / b)
    if exact_division:
        return quotient
    rest = a - quotient * b
    positive = b > 0
    high = xp.where(positive, rest >= b, rest <= b)
    low = xp.where(positive, rest < 0, rest > 0)
    return quotient + high.astype(xp.float64) - low.astype(xp.float64)


# -- two words ---------------------------------------------------------------------------------------------------


def _less(xp: Any, a: Value, b: Value) -> Any:
    """``a < b``: the float64s decide unless they are near each other; then the words' difference is the true one."""
    far = a[1] - b[1]
    return xp.where(abs(far) < NEAR, a[0] - b[0] < 0, far < 0)


def _equal(xp: Any, a: Value, b: Value) -> Any:
    return (a[0] == b[0]) & (abs(a[1] - b[1]) < NEAR)


def _choose(xp: Any, condition: Any, a: Value, b: Value) -> Value:
    return xp.where(condition, a[0], b[0]), xp.where(condition, a[1], b[1])


def _wrapped(xp: Any, value: Any) -> Any:
    """A float64 integer modulo 2**64, as int64."""
    low = value - xp.floor(value / WORD) * WORD
    return xp.where(low >= WORD / 2, low - WORD, low).astype(xp.int64)


def _divided(xp: Any, a: Value, b: Value) -> tuple[Value, Any]:
    """Quotient and remainder: the rounded quotient leaves a remainder of one word, which is divided exactly."""
    guess = xp.floor(a[1] / b[1])
    rest = a[0] - _wrapped(xp, guess) * b[0]
    more = rest // b[0]
    return (_wrapped(xp, guess) + more, guess + more.astype(xp.float64)), rest - more * b[0]


def _remainder(xp: Any, a: Value, b: Value) -> Value:
    rest = _divided(xp, a, b)[1]
    return rest, rest.astype(xp.float64)


_TWO_WORDS: dict[str, Any] = {
    "add": lambda xp, a, b: (a[0] + b[0], a[1] + b[1]),
    "sub": lambda xp, a, b: (a[0] - b[0], a[1] - b[1]),
    "mul": lambda xp, a, b: (a[0] * b[0], a[1] * b[1]),
    "floordiv": lambda xp, a, b: _divided(xp, a, b)[0],
    "mod": _remainder,
    "max": lambda xp, a, b: _choose(xp, _less(xp, a, b), b, a),
    "min": lambda xp, a, b: _choose(xp, _less(xp, a, b), a, b),
    "lt": _less,
    "le": lambda xp, a, b: xp.logical_not(_less(xp, b, a)),
    "eq": _equal,
    "select": _choose,
}
