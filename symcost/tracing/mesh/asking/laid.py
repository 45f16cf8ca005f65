"""How the arrays of a program lie on a mesh: its arguments by a plan, its gradients as the parameters that they change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import jax
from jax.sharding import AbstractMesh, Mesh, NamedSharding, PartitionSpec

from symcost.costs.mesh.plan import Axes, Plan
from symcost.reading.numerals import short
from symcost.tracing.program.arguments import Argument
from symcost.tracing.program.axes import automatic
from symcost.tracing.program.capture import PointError

Cut = tuple[Axes, ...]
"""The axes along which each dimension of an array is cut."""


@dataclass(frozen=True)
class Laid:
    """A mesh of devices, and how each argument of a program is cut over it."""

    mesh: Mapping[str, int]
    cuts: tuple[Cut, ...]

    @classmethod
    def of(cls, plan: Plan, sizes: Mapping[str, int], arguments: Sequence[Argument | str], shapes: Sequence[Sequence[int]],
           point: Mapping[str, int] | None = None) -> Laid:  # fmt: skip
        """The arguments of a program as a plan lays them on a mesh. Errors: a size that its axes do not divide."""
        cuts = [plan.cut(str(argument), len(shape)) for argument, shape in zip(arguments, shapes, strict=True)]
        for argument, shape, cut in zip(arguments, shapes, cuts, strict=True):
            for size, axes in zip(shape, cut, strict=True):
                parts = prod(sizes[axis] for axis in axes)
                if size % parts:
                    raise PointError(
                        f"{argument} of shape {short(tuple(shape))}: its {size} is cut along {' and '.join(map(repr, axes))} "
                        f"into {parts} parts, which do not divide it: choose sizes that do",
                        point or {},
                    )
        return cls(sizes, tuple(cuts))

    def places(self, mesh: Mesh | AbstractMesh | None = None) -> list[NamedSharding]:
        """The sharding of each argument, on a mesh of these sizes or on one of which no device need exist."""
        on = mesh or automatic(self.mesh)
        return [NamedSharding(on, PartitionSpec(*(axes or None for axes in cut))) for cut in self.cuts]


def gradients_laid(
    run: Callable[..., Sequence[Any]], arguments: Sequence[Argument], places: Sequence[NamedSharding]
) -> Callable[..., list[Any]]:
    """The program, its gradients laid as the arguments that they change."""
    laid = [place for argument, place in zip(arguments, places, strict=True) if argument.changed]

    def program(*values: Any) -> list[Any]:
        results = list(run(*values))
        gradients = slice(1, 1 + len(laid))  # the loss is the first result
        results[gradients] = map(jax.lax.with_sharding_constraint, results[gradients], laid)
        return results

    return program
