"""The work of a scalar function handed to a reduction, a window or a scatter: summed over its equations."""

from __future__ import annotations

from typing import Any

from symcost.errors import RuleError
from symcost.rules.base import ENTRIES, Array, Op
from symcost.rules.own import active


def as_array(variable: Any) -> Array:
    """Shape and number type of a variable or literal of a jaxpr."""
    return Array(tuple(variable.aval.shape), str(variable.aval.dtype))


def region_cost(jaxpr: Any) -> tuple[int, int, int]:
    """``(flops, transcendentals, int_ops)`` of one application of a combining function."""
    flops = transcendentals = int_ops = 0
    own = active()
    for equation in getattr(jaxpr, "jaxpr", jaxpr).eqns:
        name = equation.primitive.name
        inner = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
        ins, outs = (tuple(as_array(v) for v in atoms) for atoms in (equation.invars, equation.outvars))
        mine = own.find((name,)) if own else None
        if mine is None and name not in ENTRIES and inner is not None:
            part = region_cost(inner)
        elif mine is not None or name in ENTRIES:
            if mine is not None:
                work = mine.work(Op(name, ins, outs, mine.facts(equation.params)))
            else:
                entry = ENTRIES[name]
                work = entry.rule(Op(name, ins, outs, entry.extract(equation.params, ins, outs)))
            part = (2 * work.macs + work.flops, work.transcendentals, work.int_ops)
        else:
            raise RuleError(f"primitive {name!r} inside a combining function has no rule: add one in symcost/rules")
        flops, transcendentals, int_ops = flops + part[0], transcendentals + part[1], int_ops + part[2]
    return flops, transcendentals, int_ops
