"""Symbolic sizes of jax that decide: comparisons and conversions of their class, while something is recorded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from symcost.tracing.evidence.arrays.creators import of_numbers
from symcost.tracing.evidence.arrays.table import SizedArray
from symcost.tracing.evidence.floats.formula import INFIX, Formula
from symcost.tracing.evidence.floats.tracked import PLAIN, Tracked, array_function, operand, tracked
from symcost.tracing.evidence.places import asks_for_constant, by_user, compares, for_jax, hides, looks_up, tests
from symcost.tracing.evidence.recorder import DIMENSION, Recorder
from symcost.tracing.evidence.stand_ins.membership import asked_range, is_member

Method = Callable[..., Any]
FLOATS = (float, np.floating)


def methods(recorder: Recorder) -> dict[str, Method]:
    """Methods of the class that record; each is as jax wrote it for sizes that are not the recorder's."""
    return {
        **{name: _comparison(recorder, name, op) for name, op in _COMPARED.items()},
        **{f"__{name}__": _arithmetic(recorder, f"__{name}__", op, False) for name, op in _COMPUTED.items()},
        **{f"__r{name}__": _arithmetic(recorder, f"__r{name}__", op, True) for name, op in _COMPUTED.items()},
        **{f"__{name}__": _bits(recorder, op, False) for name, op in _BITS.items()},
        **{f"__r{name}__": _bits(recorder, op, True) for name, op in _BITS.items()},
        **_conversions(recorder),
        **_larger(recorder),
        "__getattribute__": _attribute(recorder),
    }


_COMPARED = {"__eq__": "==", "__ne__": "!=", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}
_COMPUTED = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**"}
_OF_INT = frozenset(("as_integer_ratio", "is_integer", "to_bytes"))
"""What plain numbers have beside their arithmetic: it may answer anything by their value."""
_BITS = {"and": "&", "or": "|", "xor": "^"}


def _original(name: str) -> Any:
    return getattr(DIMENSION, name, None)


def _comparison(recorder: Recorder, name: str, op: str) -> Method:
    original, same = _original(name), _original("__eq__")

    def method(self: Any, other: Any) -> Any:
        if not recorder.owns(self):
            return original(self, other)
        if not isinstance(other, (DIMENSION, Tracked, *PLAIN)):
            return original(self, other)
        frame = sys._getframe(1)
        if op in ("==", "!=") and not isinstance(other, FLOATS):
            alike = same(self, other)
            if alike or not compares(frame):
                return alike == (op == "==")
            numbers = asked_range(frame) if op == "==" else None
            if numbers is not None:
                return is_member(recorder, self, numbers, frame)
        if isinstance(other, DIMENSION) and other.scope is not recorder.scope:
            return original(self, other)
        return recorder.decide(self, op, other, frame)

    return method


def _arithmetic(recorder: Recorder, name: str, op: str, turned: bool) -> Method:
    original = _original(name)

    def method(self: Any, other: Any, *modulo: Any) -> Any:
        if not recorder.owns(self) or not isinstance(other, (DIMENSION, Tracked, *PLAIN, np.ndarray)):
            if op == "*" and recorder.owns(self) and isinstance(other, list | tuple | str):  # repeated so often
                return other * recorder.pin(self, sys._getframe(1))
            return NotImplemented if isinstance(other, SizedArray) else original(self, other, *modulo)
        frame = sys._getframe(1)
        if isinstance(other, np.ndarray):
            return _with_array(recorder, self, other, op, turned)
        whole = not isinstance(other, FLOATS)
        if op == "**" and modulo and whole and not turned and isinstance(other, int) and other >= 0:
            return self**other % modulo[0]
        if op == "**":
            left, right = (other, self) if turned else (self, other)
            if isinstance(right, DIMENSION) and whole:
                return recorder.atom("int", Formula("**", (operand(recorder, left), operand(recorder, right))), frame)
            whole = whole and not isinstance(right, Tracked) and right >= 0
        if whole and op != "/":
            by = other if isinstance(other, DIMENSION) else int(other)
            if op == "%" and not turned and (isinstance(by, DIMENSION) or by > 0):
                rest = recorder.reduced(self, by)
                if isinstance(rest, DIMENSION):
                    return original(rest, by)
                return rest % by if isinstance(by, int) else original(self, by) if rest else 0
            if turned and op in ("%", "//") and isinstance(by, int) and by == 0:
                return 0  # jax takes no such remainder
            return original(self, by, *modulo)
        return tracked(recorder, op, other, self) if turned else tracked(recorder, op, self, other)

    return method


def _with_array(recorder: Recorder, size: Any, other: Any, op: str, turned: bool) -> Any:
    """A size beside an array of numpy's: sizes in an array of objects, else an array whose numbers are made of it."""
    compute = INFIX[op][1]
    if other.dtype == object:
        flat = [compute(v, size) if turned else compute(size, v) for v in other.ravel()]
        made = np.empty(len(flat), dtype=object)
        made[:] = flat
        return made.reshape(other.shape)
    return of_numbers(recorder, compute, *((other, size) if turned else (size, other)))


def _bits(recorder: Recorder, op: str, turned: bool) -> Method:
    def method(self: Any, other: Any) -> Any:
        if not recorder.owns(self) or not isinstance(other, DIMENSION | int | np.integer):
            return NotImplemented
        pair = (other, self) if turned else (self, other)
        return recorder.atom("int", Formula(op, tuple(operand(recorder, v) for v in pair)), sys._getframe(1))

    return method


def _conversions(recorder: Recorder) -> dict[str, Method]:
    as_constant, hashed, copied = _original("__int__"), _original("__hash__"), _original("__deepcopy__")
    written = _original("__str__")

    def index(self: Any) -> int:
        frame = sys._getframe(1)
        if recorder.owns(self) and tests(frame):
            return int(recorder.decide(self, "!=", 0, frame))
        if not recorder.owns(self) or (for_jax(frame) and asks_for_constant(frame)):
            raise TypeError(f"the symbolic size {self} is no plain integer")
        return recorder.pin(self, frame, text=hides(frame))

    def integer(self: Any) -> int:
        frame = sys._getframe(1)
        return recorder.pin(self, frame, text=hides(frame)) if recorder.owns(self) else as_constant(self)

    def real(self: Any) -> float:
        frame = sys._getframe(1)
        if not recorder.owns(self):
            raise TypeError(f"the symbolic size {self} is no plain number")
        return float(recorder.pin(self, frame, text=hides(frame)) if by_user(frame) else recorder.value(self))

    def truth(self: Any) -> bool:
        return recorder.decide(self, "!=", 0, sys._getframe(1)) if recorder.owns(self) else True

    def key(self: Any) -> int:
        frame = sys._getframe(1)
        if recorder.owns(self) and looks_up(frame):
            return hash(recorder.pin(self, frame, key=True))
        return hashed(self)

    def same(self: Any, *rest: Any) -> Any:
        return self

    def kept(self: Any, memo: Any) -> Any:
        return self if recorder.owns(self) else copied(self, memo)

    def absolute(self: Any) -> Any:
        return self if recorder.decide(self, ">=", 0, sys._getframe(1)) else -self

    def digits(function: str) -> Method:
        def method(self: Any) -> Any:
            return recorder.atom(function, Formula("number", (recorder.form(self),)), sys._getframe(1))

        return method

    def of_array(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return array_function(recorder, ufunc, method, inputs, kwargs, sys._getframe(1))

    def formatted(self: Any, spec: str) -> str:
        frame = sys._getframe(1)
        if recorder.owns(self) and (spec or by_user(frame)):
            return format(recorder.pin(self, frame, text=True), spec)
        return written(self)

    def text(self: Any) -> str:
        frame = sys._getframe(1)  # what the model does with a text is not seen
        return str(recorder.pin(self, frame, text=True)) if recorder.owns(self) and by_user(frame) else written(self)

    def left(self: Any, other: Any) -> Any:
        return self * 2**other

    def right(self: Any, other: Any) -> Any:
        return self // 2**other

    def shifted(self: Any, other: Any) -> Any:
        return other * 2**self

    def inverted(self: Any) -> Any:
        return -self - 1

    return {"__index__": index, "__int__": integer, "__float__": real, "__bool__": truth, "__hash__": key,
            "__pos__": same, "__round__": same, "__floor__": same, "__ceil__": same, "__trunc__": same,
            "__copy__": same, "__deepcopy__": kept, "__abs__": absolute, "bit_length": digits("int.bit_length"),
            "bit_count": digits("int.bit_count"), "__lshift__": left, "__rlshift__": shifted, "__rshift__": right,
            "__invert__": inverted,
            "__array_ufunc__": of_array, "__format__": formatted, "__str__": text, "__repr__": text}  # fmt: skip


def _attribute(recorder: Recorder) -> Method:
    """``isinstance(size, int)`` is true in the model's code, and stays false in jax's: it asks for ``__class__``."""
    get = object.__getattribute__

    def attribute(self: Any, name: str) -> Any:
        if name == "__class__" and recorder.owns(self) and by_user(sys._getframe(1)):
            return int
        if name in _OF_INT and hasattr(int, name) and recorder.owns(self):
            return getattr(recorder.pin(self, sys._getframe(1), text=True), name)
        return get(self, name)

    return attribute


def _larger(recorder: Recorder) -> dict[str, Method]:
    """The larger and the smaller of two sizes, which jax asks for as methods."""

    def chosen(name: str, op: str, turned: bool) -> Method:
        original = _original(name)

        def method(self: Any, other: Any) -> Any:
            if not recorder.owns(self):
                return original(self, other)
            return self if recorder.decide(self, op, other, sys._getframe(1)) else other

        return method

    return {"max": chosen("max", ">=", False), "rmax": chosen("rmax", ">=", True),
            "min": chosen("min", "<=", False), "rmin": chosen("rmin", "<=", True)}  # fmt: skip
