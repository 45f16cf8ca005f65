"""Functions of math, numpy and jax that take plain numbers: of symbolic sizes they make formulas, or say what they fix."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import jax
import numpy as np
import opt_einsum
from jax._src.lax import lax
from opt_einsum import parser

from symcost.tracing.evidence.arrays.creators import creators
from symcost.tracing.evidence.floats.formula import OF_FLOATS, OF_INTEGERS, Formula
from symcost.tracing.evidence.floats.tracked import Tracked, operand, tracked
from symcost.tracing.evidence.places import for_jax
from symcost.tracing.evidence.recorder import DIMENSION, Recorder

SYMBOLIC = (DIMENSION, Tracked)
AS_THEY_ARE = frozenset(("floor", "ceil", "trunc", "prod", "isfinite", "isinf", "isnan"))
"""Functions of ``math`` that ask a size, or say of every one the same; all others in C read a float without asking."""


def of_math(recorder: Recorder) -> dict[str, Callable[..., Any]]:
    """Functions of ``math``."""

    def real(name: str) -> Callable[..., Any]:
        original = getattr(math, name)

        @functools.wraps(original)
        def function(*args: Any) -> Any:
            if any(isinstance(arg, SYMBOLIC) for arg in args):
                return tracked(recorder, f"math.{name}", *args)
            return original(*args)

        return function

    def integer(name: str) -> Callable[..., Any]:
        original = getattr(math, name)

        @functools.wraps(original)
        def function(*args: Any) -> Any:
            if any(isinstance(arg, DIMENSION) for arg in args):
                formula = Formula(f"math.{name}", tuple(operand(recorder, arg) for arg in args))
                return recorder.atom("int", formula, sys._getframe(1))
            return original(*args)

        return function

    def other(name: str) -> Callable[..., Any]:
        original = getattr(math, name)

        def plain(arg: Any, frame: FrameType) -> Any:
            if isinstance(arg, list | tuple):
                return [plain(each, frame) for each in arg]
            return recorder.pin(arg, frame, text=True) if isinstance(arg, SYMBOLIC) else arg

        @functools.wraps(original)
        def function(*args: Any, **kwargs: Any) -> Any:
            frame = sys._getframe(1)
            return original(*(plain(arg, frame) for arg in args), **{k: plain(v, frame) for k, v in kwargs.items()})

        return function

    known = {
        **{name: real(name) for name in OF_FLOATS if hasattr(math, name)},
        **{name: integer(name) for name in OF_INTEGERS},
    }
    unread = [name for name, v in vars(math).items() if callable(v) and name not in (*known, *AS_THEY_ARE)]
    return {**known, **{name: other(name) for name in unread if not name.startswith("_")}}


def of_numpy(recorder: Recorder) -> dict[str, Callable[..., Any]]:
    """Functions of ``numpy`` that would take a float's value without asking it, or make arrays of sizes."""

    def plain(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def function(*args: Any, **kwargs: Any) -> Any:
            frame = sys._getframe(1)
            if for_jax(frame):
                return original(*args, **kwargs)
            digits = (*args[1:], *kwargs.values())
            if args and isinstance(args[0], Tracked) and kwargs.keys() <= {"decimals"} and len(digits) < 2:
                return tracked(recorder, "np.round", args[0], *(digit for digit in digits if digit != 0))
            given = [recorder.pin(arg, frame, text=True) if isinstance(arg, Tracked) else arg for arg in args]
            named = {
                name: recorder.pin(arg, frame, text=True) if isinstance(arg, Tracked) else arg
                for name, arg in kwargs.items()
            }
            return original(*given, **named)

        return function

    return {**{name: plain(getattr(np, name)) for name in ("round", "around")}, **creators(recorder)}


def reshape(recorder: Recorder) -> Callable[..., Any]:
    """What jax leaves out for symbolic sizes: that an array of another shape has as many elements."""
    bind = lax.reshape_p.bind

    def checked(*args: Any, **params: Any) -> Any:
        have, want = math.prod(np.shape(args[0])), math.prod(params["new_sizes"])
        symbolic = isinstance(have, DIMENSION) or isinstance(want, DIMENSION)
        if symbolic and not recorder.decide(have, "==", want, sys._getframe(1)):
            raise TypeError(f"an array of shape {np.shape(args[0])} is no array of shape {params['new_sizes']}")
        return bind(*args, **params)

    return checked


def stack(recorder: Recorder) -> Callable[..., Any]:
    """Arrays one beside the other, whose sizes jax compares as they are written: that they are equal is a decision."""
    bind = lax.stack_p.bind

    def alike(first: Any, other: Any) -> Any:
        pairs = list(zip(np.shape(first), np.shape(other), strict=False))
        if not any(isinstance(size, DIMENSION) for pair in pairs for size in pair) or np.ndim(first) != np.ndim(other):
            return other
        if not all(recorder.decide(a, "==", b, sys._getframe(2)) for a, b in pairs if a is not b):
            return other
        sizes = tuple(np.shape(first))  # as they are written: the verb of jax would see nothing to do
        return lax.reshape_p.bind(other, new_sizes=sizes, dimensions=None, sharding=None)

    def stacked(*arrays: Any, **params: Any) -> Any:
        return bind(*arrays[:1], *(alike(arrays[0], each) for each in arrays[1:]), **params)

    return stacked


def contract_path(recorder: Recorder) -> Callable[..., Any]:
    """The order of a product of several arrays, chosen by sizes that decide."""

    def path(*operands: Any, optimize: Any, **kwargs: Any) -> Any:
        concrete = [_concrete(recorder, each) for each in operands]
        if callable(optimize) or isinstance(optimize, str):
            optimize = _order(recorder, operands, concrete, optimize)
        ordered, contractions = opt_einsum.contract_path(*concrete, optimize=optimize, **kwargs)
        place = {id(fake): each for fake, each in zip(concrete, operands, strict=True)}
        return [place[id(fake)] for fake in ordered], contractions

    return path


def _concrete(recorder: Recorder, array: Any) -> Any:
    """An array of the sizes at the base point; anything else as it is."""
    if not hasattr(array, "dtype"):
        return array
    return jax.ShapeDtypeStruct(tuple(recorder.value(size) for size in np.shape(array)), array.dtype)


def _order(recorder: Recorder, operands: Any, concrete: Any, optimize: Any) -> Any:
    inputs, output, _ = parser.parse_einsum_input(concrete, shapes=False)
    arrays = [each for each in operands if hasattr(each, "dtype")]
    terms = inputs.split(",")
    sizes: dict[str, Any] = {}
    for term, array in zip(terms, arrays, strict=True):
        for name, size in zip(term, np.shape(array), strict=True):
            if name not in sizes or (isinstance(sizes[name], int) and sizes[name] == 1):
                sizes[name] = size
    if len(terms) <= 2:
        return [tuple(range(len(terms)))]
    choose = opt_einsum.paths.get_path_fn(optimize) if isinstance(optimize, str) else optimize
    return choose([frozenset(term) for term in terms], frozenset(output), sizes, None)
