"""Where a model says itself how its arrays lie on a mesh: in the specs of its inputs, and with its parameters.

``"float32[B@data,d]"``; ``nn.with_partitioning`` and ``nn.with_logical_partitioning`` of linen, whose logical names the rules of
the plan, or of ``nn.logical_axis_rules`` around the trace, take to axes of the mesh; ``nnx.with_partitioning`` of nnx.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import flax.linen as nn
import jax
from flax.core import meta

from symcost.costs.mesh.plan import Entry, Plan
from symcost.costs.spec import Spec
from symcost.errors import SpecError
from symcost.hlo.reading.scopes import template
from symcost.reading.nearest import listed
from symcost.tracing.program.capture import traced
from symcost.tracing.program.model import Model
from symcost.tracing.program.modules.nnx import is_variable
from symcost.tracing.program.paths import names_along

KEYS = ("out_sharding", "sharding_names", "sharding")
"""What versions of nnx call the names of a variable's axes."""
Found = Iterator[tuple[str, tuple[Entry, ...]]]


def completed(plan: Plan, model: Model, point: Mapping[str, int]) -> Plan:
    """The plan with what the model says of arrays that the plan says nothing of.

    Raises :class:`symcost.SpecError` for a name that is neither an axis of the mesh nor among the rules.
    """
    abstract, _ = traced(model, {name: value for name, value in point.items() if name in model.symbols})
    return plan.completed(dict(_patterns([*_of_parameters(plan, abstract.arguments.get("params"))])))


def with_inputs(plan: Plan, model: Model) -> Plan:
    """The plan with what the specs of inputs say. Errors: an axis that the mesh lacks."""
    own = dict(_of_inputs(model))
    return replace(plan, shard={**own, **plan.shard}) if own else plan


def check_planned(model: Model) -> None:
    """Raise for inputs that are cut along axes where there is no plan of a mesh."""
    for _, entries in _of_inputs(model):
        axes = ", ".join(f'"{name}": ...' for entry in entries for name in _axes(entry))
        raise SpecError(f"an input is cut along axes of a mesh, and there is none: give plan=sc.Plan({{{axes}}})")


def _of_inputs(model: Model) -> Found:
    for role, tree in (("inputs", model.specs), ("arrays", model.arrays)):
        for along, leaf in jax.tree_util.tree_leaves_with_path(tree, is_leaf=lambda each: isinstance(each, Spec)):
            if isinstance(leaf, Spec) and any(leaf.axes):
                yield "/".join((role, *names_along(along))), tuple(axes or None for axes in leaf.axes)


def _of_parameters(plan: Plan, params: Any) -> Found:
    def is_box(each: Any) -> bool:
        return isinstance(each, meta.AxisMetadata) or is_variable(each)

    for along, leaf in jax.tree_util.tree_leaves_with_path(params, is_leaf=is_box):
        names = _names(leaf)
        if names and any(name is not None for name in names):
            path = "/".join(("params", *names_along(along)))
            yield path, tuple(_entry(name, plan, path, leaf) for name in names)


def _names(leaf: Any) -> Sequence[Any] | None:
    """The names of a variable's dimensions, where it has some."""
    if is_variable(leaf):
        told = leaf.get_metadata()
        return next((tuple(told[key]) for key in KEYS if told.get(key)), None)
    return getattr(leaf, "names", None) if isinstance(leaf, meta.AxisMetadata) else None


def _entry(name: Any, plan: Plan, path: str, leaf: Any) -> Entry:
    """The axes of the mesh that a name stands for."""
    axes: list[str] = []
    for each in _axes(name):
        if each in plan.rules:
            axes += _axes(plan.rules[each])
        elif each in plan.mesh:
            axes.append(each)
        elif (around := _around(each, leaf)) is not None:
            axes += [axis for axis in around if axis in plan.mesh]
        else:
            raise SpecError(
                f"{path} lies along {each!r}, which is no axis of the mesh ({listed(list(plan.mesh))}): give "
                f"rules={{{each!r}: None}} of the plan, or the axis that it stands for"
            )
    return tuple(axes) or None


def _around(name: str, leaf: Any) -> Sequence[str] | None:
    """The axes that linen's rules around the trace have for a logical name; nothing where no rule names it."""
    rules = getattr(leaf, "rules", None) or nn.get_logical_axis_rules()
    if not isinstance(leaf, nn.LogicallyPartitioned) or all(logical != name for logical, _ in rules):
        return None
    (axes,) = nn.spmd.logical_to_mesh_axes((name,), rules) or (None,)
    return _axes(axes)


def _axes(entry: Any) -> Sequence[str]:
    return () if entry is None else (entry,) if isinstance(entry, str) else tuple(entry)


def _patterns(found: Sequence[tuple[str, tuple[Entry, ...]]]) -> Found:
    """One pattern for alike blocks that all lie alike, so that it holds at any depth; else each path by itself."""
    by_template: dict[str, list[tuple[str, tuple[Entry, ...]]]] = defaultdict(list)
    for path, entries in found:
        by_template[template(path)].append((path, entries))
    for path, several in by_template.items():
        if len(several) > 1 and len({entries for _, entries in several}) == 1:
            yield path.replace("#", "*"), several[0][1]
        else:
            yield from several
