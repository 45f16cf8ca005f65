"""Primitives without a rule: lower one alone and count what the compiler wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.extend import core

from symcost.errors import RuleError
from symcost.hlo import HloError, analyse


def probe(eqn: Any, contents: Sequence[Any] | None = None) -> dict[str, int]:
    """FLOPs and transcendentals of one equation at its own sizes, from its lowered program, or an error.

    The ``xla`` figures count loop bodies once, as XLA does; the others count every trip. ``contents`` are numbers and
    arrays that operands are known to hold.
    """
    name = eqn.primitive.name
    shapes = ", ".join(str(atom.aval) for atom in eqn.invars) or "no operands"
    advice = "add a rule in symcost/rules/"
    try:
        text = _lowered(eqn, contents or [None] * len(eqn.invars))
    except Exception as problem:
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise RuleError(
            f"no rule for the primitive {name} of {shapes}, and it cannot be lowered alone ({reason}): {advice}"
        ) from problem
    try:
        once, whole = analyse(text), analyse(text, trips=True)
    except HloError as problem:
        raise RuleError(
            f"no rule for the primitive {name} of {shapes}, and its program cannot be counted ({problem}): {advice}"
        ) from problem
    if whole.unknown:
        calls = ", ".join(whole.unknown)
        raise RuleError(
            f"no rule for the primitive {name} of {shapes}, and it becomes a call of {calls}, whose work is hidden: {advice}"
        )
    return {
        "flops": whole.flops,
        "transcendentals": whole.transcendentals,
        "xla_flops": once.flops,
        "xla_transcendentals": once.transcendentals,
    }


def _lowered(eqn: Any, contents: Sequence[Any]) -> str:
    """The lowered program of one equation; literals and known operands stay constants."""
    free = [atom for atom, known in zip(eqn.invars, contents, strict=True)
            if known is None and not isinstance(atom, core.Literal)]  # fmt: skip
    variables = list(dict.fromkeys(free))
    debug: Any = core.DebugInfo("probe", "symcost", None, None)
    jaxpr = core.Jaxpr((), list(dict.fromkeys(a for a in eqn.invars if not isinstance(a, core.Literal))),
                       list(eqn.outvars), [eqn], eqn.effects, debug_info=debug)  # fmt: skip
    function = core.jaxpr_as_fun(core.ClosedJaxpr(jaxpr, ()))
    known = {atom: content for atom, content in zip(eqn.invars, contents, strict=True)
             if content is not None and not isinstance(atom, core.Literal)}  # fmt: skip

    def alone(*arrays: Any) -> Any:
        given = dict(zip(variables, arrays, strict=True))
        return function(*(given[v] if v in given else _constant(known[v], v.aval) for v in jaxpr.invars))

    arguments = [jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype) for v in variables]
    lowered: Any = jax.jit(alone).lower(*arguments).compiler_ir("hlo")
    return lowered.as_hlo_text()


def _constant(content: Any, aval: Any) -> Any:
    """A number in every element, or an array."""
    return content if np.ndim(content) else jax.lax.full(aval.shape, content, aval.dtype)
