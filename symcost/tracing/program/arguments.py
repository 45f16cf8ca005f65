"""A program at one point, and what the arrays are that enter it: their roles, their places, and which a gradient changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax

from symcost.tracing.program.paths import names_along

STORED = ("params", "state")
"""Roles of arguments that belong to modules; the others are the call's."""


@dataclass
class Abstract:
    """A program at one point: a pure function, its abstract arguments by role, and what training saves."""

    function: Callable[..., Any]
    arguments: dict[str, Any]  # params, state, rngs, inputs, arrays: trees of abstract arrays
    trained: list[bool] = field(default_factory=list)  # for every array of the parameters
    residuals: list[jax.ShapeDtypeStruct] = field(default_factory=list)
    collections: bool = False
    """Whether the paths of state begin with the name of a collection, as those of linen do."""
    trains: bool = False
    """Whether its results are the loss, then the gradient of every trained parameter, in their order."""

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments in the function's order."""
        return tuple(self.arguments.values())


@dataclass(frozen=True)
class Argument:
    """One array of the program: its role, and its place in the tree of that role, such as ``("Dense_0", "kernel")``.

    ``frozen``: a parameter that is not trained; ``changed``: a gradient of it is among the results of the program.
    """

    role: str
    names: tuple[str, ...]
    frozen: bool = False
    changed: bool = False

    @property
    def path(self) -> str | None:
        """The module that owns it; nothing for inputs."""
        return "/".join(self.names[:-1]) if self.role in STORED else None

    def __str__(self) -> str:
        return "/".join((self.role, *self.names))


def arguments(abstract: Abstract) -> tuple[Argument, ...]:
    """The arguments of a program in their order; gradients are its results from the second on, in the same order."""
    found, number = [], 0
    for role, tree in abstract.arguments.items():
        for along, _ in jax.tree_util.tree_leaves_with_path(tree):
            trained = role == "params" and bool(abstract.trained[number])
            number += role == "params"
            found.append(Argument(role, tuple(names_along(along)), frozen=role == "params" and not trained,
                                  changed=trained and abstract.trains))  # fmt: skip
    return tuple(found)
