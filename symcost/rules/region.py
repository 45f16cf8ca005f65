"""The work of a scalar function handed to a reduction, a window or a scatter: summed over its equations."""

from __future__ import annotations

from typing import Any

from symcost.errors import RuleError
from symcost.rules.base import ENTRIES, Array, Op, Work
from symcost.rules.own import active


def as_array(variable: Any) -> Array:
    """Shape and number type of a variable or literal of a jaxpr."""
    return Array(tuple(variable.aval.shape), str(variable.aval.dtype))


def region_work(jaxpr: Any) -> Work:
    """The work of one application of a combining function."""
    parts = []
    own = active()
    for equation in getattr(jaxpr, "jaxpr", jaxpr).eqns:
        name = equation.primitive.name
        inner = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
        ins, outs = (tuple(as_array(v) for v in atoms) for atoms in (equation.invars, equation.outvars))
        mine = own.find((name,)) if own else None
        if mine is not None:
            parts.append(mine.work(Op(name, ins, outs, mine.facts(equation.params))))
        elif name in ENTRIES:
            entry = ENTRIES[name]
            parts.append(entry.rule(Op(name, ins, outs, entry.extract(equation.params, ins, outs))))
        elif inner is not None:
            parts.append(region_work(inner))
        else:
            raise RuleError(f"primitive {name!r} inside a combining function has no rule: add one in symcost/rules")
    return Work(
        flops=sum(work.total_flops for work in parts),
        transcendentals=sum(work.transcendentals for work in parts),
        int_ops=sum(work.int_ops for work in parts),
        xla_flops=sum(work.flops_under_xla for work in parts),
        xla_transcendentals=sum(work.transcendentals_under_xla for work in parts),
    )
