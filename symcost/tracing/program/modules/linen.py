"""Flax linen modules as programs: abstract variables, module paths, initialisers that cost nothing."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flax.core
import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.core import meta
from flax.core.scope import Scope

from symcost.tracing.program.modules.constrained import Constrained
from symcost.tracing.program.paths import module_scope, spend_call
from symcost.tracing.program.repeated.calls import Calls
from symcost.tracing.program.repeated.content import WithKey, content, plain_key
from symcost.tracing.program.repeated.fields import plain_fields
from symcost.tracing.program.repeated.once import Once

INITIALISERS = jax.nn.initializers.orthogonal.__code__.co_filename
ANY_SIZE = ("zeros", "ones", "constant", "uniform", "normal", "truncated_normal", "variance_scaling")


Called = Callable[[Any, Any], tuple[tuple[Any, ...], dict[str, Any]]]
"""Arguments of a call, in order and by name, from the arrays among them."""


class StaleVariables(Exception):
    """A variable taken over from another point does not fit this one; ``declared`` is what the module asks for."""

    def __init__(self, message: str, path: tuple[str, ...], declared: Any) -> None:
        super().__init__(message)
        self.path, self.declared = path, declared


@dataclass
class Initialisers:
    """Shapes of what initialisers return, each distinct call traced once, and which variables a trace checked."""

    shapes: dict[Any, Any] = field(default_factory=dict)
    kinds: dict[Any, Any] = field(default_factory=dict)
    """Number types of what initialisers of jax's return, by all but the sizes that they are asked for."""
    checked: set[tuple[str, ...]] = field(default_factory=set)
    calls: Calls = field(default_factory=Calls)
    as_declared: bool = False
    """Whether variables must have the number types and boxes that are declared, as those that were guessed must."""

    def abstract(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """``jax.eval_shape`` of an initialiser, remembered by what it and its arguments consist of."""
        named = tuple(sorted(kwargs.items()))
        try:
            key = (content(function), args, named)
            hash(key)
        except TypeError:
            return jax.eval_shape(lambda: function(*args, **kwargs))
        if key not in self.shapes:
            asked = self._as_asked(function, key)
            self.shapes[key] = jax.eval_shape(lambda: function(*args, **kwargs)) if asked is None else asked
        return self.shapes[key]

    def _as_asked(self, function: Any, key: Any) -> Any:
        """What an initialiser of jax's returns, where it returned just what it was asked for at other sizes."""
        content, args, named = key
        sizes = args[0] if args else None
        if not _of_jax(function) or not isinstance(sizes, tuple) or not all(type(n) is int and n > 0 for n in sizes):
            return None
        kind = content, len(sizes), args[1:], named
        dtype = self.kinds.get(kind)
        if dtype is not None:
            return jax.ShapeDtypeStruct(sizes, dtype)
        returned = jax.eval_shape(lambda: function(*args, **dict(named)))
        if returned.shape == sizes and not returned.weak_type:
            self.kinds[kind] = returned.dtype
        return returned


def _of_jax(function: Any) -> bool:
    """Whether it is one of jax's initialisers that take every shape of a rank that they take."""
    plain = function.init_fn if isinstance(function, WithKey) else None
    if not isinstance(plain, types.FunctionType):
        return False
    maker = plain.__qualname__.partition(".")[0]
    return plain.__code__.co_filename == INITIALISERS and maker in ANY_SIZE


@contextlib.contextmanager
def abstract_initialisers(known: Initialisers) -> Iterator[None]:
    """Within it, linen declares parameters by shape only; flax's own methods are back afterwards, come what may."""
    param, variable = Scope.param, Scope.variable

    def shape_of(init_fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # The initialiser itself is the cache key; the key argument is made inside, so that equal calls look equal.
        return known.abstract(WithKey(init_fn), args, kwargs)

    def abstract_param(
        self: Scope, name: str, init_fn: Callable[..., Any], *init_args: Any, unbox: bool = True, **init_kwargs: Any
    ) -> Any:
        spend_call()
        declared = shape_of(init_fn, init_args, init_kwargs)
        once = known.calls.once
        if once is not None:
            spend_call()  # an initialisation would have declared it too
            self.reserve(name, "params")
            value = once.declare(self, name, declared)
            return meta.unbox(value) if unbox else value
        if not self.has_variable("params", name) and self.is_mutable_collection("params"):
            self.reserve(name, "params")
            value = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), declared)
            self.put_variable("params", name, value)
            return meta.unbox(value) if unbox else value
        if not self.has_variable("params", name):
            return param(self, name, init_fn, *init_args, unbox=unbox, **init_kwargs)  # flax's own error
        self.reserve(name, "params")
        value = self.get_variable("params", name)
        plain = meta.unbox(value)
        _compare(self, "params", name, value, declared, known.as_declared)
        known.checked.add(("params", *self.path, name))
        return plain if unbox else value

    def checked_variable(
        self: Scope, col: str, name: str, init_fn: Callable[..., Any] | None = None, *init_args: Any, **kwargs: Any
    ) -> Any:
        if self.has_variable(col, name) and init_fn is not None and not self.is_mutable_collection("params"):
            plain = {k: v for k, v in kwargs.items() if k != "unbox"}
            declared = known.abstract(init_fn, init_args, plain)
            _compare(self, col, name, self.get_variable(col, name), declared, known.as_declared)
            known.checked.add((col, *self.path, name))
        return variable(self, col, name, init_fn, *init_args, **kwargs)

    Scope.param, Scope.variable = abstract_param, checked_variable  # type: ignore[method-assign]
    try:
        with plain_fields():
            yield
    finally:
        Scope.param, Scope.variable = param, variable  # type: ignore[method-assign]


def _compare(scope: Scope, collection: str, name: str, value: Any, declared: Any, strictly: bool) -> None:
    """Raise where a variable has other shapes than are declared; ``strictly``, other number types and boxes too."""
    have, want = jax.tree.leaves(meta.unbox(value)), jax.tree.leaves(declared)
    shapes, wanted = [jnp.shape(leaf) for leaf in have], [leaf.shape for leaf in want]
    if shapes != wanted:
        message = f"{scope.path_text}/{name} has shapes {shapes}, the module declares {wanted}"
        raise StaleVariables(message, (collection, *scope.path, name), declared)
    if strictly and (
        jax.tree.structure(value) != jax.tree.structure(declared)
        or any(jnp.result_type(a) != b.dtype for a, b in zip(have, want, strict=True))
    ):
        message = f"{scope.path_text}/{name} is of other number types, or in other boxes, than the module declares"
        raise StaleVariables(message, (collection, *scope.path, name), declared)


def mended(variables: dict[str, Any], path: tuple[str, ...], declared: Any) -> dict[str, Any] | None:
    """The variables with one of them as declared, or nothing where the tree has no such place (a scanned module)."""
    if len(path) == 1:
        return {**variables, path[0]: declared}
    inside = variables.get(path[0])
    found = mended(inside, path[1:], declared) if isinstance(inside, dict) else None
    return None if found is None else {**variables, path[0]: found}


@dataclass
class LinenProgram:
    """A linen module at one point: variables as abstract arrays and ``apply`` as a function of them."""

    module: nn.Module
    inputs: tuple[Any, ...]
    arrays: dict[str, Any]
    called: Called
    method: str
    rng_names: tuple[str, ...]
    known: Initialisers
    axes: Sequence[tuple[str, int]] = ()  # named axes, which the module may reduce over while it is initialised too
    constrained: Constrained = field(default_factory=Constrained)

    @property
    def rngs(self) -> dict[str, Any]:
        """One abstract key per random stream."""
        key: Any = jax.eval_shape(plain_key)
        return dict.fromkeys(self.rng_names, key)

    def _in_scope(self, following: Callable[..., Any], args: Any, kwargs: Any, context: Any) -> Any:
        """A call in the scope of its module; of one that is like another, that one's equations."""
        scope, calls = context.module.scope, self.known.calls
        if scope is None or context.method_name == "setup" or calls.inside:
            return following(*args, **kwargs)
        path = "/".join(scope.path)
        with module_scope(path, type(context.module).__name__):
            if not self.constrained:
                return calls.apply(self.known.checked, context, following, args, kwargs)
            with self.constrained.call_of(path) as outermost:
                given = calls.apply(self.known.checked, context, following, args, kwargs)
            return self.constrained.laid(path, given) if outermost else given

    def _function(self) -> Any:
        return getattr(type(self.module), self.method, None)

    def variables(self) -> dict[str, Any]:
        """Collections of abstract variables, by an initialisation that draws no numbers."""

        def init(rngs: Any, inputs: Any, arrays: Any) -> Any:
            args, kwargs = self.called(inputs, arrays)
            return self.module.init(rngs, *args, method=self._function(), **kwargs)

        with nn.intercept_methods(self.known.calls.initialise), abstract_initialisers(self.known):
            _, made = jax.make_jaxpr(init, axis_env=self.axes, return_shape=True)(self.rngs, self.inputs, self.arrays)
        return {name: tree for name, tree in flax.core.unfreeze(made).items() if jax.tree.leaves(tree)}

    def at_once(self) -> tuple[Any, Any] | None:
        """Abstract parameters and the program by one trace, or nothing where that takes an initialisation first."""
        once = self.known.calls.once = Once()

        def run(rngs: Any, inputs: Any, arrays: Any) -> tuple[Any, Any]:
            args, kwargs = self.called(inputs, arrays)
            with nn.intercept_methods(self._in_scope), abstract_initialisers(self.known), once.reading():
                return self.module.apply({}, *args, rngs=rngs, method=self._function(), **kwargs), {}

        try:
            closed = once.program(jax.make_jaxpr(run, axis_env=self.axes)(self.rngs, self.inputs, self.arrays))
        except Exception:
            if not once.asked:
                raise
            closed = None
        finally:
            self.known.calls.once = None
        return None if once.asked else (once.tree or None, closed)

    def apply(self, params: Any, state: dict[str, Any], rngs: Any, inputs: Any, arrays: Any) -> tuple[Any, Any]:
        """Outputs and updated state; pure, for ``jax.make_jaxpr`` and ``jax.jit``."""
        variables = {"params": params, **state} if params is not None else dict(state)
        mutable = list(state) or False
        args, kwargs = self.called(inputs, arrays)
        with nn.intercept_methods(self._in_scope), abstract_initialisers(self.known):
            out = self.module.apply(variables, *args, rngs=rngs, method=self._function(), mutable=mutable, **kwargs)
        return out if mutable is not False else (out, {})


BASE = nn.Module
"""The class that linen models derive from."""


def is_linen(value: Any) -> bool:
    """Whether it is a linen module."""
    return isinstance(value, nn.Module)


def unchecked(variables: Mapping[str, Any], known: Initialisers) -> bool:
    """Whether some variable was not declared again by the trace that used it."""
    for collection, tree in variables.items():
        for path, _ in jax.tree_util.tree_leaves_with_path(meta.unbox(tree)):
            names = tuple(str(getattr(p, "key", getattr(p, "idx", p))) for p in path)
            if not any((collection, *names[:end]) in known.checked for end in range(1, len(names) + 1)):
                return True
    return False
