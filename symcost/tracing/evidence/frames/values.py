"""Plain values of a frame, read without calling anything of the user's: no property, no ``__getattr__``, no ``__eq__``."""

from __future__ import annotations

import ast
import collections
import functools
import itertools
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
)
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from symcost.tracing.evidence.places import helps

MAX_BITS, MAX_ITEMS, MAX_TEXT = 4096, 4096, 200
PLAIN = frozenset((int, float, bool, str, type(None)))
REAL = frozenset((np.float64, np.float32, np.float16, np.bool_))
WHOLE = frozenset(np.dtype(kind).type for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"))
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "&": operator.and_, "|": operator.or_, "^": operator.xor,
    "<<": operator.lshift, ">>": operator.rshift,
}  # fmt: skip
SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip
COMPUTED: dict[str, Callable[..., Any]] = {
    "min": min, "max": max, "int": int, "round": round, "abs": abs, "ceil": math.ceil, "floor": math.floor,
}  # fmt: skip
OTHERS = (
    len,
    range,
    zip,
    divmod,
    itertools.cycle,
    itertools.islice,
    isinstance,
    issubclass,
    callable,
    hasattr,
    getattr,
    next,
    enumerate,
    reversed,
    list,
    tuple,
    set,
    frozenset,
    iter,
)
DRAWN = (
    itertools.accumulate,
    itertools.chain,
    itertools.chain.from_iterable,
    itertools.combinations,
    itertools.compress,
    itertools.dropwhile,
    itertools.pairwise,
    itertools.permutations,
    itertools.product,
    itertools.repeat,
    itertools.starmap,
    itertools.takewhile,
    itertools.zip_longest,
)
"""Iterators whose items are not seen before they are drawn."""
KNOWN = {id(f): f.__name__ for f in (*COMPUTED.values(), *OTHERS, *DRAWN)}
"""Functions of Python's own, told by what they are and not by their name in the program."""
SAFE_DESCRIPTORS = (MemberDescriptorType, type(vars(collections.namedtuple("_Pair", "left"))["left"]))
"""How slots and the fields of named tuples are read: by code of Python's own."""
ITERATORS = (type(iter([])), type(iter(())), type(iter(np.zeros(1))))
SIZED, ENTRIES = (str, tuple, list, dict, set, frozenset, range), (tuple, list)


HIDING = frozenset((BuiltinFunctionType, MethodDescriptorType, functools.partial, np.ufunc))
"""The types of functions in C: what they decide is seen in no frame."""


class Unreadable(Exception):
    """An expression whose value cannot be had without running the user's code, or that has none yet."""


@dataclass(frozen=True)
class Mark:
    """What stands for a value that is not plain, and what it is."""

    what: str


ARRAY, OBJECT, UNKNOWN = Mark("an array"), Mark("an object"), Mark("not known")
COMPILED = Mark("a function of a library")


@dataclass(frozen=True)
class Known:
    """A function of Python's own."""

    name: str


@dataclass(frozen=True)
class Table:
    """A builtin container at one moment: its length, and its items (a dictionary's keys), each plain, a row of such or a mark."""

    kind: str
    length: int
    items: tuple[Any, ...] = ()


def snapshot(value: Any) -> Any:
    """A value as it is kept: numbers and text as they are, containers by what they hold, all else by a mark."""
    kind = type(value)
    if kind in PLAIN:
        return value if kind is not str or len(value) <= MAX_TEXT else OBJECT
    if kind in WHOLE:
        return int(value)
    if kind in REAL:
        return value.item()
    if kind in SIZED:
        return _table(value)
    if kind is Getter:
        return replace(_table(value.table), kind="get")
    if kind is View:
        return replace(_table(tuple(value.entries)), kind="view")
    if kind is TextMethod:
        return value
    if kind in ITERATORS and len(told := value.__reduce__()) > 2:
        owner = told[1][0]
        numbers = owner.tolist() if type(owner) is np.ndarray and owner.ndim == 1 and owner.size <= MAX_ITEMS else owner
        return replace(_table(numbers), kind="iterator") if type(numbers) in ENTRIES else OBJECT
    if id(value) in KNOWN:
        return Known(KNOWN[id(value)])
    if kind in HIDING and value is not any and value is not all:
        return COMPILED
    if kind is FunctionType and helps(value.__code__.co_filename):
        return COMPILED
    if _is_array(value):
        return ARRAY
    length = listed(value)
    return OBJECT if length is None else Table("list", length)


def _table(value: Any) -> Table:
    """A container; its items are looked at by their type only."""
    name = type(value).__name__
    if len(value) > MAX_ITEMS:
        return Table(name, len(value))
    return Table(name, len(value), tuple(v if type(v) in PLAIN else _inner(v) for v in value))


def _inner(value: Any) -> Any:
    if type(value) in WHOLE:
        return int(value)
    row = type(value) is tuple and all(type(part) in PLAIN for part in value)
    return value if row else OBJECT


def listed(value: Any) -> int | None:
    """The length of a ``flax.nnx.List``, whose items are attributes of its own."""
    if (_home(type(value)), _NAME.__get__(type(value))) != ("flax.nnx.helpers", "List"):
        return None
    length = object.__getattribute__(value, "__dict__").get("_length")
    return length if type(length) is int else None


def _is_array(value: Any) -> bool:
    kinds = _lineage(type(value))
    return any(kind in kinds for kind in (np.ndarray, Tracer, jax.ShapeDtypeStruct)) or (
        _home(type(value)).startswith("jaxlib") and _NAME.__get__(type(value)) == "ArrayImpl"
    )


_MRO, _DICT, _NAME = (type.__dict__[name] for name in ("__mro__", "__dict__", "__qualname__"))


def _home(kind: type) -> str:
    """The module in which a class is written, whatever its metaclass says."""
    found = _DICT.__get__(kind).get("__module__", "")
    return found if type(found) is str else ""


def _lineage(kind: type) -> tuple[type, ...]:
    """The classes that a class derives from, whatever its metaclass says."""
    return _MRO.__get__(kind)


def _declared(kind: type, name: str) -> Any:
    """What a class says of an attribute; :class:`Unreadable` where it says nothing."""
    for base in _lineage(kind):
        space = _DICT.__get__(base)
        if name in space:
            return space[name]
    raise Unreadable(name)


def attribute(owner: Any, name: str) -> Any:
    """An attribute that is stored: of a module, in an object's dictionary or slots, or plain in its class."""
    kind = type(owner)
    if kind is ModuleType:
        value = owner.__dict__.get(name, UNKNOWN)
        if value is UNKNOWN:
            raise Unreadable(name)
        return value
    if name in ARRAY_FACTS and _is_array(owner):
        return _array_fact(owner, name)
    if kind is dict and name == "get":
        return Getter(owner)
    if kind is dict and name in ("keys", "values", "items"):
        return View(list(owner.values() if name == "values" else owner))
    if kind is str:
        return TextMethod(owner[:MAX_TEXT])
    if _declared(kind, "__getattribute__") is not object.__getattribute__:
        raise Unreadable(name)
    try:
        value = _declared(kind, name)
    except Unreadable:
        return _stored(owner, kind, name)
    if isinstance(type(value), type) and type(value) in SAFE_DESCRIPTORS:
        try:
            return value.__get__(owner, kind)
        except AttributeError:
            raise Unreadable(name) from None
    if any(_has(type(value), special) for special in ("__set__", "__delete__")):
        raise Unreadable(name)
    if type(value) is MethodDescriptorType:
        return value
    try:
        return _stored(owner, kind, name)
    except Unreadable:
        if type(value) in PLAIN or type(value) in SIZED:
            return value
        raise


def _has(kind: type, name: str) -> bool:
    return any(name in _DICT.__get__(base) for base in _lineage(kind))


def _stored(owner: Any, kind: type, name: str) -> Any:
    """An entry of an object's own dictionary."""
    door = _declared(kind, "__dict__")
    if type(door) is not GetSetDescriptorType:
        raise Unreadable(name)
    space = door.__get__(owner, kind)
    if type(space) is not dict or name not in space:
        raise Unreadable(name)
    return space[name]


ARRAY_FACTS = ("shape", "ndim", "size")


def _array_fact(array: Any, name: str) -> Any:
    """The shape of an array of jax's or numpy's own, or what follows from it."""
    if not type(array).__module__.startswith(("jax", "numpy")):
        raise Unreadable(name)
    shape = array.shape
    return {"shape": shape, "ndim": len(shape), "size": math.prod(shape)}[name]


@dataclass(frozen=True)
class TextMethod:
    """A method of a text: what it answers is not seen, but whether the text is always the same one."""

    text: str


@dataclass(frozen=True)
class Getter:
    """``get`` of a builtin dictionary."""

    table: dict[Any, Any]


@dataclass(frozen=True)
class View:
    """``keys``, ``values`` or ``items`` of a builtin dictionary, and what tells its entries apart."""

    entries: list[Any]


def item(owner: Any, index: Any) -> Any:
    """An entry of a builtin container by a plain index: no key of the user's is compared or hashed."""
    if type(index) not in (*PLAIN, *WHOLE):
        raise Unreadable("an index")
    kind = type(owner)
    try:
        if kind in (tuple, list, range) or (kind is np.ndarray and owner.dtype != object):
            return owner[index]
        if kind is dict and len(owner) <= MAX_ITEMS and all(type(key) in PLAIN for key in owner):
            return owner[index]
    except (LookupError, TypeError):
        pass
    raise Unreadable("an item")


def arithmetic(sign: str, left: Any, right: Any) -> Any:
    """A result of numbers, unless it has none or is too long to be a size."""
    if type(left) not in NUMBERS or type(right) not in NUMBERS:
        raise Unreadable(sign)
    if sign in ("*", "**", "<<") and _bits(sign, left, right) > MAX_BITS:
        raise Unreadable(sign)
    try:
        return ARITHMETIC[sign](left, right)
    except (ArithmeticError, ValueError, TypeError):
        raise Unreadable(sign) from None


NUMBERS = (int, float, bool)


def _bits(sign: str, left: Any, right: Any) -> int:
    """About how long a product, a power or a shift is."""
    if float in (type(left), type(right)):
        return 0
    if sign == "*":
        return left.bit_length() + right.bit_length()
    return left.bit_length() * min(abs(right), MAX_BITS + 1) if sign == "**" else left.bit_length() + max(right, 0)


def computed(name: str, values: list[Any]) -> Any:
    """A function of Python's own of plain numbers, or of one builtin list of them."""
    if len(values) == 1 and name in ("min", "max") and type(values[0]) in ENTRIES:
        values = list(values[0])
    if not values or name not in COMPUTED or any(type(v) not in NUMBERS for v in values):
        raise Unreadable(name)
    try:
        return COMPUTED[name](*values)
    except (ArithmeticError, ValueError, TypeError):
        raise Unreadable(name) from None
