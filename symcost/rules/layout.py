"""Primitives that move, name or annotate data: no arithmetic under any convention."""

from __future__ import annotations

from symcost.rules.base import Op, Work, add

MOVES = (
    "broadcast_in_dim",
    "concatenate",
    "copy",
    "copy_p",
    "expand_dims",
    "iota",
    "pad",
    "reshape",
    "rev",
    "slice",
    "split",
    "squeeze",
    "stack",
    "tile",
    "transpose",
    "unstack",
)
"""Copies, views and constants: XLA counts bytes for them, never operations."""

NAMES = (
    "create_token",
    "after_all",
    "device_put",
    "layout_constraint",
    "mesh_cast",
    "name",
    "optimization_barrier",
    "pcast",
    "pvary",
    "random_clone",
    "random_unwrap",
    "random_wrap",
    "reshard",
    "sharding_constraint",
    "stop_gradient",
)
"""Annotations: placement, names, ordering, types of random keys."""


def free(op: Op) -> Work:
    """``0``: nothing is computed."""
    return Work()


add(MOVES, free)
add(NAMES, free)
