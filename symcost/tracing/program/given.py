"""What the user gave, read: a module as it is, a factory whose parameters are symbols, or a plain function of arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax

from symcost.errors import TraceError
from symcost.reading.choices import MODES, Mode
from symcost.reading.nearest import one_of
from symcost.reading.numerals import short
from symcost.tracing.program.model import Model
from symcost.tracing.program.modules import linen, nnx
from symcost.tracing.program.spec import is_array, looks_like_spec, parse_tree
from symcost.tracing.program.trained import Trained

ONE_SIZE = 24
"""The size at which a function is tried that may be one of arrays."""
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def split_call(call: Mapping[str, Any] | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keyword arguments of the call: plain values, and trees in which arrays are.

    A text of the form of a spec, a word with brackets behind it, is an array, and any other text is itself.

    >>> split_call({"train": False, "mask": "bool[n]", "kind": "relu"})[0]
    {'train': False, 'kind': 'relu'}
    """
    read = {name: parse_tree(value, looks_like_spec) for name, value in (call or {}).items()}
    arrays = {name: tree for name, tree in read.items() if any(map(is_array, jax.tree.leaves(tree)))}
    return {name: value for name, value in (call or {}).items() if name not in arrays}, arrays


def make_function(
    function: Callable[..., Any], specs: tuple[Any, ...], call: Mapping[str, Any] | None, axes: Mapping[str, int] | None
) -> Model:
    """Read what the user gave for a plain function of arrays."""
    if isinstance(function, type) and (issubclass(function, linen.BASE) or nnx.is_nnx_class(function)):
        raise TraceError(
            f"{function.__name__} makes modules, and is no function of arrays: sc.trace takes it as it is, without --function"
        )
    plain, arrays = split_call(call)
    return Model(None, None, parse_tree(specs), (), plain, arrays, function=function, axes=dict(axes or {}))


def takes_arrays(target: Any, specs: tuple[Any, ...], call: Mapping[str, Any] | None, at: Mapping[str, int]) -> bool:
    """Whether it is a plain function whose parameters are the inputs, rather than a factory: ``at`` has a value of none.

    >>> takes_arrays(lambda x, y: x @ y, ("float32[n,8]", "float32[8,m]"), None, {"n": 2, "m": 4})
    True
    >>> takes_arrays(lambda d: d, ("float32[n,8]",), None, {"n": 2, "d": 4})
    False
    """
    if linen.is_linen(target) or nnx.is_nnx(target) or isinstance(target, type) or not callable(target):
        return False
    try:
        signature = inspect.signature(target)
        signature.bind(*specs, **(call or {}))
    except (TypeError, ValueError):
        return False
    needed = [name for name, p in signature.parameters.items() if p.default is p.empty and p.kind not in VARIADIC]
    return bool(needed) and not set(needed) & set(at)


def works_on_arrays(target: Any, specs: tuple[Any, ...], call: Mapping[str, Any] | None) -> bool:
    """Whether it is a plain function of these inputs, and gives arrays for them where all symbols are one size.

    >>> works_on_arrays(lambda x, y: x @ y, ("float32[n,8]", "float32[8,m]"), None)
    True
    >>> works_on_arrays(lambda d: linen.BASE() if d else None, ("float32[n,8]",), None)
    False
    """
    if not takes_arrays(target, specs, call, {}):
        return False
    model = make_function(target, specs, call, None)
    abstract = model.at(dict.fromkeys(model.symbols, ONE_SIZE))
    try:
        jax.eval_shape(abstract.function, *abstract.args)
    except Exception:  # whatever the user's code raises: it is none, as far as is seen
        return False
    return True


def _streams(rngs: Any) -> tuple[str, ...]:
    """Names of random streams from one, several or none."""
    named = (rngs,) if isinstance(rngs, str) else () if rngs is None else rngs
    listed = tuple(named) if isinstance(named, Iterable) else (named,)
    if not all(isinstance(name, str) for name in listed):
        raise TraceError(f"rngs={short(rngs)} must name random streams, as 'dropout' or ['dropout', 'noise']")
    return listed


def make_model(
    target: Any,
    specs: tuple[Any, ...],
    *,
    free: tuple[str, ...] = (),
    call: Mapping[str, Any] | None = None,
    mode: Mode = "forward",
    rngs: Any = None,
    method: str = "__call__",
    wrt: Any = None,
    axes: Mapping[str, int] | None = None,
) -> Model:
    """Read what the user gave: a module as it is, or a factory whose parameters without default are symbols."""
    one_of(mode, MODES, "mode", TraceError)
    plain, arrays = split_call(call)
    names = ("params", "dropout", *_streams(rngs))
    common: dict[str, Any] = {"specs": parse_tree(specs), "call": plain, "arrays": arrays, "mode": mode,
                              "rngs": tuple(dict.fromkeys(names)), "method": method, "wrt": Trained(wrt),
                              "axes": dict(axes or {})}  # fmt: skip
    if linen.is_linen(target) or nnx.is_nnx(target):
        return Model(factory=None, module=target, parameters=(), **common)
    if target is linen.BASE or nnx.is_base(target):
        raise TraceError(f"{target.__module__}.Module is the class that models derive from: name one of them")
    if not callable(target):
        raise TraceError(f"{short(target)} is neither a flax module nor a function that makes one")
    return Model(factory=target, module=None, parameters=factory_symbols(target, free), **common)


def factory_symbols(factory: Callable[..., Any], free: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Parameters of a factory that become symbols: those without a default, and those named in ``free``."""
    name = getattr(factory, "__name__", repr(factory))
    try:
        parameters = nnx.parameters_of(factory)
    except (TypeError, ValueError):
        raise TraceError(
            f"the parameters of {name} cannot be read: wrap it in a function with named parameters"
        ) from None
    for wanted in free:
        if not isinstance(wanted, str) or wanted not in parameters:
            raise TraceError(
                f"{name} has no parameter {short(wanted)} to set free: it has {', '.join(parameters) or 'none'}"
            )
    special = {"rngs"} if nnx.is_nnx_class(factory) else set()
    return tuple(
        p.name
        for p in parameters.values()
        if p.kind not in VARIADIC and p.name not in special and (p.default is p.empty or p.name in free)
    )
