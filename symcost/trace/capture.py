"""One trace: the program at a point as records."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
from jax.interpreters import partial_eval

from symcost.errors import TraceError
from symcost.trace import control  # noqa: F401  (registers scan, while, cond, shard_map and pallas_call)
from symcost.trace.costing import STATE, WRITTEN
from symcost.trace.linen import StaleVariables
from symcost.trace.model import Abstract, Model
from symcost.trace.paths import FORWARD, renew_budget
from symcost.trace.records import Key, Program, Record
from symcost.trace.spec import where
from symcost.trace.walk import Context, Value, Walker

MAX_MENDINGS = 4
WORTH_COLLECTING = 1 << 24
Keys = dict[tuple[Any, ...], Key]


class PointError(TraceError):
    """The user's code raised at one sample point; elsewhere it may work."""

    def __init__(self, message: str, point: Mapping[str, int]) -> None:
        super().__init__(message)
        self.point = dict(point)


def capture(
    model: Model, point: Mapping[str, int], keys: Keys, probe: Callable[[Any], dict[str, int]],
    axes: Mapping[str, int] | None = None,
) -> Program:  # fmt: skip
    """Trace the model at a point and walk its program after dead-code elimination."""
    renew_budget()
    abstract, closed = traced(model, point, axes)
    jaxpr, _ = partial_eval.dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars), instantiate=True)
    walker = Walker(keys, probe)
    kept = set(jaxpr.outvars)
    arguments = _arguments(walker, abstract, [variable not in kept for variable in jaxpr.invars])
    results = walker.jaxpr(jaxpr, closed.consts, arguments, Context())
    program = walker.program
    program.outputs = tuple(v.id for v in results)
    for index, record in enumerate(program.inputs):
        if index in walker.textbook_weights:
            raw = record.key._replace(static=(*record.key.static, "weight"))
            record.key = keys.setdefault(raw, raw)
    program.constant_bytes = sum(getattr(const, "nbytes", 0) for const in closed.consts)
    if program.constant_bytes > WORTH_COLLECTING:
        del closed, jaxpr
        gc.collect()  # constants of this size do not wait for the next rare collection
    for leaf in abstract.residuals:
        key = Key("", FORWARD, "residual", (), (), (), ((str(leaf.dtype), len(leaf.shape)),), (), (), "rule")
        program.residuals.append(Record(keys.setdefault(key, key), (*leaf.shape, 1, 1)))
    return program


def traced(model: Model, point: Mapping[str, int], axes: Mapping[str, int] | None) -> tuple[Abstract, Any]:
    """The program and its jaxpr; variables taken from another point are made again where they do not fit."""
    environment = list(axes.items()) if axes else None
    try:
        for attempt in range(MAX_MENDINGS + 1):
            fresh = attempt == MAX_MENDINGS
            if fresh:
                model.forget(point)
            abstract = model.at(point)
            try:
                closed = jax.make_jaxpr(abstract.function, axis_env=environment)(*abstract.args)
            except StaleVariables as problem:
                if fresh:
                    raise TraceError(
                        f"the model declares other parameters when it runs than when it is initialised: {problem}"
                    ) from None
                if not model.mend(point, problem):
                    model.forget(point)
                continue
            if fresh or not model.stale(point):
                return abstract, closed
            model.forget(point)
    except TraceError:
        raise
    except Exception as problem:
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise PointError(f"the model raised at {where(point)}: {type(problem).__name__}: {reason}", point) from problem
    raise AssertionError("unreachable: the second round returns or raises")


def _arguments(walker: Walker, abstract: Abstract, changed: Sequence[bool]) -> list[Value]:
    """Values of the program's inputs, in order, each recorded with its role and path; ``changed``: not handed on as it is."""
    values = []
    for role, tree in abstract.arguments.items():
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
            names = names_along(path)
            is_param = role == "params"
            index = len(walker.program.inputs)
            owned = {"params": "param", "inputs": "input", "arrays": "input"}.get(role, role)
            static = names[-1:] or [""]
            if owned == STATE and abstract.collections:  # a module's statistics stand beside its parameters
                collection, *names = names
                static.append(collection)
            if owned == STATE and changed[index]:
                static.append(WRITTEN)
            raw = Key("/".join(names[:-1]) if role in ("params", "state", "rngs") else "", FORWARD, owned,
                      tuple(static), (), (), ((str(leaf.dtype), len(leaf.shape)),), (), (), "input")  # fmt: skip
            key = walker.keys.setdefault(raw, raw)
            # Parameters and state (running statistics, caches) are stored all the time: they are no activations.
            value = walker.fresh() if owned == "input" else Value(-1, None, frozenset({index}) if is_param else None)
            values.append(value)
            shape = tuple(leaf.shape)
            walker.program.inputs.append(Record(key, (*shape, 1, 1), outs=(value.id,)))
    return values


def names_along(path: Any) -> list[str]:
    """Names along a tree path: module and leaf names, without the attributes that boxes add."""
    names = [str(getattr(part, "key", getattr(part, "idx", getattr(part, "name", part)))) for part in path]
    while names and names[-1] in ("value", "raw_value"):
        names.pop()
    return names
