"""Special functions that jax writes as programs of its own, with loops: their bodies are walked as calls are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from jax._src.lax import special

from symcost.tracing.program.walk import HANDLERS, Context, Value, Walker

PROGRAMS = {
    "igamma": "igamma_impl",
    "igammac": "igammac_impl",
    "igamma_grad_a": "igamma_grad_a_impl",
    "regularized_incomplete_beta": "regularized_incomplete_beta_impl",
}
"""By primitive, the function in jax that it is lowered by."""


def _opened(function: Callable[..., Any]) -> Callable[[Walker, Any, list[Value], Context], list[Value]]:
    """A handler that walks the program of a function at the equation's own shapes."""

    def walk(walker: Walker, eqn: Any, ins: list[Value], context: Context) -> list[Value]:
        arrays = [jax.ShapeDtypeStruct(atom.aval.shape, atom.aval.dtype) for atom in eqn.invars]
        return walker.inner(jax.make_jaxpr(function)(*arrays), ins, context)

    return walk


for primitive, name in PROGRAMS.items():
    HANDLERS[primitive] = _opened(special._up_and_broadcast(getattr(special, name)))
