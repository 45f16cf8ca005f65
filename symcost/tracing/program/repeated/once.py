"""Parameters as they are met: one trace in the place of an initialisation and a trace of the same calls.

An initialisation makes the calls of the trace that follows it. Where a model does not ask whether it is initialised, which of
its variables there are, or for variables that are no parameters, both declare the same parameters: each becomes an equation
without operands where it is declared, and an argument of the program in the end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
from flax.core.scope import Scope
from jax._src import core
from jax.extend import core as public

REFUSED = {"variables": "", "variable": "", "has_variable": "", "get_variable": "", "get_flag": "",
           "is_mutable_collection": "intermediates"}  # fmt: skip
"""What a scope tells of variables, and of which name it does so nevertheless: what is sown there is thrown away in both."""
Names = tuple[str, ...]
Parameter = tuple[Names, str, Any, Any]
"""Path of its scope, name, shapes and value, both in their boxes."""
DECLARED = core.Primitive("declared")
"""A parameter: the equations of a program declare them in the order in which they were met."""


@DECLARED.def_abstract_eval
def _aval(*, shape: tuple[Any, ...], dtype: Any) -> Any:
    return core.ShapedArray(shape, dtype)


class Uninitialised(Exception):
    """The model asks for what only an initialisation tells."""


@dataclass
class Once:
    """The parameters of one trace, in the order in which they are declared."""

    tree: dict[str, Any] = field(default_factory=dict)
    """As they are declared: shapes, in their boxes, by the names along their paths."""
    numbers: dict[str, Any] = field(default_factory=dict)
    """The same with the number of each in the place of its shape."""
    values: dict[str, Any] = field(default_factory=dict)
    """The same with what stands for each in the trace."""
    asked: bool = False
    layer: list[Parameter] | None = None
    """The parameters of a layer that is called by itself, while it is: the program may do so again elsewhere."""
    _count: int = 0
    _trace: Any = None
    _root: Any = None

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Within it, a model that asks for what only an initialisation tells is refused; flax is as before afterwards."""
        before = {name: getattr(Scope, name) for name in REFUSED}

        def asking(known: Callable[..., Any], kept: str) -> Callable[..., Any]:
            def method(scope: Scope, *args: Any, **kwargs: Any) -> Any:
                return known(scope, *args, **kwargs) if self.layer is not None or args[:1] == (kept,) else self.refuse()

            return method

        self._trace = core.trace_ctx.trace
        try:
            for name, kept in REFUSED.items():
                setattr(Scope, name, asking(before[name], kept))
            yield
        finally:
            for name, method in before.items():
                setattr(Scope, name, method)

    def refuse(self) -> Any:
        """Raise; a model may catch that, so that it is remembered."""
        self.asked = True
        raise Uninitialised("the model asks for what only an initialisation tells")

    def enter(self, scope: Scope) -> None:
        """The scope of a call: the first one is the program's own."""
        self._root = self._root or scope.root

    def owns(self, scope: Scope) -> bool:
        """Whether a scope is the program's own, and of no function inside it."""
        return core.trace_ctx.trace is self._trace and self._root is scope.root

    def is_new(self, scope: Scope) -> bool:
        """Whether a scope is the program's own, and has no parameters yet."""
        tree = self.tree
        for part in scope.path:
            tree = tree.get(part, {})
        return self.owns(scope) and not tree

    def declare(self, scope: Scope, name: str, shapes: Any) -> Any:
        """A parameter of a scope, in its boxes; of the program itself, and of no function inside it."""
        if self.layer is not None:
            self.layer.append((scope.path, name, shapes, _bound(shapes)))
            return self.layer[-1][-1]
        if not self.owns(scope):
            return self.refuse()
        known = _inside(self.values, scope.path)
        if name in known:
            return known[name] if _inside(self.tree, scope.path)[name] == shapes else self.refuse()
        self.add(scope.path, name, shapes, _bound(shapes))
        return known[name]

    def add(self, path: Names, name: str, shapes: Any, value: Any) -> None:
        """A parameter that the last equations declared."""
        leaves, tree = jax.tree.flatten(shapes)
        numbers = range(self._count, self._count + len(leaves))
        self._count += len(leaves)
        _inside(self.tree, path)[name] = shapes
        _inside(self.numbers, path)[name] = jax.tree.unflatten(tree, numbers)
        _inside(self.values, path)[name] = value

    @contextlib.contextmanager
    def alone(self) -> Iterator[list[Parameter]]:
        """Within it, a layer is called by itself, and declares the parameters that are listed."""
        self.layer = []
        try:
            yield self.layer
        finally:
            self.layer = None

    def program(self, closed: Any) -> Any:
        """The traced program with parameters, in the order of their tree, before its other arguments."""
        jaxpr = closed.jaxpr
        made = [eqn.outvars[0] for eqn in jaxpr.eqns if eqn.primitive is DECLARED]
        if len(made) != self._count:
            return self.refuse()
        parameters = [made[number] for number in jax.tree.leaves(self.numbers)]
        rest = [eqn for eqn in jaxpr.eqns if eqn.primitive is not DECLARED]
        unnamed = jaxpr.debug_info._replace(arg_names=None)
        whole = jaxpr.replace(invars=[*parameters, *jaxpr.invars], eqns=rest, debug_info=unnamed)
        return public.ClosedJaxpr(whole, closed.consts)  # type: ignore[attr-defined]


def _inside(tree: dict[str, Any], path: Names) -> dict[str, Any]:
    """The part of a tree that belongs to a scope."""
    for part in path:
        tree = tree.setdefault(part, {})
    return tree


def _bound(shapes: Any) -> Any:
    """What stands for a parameter in the trace under way."""
    return jax.tree.map(lambda leaf: DECLARED.bind(shape=leaf.shape, dtype=leaf.dtype), shapes)
