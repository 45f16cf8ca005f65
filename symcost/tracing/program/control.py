"""Control flow: scan, while and cond, and shards whose body is a program of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.extend import core

from symcost.errors import TraceError
from symcost.rules.base import Facts
from symcost.rules.families.elementwise import jax_version
from symcost.tracing.program.records import Event
from symcost.tracing.program.walk import HANDLERS, Context, Handler, Value, Walker, opaque


def handler(name: str) -> Callable[[Handler], Handler]:
    """Register how a primitive's inner programs are walked."""

    def register(function: Handler) -> Handler:
        HANDLERS[name] = function
        return function

    return register


SCAN_CALLS = jax_version() < (0, 12)
"""Whether the body of a scan is a function of its own in the lowered program, which nothing known enters."""
PLATFORM = "cpu"
"""The platform that a program is lowered for where it asks."""


def _carried(values: list[Value], ins: list[Any], outs: list[Any], entering: list[Value]) -> list[Value]:
    """What a loop's body sees of what it carries: where it hands it on as it is, what is known of it too."""
    return [
        Value(new.id, old.node, new.sources) if before is after else new
        for old, new, before, after in zip(values, entering, ins, outs, strict=True)
    ]


def _stay(walker: Walker, calls: int, values: list[Value]) -> None:
    """A loop or a choice with a call inside stays in the lowered program, needed or not."""
    if walker.lowering.calls > calls:
        walker.lowering.roots += [value.node for value in values]


@handler("scan")
def scan(walker: Walker, eqn: Any, ins: list[Value], context: Context) -> list[Value]:
    """``length`` times the body, with the counter's addition and comparison once per trip (and once under XLA)."""
    body = eqn.params["jaxpr"].jaxpr if hasattr(eqn.params["jaxpr"], "jaxpr") else eqn.params["jaxpr"]
    consts = getattr(eqn.params["jaxpr"], "consts", ())
    length, unroll = int(eqn.params["length"]), int(eqn.params.get("unroll", 1))
    carried = [_rank(o) == _rank(b) for o, b in zip(eqn.outvars, body.outvars, strict=True)]
    n_carry = sum(carried)
    n_xs = sum(_rank(o) != _rank(b) for o, b in zip(eqn.invars, body.invars, strict=True))
    n_consts = len(ins) - n_carry - n_xs
    stacked = eqn.outvars[n_carry:]
    walker_outs = [walker.fresh() for _ in eqn.outvars]
    entering = [walker.fresh() for _ in range(n_carry)]
    # The stacked results and the carry exist from the start of the loop.
    copies = eqn.invars[n_consts : n_consts + n_carry]
    sliced = bool(n_xs or stacked)
    reverse = bool(eqn.params.get("reverse", False)) and sliced
    # jax writes no loop at all when an unrolled body holds every trip; a remainder follows the loop.
    inlined = unroll > 1 and length <= unroll
    bodies = length if inlined else unroll + length % unroll
    trips = 0 if inlined else length // unroll
    facts = Facts(static=(reverse,))
    walker.emit(eqn, context, ins, [*walker_outs[n_carry:], *entering], op="scan", facts=facts,
                times=(context.times * trips, 0 if inlined else context.xla_times),
                arrays=(eqn.invars, [*stacked, *copies]))  # fmt: skip
    inside = context.repeated(length, bodies)
    carry, sliced_xs = ins[n_consts : n_consts + n_carry], ins[n_consts + n_carry :]
    known = _carried(carry, body.invars[n_consts : n_consts + n_carry], body.outvars[:n_carry], entering)
    args = [*ins[:n_consts], *known, *map(opaque, sliced_xs, body.invars[n_consts + n_carry :])]
    calls = walker.lowering.calls
    if SCAN_CALLS:
        results = walker.called(walker.jaxpr(body, consts, [opaque(value) for value in args], inside), args)
    else:
        results = walker.jaxpr(body, consts, args, inside)
    walker.emit(eqn, context, [], walker_outs[:n_carry], op="carry", source="shape", arrays=((), eqn.outvars[:n_carry]),
                reads=[*results, *entering, *walker_outs[n_carry:]])  # fmt: skip
    for value in walker_outs[n_carry:]:
        value.node.args = (*value.node.args, *(result.node for result in results))
    _stay(walker, calls, walker_outs)
    return walker_outs


@handler("while")
def while_loop(walker: Walker, eqn: Any, ins: list[Value], context: Context) -> list[Value]:
    """Body and condition, times the trip count where the condition is ``i < N`` with known numbers, else a symbol."""
    cond, body = _unbatched(eqn) if eqn.params["cond_jaxpr"].out_avals[0].shape else _written(eqn)
    n_cond, n_body = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    carry = ins[n_cond + n_body :]
    trips = _trip_count(eqn, ins, context)
    loop = None
    if trips is None:
        loop = walker.program.new_trips(context.path)
    inside = context.repeated(1 if trips is None else trips, 1, loop)
    outs = [walker.fresh() for _ in eqn.outvars]
    entering = [walker.fresh() for _ in carry]
    variables = eqn.invars[n_cond + n_body :]
    walker.emit(eqn, context, [], entering, op="carry", source="shape", arrays=((), variables), reads=carry)
    seen = _carried(carry, body.jaxpr.invars[-len(carry) :] if carry else [], body.jaxpr.outvars, entering)
    calls = walker.lowering.calls
    # The condition runs once more than the body; under an unknown count it is counted with the body and once more.
    tested = context.repeated(1 if trips is None else trips + 1, 1)
    goes_on = walker.inner(cond, [*ins[:n_cond], *seen], inside if trips is None else tested)
    if trips is None:
        mark = len(walker.program.events)
        walker.inner(cond, [*ins[:n_cond], *seen], context.repeated(1, 0))
        del walker.program.events[mark:]
    consts = ins[: n_cond + n_body] if body is not eqn.params["body_jaxpr"] else ins[n_cond : n_cond + n_body]
    results = walker.inner(body, [*consts, *seen], inside)
    read = [*results, *entering]
    walker.emit(eqn, context, [], outs, op="carry", source="shape", arrays=((), eqn.outvars), reads=read,
                needs=[*read, *goes_on])  # fmt: skip
    _stay(walker, calls, outs)
    return outs


def _written(eqn: Any) -> tuple[Any, Any]:
    """Condition and body of a loop."""
    return eqn.params["cond_jaxpr"], eqn.params["body_jaxpr"]


def _unbatched(eqn: Any) -> tuple[Any, Any]:
    """Condition and body of a loop with a condition for each of a batch, as it runs.

    It goes on while one of them does, and a body keeps what it carries where its own condition has ended.
    """
    cond, body = _written(eqn)
    tests, steps = core.jaxpr_as_fun(cond), core.jaxpr_as_fun(body)
    n_cond, n_body = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]

    def goes_on(*args: Any) -> Any:
        (each,) = tests(*args)
        return jax.lax.reduce_or(each, range(each.ndim))

    def step(*args: Any) -> list[Any]:
        of_cond, of_body, carry = args[:n_cond], args[n_cond : n_cond + n_body], args[n_cond + n_body :]
        (each,) = tests(*of_cond, *carry)
        return [_where(each, new, old) for new, old in zip(steps(*of_body, *carry), carry, strict=True)]

    shapes = [jax.ShapeDtypeStruct(atom.aval.shape, atom.aval.dtype) for atom in eqn.invars]
    return jax.make_jaxpr(goes_on)(*shapes[:n_cond], *shapes[n_cond + n_body :]), jax.make_jaxpr(step)(*shapes)


def _where(each: Any, new: Any, old: Any) -> Any:
    """A choice along the leading dimensions; what is handed on as it is is no choice."""
    if new is old:
        return old
    whole = jax.lax.broadcast_in_dim(each, new.shape, range(each.ndim))
    return jax.lax.select_n(whole, old, new)


def _trip_count(eqn: Any, ins: list[Value], context: Context) -> int | None:
    """Trips of ``while i < N: i += step`` when start, step and bound are known numbers; an endless loop is an error."""
    closed_cond, closed_body = eqn.params["cond_jaxpr"], eqn.params["body_jaxpr"]
    cond, body = closed_cond.jaxpr, closed_body.jaxpr
    n_cond, n_body = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    (result,) = cond.outvars
    if isinstance(result, core.Literal):
        if bool(result.val):
            raise TraceError(
                f"the while loop in {context.path or 'the model'} never ends: its condition is always true"
            )
        return 0
    if len(cond.eqns) != 1 or cond.eqns[0].primitive.name not in ("lt", "gt", "le", "ge", "ne"):
        return None
    test = cond.eqns[0]
    left, right = test.invars
    name = test.primitive.name
    if name in ("gt", "ge"):
        left, right, name = right, left, {"gt": "lt", "ge": "le"}[name]

    def start(variable: Any) -> Any:
        """The number a variable of the condition has before the loop."""
        if isinstance(variable, core.Literal):
            return variable.val
        position = cond.invars.index(variable) if variable in cond.invars else -1
        if position < 0:
            return None
        source = position if position < n_cond else position + n_body
        return ins[source].const

    def step(variable: Any) -> Any:
        """What one trip adds to a variable of the condition; 0 when it stays."""
        if isinstance(variable, core.Literal) or cond.invars.index(variable) < n_cond:
            return 0
        position = cond.invars.index(variable) - n_cond
        before, after = body.invars[n_body + position], body.outvars[position]
        return 0 if before is after else _added(body, before, after)

    numbers = (start(left), step(left), start(right), step(right))
    if any(n is None or not np.issubdtype(np.asarray(n).dtype, np.integer) for n in numbers):
        return None
    low, up, high, moving = (int(n) for n in numbers)
    closing = up - moving  # by how much a trip brings the two together
    gap = high - low + (name == "le")
    if name == "ne" and gap < 0:
        gap, closing = -gap, -closing
    if gap <= 0:
        return 0
    if closing <= 0 or (name == "ne" and gap % closing):
        raise TraceError(
            f"the while loop in {context.path or 'the model'} never ends: it compares {low} with {high}, and a trip adds "
            f"{up} to the one and {moving} to the other"
        )
    return -(-gap // closing)


def _added(body: Any, before: Any, after: Any) -> Any:
    """The number that a loop's body adds to what it carries, if that is all it does to it."""
    for inner in body.eqns:
        if inner.outvars == [after] and inner.primitive.name in ("add", "sub"):
            left, right = inner.invars
            if left is before and isinstance(right, core.Literal):
                return right.val if inner.primitive.name == "add" else -right.val
            if right is before and isinstance(left, core.Literal) and inner.primitive.name == "add":
                return left.val
    return None


@handler("platform_index")
def platform_index(walker: Walker, eqn: Any, ins: list[Value], context: Context) -> list[Value]:
    """The place of the one platform that the program is lowered for among those that it tells apart."""
    return [Value(-1, walker.lowering.known(np.int32(_place(eqn.params["platforms"])), ()), frozenset())]


def _place(groups: Any) -> int:
    """Which group of platforms holds the one that the program is lowered for; a group of none is every other one."""
    return next((i for i, names in enumerate(groups) if names is None or PLATFORM in names), len(groups) - 1)


@handler("cond")
def cond(walker: Walker, eqn: Any, ins: list[Value], context: Context) -> list[Value]:
    """The branch taken where that is known; else the most expensive one, metric by metric: a bound, marked as one."""
    # A choice between platforms is made wherever it stands: its index may come from another function.
    platforms = eqn.params.get("branches_platforms")
    taken = ins[0].const if platforms is None else _place(platforms)
    if taken is not None:
        branches = eqn.params["branches"]
        return walker.inner(branches[min(max(int(taken), 0), len(branches) - 1)], ins[1:], context)
    records = walker.program.records
    outs = [walker.fresh() for _ in eqn.outvars]
    kept, needs, calls = [], ins[:1], walker.lowering.calls
    for branch in eqn.params["branches"]:
        start = len(records)
        results = walker.inner(branch, ins[1:], context.once())
        kept.append(records[start:])
        del records[start:]
        walker.program.events.append(Event(None, (), tuple(v.id for v in results)))
        needs += results
    record = walker.emit(eqn, context, ins, outs, source="cond", needs=needs)
    record.branches = tuple(kept)
    _stay(walker, calls, outs)
    return outs


@handler("custom_linear_solve")
def linear_solve(walker: Walker, eqn: Any, ins: list[Value], context: Context) -> list[Value]:
    """The solver alone: the products that say what is solved are there for derivatives, and are not run."""
    lengths = eqn.params["const_lengths"]
    before, own = lengths.matvec + lengths.vecmat, lengths.solve
    sides = ins[sum(lengths) :]
    return walker.inner(eqn.params["jaxprs"].solve, [*ins[before : before + own], *sides], context)


@handler("shard_map")
def shard_map(walker: Walker, eqn: Any, ins: list[Value], context: Context) -> list[Value]:
    """The body runs on every device of the mesh; XLA counts one device."""
    mesh = eqn.params["mesh"]
    manual = eqn.params.get("manual_axes", None) or tuple(mesh.shape)
    devices = math.prod(mesh.shape[axis] for axis in manual)
    body = eqn.params["jaxpr"]
    inside = getattr(body, "jaxpr", body).invars
    return walker.inner(body, list(map(opaque, ins, inside)), context.repeated(devices, 1))


def _rank(atom: Any) -> int:
    return len(getattr(atom.aval, "shape", ()))
