"""An array of numpy's within a recording: tables of positions, masks, frequencies, of symbolic sizes.

A program may make its constants with numpy. While something is recorded, such an array has its numbers at the base point,
and its sizes as symbols: what numpy makes of it is another one, and jax takes it as an array of these sizes. Where the
program asks for its numbers, the sizes that it was made of are pinned.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax._src import core, dtypes
from jax._src.numpy.indexing import NDIndexer
from numpy.lib.mixins import NDArrayOperatorsMixin

from symcost.tracing.evidence.arrays.arguments import Sized, at_base, canonical, leaves, mapped, sides, with_jax
from symcost.tracing.evidence.places import by_model, converting, for_jax
from symcost.tracing.evidence.recorder import Recorder

INDEXING = NDIndexer.from_raw_indices.__code__.co_filename
IGNORED = ("dtype", "order", "like", "copy", "casting", "device")
"""Arguments by name that no size depends on."""
PLAIN_ATTRIBUTES = ("item", "tolist", "tobytes", "data", "flat", "strides", "base", "ctypes", "flags", "__array_interface__",
                    "__array_struct__", "dump", "dumps", "tofile", "view", "resize", "sort", "partition", "fill",
                    "put")  # fmt: skip
"""What tells the numbers or the memory of an array, or changes it in place."""


class SizedArray(Sized, NDArrayOperatorsMixin):
    """An array of numpy's within one recording; ``made_of`` is shared with what views it."""

    # -- what an array of numpy's would tell --------------------------------------------------------------------
    @property
    def __class__(self) -> type:  # type: ignore[override]  # one of numpy's to the model, and where jax takes indices
        frame = sys._getframe(1)
        return SizedArray if for_jax(frame) and frame.f_code.co_filename != INDEXING else np.ndarray

    @property
    def dtype(self) -> np.dtype:
        """The number type: numpy's own, or that which jax makes of it."""
        own = self.plain.dtype
        return dtypes.canonicalize_dtype(own) if for_jax(sys._getframe(1)) else own

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.plain.ndim

    @property
    def size(self) -> Any:
        """The number of elements."""
        found: Any = 1
        for each in self.shape:
            found = found * each
        return found

    # -- what asks for its numbers ------------------------------------------------------------------------------
    def pinned(self, frame: FrameType, text: bool = False) -> Any:
        """The plain array: what is done with it is not seen."""
        for side in self.made_of:
            self.recorder.pin(side, frame, text=text, of_array=True)
        return self.plain

    def number(self, frame: FrameType) -> Any:
        """The plain array, of which the model takes a number or a text: it may do anything by that."""
        return self.pinned(frame, by_model(converting(frame)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.pinned(sys._getframe(1)), dtype=dtype)

    def __bool__(self) -> bool:
        return bool(self.number(sys._getframe(1)))

    def __int__(self) -> int:
        return int(self.number(sys._getframe(1)))

    def __index__(self) -> int:
        return operator.index(self.number(sys._getframe(1)))

    def __float__(self) -> float:
        return float(self.number(sys._getframe(1)))

    def __len__(self) -> int:
        return operator.index(self.shape[0])

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return value in self.number(sys._getframe(1))

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return repr(self.number(sys._getframe(1)))

    def __format__(self, spec: str) -> str:
        return format(self.number(sys._getframe(1)), spec)

    # -- what makes another one ---------------------------------------------------------------------------------
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.get("out", ())
        if out:
            return NotImplemented
        name = ufunc.__name__
        theirs = (lambda *args, **more: getattr(getattr(jnp, name), method)(*args, **more)) if method != "__call__" else (
            lambda *args, **more: getattr(jnp, name)(*args, **more))  # fmt: skip
        return made(self.recorder, getattr(ufunc, method), theirs, inputs, kwargs, sys._getframe(1))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        def theirs(*args: Any, **more: Any) -> Any:
            return getattr(jnp, function.__name__)(*args, **more)

        return made(self.recorder, function, theirs, args, kwargs, sys._getframe(1))

    def __getitem__(self, key: Any) -> Any:
        found = made(self.recorder, operator.getitem, operator.getitem, (self, key), {}, sys._getframe(1))
        return self._viewed(found)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.made_of |= sides(self.recorder, (key, value))
        plain = at_base(self.recorder, (key, value))
        self.plain[plain[0]] = plain[1]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"'numpy.ndarray' object has no attribute {name!r}")
        if name in PLAIN_ATTRIBUTES:
            return getattr(self.number(sys._getframe(1)), name)
        if not callable(getattr(np.ndarray, name)):
            return self._viewed(made(self.recorder, lambda each: getattr(each, name), lambda each: getattr(each, name), (self,),
                                     {}, sys._getframe(1)))  # fmt: skip

        def method(*args: Any, **kwargs: Any) -> Any:
            def call(each: Any, *rest: Any, **named: Any) -> Any:
                return getattr(each, name)(*rest, **named)

            return self._viewed(made(self.recorder, call, call, (self, *args), kwargs, sys._getframe(1)))

        return method

    def _viewed(self, found: Any) -> Any:
        """What may be a view of it is made of whatever is written into either."""
        if isinstance(found, SizedArray):
            self.made_of |= found.made_of
            found.made_of = self.made_of
        return found

    def __deepcopy__(self, memo: Any) -> SizedArray:
        return SizedArray(self.recorder, self.plain.copy(), self.shape, set(self.made_of))


def _in_place(name: str) -> Callable[[SizedArray, Any], SizedArray]:
    compute = getattr(operator, name)

    def method(self: SizedArray, other: Any) -> SizedArray:
        self.made_of |= sides(self.recorder, other)
        self.plain = compute(self.plain, at_base(self.recorder, other))
        return self

    return method


for _name in ("iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "iand", "ior", "ixor"):
    setattr(SizedArray, f"__{_name}__", _in_place(_name))


core.pytype_aval_mappings[SizedArray] = lambda table: core.ShapedArray(table.shape, canonical(table.plain.dtype))
dtypes.register_canonicalize_value_handler(SizedArray, SizedArray.__jax_array__)


def made(
    recorder: Recorder, ours: Any, theirs: Any, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> Any:
    """What numpy makes of tables and sizes at the base point, with the sizes that jax finds of the same.

    Where jax takes part, or asks, it is an array of jax's. Where jax cannot tell its sizes, these are pinned.
    """
    if for_jax(frame) or any(isinstance(leaf, jax.Array) for leaf in leaves((args, kwargs))):
        return theirs(*with_jax(args), **with_jax(kwargs))
    plain = ours(*at_base(recorder, args), **at_base(recorder, kwargs))
    own = sides(recorder, (args, kwargs))
    try:
        shapes = _shapes(theirs, args, {name: value for name, value in kwargs.items() if name not in IGNORED})
        return _table(recorder, plain, shapes, own)
    except Exception:  # of any kind: jax has no such function, or needs the numbers
        if recorder.gave_up:
            raise
        for side in own:
            recorder.pin(side, frame)
        return plain


def _shapes(theirs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The sizes of what jax makes of the same."""
    tables = {id(leaf): leaf for leaf in leaves((args, kwargs)) if isinstance(leaf, SizedArray)}
    structs = [jax.ShapeDtypeStruct(t.shape, canonical(t.plain.dtype)) for t in tables.values()]

    def program(*arrays: Any) -> Any:
        place = dict(zip(tables, arrays, strict=True))
        own = mapped(lambda leaf: place[id(leaf)] if isinstance(leaf, SizedArray) else canonical(leaf), (args, kwargs))
        return theirs(*own[0], **own[1])

    return jax.eval_shape(program, *structs)


def _table(recorder: Recorder, plain: Any, shapes: Any, made_of: set[Any]) -> Any:
    """The tables of these sizes, each as numpy's is at the base point; anything else raises."""
    if isinstance(plain, tuple | list):
        return type(plain)(_table(recorder, p, s, set(made_of)) for p, s in zip(plain, shapes, strict=True))
    if not isinstance(plain, np.ndarray | np.generic):
        raise TypeError(f"{type(plain).__name__} is no array")
    if tuple(map(recorder.value, shapes.shape)) != plain.shape:
        raise TypeError("jax makes it of other sizes")
    return SizedArray(recorder, plain, tuple(shapes.shape), made_of)
