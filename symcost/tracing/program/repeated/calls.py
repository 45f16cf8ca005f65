"""Calls of flax's own layers that are alike: traced once, written down wherever they stand.

A layer of flax's is a function of its fields, of its variables and of what it is called with. Where a second call is alike in
all of them, jax writes the equations of the first one down again (``jax.jit(..., inline=True)``), in the scope of the second.
A layer of anybody else's may do anything, and is called; so is one with functions of others in its fields, one that an
interceptor of the model's sees, and every layer while frames are watched.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax._src import core

from symcost.tracing.program.paths import spend_call
from symcost.tracing.program.repeated.content import content
from symcost.tracing.program.repeated.once import Once

LAYERS = frozenset((
    nn.Dense, nn.DenseGeneral, nn.Einsum, nn.Conv, nn.ConvTranspose, nn.Embed, nn.LayerNorm, nn.RMSNorm, nn.GroupNorm,
    nn.InstanceNorm, nn.BatchNorm,
))  # fmt: skip
"""Layers that have no layers inside and draw no numbers."""
OWNERS = ("jax.", "flax.")
"""Whose functions may stand in the fields of a layer: initialisers, products, promotions of number types."""
PLAIN = frozenset((int, float, bool, str, types.NoneType))
Path = tuple[str, ...]
Run = Callable[..., tuple[Any, Any]]
"""Of a module alone, of the equations that become of it, and of its arguments: its result, and what it leaves."""


class Unlike(Exception):
    """A call that may be like no other one."""


@dataclass
class Equations:
    """A call that was traced: what writes its equations down, and the variables that it declared."""

    function: Callable[[list[Any]], tuple[Any, Any]]
    declared: set[Path] = field(default_factory=set)
    parameters: list[tuple[Path, str, Any]] = field(default_factory=list)
    """Those that a call declares where they were not known before: scope, name and shapes."""


@dataclass
class Calls:
    """The calls of one model, by what they consist of."""

    written: dict[Any, Equations] = field(default_factory=dict)
    made: dict[Any, tuple[list[tuple[str, str, Any]], Any]] = field(default_factory=dict)
    """The variables that an initialisation made, by collection and name, and its result."""
    inside: bool = False
    once: Once | None = None
    """The trace under way that declares its own parameters, if one does."""

    def apply(self, checked: set[Path], context: Any, following: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """The result of a call in a trace; ``checked`` are the variables that the trace declared so far."""
        once, scope = self.once, context.module.scope
        if once is not None:
            once.enter(scope)
        try:
            if not _inlines() or (once is not None and not once.is_new(scope)):
                raise Unlike
            key, known, arrays = self._written(checked, context, args, kwargs)
            result, left = known.function(arrays)
        except Exception:  # it may be like no other call; or the call itself raises this, in its own words
            return following(*args, **kwargs)
        self.written[key] = known
        for collection, *path in known.declared:
            checked.add((collection, *scope.path, *path))
            if collection == "params":
                spend_call()
        if once is None:
            for collection, values in left.items():
                for name, value in values.items():
                    scope.put_variable(collection, name, value)
            return result
        for (path, name, shapes), value in zip(known.parameters, left, strict=True):
            spend_call()
            spend_call()  # an initialisation would have declared it too
            once.add((*scope.path, *path), name, shapes, value)
        return result

    def _written(self, checked: set[Path], context: Any, args: Any, kwargs: Any) -> tuple[Any, Equations, list[Any]]:
        """What a call consists of, its equations, and its arrays: its variables are among them, unless it declares them."""
        module, declares = context.module, self.once is not None
        variables = () if declares else ({name: tree for name, tree in module.scope.variables().items() if tree},)
        mutable = [name for trees in variables for name in trees if module.scope.is_mutable_collection(name)]
        leaves, tree = jax.tree.flatten((*variables, args, kwargs))
        arrays, fixed = _told_apart(leaves)
        key = type(module), self._fields(context), tree, fixed, *((a.aval for a in arrays) if declares else mutable)
        run = self._declaring if declares else functools.partial(_changing, checked, mutable)
        return key, self.written.get(key) or self._equations(module, tree, fixed, run), arrays

    def _equations(self, module: nn.Module, tree: Any, fixed: Any, run: Run) -> Equations:
        """A call as a function of its arrays; its scope is around it, and it opens none."""
        alone = module.clone(parent=None)

        def function(arrays: list[Any]) -> tuple[Any, Any]:
            self.inside = True
            try:
                with nn.override_named_call(False):
                    return run(alone, equations, *jax.tree.unflatten(tree, _together(arrays, fixed)))
            finally:
                self.inside = False

        equations = Equations(jax.jit(function, inline=True))
        return equations

    def _declaring(self, alone: nn.Module, equations: Equations, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """A call that returns the parameters that it declares too."""
        assert self.once is not None
        with self.once.alone() as declared:
            result = alone.apply({}, *args, **kwargs)
        equations.parameters = [(path, name, shapes) for path, name, shapes, _ in declared]
        return result, [value for *_, value in declared]

    def initialise(self, following: Callable[..., Any], args: Any, kwargs: Any, context: Any) -> Any:
        """The result of a call while variables are made: of one that is alike, new variables and a result of its shapes."""
        scope = context.module.scope
        try:
            if scope is None or any(scope.variables().values()):
                raise Unlike
            key = self._key(context, args, kwargs)
            known = self.made.get(key)
        except (Unlike, TypeError):
            return following(*args, **kwargs)
        if known is None:
            result = following(*args, **kwargs)
            variables = [(collection, name, _shapes(value)) for collection, values in scope.variables().items()
                         for name, value in values.items()]  # fmt: skip
            if all(
                isinstance(leaf, core.Tracer) and not getattr(leaf.aval, "weak_type", True)
                for leaf in jax.tree.leaves(result)
            ):
                self.made[key] = variables, _shapes(result)
            return result
        variables, result = known
        for collection, name, shapes in variables:
            if collection == "params":
                spend_call()
            scope.put_variable(collection, name, _zeros(shapes))
        return _zeros(result)

    def _key(self, context: Any, args: Any, kwargs: Any) -> tuple[Any, ...]:
        """What a call consists of beside its variables."""
        leaves, tree = jax.tree.flatten((args, kwargs))
        arrays, fixed = _told_apart(leaves)
        return type(context.module), self._fields(context), tree, fixed, *(array.aval for array in arrays)

    def _fields(self, context: Any) -> tuple[Any, ...]:
        """What a call's layer consists of; raises :class:`Unlike` for one that may be like no other."""
        layer = type(context.module)
        if self.inside or layer not in LAYERS or context.method_name != "__call__" or sys.gettrace() is not None:
            raise Unlike
        if layer.__call__.__module__ != layer.__module__ or len(nn.module._global_interceptor_stack) > 1:
            raise Unlike
        return tuple([_field(getattr(context.module, name)) for name in _names(layer)])


def _changing(
    checked: set[Path],
    mutable: list[str],
    alone: nn.Module,
    equations: Equations,
    variables: Any,
    args: Any,
    kwargs: Any,
) -> tuple[Any, Any]:
    """A call that returns the variables that it changes too."""
    before = set(checked)
    checked.clear()
    try:
        result = alone.apply(variables, *args, mutable=mutable or False, **kwargs)
        equations.declared = set(checked)
    finally:
        checked.clear()
        checked.update(before)
    return result if mutable else (result, {})


@functools.cache
def _inlines() -> bool:
    """Whether jax writes the equations of a function down where it is called; from 0.12 on it calls it there."""
    closed = jax.make_jaxpr(jax.jit(lambda x: x + 1, inline=True))(1.0)
    return [eqn.primitive.name for eqn in closed.jaxpr.eqns] == ["add"]


@functools.cache
def _names(layer: type) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(layer) if each.init and each.name not in ("parent", "name"))


def _field(value: Any) -> Any:
    """A field as part of a key."""
    if type(value) in PLAIN:
        return type(value), value
    if isinstance(value, type | np.dtype | enum.Enum) or jax.export.is_symbolic_dim(value):
        return value
    if isinstance(value, tuple):
        return tuple(map(_field, value))
    plain = value.func if isinstance(value, functools.partial) else value
    if callable(plain) and (getattr(plain, "__module__", None) or "").startswith(OWNERS):
        return content(value)
    raise Unlike


def _told_apart(leaves: Sequence[Any]) -> tuple[list[Any], tuple[Any, ...]]:
    """The arrays of the trace under way among arguments, and all others by their place: switches and names."""
    trace, arrays, fixed = core.trace_ctx.trace, [], []
    for place, leaf in enumerate(leaves):
        if isinstance(leaf, core.Tracer) and leaf._trace is trace:
            arrays.append(leaf)
        elif type(leaf) in (bool, str):
            fixed.append((place, leaf))
        else:
            raise Unlike
    return arrays, tuple(fixed)


def _together(arrays: Sequence[Any], fixed: Sequence[tuple[int, Any]]) -> list[Any]:
    """All arguments again."""
    found = list(arrays)
    for place, leaf in fixed:
        found.insert(place, leaf)
    return found


def _shapes(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), tree)


def _zeros(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), tree)
