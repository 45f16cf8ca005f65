"""One trace: the program at a point as records."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import finalize

import jax
from flax.errors import FlaxError
from jax._src.config import traceback_filtering
from jax._src.interpreters.partial_eval import DynamicJaxprTrace
from jax.core import Tracer
from jax.extend import core
from jax.interpreters import partial_eval

from symcost.errors import TraceError
from symcost.tracing.constants import excess, held
from symcost.tracing.counting.costing import STATE, WRITTEN
from symcost.tracing.lowering import Node, mark_dead
from symcost.tracing.program import (
    control,  # noqa: F401  (registers scan, while, cond, shard_map and pallas_call)
    kernel,  # noqa: F401  (registers scan, while, cond, shard_map and pallas_call)
    opened,  # noqa: F401  (registers scan, while, cond, shard_map and pallas_call)
)
from symcost.tracing.program.arguments import Abstract
from symcost.tracing.program.axes import abstract_mesh, explicit_asked, typed
from symcost.tracing.program.model import Model
from symcost.tracing.program.modules.linen import StaleVariables
from symcost.tracing.program.paths import FORWARD, names_along, renew_budget, spend_call
from symcost.tracing.program.records import FROZEN, WEIGHT, Key, Program, Record
from symcost.tracing.program.roles import roles_marked
from symcost.tracing.program.spec import where
from symcost.tracing.program.walk import Context, Value, Walker

MAX_MENDINGS = 4
WORTH_COLLECTING = 1 << 24
Keys = dict[tuple[Any, ...], Key]


class PointError(TraceError):
    """The user's code raised at one sample point; elsewhere it may work."""

    def __init__(self, message: str, point: Mapping[str, int], parameters: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.point = dict(point)
        self.parameters = tuple(parameters)
        """Parameters of the model's own that were given sizes."""

        self.line = ""
        """The model's own line that raised, where that is known."""

    def leave(self) -> int:
        """Let go of large arrays that the model's calls held when they raised, and of where those stood; their bytes."""
        size = _ended()
        if size > WORTH_COLLECTING:
            left: list[BaseException] = [self]
            for problem in left:
                problem.__traceback__ = None
                left += [
                    each for each in (problem.__cause__, problem.__context__) if each is not None and each not in left
                ]
        return size


def _ended() -> int:
    """Let go of traces that raised, which jax keeps with their constants for ever; how many bytes those take."""
    size = 0
    for told in list[Any](getattr(finalize, "_registry", ())):
        known: Any = told.peek()
        trace = getattr(known[1], "__self__", None) if known else None
        if isinstance(trace, DynamicJaxprTrace):
            told.detach()
            held = trace.frame.constvar_to_val.get(known[2][0])
            size += 0 if isinstance(held, Tracer) else getattr(held, "nbytes", 0)  # a tracer has no bytes to let go
    return size


class NeedsExplicit(TraceError):
    """The program says how its arrays lie, which takes explicit axes."""


def too_large(point: Mapping[str, int], why: str) -> PointError:
    """The error of a point at which the program holds more than may be held: smaller ones may work."""
    problem = PointError(f"the model is too large at {where(point)}: {why}", point)
    problem.__cause__ = MemoryError(why)
    return problem


def capture(
    model: Model, point: Mapping[str, int], keys: Keys, probe: Callable[[Any], dict[str, int]],
    symbols: dict[tuple[Any, ...], str] | None = None,
) -> Program:  # fmt: skip
    """Trace the model at a point and walk its program after dead-code elimination.

    ``keys`` and ``symbols`` (of unknown MACs) are shared by the traces of one model, so that alike is the same.
    """
    renew_budget()
    with roles_marked():
        abstract, closed = lean(model, point)
    program = walked(abstract, closed, keys, probe, symbols)
    why = excess(program.constants)
    if program.constant_bytes > WORTH_COLLECTING:
        del closed
        gc.collect()  # constants of this size do not wait for the next rare collection
    else:
        program.closed = closed
    if why is not None:
        raise too_large(point, why)
    return program


def walked(
    abstract: Abstract, closed: Any, keys: Keys, probe: Callable[[Any], dict[str, int]],
    symbols: dict[tuple[Any, ...], str] | None = None,
) -> Program:  # fmt: skip
    """The records of a jaxpr."""
    walker = Walker(keys, probe, {} if symbols is None else symbols)
    kept = {out for out in closed.jaxpr.outvars if isinstance(out, core.Var)}  # others are numbers
    arguments = _arguments(walker, abstract, [variable not in kept for variable in closed.jaxpr.invars])
    results = walker.jaxpr(closed.jaxpr, closed.consts, arguments, Context())
    mark_dead(walker.lowering, [v.node for v in results], walker.attached)
    program = walker.program
    program.outputs = tuple(v.id for v in results)
    for index, record in enumerate(program.inputs):
        if index in walker.textbook_weights:
            raw = record.key._replace(static=(*record.key.static, WEIGHT))
            record.key = keys.setdefault(raw, raw)
    program.constants = held(closed)
    program.numbers = tuple(walker.lowering.numbers)
    for leaf in abstract.residuals:
        key = Key("", FORWARD, "residual", (), (), (), ((str(leaf.dtype), len(leaf.shape)),), (), (), "rule")
        program.residuals.append(Record(keys.setdefault(key, key), (*leaf.shape, 1, 1)))
    return program


def lean(model: Model, point: Mapping[str, int]) -> tuple[Abstract, Any]:
    """The program and its closed jaxpr without operations whose results nobody uses."""
    abstract, closed = traced(model, point)
    jaxpr, _ = partial_eval.dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars), instantiate=True)
    return abstract, core.ClosedJaxpr(jaxpr, closed.consts)  # type: ignore[attr-defined]


def traced(model: Model, point: Mapping[str, int]) -> tuple[Abstract, Any]:
    """The program and its jaxpr; variables taken from another point are made again where they do not fit."""
    model.constrained.called.clear()
    with abstract_mesh(model.mesh, model.explicit is not None), traceback_filtering("off"):  # many points raise
        found = _guessed(model, point)
        if found is None:
            found = _traced(model, point)
    model.keep(point)
    return found


def _guessed(model: Model, point: Mapping[str, int]) -> tuple[Abstract, Any] | None:
    """The program with variables that were guessed, where there is a guess and it is right."""
    if not model.guessed(point):
        return None
    found, right = None, False
    try:
        abstract = model.at(point)
        for _ in abstract.trained:  # an initialisation would have declared each
            spend_call()
        found = abstract, _jaxpr(model, abstract)
        right = not model.stale(point)
    except Exception:
        renew_budget()  # whatever it is: what the model raises, it raises again
    model.judge(point, right)
    return found if right else None


def _jaxpr(model: Model, abstract: Abstract) -> Any:
    args = abstract.args if model.explicit is None else typed(abstract, model.explicit)
    return jax.make_jaxpr(abstract.function, axis_env=list(model.axes.items()) or None)(*args)


def _traced(model: Model, point: Mapping[str, int]) -> tuple[Abstract, Any]:
    try:
        found = model.at_once(point)
        if found is not None:
            return found
        for attempt in range(MAX_MENDINGS + 1):
            fresh = attempt == MAX_MENDINGS
            if fresh:
                model.forget(point)
            abstract = model.at(point)
            try:
                closed = _jaxpr(model, abstract)
            except StaleVariables as problem:
                if fresh:
                    raise TraceError(
                        f"the model declares other parameters when it runs than when it is initialised: {problem}"
                    ) from None
                if not model.mend(point, problem):
                    model.forget(point)
                continue
            except FlaxError:
                if fresh or not model.borrowed(point):
                    raise
                model.forget(point)  # it has other modules here than where its variables were made
                continue
            if fresh or not model.stale(point):
                return abstract, closed
            model.forget(point)
    except TraceError:
        raise
    except Exception as problem:
        if model.mesh and model.explicit is None and explicit_asked(problem):
            raise NeedsExplicit("the program says how its arrays lie (reshard, out_sharding): give a plan") from problem
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise PointError(
            f"the model raised at {where(point)}: {type(problem).__name__}: {reason}", point, model.parameters
        ) from problem
    raise AssertionError("unreachable: the second round returns or raises")


def _arguments(walker: Walker, abstract: Abstract, changed: Sequence[bool]) -> list[Value]:
    """Values of the program's inputs, in order, each recorded with its role and path; ``changed``: not handed on as it is."""
    values = []
    trained = iter(abstract.trained)
    for role, tree in abstract.arguments.items():
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
            names = names_along(path)
            is_param = role == "params"
            index = len(walker.program.inputs)
            owned = {"params": "param", "inputs": "input", "arrays": "input"}.get(role, role)
            static = ["/".join(names)] if owned == "input" else names[-1:] or [""]
            if is_param and not next(trained):
                static.append(FROZEN)
            if owned == STATE and abstract.collections:  # a module's statistics stand beside its parameters
                collection, *names = names
                static.append(collection)
            if owned == STATE and changed[index]:
                static.append(WRITTEN)
            raw = Key("/".join(names[:-1]) if role in ("params", "state", "rngs") else "", FORWARD, owned,
                      tuple(static), (), (), ((str(leaf.dtype), len(leaf.shape)),), (), (), "input")  # fmt: skip
            key = walker.keys.setdefault(raw, raw)
            # Parameters and state (running statistics, caches) are stored all the time: they are no activations.
            shape = tuple(leaf.shape)
            node = Node("parameter", (), shape)
            kept = frozenset({index}) if is_param else None
            value = walker.fresh(node=node) if owned == "input" else Value(-1, node, kept)
            values.append(value)
            walker.program.inputs.append(Record(key, (*shape, 1, 1), outs=(value.id,)))
    return values
