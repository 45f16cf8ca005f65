"""Models that several tests trace alike are traced once in a run: the first closed form serves all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import symcost as sc
from symcost.costs.mesh.plan import Plan
from symcost.costs.mesh.sharded import Sharded
from symcost.costs.table import CostTable
from symcost.tracing.derive import derive
from symcost.tracing.mesh.derive import sharded
from symcost.tracing.options import Options
from symcost.tracing.program.model import Model

_made: dict[Any, tuple[Model, CostTable]] = {}
_cut: dict[Any, tuple[CostTable, Sharded]] = {}
"""The model is kept beside its table, so that no other takes its place in memory and so its identity."""


def traced_once(
    model: Model, options: Options, on_trace: Callable[[int], None], active: Mapping[str, Any] | None = None
) -> CostTable:
    """What ``derive`` gave for the same factory, module or function with the same specs and options."""
    program = tuple(id(part) for part in (model.factory, model.module, model.function))
    told = (model.specs, model.parameters, model.call, model.arrays, model.mode, model.method, model.rngs, model.wrt,
            model.axes, model.fixed, model.mesh, model.explicit, options, active)  # fmt: skip
    key = (*program, repr(told))
    if key not in _made:
        _made[key] = model, derive(model, options, on_trace, active)
    return _made[key][1]


def cut_once(
    model: Model, table: CostTable, plan: Plan, upto: Mapping[str, int] | None, on_trace: Callable[[int], None]
) -> Sharded:
    """What ``sharded`` gave for the same closed form and plan: one that was traced once is known by itself."""
    key = id(table), repr((plan, plan.rules, upto, model.explicit))
    if key not in _cut:
        _cut[key] = table, sharded(model, table, plan, upto, on_trace)
    return _cut[key][1]


def traces_once(patch: pytest.MonkeyPatch) -> None:
    """Let the verbs that trace take what was traced before."""
    for verb in (sc.trace, sc.verify):
        patch.setattr(sys.modules[verb.__module__], "derive", traced_once)
    patch.setattr(sys.modules[sc.trace.__module__], "sharded", cut_once)
