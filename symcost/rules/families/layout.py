"""Primitives that move, name or annotate data: no arithmetic under any convention."""

from __future__ import annotations

from symcost.rules.base import Op, Work, add

MOVES = (
    "broadcast_in_dim",
    "concatenate",
    "copy",
    "dynamic_slice",
    "dynamic_update_slice",
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
"""Copies, views and constants: XLA counts bytes for them, never operations.

The arithmetic on where a dynamic slice begins is in the program already.
"""

NAMES = (
    "device_put",
    "name",
    "optimization_barrier",
    "pvary",
    "random_clone",
    "random_unwrap",
    "random_wrap",
    "stop_gradient",
)
"""Annotations: placement, names, ordering, types of random keys."""


UNSEEN = ("check", "debug_callback", "debug_print", "layout_constraint", "sharding_constraint")
"""A constraint, a check or a look at values by the host: XLA prints ``-1`` for them, its mark for a call it cannot cost."""


def free(op: Op) -> Work:
    """``0``: nothing is computed."""
    return Work()


for names in (MOVES, NAMES, UNSEEN):
    add(names, free)
