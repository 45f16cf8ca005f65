"""Functions that make arrays, numpy's and the model's own: of symbolic sizes they make tables."""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from symcost.tracing.evidence.arrays.arguments import at_base, leaves, sides
from symcost.tracing.evidence.arrays.table import SizedArray, made
from symcost.tracing.evidence.floats.tracked import MANY, Tracked
from symcost.tracing.evidence.places import for_jax
from symcost.tracing.evidence.recorder import DIMENSION, Recorder
from symcost.tracing.program.repeated.tables import MadeTable, current

FILLED = ("zeros", "ones", "empty", "full")
COUNTED = ("arange", "linspace", "eye", "identity", "tri")
FURTHER = (2, 4)
"""So much larger are the sizes of other tables, which tell how a table grows with a size."""
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


def maker(recorder: Recorder, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the model's that makes a table number by number: of many numbers its sizes are plain ones.

    How its sides grow with those is told by tables of other sizes; what the function does with them is not seen.
    """

    @functools.wraps(function)
    def made(*args: Any, **kwargs: Any) -> Any:
        tables, (own, named) = current(), at_base(recorder, (args, kwargs))
        found = tables.table(function, own, named)
        if found is None or found.plain.size <= MANY:
            return function(*args, **kwargs)
        shape: list[Any] = [*found.plain.shape]
        for place, leaf in (*enumerate(args), *kwargs.items()):
            if isinstance(leaf, DIMENSION | Tracked):
                plain = recorder.pin(leaf, sys._getframe(1))
                others = [_moved(own, named, place, plain + k) for k in FURTHER] if isinstance(leaf, DIMENSION) else []
                grown = _growth(found.plain.shape, [tables.table(function, *other) for other in others])
                shape = [
                    side + slope * (leaf - plain) if slope else side for side, slope in zip(shape, grown, strict=True)
                ]
        whole = SizedArray(recorder, found.plain.copy(), tuple(shape), sides(recorder, (args, kwargs)))
        return whole.__jax_array__() if found.of_jax else whole

    return made


def _moved(args: tuple[Any, ...], kwargs: dict[str, Any], place: int | str, value: int) -> Any:
    """The same arguments with another one at a place."""
    if isinstance(place, str):
        return args, {**kwargs, place: value}
    return (*args[:place], value, *args[place + 1 :]), kwargs


def _growth(shape: tuple[int, ...], others: list[MadeTable | None]) -> list[int]:
    """By how much each side grows with a size, where it grows steadily; not at all where that is not known."""
    still = [0] * len(shape)
    grown = [still if each is None else list(map(operator.sub, each.plain.shape, shape)) for each in others]
    slopes = [side // FURTHER[0] for side in grown[0]] if grown else still
    steady = all([k * slope for slope in slopes] == sides for k, sides in zip(FURTHER, grown, strict=False))
    return slopes if steady else still
