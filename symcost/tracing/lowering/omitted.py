"""What is left out of a program where sizes meet, once it is lowered: a pad by nothing, a slice or an update of everything.

Nothing of the program's own compares these sizes: the equation is there at all of them, and counts at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jax._src.core import jaxprs_in_params

Pair = tuple[Any, Any]


def meeting(jaxpr: Any) -> Iterator[Pair]:
    """Pairs of sizes, one of them symbolic, that are equal where an equation does nothing."""
    for eqn in jaxpr.eqns:
        pairs = list(_compared(eqn))
        if all(left == right for left, right in pairs if not _symbolic(left) and not _symbolic(right)):
            yield from (pair for pair in pairs if any(map(_symbolic, pair)) and pair[0] is not pair[1])
        for inner in jaxprs_in_params(eqn.params):
            yield from meeting(inner)


def _compared(eqn: Any) -> Iterator[Pair]:
    params = eqn.params
    match eqn.primitive.name:
        case "pad":
            yield from ((amount, 0) for edge in params["padding_config"] for amount in edge)
        case "slice":
            yield from zip(eqn.outvars[0].aval.shape, eqn.invars[0].aval.shape, strict=True)
        case "dynamic_slice":
            yield from zip(params["slice_sizes"], eqn.invars[0].aval.shape, strict=True)
        case "dynamic_update_slice":
            yield from zip(eqn.invars[1].aval.shape, eqn.invars[0].aval.shape, strict=True)


def _symbolic(size: Any) -> bool:
    return not isinstance(size, int)
