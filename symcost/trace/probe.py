"""Primitives without a rule: lower one alone and count what the compiler wrote."""

from __future__ import annotations

from typing import Any

import jax
from jax.extend import core

from symcost.errors import RuleError
from symcost.hlo import HloError, analyse


def probe(eqn: Any) -> dict[str, int]:
    """FLOPs and transcendentals of one equation at its own sizes, from its lowered program, or an error.

    The ``xla`` figures count loop bodies once, as XLA does; the others count every trip.
    """
    name = eqn.primitive.name
    shapes = ", ".join(str(atom.aval) for atom in eqn.invars) or "no operands"
    advice = "add a rule in symcost/rules/"
    try:
        text = _lowered(eqn)
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


def _lowered(eqn: Any) -> str:
    """The lowered program of one equation; literals stay literals."""
    variables = list(dict.fromkeys(atom for atom in eqn.invars if not isinstance(atom, core.Literal)))
    debug: Any = core.DebugInfo("probe", "symcost", None, None)
    jaxpr = core.Jaxpr((), variables, list(eqn.outvars), [eqn], eqn.effects, debug_info=debug)
    function = core.jaxpr_as_fun(core.ClosedJaxpr(jaxpr, ()))
    arguments = [jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype) for v in variables]
    lowered: Any = jax.jit(function).lower(*arguments).compiler_ir("hlo")
    return lowered.as_hlo_text()
