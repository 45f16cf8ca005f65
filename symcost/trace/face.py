"""The two verbs: ``trace`` for flax models, ``trace_function`` for any JAX function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symcost.trace.derive import Options, derive
from symcost.trace.lifted import Lifted
from symcost.trace.model import Model, make_model, split_call
from symcost.trace.spec import parse_tree


def trace(
    model: Any,
    *specs: Any,
    free: Sequence[str] = (),
    samples: Mapping[str, Sequence[int]] | None = None,
    steps: Mapping[str, int] | None = None,
    at_least: Mapping[str, int] | None = None,
    call: Mapping[str, Any] | None = None,
    mode: str = "forward",
    rngs: Any = None,
    axes: Mapping[str, int] | None = None,
    method: str = "__call__",
    on_trace: Callable[[int], None] = lambda count: None,
) -> Lifted:
    """Closed form of a flax model (linen or nnx) in its own hyper-parameters."""
    made = make_model(model, specs, free=tuple(free), call=call, mode=mode, rngs=rngs, method=method)
    return derive(made, Options(samples, steps, at_least), axes, on_trace)


def trace_function(
    function: Callable[..., Any],
    *specs: Any,
    samples: Mapping[str, Sequence[int]] | None = None,
    steps: Mapping[str, int] | None = None,
    at_least: Mapping[str, int] | None = None,
    call: Mapping[str, Any] | None = None,
    axes: Mapping[str, int] | None = None,
    on_trace: Callable[[int], None] = lambda count: None,
) -> Lifted:
    """Closed form of a JAX function in the symbols of its input specs."""
    plain, arrays = split_call(call)
    made = Model(
        factory=None, module=None, specs=parse_tree(specs), parameters=(), call=plain, arrays=arrays, function=function
    )
    return derive(made, Options(samples, steps, at_least), axes, on_trace)
