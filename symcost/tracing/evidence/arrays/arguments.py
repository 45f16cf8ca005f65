"""Arguments of functions of numpy's: arrays of symbolic sizes among them, in lists, tuples, slices or by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax._src import dtypes

from symcost.tracing.evidence.floats.tracked import Tracked
from symcost.tracing.evidence.recorder import DIMENSION, Recorder


class Sized:
    """``plain`` is an array at the base point, ``shape`` its sizes as symbols, ``made_of`` the sizes that went into it."""

    def __init__(self, recorder: Recorder, plain: Any, shape: tuple[Any, ...], made_of: set[Any]) -> None:
        self.recorder, self.plain, self.shape, self.made_of = recorder, np.asarray(plain), shape, made_of

    def __jax_array__(self) -> jax.Array:
        return jnp.zeros(self.shape, canonical(self.plain.dtype))


def canonical(leaf: Any) -> Any:
    """A number type as jax has it: a wider one would be warned of; floats as numbers."""
    if isinstance(leaf, Tracked):
        return leaf.plain
    if isinstance(leaf, np.ndarray | np.generic) and leaf.dtype != object:
        return leaf.astype(dtypes.canonicalize_dtype(leaf.dtype))
    if isinstance(leaf, np.dtype) or (isinstance(leaf, type) and issubclass(leaf, np.generic)):
        return dtypes.canonicalize_dtype(leaf)
    return leaf


def mapped(change: Callable[[Any], Any], value: Any) -> Any:
    """The same with every leaf changed."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(change, each) for each in value))
    if type(value) in (tuple, list):
        return type(value)(mapped(change, each) for each in value)
    if type(value) is dict:
        return {name: mapped(change, each) for name, each in value.items()}
    if type(value) is slice:
        return slice(*(mapped(change, each) for each in (value.start, value.stop, value.step)))
    return change(value)


def leaves(value: Any) -> Iterable[Any]:
    """Everything in it that is no list, tuple or slice."""
    found: list[Any] = []
    mapped(found.append, value)
    return found


def with_jax(value: Any) -> Any:
    """The same with arrays of jax's."""
    return mapped(lambda leaf: leaf.__jax_array__() if isinstance(leaf, Sized) else leaf, value)


def at_base(recorder: Recorder, value: Any) -> Any:
    """The same with plain numbers and arrays."""

    def plain(leaf: Any) -> Any:
        if isinstance(leaf, Sized):
            return leaf.plain
        if isinstance(leaf, DIMENSION):
            return recorder.value(leaf)
        return leaf.plain if isinstance(leaf, Tracked) else leaf

    return mapped(plain, value)


def sides(recorder: Recorder, value: Any) -> set[Any]:
    """The sizes and formulas that went into it."""
    found: set[Any] = set()
    for leaf in leaves(value):
        if isinstance(leaf, Sized):
            found |= leaf.made_of
        elif isinstance(leaf, DIMENSION | Tracked):
            found.add(recorder.side(leaf))
    return found
