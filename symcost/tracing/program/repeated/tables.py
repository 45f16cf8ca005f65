"""Tables that a program makes number by number in Python, of positions say: each is made once for the same sizes.

``[[pos / 10000 ** (2 * (j // 2) / dim) for j in range(dim)] for pos in range(n)]`` takes longer than all the rest of a
trace, and is asked for at every one. What makes such a table is a function of the model's module that is known from its
code to depend on its arguments alone: it reads no names but those of numpy, of plain numbers and of functions that are
the same, and writes none outside.
"""

from __future__ import annotations

import builtins
import contextlib
import dis
import functools
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import jax
import jax.numpy as jnp
import numpy as np

from symcost.tracing.constants import Held

PLAIN = (int, float, bool, str, type(None))
"""Arguments by which a table is known."""
LOOPS = 2
"""Loops in Python that make a table: those of one loop are short."""
ROUND = dis.opmap["FOR_ITER"]
"""The operation of a loop."""
MOST = 1 << 28
"""Bytes of tables that are kept; beyond so many all are made again."""
EFFORT = 8
"""A byte that Python makes takes as long as so many that are held."""
COLLECTED = frozenset((
    "array", "asarray", "zeros", "ones", "full", "zeros_like", "ones_like", "full_like", "arange", "linspace", "concatenate",
    "stack", "meshgrid", "outer", "pi", "e", "inf", "newaxis", "float16", "float32", "float64", "int32", "int64", "bool_",
    "shape", "size", "ndim", "dtype", "T", "reshape", "astype", "transpose", "copy", "append", "extend",
))  # fmt: skip
"""Names of numpy's, of arrays and of lists, beside functions of numbers, that depend on what they are given alone."""
ATTRIBUTES = COLLECTED | {n for n in dir(np) if isinstance(getattr(np, n), np.ufunc)} | {*dir(math)}
BUILTINS = frozenset(("range", "len", "int", "float", "bool", "min", "max", "abs", "sum", "round", "pow", "enumerate", "zip",
                      "list", "tuple", "reversed", "ValueError"))  # fmt: skip
OUTSIDE = ("STORE_GLOBAL", "DELETE_GLOBAL", "STORE_ATTR", "DELETE_ATTR", "IMPORT_NAME", "LOAD_NAME", "YIELD_VALUE",
           "LOAD_CLASSDEREF", "LOAD_BUILD_CLASS", "LOAD_SUPER_ATTR")  # fmt: skip
"""Operations of what is more than a function of its arguments."""


@dataclass(frozen=True)
class MadeTable:
    """An array that a function made, and whether it was one of jax's."""

    plain: np.ndarray
    of_jax: bool

    def fresh(self) -> Any:
        """The array as the function hands it over: nobody else's."""
        return jnp.asarray(self.plain) if self.of_jax else self.plain.copy()


@dataclass(eq=False)
class KeptTables:
    """The tables of one derivation, and where the functions that make them stand."""

    known: dict[tuple[Any, ...], MadeTable | None] = field(default_factory=dict)
    asked: dict[tuple[Any, ...], MadeTable] = field(default_factory=dict)
    """Those that were asked for since the last trace."""
    called: set[tuple[Any, ...]] = field(default_factory=set)
    """What was asked for, until who wants to know forgets it."""
    places: list[tuple[ModuleType, str, FunctionType]] = field(default_factory=list)
    modules: int = 0

    def look(self, holds_models: Callable[[ModuleType], bool]) -> bool:
        """Put functions that keep their tables where modules of models have such that make them; whether there are new ones."""
        before = len(self.places)
        if self is not _current[0] and len(sys.modules) != self.modules:
            self.modules = len(sys.modules)
            for module in list(sys.modules.values()):
                if isinstance(module, ModuleType) and holds_models(module):
                    self._put(module)
        return len(self.places) > before

    def _put(self, module: ModuleType) -> None:
        for name, value in list(vars(module).items()):
            if type(value) is FunctionType and value.__module__ == module.__name__ and makes_table(value):
                self.places.append((module, name, value))
                setattr(module, name, self._keeping(value))

    def held(self) -> tuple[Held, ...]:
        """The tables that were asked for since this was asked before, by what they took."""
        asked, self.asked = self.asked.values(), {}
        return tuple(Held(each.plain.nbytes, str(each.plain.dtype), "", "", EFFORT) for each in asked)

    def _keeping(self, function: FunctionType) -> Callable[..., Any]:
        @functools.wraps(function)
        def kept(*args: Any, **kwargs: Any) -> Any:
            found = self.table(function, args, kwargs)
            return function(*args, **kwargs) if found is None else found.fresh()

        return kept

    def table(self, function: FunctionType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> MadeTable | None:
        """What the function makes of plain arguments; nothing where it is no such table."""
        outer = [function.__globals__.get(name) for name in _outside(function.__code__)]
        given = (*args, *kwargs.values(), *(value for value in outer if not _is_library(value)))
        if not all(type(value) in PLAIN for value in given):
            return None
        key = (function, len(args), *kwargs, *((type(value), value) for value in given))
        if key not in self.known:
            if sum(made.plain.nbytes for made in self.known.values() if made is not None) > MOST:
                self.known.clear()
            self.known[key] = _made(function, args, kwargs)
        found = self.known[key]
        if found is not None:
            self.asked[key] = found
            self.called.add(key)
        return found


def _made(function: FunctionType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> MadeTable | None:
    """The table, where it is an array of plain numbers that takes no operation of jax's to make."""
    results: list[Any] = []

    def run() -> Any:
        results.append(function(*args, **kwargs))
        return results[0]

    try:
        closed = jax.make_jaxpr(run)()
    except Exception:  # of any kind: it raises again where the model calls it
        return None
    if isinstance(results[0], np.ndarray):
        return None if results[0].dtype == object else MadeTable(results[0], of_jax=False)
    if not isinstance(results[0], jax.Array) or closed.jaxpr.eqns or len(closed.consts) != 1:
        return None
    return MadeTable(np.asarray(closed.consts[0]), of_jax=True)


_makers: WeakKeyDictionary[FunctionType, bool] = WeakKeyDictionary()
"""What is known of functions, as long as they are there: every derivation looks through the modules of all models."""


def makes_table(function: FunctionType) -> bool:
    """Whether a function loops in loops, and depends on its arguments alone.

    >>> makes_table(_is_library)
    False
    """
    known = _makers.get(function)
    return _makers.setdefault(function, _is_maker(function)) if known is None else known


def _is_maker(function: FunctionType) -> bool:
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    if function.__closure__ or not all(type(value) in PLAIN for value in defaults):
        return False
    codes = list(_codes(function.__code__))
    if sum(code.co_code[::2].count(ROUND) for code in codes) < LOOPS:
        return False
    return all(_is_own(each, function.__globals__) for code in codes for each in dis.get_instructions(code))


@functools.lru_cache(maxsize=4096)
def _outside(code: CodeType) -> tuple[str, ...]:
    """Names of numbers that a function takes from its module, which may be others at another point."""
    found = (each.argval for one in _codes(code) for each in dis.get_instructions(one) if each.opname == "LOAD_GLOBAL")
    return tuple(name for name in dict.fromkeys(found) if name not in BUILTINS)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of the functions and comprehensions inside it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)


def _is_library(value: Any) -> bool:
    """Whether it is a module of functions of numbers."""
    return isinstance(value, ModuleType) and value in (np, jnp, math)


def _is_own(operation: dis.Instruction, outer: dict[str, Any]) -> bool:
    """Whether an operation reads and writes nothing outside that may be another one tomorrow."""
    name = operation.argval
    if operation.opname == "LOAD_GLOBAL":
        if name not in outer:
            return name in BUILTINS and hasattr(builtins, name)
        return _is_library(outer[name]) or type(outer[name]) in PLAIN
    if operation.opname in ("LOAD_ATTR", "LOAD_METHOD"):
        return name in ATTRIBUTES
    return operation.opname not in OUTSIDE


_current = [KeptTables()]
"""Those of the derivation under way, innermost last; outside of any there are none."""


@contextlib.contextmanager
def tables_kept() -> Iterator[None]:
    """Within it, tables that models make number by number are made once; their functions are back afterwards."""
    tables = KeptTables()
    _current.append(tables)
    try:
        yield
    finally:
        _current.remove(tables)
        for module, name, function in tables.places:
            setattr(module, name, function)


def current() -> KeptTables:
    """The tables of the derivation under way."""
    return _current[-1]


def makers() -> Iterable[tuple[ModuleType, str, FunctionType]]:
    """Module, name and function of everything that makes a table, as it was."""
    return [place for tables in _current for place in tables.places]


def first_only(function: FunctionType) -> Callable[..., Any]:
    """The function itself at the first call with its arguments, to be watched; the table that it made then at others."""
    met: dict[int, MadeTable] = {}

    @functools.wraps(function)
    def made(*args: Any, **kwargs: Any) -> Any:
        found = current().table(function, args, kwargs)
        if found is None or id(found) not in met:
            met.update({} if found is None else {id(found): found})
            return function(*args, **kwargs)
        return found.fresh()

    return made
