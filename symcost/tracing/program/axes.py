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
    mesh = AbstractMesh(tuple(sizes.values()), tuple(sizes), axis_types=(AxisType.Auto,) * len(sizes))
    return jax.sharding.use_abstract_mesh(mesh)


def on_axes(function: Callable[..., Any], axes: Mapping[str, int]) -> Callable[..., Any]:
    """A function of arrays as each device of a mesh of named axes runs it, on arrays of its own; itself without axes."""
    if not axes:
        return function
    mesh = AbstractMesh(tuple(axes.values()), tuple(axes), axis_types=(AxisType.Auto,) * len(axes))
    whole = PartitionSpec()
    return jax.shard_map(function, mesh=mesh, in_specs=whole, out_specs=whole, check_vma=False)
