"""What the arrays are that enter a program: their roles, their places, and which of them a gradient of its results changes."""

from __future__ import annotations

from dataclasses import dataclass

import jax

from symcost.tracing.program.model import Abstract
from symcost.tracing.program.paths import names_along

STORED = ("params", "state")
"""Roles of arguments that belong to modules; the others are the call's."""


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
