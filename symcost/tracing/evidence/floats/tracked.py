"""The float that carries its formula, and the operations of sizes that leave the integers."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax._src import core, dtypes

from symcost.tracing.evidence.floats.formula import EXACT, FEW, INFIX, OF_ARRAYS, Formula
from symcost.tracing.evidence.guard import OPERATORS
from symcost.tracing.evidence.places import by_model, compares, for_jax, hides, looks_up
from symcost.tracing.evidence.recorder import DIMENSION, Recorder

PLAIN = (int, float, bool, np.integer, np.float64)
"""Numbers whose arithmetic with a float is Python's own."""


REMEMBERED = 4096
"""So many floats are made once."""
MANY, CHECKED = 10_000, 4096
"""Floats beyond so many are those of a table and plain numbers; how often it is asked there whether the time is over."""
COMPARED = {"equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">="}
"""What numpy's own numbers call a comparison with something that is none of them."""


class Tracked:
    """A float with the formula that it was made of, within one recording.

    It is a ``float`` to ``isinstance``, and none to code in C, which would read its value without asking it.
    """

    __slots__ = ("formula", "plain", "recorder")

    def __init__(self, plain: float, formula: Formula, recorder: Recorder) -> None:
        self.plain, self.formula, self.recorder = plain, formula, recorder

    @property
    def __class__(self) -> type:  # type: ignore[override]
        return float

    def __jax_array__(self) -> jax.Array:
        """A number without a type of its own, as jax takes a float."""
        return jnp.asarray(self.plain)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self._told(sys._getframe(1)), dtype=dtype)

    def __hash__(self) -> int:
        return hash(self._told(sys._getframe(1), key=True))

    def __str__(self) -> str:
        return str(self._told(sys._getframe(1)))

    def __repr__(self) -> str:
        return repr(self._told(sys._getframe(1)))

    def __format__(self, spec: str) -> str:
        return format(self._told(sys._getframe(1)), spec)

    def hex(self) -> str:
        """Its digits: a text like another."""
        return self._told(sys._getframe(1)).hex()

    def as_integer_ratio(self) -> tuple[int, int]:
        """Its two numbers: what is done with them is not seen."""
        return self._told(sys._getframe(1)).as_integer_ratio()

    @property
    def real(self) -> Any:
        """Itself, as of every number."""
        return self

    @property
    def imag(self) -> float:
        """Nothing, as of every number of a line."""
        return 0.0

    def conjugate(self) -> Any:
        """Itself, as of every number."""
        return self

    def _told(self, frame: FrameType, key: bool = False) -> float:
        """Its plain value, written down where the model makes a text of it or looks something up by it."""
        if by_model(frame) and (not key or looks_up(frame)):
            self.recorder.pin(self, frame, text=not key, key=key)
        return self.plain

    def __bool__(self) -> bool:
        return self.recorder.decide(self, "!=", 0, sys._getframe(1))

    def __int__(self) -> int:
        return self.recorder.rounded("int", self.formula, sys._getframe(1))

    def __float__(self) -> float:
        frame = sys._getframe(1)
        return float(self.recorder.pin(self, frame, text=hides(frame))) if by_model(frame) else self.plain

    def __trunc__(self) -> Any:
        return whole(self, "math.trunc", sys._getframe(1))

    def __floor__(self) -> Any:
        return whole(self, "math.floor", sys._getframe(1))

    def __ceil__(self) -> Any:
        return whole(self, "math.ceil", sys._getframe(1))

    def __round__(self, ndigits: Any = None) -> Any:
        if ndigits is None:
            return whole(self, "round", sys._getframe(1))
        return tracked(self.recorder, "round", self, int(ndigits))

    def is_integer(self) -> bool:
        """Whether it is a whole number, as a decision."""
        return self.recorder.decide(Formula("is_integer", (self.formula,)), "==", 1, sys._getframe(1))

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __neg__(self) -> Any:
        return tracked(self.recorder, "*", -1, self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return tracked(self.recorder, "abs", self)

    def __deepcopy__(self, memo: Any) -> Any:
        return self

    def __copy__(self) -> Any:
        return self

    def __reduce__(self) -> Any:
        return float, (self._told(sys._getframe(1)),)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return array_function(self.recorder, ufunc, method, inputs, kwargs, sys._getframe(1))


def operand(recorder: Recorder, value: Any) -> Any:
    """A value inside a formula: forms and formulas by what they are made of, numbers as they are."""
    if isinstance(value, DIMENSION):
        return recorder.form(value)
    return value.formula if isinstance(value, Tracked) else value.item() if isinstance(value, np.generic) else value


def tracked(recorder: Recorder, operation: str, *args: Any) -> Any:
    """The result of an operation at the base point, with its formula; it raises what the operation raises.

    Tables that are made number by number ask for the same one again and again, and for many of one kind.
    """
    key = (operation, *(_key(arg) for arg in args))
    known = recorder.floats.get(key)
    if known is not None:
        return known[0]
    recorder.counted += 1
    if recorder.counted > MANY:
        return _untracked(recorder, operation, args, sys._getframe(2))
    formula = _whole_formula(recorder, operation, args)
    if formula is not None:
        plain = formula.value(recorder.values)
    else:
        formula = Formula(operation, tuple(operand(recorder, arg) for arg in args))
        plain = formula.of(tuple(_plain(recorder, arg) for arg in args))
    made = Tracked(plain, formula, recorder)
    if len(recorder.floats) < REMEMBERED:
        recorder.floats[key] = made, args  # which live as long as they are known by their place in memory
    return made


def _untracked(recorder: Recorder, operation: str, args: tuple[Any, ...], frame: FrameType) -> Any:
    """The plain number, and that its sizes were used as such at this line."""
    if recorder.counted % CHECKED == 0:
        recorder.go_on()
    for arg in args:
        if type(arg) is Tracked or isinstance(arg, DIMENSION):
            line = (frame.f_code, frame.f_lineno, recorder.side(arg).symbols)
            if line not in recorder.tabled:
                recorder.tabled.add(line)
                recorder.pin(arg, frame)
    values = tuple(_plain(recorder, arg) for arg in args)
    return Formula(operation, values).of(values)


def _key(arg: Any) -> Any:
    """What tells an operand from all others: a size or a float that is kept by where it is, a number by its kind too."""
    return id(arg) if isinstance(arg, DIMENSION) or type(arg) is Tracked else (type(arg), arg, str(arg))


def _plain(recorder: Recorder, arg: Any) -> Any:
    """The value of an operand at the base point."""
    if type(arg) is Tracked:
        return arg.plain
    return recorder.value(arg) if isinstance(arg, DIMENSION) else arg.item() if isinstance(arg, np.generic) else arg


def _whole_formula(recorder: Recorder, operation: str, args: tuple[Any, ...]) -> Formula | None:
    """A float that is a whole number made of one size, ``1.0*d``, or some halves of one: floats are exact below 2**53."""
    if operation not in ("+", "-", "*") or not any(isinstance(arg, DIMENSION) for arg in args):
        return None
    if any(isinstance(arg, Tracked) for arg in args):
        return None
    if operation == "*" and (share := _share(recorder, args)) is not None:
        return share
    if not all(isinstance(arg, DIMENSION) or (isinstance(arg, PLAIN) and float(arg).is_integer()) for arg in args):
        return None
    left, right = (arg if isinstance(arg, DIMENSION) else int(arg) for arg in args)
    return Formula("number", (recorder.form(INFIX[operation][1](left, right)),))


def _share(recorder: Recorder, args: tuple[Any, ...]) -> Formula | None:
    """``0.5*d`` and ``d*1.25`` as quotients of whole numbers, which they are: such a constant is no rounded decimal."""
    sizes = [arg for arg in args if isinstance(arg, DIMENSION)]
    constants = [arg for arg in args if isinstance(arg, float)]
    if len(sizes) != 1 or len(constants) != 1 or not 0 < constants[0] < FEW:
        return None
    above, below = constants[0].as_integer_ratio()
    return Formula("/", (recorder.form(sizes[0] * above), below)) if above <= FEW and 1 < below <= FEW else None


def whole(value: Tracked, function: str, frame: FrameType) -> Any:
    """The whole number near a float, as a size: a quotient of sizes rounds as integers divide."""
    formula, recorder = value.formula, value.recorder
    sizes = [recorder.size(arg) for arg in formula.args] if formula.operation == "/" else []
    if formula.operation == "number":
        return recorder.size(formula.args[0])
    above, below = sizes if len(sizes) == 2 else (None, None)
    if above is not None and below is not None and function in EXACT:
        return -(-above // below) if function == "math.ceil" else above // below
    return recorder.atom(function, formula, frame)


def array_function(recorder: Recorder, ufunc: Any, method: str, inputs: Any, kwargs: Any, frame: FrameType) -> Any:
    """A function of numpy's of sizes or their floats: a formula where it is of numbers, else the plain numbers."""
    if ufunc.__name__ in COMPARED:  # a number of numpy's that is compared comes as an array of it
        inputs = tuple(v[()] if isinstance(v, np.ndarray) and v.ndim == 0 else v for v in inputs)
    numbers = all(isinstance(value, (DIMENSION, Tracked, *PLAIN)) for value in inputs)
    if numbers and method == "__call__" and not kwargs and ufunc.__name__ in OF_ARRAYS:
        return tracked(recorder, f"np.{ufunc.__name__}", *inputs)
    if numbers and method == "__call__" and not kwargs and ufunc.__name__ in ("gcd", "lcm"):
        made = Formula(f"math.{ufunc.__name__}", tuple(operand(recorder, value) for value in inputs))
        return recorder.atom("int", made, frame)
    if method == "__call__" and not kwargs and ufunc.__name__ in COMPARED:
        op, (left, right) = COMPARED[ufunc.__name__], inputs
        if numbers:
            return _compared(recorder, op, left, right, frame)
        if by_model(frame) and all(not isinstance(v, np.ndarray) or v.size <= FEW for v in inputs):
            pairs = np.broadcast(*map(_boxed, inputs))
            found = [recorder.decide(a, op, b, frame) for a, b in pairs]
            return np.array(found, bool).reshape(pairs.shape)
    objects = all(not isinstance(v, np.ndarray) or v.dtype == object for v in inputs)
    if objects or for_jax(frame):
        made = [_boxed(value) for value in inputs]
        with contextlib.suppress(
            TypeError, AttributeError
        ):  # it has no loop over objects, or one that asks them for it
            return getattr(ufunc, method)(*made, **kwargs)
    plain = [recorder.pin(v, frame, text=numbers) if isinstance(v, DIMENSION | Tracked) else v for v in inputs]
    return getattr(ufunc, method)(*plain, **kwargs)


def _compared(recorder: Recorder, op: str, left: Any, right: Any, frame: FrameType) -> Any:
    """A comparison that began with a number of numpy's: a decision, unless a cache looks for a key."""
    if op in ("==", "!=") and not compares(frame):
        return OPERATORS[op](recorder.value(recorder.side(left)), recorder.value(recorder.side(right)))
    return recorder.decide(left, op, right, frame)


def _boxed(value: Any) -> Any:
    """An array of objects: numbers of numpy's would ask again."""
    if isinstance(value, np.ndarray):
        return value.astype(object)
    box = np.empty((), dtype=object)
    box[()] = value.item() if isinstance(value, np.generic) else value
    return box


def _binary(operation: str, turned: bool) -> Callable[[Tracked, Any], Any]:
    def method(self: Tracked, other: Any) -> Any:
        if type(other) is complex:
            plain = self.recorder.pin(self, sys._getframe(1), text=True)
            return INFIX[operation][1](*((other, plain) if turned else (plain, other)))
        if not isinstance(other, (DIMENSION, Tracked, *PLAIN)):
            return NotImplemented
        pair = (other, self) if turned else (self, other)
        return tracked(self.recorder, operation, *pair)

    return method


def _comparison(op: str) -> Callable[[Tracked, Any], Any]:
    plain = getattr(
        float, {"==": "__eq__", "!=": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}[op]
    )

    def method(self: Tracked, other: Any) -> Any:
        frame = sys._getframe(1)
        if not isinstance(other, (DIMENSION, Tracked, *PLAIN)):
            return NotImplemented
        if op in ("==", "!=") and not compares(frame):
            return plain(self.plain, other.plain if type(other) is Tracked else other)
        return self.recorder.decide(self, op, other, frame)

    return method


for _name, _operation in {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
}.items():
    setattr(Tracked, f"__{_name}__", _binary(_operation, False))
    setattr(Tracked, f"__r{_name}__", _binary(_operation, True))
for _name, _operation in {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
    setattr(Tracked, f"__{_name}__", _comparison(_operation))


def _aval(number: Tracked) -> core.ShapedArray:
    """As jax knows a float of Python's."""
    return core.ShapedArray((), dtypes.canonicalize_dtype(np.float64), weak_type=True)


core.pytype_aval_mappings[Tracked] = _aval
dtypes.python_scalar_types.add(Tracked)
dtypes.python_scalar_types_to_dtypes[Tracked] = dtypes.python_scalar_types_to_dtypes[float]
dtypes.register_weak_scalar_type(Tracked)
dtypes.register_canonicalize_value_handler(Tracked, Tracked.__jax_array__)
