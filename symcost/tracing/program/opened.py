"""Special functions and draws that jax writes as programs of its own, with loops: their bodies are walked as calls are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
from jax._src.lax import special

from symcost.tracing.program.walk import HANDLERS, Context, Value, Walker

PROGRAMS = {
    "igamma": "igamma_impl",
    "igammac": "igammac_impl",
    "igamma_grad_a": "igamma_grad_a_impl",
    "regularized_incomplete_beta": "regularized_incomplete_beta_impl",
    "random_gamma_grad": "random_gamma_grad_impl",
}
"""By primitive, the function in jax that it is lowered by."""


DRAWN = "random_gamma"
"""Draws by rejection: how often is not known, so its loops have symbols for their trips. All elements are drawn at once."""


def _walk(function: Callable[..., Any], walker: Walker, eqn: Any, ins: list[Value], context: Context) -> list[Value]:
    """Walk the program of a function at the equation's own shapes."""
    arrays = [jax.ShapeDtypeStruct(atom.aval.shape, atom.aval.dtype) for atom in eqn.invars]
    return walker.inner(jax.make_jaxpr(function)(*arrays), ins, context)


def _drawn(walker: Walker, eqn: Any, ins: list[Value], context: Context) -> list[Value]:
    return _walk(partial(eqn.primitive.impl, use_vmap=True, **eqn.params), walker, eqn, ins, context)


def _expanded(walker: Walker, eqn: Any, ins: list[Value], context: Context) -> list[Value]:
    """What says itself of which program it is made, as a search in a table does since jax 0.12."""
    return _walk(partial(eqn.primitive.to_lojax, **eqn.params), walker, eqn, ins, context)


for primitive, name in PROGRAMS.items():
    HANDLERS[primitive] = partial(_walk, special._up_and_broadcast(getattr(special, name)))
HANDLERS[DRAWN] = _drawn
HANDLERS["call_hi_primitive"] = _expanded
