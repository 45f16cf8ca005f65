"""Kernels: programs whose body runs at every place of a grid, and what their authors state of them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from symcost.costs.cost import Cost
from symcost.errors import RuleError, TraceError
from symcost.formulas.form import Form, as_form
from symcost.rules.base import Facts
from symcost.tracing.counting.costing import KERNEL, STATED, Costing
from symcost.tracing.program.control import handler
from symcost.tracing.program.paths import template
from symcost.tracing.program.records import Record
from symcost.tracing.program.walk import Context, Value, Walker

PLACES = "places"
"""Symbol of a grid's number of places where it is not known while tracing; it never leaves this module."""


@dataclass(frozen=True)
class Body:
    """A kernel's body at every place of its grid; ``problem`` says why its numbers are not known, where they are not."""

    records: list[Record]
    cost: Cost | None
    problem: str = ""

    @property
    def macs(self) -> int | None:
        """Its MACs, where they are known: no product at an unknown number of places is no product."""
        return self.cost.macs if self.cost is not None and isinstance(self.cost.macs, int) else None

    def macs_of(self, flops: int) -> int | None:
        """Its MACs beside the FLOPs that its author states.

        Where only the grid's size is unknown, and the FLOPs are those of its products at a whole number of places, they
        are taken to be just that.
        """
        if self.macs is not None or self.cost is None or _symbols(self.cost) != {PLACES}:
            return self.macs
        macs: Any = self.cost.macs  # a form, until the table is made
        once, twice = (as_form(macs).value({PLACES: places}) for places in (1, 2))
        return flops // 2 if once and twice == 2 * once and flops and flops % (2 * once) == 0 else None


@handler("pallas_call")
@handler("core_map")
@handler("mpmd_map")
def kernel(walker: Walker, eqn: Any, ins: list[Value], context: Context) -> list[Value]:
    """The body at every place of the grid; where that cannot be counted, what the author states: the estimate.

    Of an estimate the FLOPs are taken; how many of them are products the body says, or else a symbol that is not known.
    """
    outs = [walker.fresh() for _ in eqn.outvars]
    estimate, name = eqn.params.get("cost_estimate"), _name(eqn)
    trips = dict(walker.program.unknown_trips)
    body = _body(walker, eqn, ins, context)
    if estimate is None:
        if body.cost is None or PLACES in _symbols(body.cost):
            raise RuleError(
                f"the kernel {name} in {context.path or 'the model'} cannot be counted: {body.problem}; "
                "give its pallas_call a cost_estimate"
            )
        walker.emit(eqn, context, ins, outs, facts=Facts((name,)), source=KERNEL).branches = (body.records,)
        return outs
    stated = {"flops": (estimate.flops,), "transcendentals": (estimate.transcendentals,)}
    if not body.problem:
        facts = Facts((name,), stated)
        walker.emit(eqn, context, ins, outs, facts=facts, source=STATED).branches = (body.records,)
        return outs
    walker.program.unknown_trips = trips
    macs = body.macs_of(estimate.flops)
    if macs is None:
        facts = Facts((name, _symbol(walker, eqn, context, name, body.problem)), stated)
    else:
        facts = Facts((name,), {**stated, "macs": (macs,)})
    walker.emit(eqn, context, ins, outs, facts=facts, source="estimate")
    return outs


def _body(walker: Walker, eqn: Any, ins: list[Value], context: Context) -> Body:
    """The records of a kernel's programs at every place of their grids, taken out of the program around."""
    records, events = walker.program.records, walker.program.events
    start, mark = len(records), len(events)
    problem = ""
    try:
        for jaxpr, grid in _programs(eqn):
            known = [size for size in grid if isinstance(size, int)]
            inside = context.once(math.prod(known))
            if len(known) < len(grid):
                problem = "the size of its grid is not known while tracing"
                inside = inside.repeated(1, 1, PLACES)
            variables = [*jaxpr.constvars, *jaxpr.invars]
            known_of = [value.sources for value in ins[_sizes_of_grid(eqn) :]]  # parameters stay such inside
            made = [walker.fresh(sources) for sources, _ in zip_longest(known_of, variables)]
            closed_over = len(jaxpr.constvars)
            walker.jaxpr(jaxpr, made[:closed_over], made[closed_over:], inside)
        found = records[start:]
        cost = Costing().total(found)[0]
    except (RuleError, TraceError) as failure:
        return Body([], None, str(failure))
    finally:
        del records[start:], events[mark:]  # a kernel's blocks live in its own memory
    if not problem and _symbols(cost):
        problem = "how often a loop in it runs is not known while tracing"
    return Body(found, cost, problem)


def _programs(eqn: Any) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The programs of a kernel with the sizes of their grids: blocks of a call, or cores and threads of a mesh."""
    params = eqn.params
    if "grid_mapping" in params:
        yield params["jaxpr"], tuple(params["grid_mapping"].grid)
        return
    bodies, meshes = params.get("jaxprs", [params.get("jaxpr")]), params.get("meshes", [params.get("mesh")])
    for jaxpr, mesh in zip(bodies, meshes, strict=True):
        yield getattr(jaxpr, "jaxpr", jaxpr), tuple(mesh.shape.values())


def _sizes_of_grid(eqn: Any) -> int:
    """How many operands come first that are sizes of the grid, and no operands of the body."""
    return eqn.params["grid_mapping"].num_dynamic_grid_bounds if "grid_mapping" in eqn.params else 0


def _symbol(walker: Walker, eqn: Any, context: Context, name: str, reason: str) -> str:
    """The symbol of a kernel's unknown MACs.

    Alike kernels of alike blocks share it, as they share a row: the same kernel on arrays of the same kinds in the same
    phase, the first with the first and so on. Then it stands for the mean.
    """
    kind = (context.phase, name, walker.types(eqn.invars)[0], walker.types(eqn.outvars)[0])
    walker.met[context.path, kind] += 1
    path = template(context.path)
    identity = (path, kind, walker.met[context.path, kind])
    symbol = walker.symbols.get(identity)
    if symbol is None:
        stem = "_".join(("macs", *(word for word in re.split(r"[\W_]+", f"{path} {name}") if word)))
        number = sum(1 for known in walker.symbols.values() if re.fullmatch(rf"{stem}(_\d+)?", known))
        symbol = walker.symbols[identity] = f"{stem}_{number + 1}" if number else stem
    walker.program.unknown_macs[symbol] = f"{name} in {path or 'the model'} ({context.phase}): {reason}"
    return symbol


def _symbols(cost: Cost) -> set[str]:
    """The unknown counts that a cost depends on."""
    return {name for _, value in cost.items() if isinstance(value, Form) for name in value.symbols}


def _name(eqn: Any) -> str:
    """What the kernel is called: its own name, or that of its function."""
    body = eqn.params.get("jaxpr") or eqn.params["jaxprs"][0]
    return eqn.params.get("name") or getattr(body.debug_info, "func_name", None) or "kernel"


@handler("run_scoped")
def run_scoped(walker: Walker, eqn: Any, ins: list[Value], context: Context) -> list[Value]:
    """A part of a kernel with memory of its own."""
    body = eqn.params["jaxpr"]
    return walker.jaxpr(body, ins, [walker.fresh() for _ in body.invars], context)


@handler("run_state")
def run_state(walker: Walker, eqn: Any, ins: list[Value], context: Context) -> list[Value]:
    """A program that changes its operands in place; its results are what they are at the end."""
    body = eqn.params["jaxpr"]
    given = iter(ins)
    known = eqn.params.get("is_initialized") or (True,) * len(body.invars)
    walker.jaxpr(body, (), [next(given) if there else walker.fresh() for there in known], context)
    return [walker.fresh() for _ in eqn.outvars]
