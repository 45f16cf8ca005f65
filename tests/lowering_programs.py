"""Random small programs of arrays, some of them known when compiling: what XLA simplifies before it counts.

A program is a list of steps, each a name and numbers that pick its operands among the values so far; it prints as
the Python that makes it, so that a failing example can be pasted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

ROWS, COLUMNS = 4, 3
SHAPE = (ROWS, COLUMNS)
HELD = {
    "ones": np.ones(SHAPE, np.float32),
    "zeros": np.zeros(SHAPE, np.float32),
    "numbers": (np.arange(ROWS * COLUMNS, dtype=np.float32).reshape(SHAPE) - 4) / 4,
    "whole": np.arange(ROWS * COLUMNS, dtype=np.int32).reshape(SHAPE) % 5 - 2,
    "mask": np.arange(ROWS * COLUMNS).reshape(SHAPE) % 3 == 0,
    "every": np.ones(SHAPE, bool),
}
"""Arrays that the programs hold."""
TYPES = ("float32", "bfloat16", "int32", "bool")
Values = list[jax.Array]


@dataclass(frozen=True)
class Step:
    """One operation and the numbers that choose what it works on."""

    name: str
    picks: tuple[int, ...]


@dataclass(frozen=True)
class Lowered:
    """A program of one input; its results are the last few values."""

    steps: tuple[Step, ...]
    results: int = 1

    def __call__(self, x: jax.Array) -> list[jax.Array]:
        """Run it."""
        values: Values = [x]
        for step in self.steps:
            values.append(STEPS[step.name](values, *step.picks))
        return values[-self.results :]


def _like(value: jax.Array, other: jax.Array) -> jax.Array:
    """A value as the other's number type."""
    return value.astype(other.dtype)


def _shaped(value: jax.Array) -> jax.Array:
    """A value of the programs' shape: its first elements, or the first one everywhere."""
    if value.shape == SHAPE:
        return value
    flat = value.reshape(-1)
    return flat[: ROWS * COLUMNS].reshape(SHAPE) if flat.size >= ROWS * COLUMNS else jnp.broadcast_to(flat[0], SHAPE)


def _one(values: Values, pick: int) -> jax.Array:
    return values[pick % len(values)]


def _pair(values: Values, left: int, right: int) -> tuple[jax.Array, jax.Array]:
    first = _shaped(_one(values, left))
    return first, _like(_shaped(_one(values, right)), first)


def _held(values: Values, which: int, kind: int) -> jax.Array:
    return lax.convert_element_type(list(HELD.values())[which % len(HELD)], TYPES[kind % len(TYPES)])


ARITHMETIC = (lax.add, lax.sub, lax.mul, lax.max, lax.min)
LOGIC = (lax.bitwise_and, lax.bitwise_or)
COMPARED = (lax.eq, lax.lt, lax.ge, lax.ne)
CALLS = (lax.neg, lax.abs, jnp.sin, jnp.tanh, lax.exp, lax.floor, lax.square)


def _number(values: Values, left: int, right: int, which: int) -> jax.Array:
    first, second = _pair(values, left, right)
    if first.dtype == bool:
        return LOGIC[which % len(LOGIC)](first, second)
    return ARITHMETIC[which % len(ARITHMETIC)](first, second)


def _call(values: Values, pick: int, which: int) -> jax.Array:
    value = _one(values, pick)
    if value.dtype == bool:
        return ~value
    function = CALLS[which % len(CALLS)]
    whole = jnp.issubdtype(value.dtype, jnp.integer) and function not in CALLS[:2]
    return function(value.astype(jnp.float32) if whole else value)


def _scaled(values: Values, pick: int, number: int) -> jax.Array:
    value = _one(values, pick)
    return value if value.dtype == bool else value * (number % 3)


def _product(values: Values, left: int, right: int) -> jax.Array:
    first, second = _shaped(_one(values, left)), _shaped(_one(values, right))
    first, second = (v.astype(jnp.float32) if v.dtype == bool else v for v in (first, second))
    return lax.dot_general(first, second, (((1,), (1,)), ((), ())))


def _chosen(values: Values, test: int, left: int, right: int) -> jax.Array:
    which = _shaped(_one(values, test)).astype(bool)
    return lax.select(which, *_pair(values, left, right))


def _joined(values: Values, left: int, right: int, axis: int) -> jax.Array:
    return lax.concatenate(_pair(values, left, right), axis % len(SHAPE))


def _stacked(values: Values, left: int, right: int, axis: int) -> jax.Array:
    return jnp.stack(_pair(values, left, right), axis % (len(SHAPE) + 1))


def _part(values: Values, pick: int, axis: int, start: int, size: int) -> jax.Array:
    value = _one(values, pick)
    if not value.ndim:
        return value
    axis %= value.ndim
    length = value.shape[axis]
    start %= length
    return lax.slice_in_dim(value, start, start + 1 + size % (length - start), axis=axis)


def _indexed(values: Values, pick: int, place: int) -> jax.Array:
    value = _one(values, pick)
    return (
        lax.dynamic_index_in_dim(value, np.int32(place % value.shape[0]), keepdims=False) if value.ndim > 1 else value
    )


def _gathered(values: Values, pick: int, place: int) -> jax.Array:
    value = _one(values, pick)
    rows = np.arange(3) * (place % 2) % value.shape[0] if value.ndim else np.arange(1)
    return value.at[rows].get(mode=("fill", "clip")[place % 2]) if value.ndim else value


def _updated(values: Values, left: int, right: int, size: int) -> jax.Array:
    first, second = _pair(values, left, right)
    return lax.dynamic_update_slice(first, second[: 1 + size % ROWS], (0, 0))


def _moved(values: Values, pick: int, how: int) -> jax.Array:
    value = _one(values, pick)
    ways: list[Callable[[jax.Array], jax.Array]] = [
        lambda v: v.T, lambda v: v.reshape(-1), lambda v: v[None], lambda v: lax.rev(v, tuple(range(v.ndim))),
        lambda v: jnp.broadcast_to(v, (2, *v.shape)), lambda v: jnp.tile(v, 2) if v.ndim else v,
    ]  # fmt: skip
    return ways[how % len(ways)](value)


STEPS: dict[str, Any] = {
    "held": _held,
    "number": _number,
    "call": _call,
    "scaled": _scaled,
    "converted": lambda values, pick, kind: _one(values, pick).astype(TYPES[kind % len(TYPES)]),
    "compared": lambda values, left, right, which: COMPARED[which % len(COMPARED)](*_pair(values, left, right)),
    "chosen": _chosen,
    "product": _product,
    "joined": _joined,
    "stacked": _stacked,
    "part": _part,
    "indexed": _indexed,
    "gathered": _gathered,
    "updated": _updated,
    "moved": _moved,
    "inside": lambda values, pick: jax.jit(lambda v: v if v.dtype == bool else v * 2)(_one(values, pick)),
}
PICKS = {"held": 2, "number": 3, "call": 2, "scaled": 2, "converted": 2, "compared": 3, "chosen": 3, "product": 2,
         "joined": 3, "stacked": 3, "part": 4, "indexed": 2, "gathered": 2, "updated": 3, "moved": 2, "inside": 1}  # fmt: skip
"""How many numbers a step takes."""
