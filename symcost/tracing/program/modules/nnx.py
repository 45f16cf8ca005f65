"""Flax nnx modules as programs: abstract state, module paths kept as static attributes.

``flax.nnx`` is imported by whoever has a model of it: a trace of anything else starts without it.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from symcost.errors import TraceError
from symcost.tracing.program.modules.constrained import Constrained
from symcost.tracing.program.paths import module_scope, spend_call

_ATTRIBUTE = "symcost_path"


def imported() -> Any:
    """``flax.nnx``, or nothing where nobody has imported it: then nothing is of it."""
    return sys.modules.get("flax.nnx")


@dataclass
class NnxProgram:
    """An nnx module at one point: its graph, its state as abstract arrays, and its call as a function of them."""

    model: Any
    called: Callable[[Any, Any], tuple[tuple[Any, ...], dict[str, Any]]]
    method: str
    kinds: tuple[type, ...] = ()  # types of variables that are parameters beside nnx.Param
    constrained: Constrained = field(default_factory=Constrained)

    def __post_init__(self) -> None:
        from flax import nnx

        self.classes: set[type] = set()
        for path, module in nnx.iter_modules(self.model):
            setattr(module, _ATTRIBUTE, "/".join(str(part) for part in path))
            self.classes.add(type(module))
        self.roles = (nnx.filterlib.Any(nnx.Param, *self.kinds), nnx.RngState, ...)
        self.graph, self.params, self.rngs, self.state = nnx.split(self.model, *self.roles)

    def apply(self, params: Any, state: Any, rngs: Any, inputs: Any, arrays: Any) -> tuple[Any, Any]:
        """Outputs and updated state; pure, for ``jax.make_jaxpr`` and ``jax.jit``."""
        from flax import nnx

        # Fresh variables: those handed in may belong to an outer trace (under a gradient).
        model = nnx.merge(self.graph, *(jax.tree.map(lambda leaf: leaf, tree) for tree in (params, rngs, state)))
        args, kwargs = self.called(inputs, arrays)
        with scoped_methods(self.classes, self.constrained):
            out = getattr(model, self.method)(*args, **kwargs)
        return out, nnx.split(model, *self.roles)[3]


@contextlib.contextmanager
def scoped_methods(classes: set[type], constrained: Constrained) -> Iterator[None]:
    """Within it, methods of these classes run under their module's path, and what they give is laid as a plan says.

    The classes are as before afterwards.
    """
    owners = {owner for cls in classes for owner in cls.__mro__ if is_nnx_class(owner) and not is_base(owner)}
    patched: list[tuple[type, str, Any]] = []
    try:
        for owner in owners:
            for name, function in list(vars(owner).items()):
                public = name == "__call__" or not name.startswith("_")
                if public and isinstance(function, types.FunctionType):
                    patched.append((owner, name, function))
                    setattr(owner, name, _scoped(function, constrained))
        yield
    finally:
        for owner, name, function in patched:
            setattr(owner, name, function)


def _scoped(function: Callable[..., Any], constrained: Constrained) -> Callable[..., Any]:
    @functools.wraps(function)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        attributes = vars(self)
        path = attributes.pop(_ATTRIBUTE, None)  # a module that reads all its attributes knows each of them
        if path is None:  # none of the model, or in a call of its own that is under way
            return function(self, *args, **kwargs)
        try:
            with module_scope(path, type(self).__name__):
                given = function(self, *args, **kwargs)
                return constrained.laid(path, given) if constrained else given
        finally:
            attributes[_ATTRIBUTE] = path

    return method


def is_nnx(value: Any) -> bool:
    """Whether it is an nnx module."""
    return (nnx := imported()) is not None and isinstance(value, nnx.Module)


def is_nnx_class(value: Any) -> bool:
    """Whether it is a class of nnx modules."""
    return (nnx := imported()) is not None and isinstance(value, type) and issubclass(value, nnx.Module)


def is_base(value: Any) -> bool:
    """Whether it is the class that nnx models derive from."""
    return (nnx := imported()) is not None and value is nnx.Module


def is_variable(value: Any) -> bool:
    """Whether it is a variable of an nnx module."""
    return (nnx := imported()) is not None and isinstance(value, nnx.Variable)


def variable_types(filters: Iterable[Any]) -> tuple[type, ...]:
    """The filters that are types of variables."""
    from flax import nnx

    return tuple(each for each in filters if isinstance(each, type) and issubclass(each, nnx.Variable))


def selects(wanted: Any, path: tuple[Any, ...], variable: Any) -> bool:
    """Whether a filter of nnx selects a variable."""
    from flax import nnx

    try:
        predicate = nnx.filterlib.to_predicate(wanted)
    except (TypeError, ValueError):
        raise TraceError(
            f"wrt={wanted!r} is no filter of nnx: give a type of variable, or a pattern such as '**/lora/**'"
        ) from None
    return bool(predicate(path, variable))


def parameters_of(factory: Any) -> dict[str, inspect.Parameter]:
    """Parameters of a factory; those of a class of nnx modules are its constructor's (its metaclass hides them)."""
    if not is_nnx_class(factory):
        return dict(inspect.signature(factory).parameters)
    return dict(list(inspect.signature(factory.__init__).parameters.items())[1:])


def construct(cls: Any, parameters: dict[str, Any]) -> Any:
    """An instance, with random streams where its constructor asks for ``rngs``."""
    if is_nnx_class(cls) and "rngs" in parameters_of(cls):
        from flax import nnx

        return cls(**parameters, rngs=nnx.Rngs(0))
    return cls(**parameters)


def abstract(build: Callable[[], Any]) -> Any:
    """The module that ``build`` makes, with abstract arrays.

    A constructor may need numbers (``[float(x) for x in jnp.linspace(0, rate, depth)]``): nnx models are usually built
    outside of a trace. Then what does not come of a random key is computed; weights still are not.
    """

    def made(key: Any, concrete: bool) -> Any:
        numbers = jax.ensure_compile_time_eval() if concrete else contextlib.nullcontext()
        with numbers, _quick_construction(key):
            return build()

    def evaluated(eval_shape: Callable[..., Any], make: Callable[..., Any]) -> Any:
        key = jax.eval_shape(jax.random.key, 0)
        try:
            return eval_shape(functools.partial(make, concrete=False), key)
        except jax.errors.JAXTypeError:
            return eval_shape(functools.partial(make, concrete=True), key)

    if imported() is None:
        evaluated(jax.eval_shape, lambda key, concrete: (made(key, concrete), None)[1])
    nnx = imported()  # the factory itself may have imported it
    return None if nnx is None else evaluated(nnx.eval_shape, made)


@contextlib.contextmanager
def _quick_construction(key: Any) -> Iterator[None]:
    """Within it, all random streams give the one abstract key, and every variable takes one call from the budget.

    A random stream counts its keys; while that is traced, each count looks through the whole program so far, which is
    quadratic in the depth of the model. No number is drawn from these keys: one for all will do.
    """
    nnx = imported()
    if nnx is None:
        yield
        return
    initialise, next_key = nnx.Variable.__init__, nnx.RngStream.__call__

    @functools.wraps(initialise)
    def spending(self: Any, *args: Any, **kwargs: Any) -> None:
        spend_call()
        initialise(self, *args, **kwargs)

    nnx.Variable.__init__ = spending
    nnx.RngStream.__call__ = lambda self: jnp.broadcast_to(key, self.key.shape)
    try:
        yield
    finally:
        nnx.Variable.__init__ = initialise
        nnx.RngStream.__call__ = next_key


def as_abstract(module: Any) -> Any:
    """A copy of a module whose arrays are abstract; the module itself is left alone."""
    from flax import nnx

    graph, state = nnx.split(module)
    return nnx.merge(graph, jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), state))
