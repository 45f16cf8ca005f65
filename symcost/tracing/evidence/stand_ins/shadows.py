"""``int``, ``float`` and ``len`` as the model's own modules see them: of a symbolic size they make one.

``int(x)`` of the language must return a plain integer, so that what follows would not be seen. While something is recorded,
the user's own modules, and installed ones that use jax or flax, see a class of the same name instead, equal to ``int`` in
every respect but identity. A module that asks ``is int`` keeps the language's: there ``int(x)`` is a plain number, and is
recorded as one. An installed module that does not use jax sees the class once it was seen to make such a number.
"""

from __future__ import annotations

import ast
import inspect
import math
import operator
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

import jax
import jax.numpy as jnp
from jax._src import core, random
from jax._src.lax import convolution
from jax._src.lax.control_flow import loops
from jax._src.nn import initializers
from jax._src.numpy import fft, lax_numpy

from symcost.tracing.evidence.arrays.creators import maker
from symcost.tracing.evidence.caches import INSTALLED
from symcost.tracing.evidence.floats.tracked import Tracked, tracked, whole
from symcost.tracing.evidence.places import helps
from symcost.tracing.evidence.recorder import DIMENSION, Recorder
from symcost.tracing.program.repeated.tables import makers

_ASKS = re.compile(r"\bis\s+(not\s+)?\(?\s*(int|float)\b|\b(int|float)\)?\s+is\b")
_USES = frozenset(("jax", "jnp", "flax", "nn", "nnx", "linen", "lax"))
_REFUSING = (loops, sys.modules[inspect.unwrap(jax.random.permutation).__globals__["__name__"]])
"""Modules of jax that ask whether a size is a plain number only to refuse others: a scan in pairs, a permutation."""
_libraries: WeakKeyDictionary[ModuleType, tuple[int, bool]] = WeakKeyDictionary()
"""Installed modules that were looked through: how many names each had, and whether it may hold models."""


def shadows(recorder: Recorder, replaced: dict[str, Callable[..., Any]]) -> Iterator[tuple[ModuleType, str, Any]]:
    """Module, name and value of everything to be put into the modules of models.

    ``replaced`` are functions of ``math`` that are replaced there: a module may have one under a name of its own.
    """
    kinds = {"int": _class(int, _to_int(recorder), (DIMENSION,)), "float": _class(float, _to_float(recorder), ()),
             "len": _length(recorder)}  # fmt: skip
    originals = {id(getattr(math, name)): function for name, function in replaced.items()}
    for module in list(sys.modules.values()):
        if not isinstance(module, ModuleType) or not of_models(module):
            continue
        names = vars(module)
        yield from ((module, name, kind) for name, kind in kinds.items() if name not in names)
        yield from [(module, name, originals[id(v)]) for name, v in names.items() if id(v) in originals]
    yield from ((module, name, maker(recorder, function)) for module, name, function in makers())


def jax_shadows(recorder: Recorder) -> Iterator[tuple[ModuleType, str, Any]]:
    """Where jax asks for a plain number that it only hands on, refuses sizes that decide, or draws numbers of a shape."""
    yield loops, "int", _class(int, _to_int(recorder), ())

    as_integer = operator.index

    def index(value: Any) -> Any:
        return value if recorder.owns(value) else as_integer(value)

    handing_on = SimpleNamespace(**{**vars(operator), "index": index})
    yield from ((module, "operator", handing_on) for module in (convolution, fft))

    draw = random.orthogonal

    def orthogonal(key: Any, n: Any, shape: Any = (), dtype: Any = None, m: Any = None, **more: Any) -> Any:
        """An initialiser's numbers are thrown away: what counts is their shape."""
        if not (recorder.owns(n) or recorder.owns(m)):
            return draw(key, n, shape, dtype, m, **more)
        return jnp.zeros((*shape, n, n if m is None else m), dtype)

    yield initializers, "random", SimpleNamespace(**{**vars(random), "orthogonal": orthogonal})

    yield lax_numpy, "len", _length(recorder)

    def constant(value: Any) -> bool:
        return recorder.owns(value) or core.is_constant_dim(value)

    def concrete(kind: Any, value: Any, context: str = "") -> Any:
        """A size stays one where jax only makes an array of as many: ``permutation(key, n)``."""
        return value if recorder.owns(value) and kind is int else core.concrete_or_error(kind, value, context)

    decides = SimpleNamespace(**{**vars(core), "is_constant_dim": constant, "concrete_or_error": concrete})
    yield from ((module, "core", decides) for module in _REFUSING if getattr(module, "core", None) is core)


def found_of_models(names: Collection[str]) -> bool:
    """Take modules by their names for such as hold models, since one was seen to; whether there is a new one among them."""
    modules = [sys.modules[name] for name in names if isinstance(sys.modules.get(name), ModuleType)]
    new = [m for m in modules if not of_models(m) and not _identity(getattr(m, "__file__", None) or "")]
    _libraries.update({module: (len(vars(module)), True) for module in new})
    return bool(new)


def of_models(module: ModuleType) -> bool:
    """Whether a module may hold models; one that is installed is looked through again only where it has more names."""
    known = _libraries.get(module)
    if known is not None and known[0] == len(vars(module)):
        return known[1]
    file = getattr(module, "__file__", None) or ""
    found = _may_hold_models(module, file)
    if helps(file) or not INSTALLED.isdisjoint(file.split(os.sep)):
        _libraries[module] = len(vars(module)), found
    return found


def _may_hold_models(module: ModuleType, file: str) -> bool:
    """Whether it is the user's own, or uses jax or flax, and is of no library below them."""
    if helps(file) or module.__name__.split(".")[0] in sys.stdlib_module_names - {"__main__"}:
        return False
    uses = (file and INSTALLED.isdisjoint(file.split(os.sep))) or any(
        isinstance(v, ModuleType) and v.__name__.split(".")[0] in ("jax", "flax") for v in list(vars(module).values())
    )
    return bool(uses or not _USES.isdisjoint(vars(module))) and not _identity(file)


@lru_cache(maxsize=4096)
def _identity(file: str) -> bool:
    """Whether a file asks ``is int``, in its code and not in a comment or a text."""
    try:
        text = Path(file).read_text(errors="replace") if file else ""
        return _ASKS.search(text) is not None and any(map(_asks, ast.walk(ast.parse(text))))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return True


def _asks(node: ast.AST) -> bool:
    if not isinstance(node, ast.Compare) or not any(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
        return False
    return any(isinstance(side, ast.Name) and side.id in ("int", "float") for side in (node.left, *node.comparators))


def _class(plain: Any, convert: Callable[..., Any], also: tuple[type, ...]) -> type:
    """A class that is ``plain`` to everything but ``is``, and converts by itself."""

    class Kind(type):
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            return convert(*args, **kwargs) if cls is made else plain.__new__(cls, *args, **kwargs)

        def __instancecheck__(cls, value: Any) -> bool:
            return isinstance(value, plain if cls is not made else (plain, *also))

        def __subclasscheck__(cls, kind: type) -> bool:
            return issubclass(kind, plain)

        def __eq__(cls, other: object) -> bool:
            return other is plain or other is cls

        def __hash__(cls) -> int:
            return hash(plain)

    made = Kind(plain.__name__, (plain,), {"__doc__": plain.__doc__})
    return made


def _length(recorder: Recorder) -> Callable[[Any], Any]:
    """``len``, which of the language's must return a plain integer."""

    def length(array: Any) -> Any:
        shape = getattr(array, "shape", None)
        return shape[0] if isinstance(shape, tuple) and shape and recorder.owns(shape[0]) else len(array)

    return length


def _to_int(recorder: Recorder) -> Callable[..., Any]:
    def convert(*args: Any, **kwargs: Any) -> Any:
        value = args[0] if len(args) == 1 and not kwargs else None
        if isinstance(value, DIMENSION) and recorder.owns(value):
            return value
        return whole(value, "int", sys._getframe(2)) if isinstance(value, Tracked) else int(*args, **kwargs)

    return convert


def _to_float(recorder: Recorder) -> Callable[..., Any]:
    def convert(*args: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], DIMENSION | Tracked):
            return tracked(recorder, "number", args[0])
        return float(*args)

    return convert
