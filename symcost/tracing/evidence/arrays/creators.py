"""Functions of numpy's that make arrays: of symbolic sizes they make tables."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from symcost.tracing.evidence.arrays.arguments import at_base, leaves, sides
from symcost.tracing.evidence.arrays.table import SizedArray, made
from symcost.tracing.evidence.floats.tracked import Tracked
from symcost.tracing.evidence.places import for_jax
from symcost.tracing.evidence.recorder import DIMENSION, Recorder

FILLED = ("zeros", "ones", "empty", "full")
COUNTED = ("arange", "linspace", "eye", "identity", "tri")
COLLECTED = ("array", "asarray", "asanyarray", "ascontiguousarray")


def creators(recorder: Recorder) -> dict[str, Callable[..., Any]]:
    """Functions of ``numpy`` that make arrays of sizes, or of floats that were made of sizes."""

    def creator(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def function(*args: Any, **kwargs: Any) -> Any:
            frame = sys._getframe(1)
            given = list(leaves((args, kwargs)))
            sized = name not in COLLECTED and any(isinstance(leaf, DIMENSION) for leaf in given)
            if for_jax(frame) or not (sized or any(isinstance(leaf, Tracked | SizedArray) for leaf in given)):
                return original(*args, **kwargs)
            return made(recorder, original, _sized(name), args, kwargs, frame)

        function.__name__ = name
        return function

    return {name: creator(name, getattr(np, name)) for name in (*FILLED, *COUNTED, *COLLECTED)}


def _sized(name: str) -> Callable[..., Any]:
    """What jax makes of the same sizes; nothing where a float decides how many numbers there are."""

    def theirs(*args: Any, **kwargs: Any) -> Any:
        if name == "arange" and any(isinstance(leaf, Tracked) for leaf in leaves((args, kwargs))):
            raise TypeError("a float decides its size")
        return getattr(jnp, name)(*args, **kwargs)

    return theirs


def of_numbers(recorder: Recorder, compute: Callable[..., Any], *args: Any) -> SizedArray:
    """An array of plain sizes whose numbers are made of sizes."""
    plain = np.asarray(compute(*at_base(recorder, args)))
    return SizedArray(recorder, plain, plain.shape, sides(recorder, args))
