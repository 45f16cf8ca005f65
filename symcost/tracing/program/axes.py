"""Named axes around a program, sizes of a mesh of which no device need exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
from jax.sharding import AbstractMesh, AxisType, PartitionSpec


def abstract_mesh(sizes: Mapping[str, int]) -> AbstractContextManager[Any]:
    """Within it, a program may name the axes of a mesh: constraints inside a model do. One that is around already stays."""
    if not sizes or not jax.sharding.get_abstract_mesh().empty:
        return nullcontext()
    return jax.sharding.use_abstract_mesh(automatic(sizes))


def automatic(sizes: Mapping[str, int]) -> AbstractMesh:
    """A mesh of which no device need exist, whose axes XLA's partitioner cuts along as it sees fit."""
    return AbstractMesh(tuple(sizes.values()), tuple(sizes), axis_types=(AxisType.Auto,) * len(sizes))


def explicit_asked(problem: Exception) -> bool:
    """Whether a program broke for it names an axis as an explicit one, and the mesh around it has automatic ones."""
    return "axis names that are of type Auto" in str(problem)


def on_axes(function: Callable[..., Any], axes: Mapping[str, int]) -> Callable[..., Any]:
    """A function of arrays as each device of a mesh of named axes runs it, on arrays of its own; itself without axes."""
    if not axes:
        return function
    whole = PartitionSpec()
    return jax.shard_map(function, mesh=automatic(axes), in_specs=whole, out_specs=whole, check_vma=False)
