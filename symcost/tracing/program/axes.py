"""Named axes around a program, sizes of a mesh of which no device need exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
from jax.sharding import AbstractMesh, AxisType, NamedSharding, PartitionSpec

from symcost.costs.mesh.plan import Plan
from symcost.tracing.program.arguments import Abstract, Argument, arguments


def abstract_mesh(sizes: Mapping[str, int], explicit: bool = False) -> AbstractContextManager[Any]:
    """Within it, a program may name the axes of a mesh: constraints inside a model do. One that is around already stays."""
    if not sizes or not jax.sharding.get_abstract_mesh().empty:
        return nullcontext()
    return jax.sharding.use_abstract_mesh(_mesh(sizes, AxisType.Explicit) if explicit else automatic(sizes))


def no_mesh() -> AbstractContextManager[Any]:
    """Within it, no mesh is around."""
    return jax.sharding.use_abstract_mesh(AbstractMesh((), ()))


def automatic(sizes: Mapping[str, int]) -> AbstractMesh:
    """A mesh of which no device need exist, whose axes XLA's partitioner cuts along as it sees fit."""
    return _mesh(sizes, AxisType.Auto)


def _mesh(sizes: Mapping[str, int], kind: AxisType) -> AbstractMesh:
    return AbstractMesh(tuple(sizes.values()), tuple(sizes), axis_types=(kind,) * len(sizes))


def explicit_asked(problem: Exception) -> bool:
    """Whether a program broke for it names an axis as an explicit one, and the mesh around it has automatic ones."""
    return "axis names that are of type Auto" in str(problem)


def explicit_around() -> bool:
    """Whether the mesh that is around has explicit axes."""
    return AxisType.Explicit in jax.sharding.get_abstract_mesh().axis_types


def typed(abstract: Abstract, plan: Plan) -> tuple[Any, ...]:
    """The arguments of a program whose types say how they lie along the explicit axes of the mesh around, as a plan has them."""
    on = jax.sharding.get_abstract_mesh()

    def array(argument: Argument, leaf: Any) -> jax.ShapeDtypeStruct:
        spec = PartitionSpec(*(axes or None for axes in plan.cut(str(argument), len(leaf.shape))))
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=NamedSharding(on, spec))

    leaves, tree = jax.tree.flatten(abstract.args)
    return jax.tree.unflatten(tree, map(array, arguments(abstract), leaves))


def as_argument(aval: Any) -> jax.ShapeDtypeStruct:
    """An abstract array to hand to a program, which lies along explicit axes if its type says so."""
    lies = aval.sharding if AxisType.Explicit in aval.sharding.mesh.axis_types else None
    return jax.ShapeDtypeStruct(aval.shape, aval.dtype, sharding=lies)


def is_explicit(closed: Any) -> bool:
    """Whether the types of a program say how its arrays lie."""
    return any(as_argument(aval).sharding is not None for aval in closed.in_avals)


def on_axes(function: Callable[..., Any], axes: Mapping[str, int]) -> Callable[..., Any]:
    """A function of arrays as each device of a mesh of named axes runs it, on arrays of its own; itself without axes."""
    if not axes:
        return function
    whole = PartitionSpec()
    return jax.shard_map(function, mesh=automatic(axes), in_specs=whole, out_specs=whole, check_vma=False)
