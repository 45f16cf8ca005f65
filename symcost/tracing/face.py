"""The two verbs: ``trace`` for flax models, ``trace_function`` for any JAX function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symcost.costs.mesh.plan import Plan
from symcost.costs.table import CostTable
from symcost.errors import LiftError, SpecError, TraceError
from symcost.reading.choices import Mode
from symcost.reading.given import checked
from symcost.reading.numerals import short
from symcost.tracing.derive import derive
from symcost.tracing.mesh.derive import sharded
from symcost.tracing.mesh.own import check_planned, completed, with_inputs
from symcost.tracing.options import PIECES, Options
from symcost.tracing.program.axes import explicit_around, no_mesh
from symcost.tracing.program.capture import NeedsExplicit
from symcost.tracing.program.given import make_function, make_model, works_on_arrays
from symcost.tracing.program.model import Model
from symcost.tracing.program.modules.constrained import Constrained
from symcost.tracing.sampling.sample import check_known

EXPLICIT = "constraint lays what modules give along automatic axes, and those of a program that lays its arrays itself are explicit"


@checked
def trace(
    model: Any,
    *specs: Any,
    free: Sequence[str] = (),
    samples: Mapping[str, Sequence[int]] | None = None,
    steps: Mapping[str, int] | None = None,
    at_least: Mapping[str, int] | None = None,
    call: Mapping[str, Any] | None = None,
    mode: Mode = "forward",
    wrt: Any = None,
    rngs: Any = None,
    axes: Mapping[str, int] | None = None,
    method: str = "__call__",
    active: Mapping[str, Any] | None = None,
    referee: bool = True,
    upto: Mapping[str, int] | None = None,
    max_pieces: int = PIECES,
    plan: Plan | None = None,
    on_trace: Callable[[int], None] | None = None,
) -> CostTable:
    """Closed form of a flax model (linen or nnx) in its own hyper-parameters, certified against fresh traces.

    ``model`` is a module, or a factory whose parameters without a default are symbols; ``specs`` give the arrays of
    the call, such as ``"float32[n,224,224,3]"`` or ``"int32[n,8*k]"``: their names are symbols too. Nothing is
    executed and no weights are made.

    In the place of such a text may stand an array (of jax or numpy) or a ``jax.ShapeDtypeStruct``, whose sizes are plain
    numbers then and symbols of nothing; and a tree of all these: a dict, a list, a registered dataclass. What is none of
    them, in a tree or beside it, is fixed: the call gets it as it is.

    - ``free``: parameters with a default that shall be symbols nevertheless.
    - ``steps``, ``at_least``, ``samples``: per symbol the multiple it comes in, its least value, or the very values
      (at least three) at which the model is traced; without them symcost looks for values that the model takes.
    - ``upto``: how far a symbol of which nothing tells more than trials is tried, as ``{"L": 96}``: the form is compared with
      fresh traces on the way and there. ``max_pieces``: of how many pieces a form may be where the program decides by its
      sizes; with 1 what lies beyond a decision is outside the domain.
    - ``call``: keyword arguments of the call, each an array in any of these forms, a tree with arrays in it, or else fixed.
      A text is an array where it is a word with brackets behind it, ``"bool[n,N]"``, and else itself, ``"relu"``.
    - ``mode``: ``"forward"``, or ``"train"`` for the value and gradient with respect to the parameters.
    - ``wrt``: which parameters are trained, all unless given: a pattern of their paths such as ``"**/lora/**"``
      (:mod:`symcost.reading.glob`), a filter of nnx such as ``nnx.LoRAParam``, a function of path and array, or a list of these,
      in which patterns that begin with ``!`` leave out. The others are frozen: they take no gradient and are part of
      ``params`` but not of ``trainable``; without ``mode="train"`` it splits the parameters and nothing else.
    - ``rngs``: names of random streams that the call needs; ``axes``: sizes of named axes that it reduces over.
    - ``active``: the share of parameters that one token uses, by pattern of their paths, as ``{"**/experts/**": "k/E"}``:
      ``active_params`` is then less than ``params``. A share is a number or an expression in the symbols, between 0 and 1,
      which becomes a condition of the domain; of several that fit the last one holds.
    - ``method``: the module's method to call; ``on_trace``: told the number of traces after each.
    - ``plan``: a :class:`symcost.Plan`, a mesh of devices and along which of its axes each array is cut. The result then has
      ``per_device``, the table of one device; ``collectives``, a row for each; and ``communication``, their bytes by kind and
      axes: in the sizes of the model and of the mesh. XLA's own partitioner is asked at a few sizes and meshes, and what it
      writes is fitted and compared at held-out ones; gradients lie as the parameters do that they change.
    - ``referee``: whether the program is lowered at one held-out point and XLA's own count of it compared. The
      certificate says what came out; ``xla`` figures that differ are withdrawn: asking for them raises. Without it
      they stay unchecked.

    The result has ``params``, ``macs``, ``flops``, ``transcendentals``, ``activations`` (elements) and
    ``peak_activations`` as sympy expressions, exact at every point of ``domain``. Numbers follow the conventions of
    :mod:`symcost.costs.cost`. Raises :class:`symcost.SpecError` for a spec that does not parse,
    :class:`symcost.TraceError` when the model raises, :class:`symcost.LiftError` when no closed form is found.

    >>> import flax.linen as nn
    >>> costs = trace(lambda c_o: nn.Dense(c_o), "float32[n,c_i]")
    >>> costs.params, costs.macs
    (c_i*c_o + c_o, c_i*c_o*n)
    >>> costs.subs(n=1, c_i=4096, c_o=1000).macs
    4096000
    >>> import jax.numpy as jnp
    >>> trace(nn.Dense(10), jnp.zeros((2, 8))).macs, trace(nn.Dense(10), "float32[n,8]").macs
    (160, 80*n)
    """
    made = make_model(
        model, specs, free=tuple(free), call=call, mode=mode, rngs=rngs, method=method, wrt=wrt, axes=axes
    )
    try:
        return _planned(made, Options(samples, steps, at_least, referee, max_pieces, upto), plan, on_trace, active)
    except LiftError:
        if works_on_arrays(model, specs, call):
            raise TraceError(f"{made.name} is a function of arrays: sc.trace_function (--function) takes it") from None
        raise


@checked
def trace_function(
    function: Callable[..., Any],
    *specs: Any,
    samples: Mapping[str, Sequence[int]] | None = None,
    steps: Mapping[str, int] | None = None,
    at_least: Mapping[str, int] | None = None,
    call: Mapping[str, Any] | None = None,
    axes: Mapping[str, int] | None = None,
    referee: bool = True,
    upto: Mapping[str, int] | None = None,
    max_pieces: int = PIECES,
    plan: Plan | None = None,
    on_trace: Callable[[int], None] | None = None,
) -> CostTable:
    """Closed form of a JAX function in the symbols of its input specs; arguments, result and errors as in ``trace``.

    Raises :class:`symcost.SpecError` for a spec that does not parse or a plan that does not fit the program.

    Arguments by name are given with ``call``, in the forms that inputs have: ``call={"mask": "bool[n,N]", "axis": -1}``.

    >>> import jax.numpy as jnp
    >>> trace_function(jnp.matmul, "float32[m,k]", "float32[k,n]").flops
    2*k*m*n
    >>> trace_function(lambda x, scale: x * scale["gain"], "float32[n,d]", call={"scale": {"gain": "float32[d]"}}).flops
    d*n
    """
    made = make_function(function, specs, call, axes)
    return _planned(made, Options(samples, steps, at_least, referee, max_pieces, upto), plan, on_trace)


def _untold(count: int) -> None:
    """Nobody is told how many traces there were."""


def _planned(
    model: Model, options: Options, plan: Plan | None, on_trace: Callable[[int], None] | None,
    active: Mapping[str, Any] | None = None,
) -> CostTable:  # fmt: skip
    """The closed form, and what it becomes on each device of a mesh where there is a plan of one."""
    on_trace = on_trace or _untold
    if plan is None:
        check_planned(model)
        return derive(model, options, on_trace, active)
    if not isinstance(plan, Plan):
        raise SpecError(f"plan={short(plan)} is no plan: give sc.Plan(mesh, shard)")
    check_known("upto", options.upto, (*model.symbols, *plan.symbols))
    upto = {name: most for name, most in (options.upto or {}).items() if name in model.symbols}
    # Constraints inside the model name the axes, and so do those of the plan.
    model = replace(model, mesh=dict.fromkeys(plan.mesh, 1), constrained=Constrained(plan))
    plan, own = with_inputs(plan, model), replace(options, upto=upto)
    model.explicit = plan if explicit_around() else None
    if model.explicit and plan.constraint:
        raise SpecError(EXPLICIT)
    with no_mesh():
        try:
            costs = derive(model, own, on_trace, active)
        except NeedsExplicit:
            if plan.constraint:
                raise SpecError(EXPLICIT) from None
            model = replace(model, explicit=plan)
            costs = derive(model, own, on_trace, active)
        plan = completed(plan, model, next(iter(costs.certificate.fitted), {}))
        model.explicit = plan if model.explicit else None
        before = costs.certificate.traces
        return costs.cut(sharded(model, costs, plan, options.upto, lambda count: on_trace(before + count)))


def symbols_of(
    model: Any, *specs: Any, free: Sequence[str] = (), call: Mapping[str, Any] | None = None, function: bool = False
) -> list[str]:
    """Symbols that the closed form will be in, as far as nothing needs to be traced: trips of loops are found later."""
    made = (
        make_function(model, specs, call, None) if function else make_model(model, specs, free=tuple(free), call=call)
    )
    return made.symbols
