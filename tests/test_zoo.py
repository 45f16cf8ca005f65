"""Models as their public authors write them: closed forms against fresh traces and against the compiler's count."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import pytest
from effort import repeated
from jax.extend import core
from jax.interpreters import partial_eval
from zoo.case import Case
from zoo.pending import DAILY, PENDING, REPEATED

from symcost.costs.cost import CONVENTIONS, METRICS
from symcost.costs.table import CostTable
from symcost.hlo import analyse
from symcost.tracing.checking.certify import concrete_totals
from symcost.tracing.counting.costing import Costing
from symcost.tracing.face import trace, trace_function
from symcost.tracing.program.arguments import Abstract
from symcost.tracing.program.capture import capture
from symcost.tracing.program.given import make_model
from symcost.tracing.program.model import Model
from symcost.tracing.program.probe import probe
from symcost.tracing.program.spec import parse_tree

MODULES = (
    "attention_vision", "control", "convnets", "generative", "language", "mixtures", "nnx_models", "recurrent",
)  # fmt: skip
TRIPS = 7
"""Given to the symbols of loops whose trip count nobody knows."""


def cases(table: str, modules: Iterable[str] = MODULES) -> list[Case]:
    """The rows of modules of the zoo."""
    imported = [importlib.import_module(f"zoo.{name}") for name in modules]
    return [case for module in imported for case in getattr(module, table, ()) if case.name not in PENDING]


FUNCTIONS = cases("FUNCTIONS")
ROWS = [*cases("CASES"), *FUNCTIONS]


def lift(case: Case) -> CostTable:
    """The closed form of a row."""
    derive = trace_function if case in FUNCTIONS else trace
    return derive(case.factory, *case.specs, call=case.call, **case.options)


def model_of(case: Case) -> Model:
    """The row's program maker, for traces and lowerings of its own."""
    if case in FUNCTIONS:
        return Model(factory=None, module=None, specs=parse_tree(case.specs), parameters=(), call={}, arrays={},
                     function=case.factory)  # fmt: skip
    own = {key: value for key, value in case.options.items() if key in ("free", "mode", "rngs", "method", "axes")}
    return make_model(case.factory, case.specs, call=case.call, **own)


def fresh(case: Case, point: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """Totals of a concrete trace that shares nothing with the derivation."""
    program = capture(model_of(case), point, {}, probe)
    loops = dict.fromkeys(program.unknown_trips, TRIPS)
    sums: dict[tuple[str, str], int] = {}
    for (_, convention, metric), value in concrete_totals(program, Costing(), loops).items():
        sums[convention, metric] = sums.get((convention, metric), 0) + value
    return sums


def lowered_without_dead_code(program: Abstract) -> str:
    """HLO of a program; jax would keep calls whose results nobody uses, which a trace leaves out."""
    closed = jax.make_jaxpr(program.function)(*program.args)
    jaxpr, _ = partial_eval.dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars), instantiate=True)
    function = core.jaxpr_as_fun(core.ClosedJaxpr(jaxpr, closed.consts))
    arguments = [jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype) for v in jaxpr.invars]
    return jax.jit(function, keep_unused=True).lower(*arguments).compiler_ir("hlo").as_hlo_text()


def at(table: CostTable, point: Mapping[str, int]) -> Any:
    """The closed form at a point, inside its domain."""
    return table.subs(**point, **dict.fromkeys(table.unknown_trips, TRIPS))


def marks(name: str) -> list[pytest.MarkDecorator]:
    """Which runs try a row."""
    if name in REPEATED:
        return repeated(f"in {' and '.join(REPEATED[name])}")
    return [] if name in DAILY else [pytest.mark.campaign]


PARAMETERS = [pytest.param(case, id=case.name, marks=marks(case.name)) for case in ROWS]


@pytest.mark.parametrize("case", PARAMETERS)
def test_the_closed_form_equals_fresh_traces_and_the_lowered_program(case: Case) -> None:
    table = lift(case)
    assert table.certificate.held_out
    assert not table.withdrawn
    assert not [point for point in table.certificate.held_out if point in table.certificate.fitted]
    for point in (case.real, *case.also):
        ours, theirs = at(table, point), fresh(case, point)
        for convention in CONVENTIONS:
            total = ours.total(convention)
            for metric in METRICS:
                left, right = getattr(total, metric), theirs.get((convention, metric), 0)
                bound = metric in table.domain.bounds_at_one and table.domain.has_one(point)
                assert left == right or (bound and left > right), (point, convention, metric)
    if "axes" not in case.options:
        program = analyse(lowered_without_dead_code(model_of(case).at(case.small)))
        total = at(table, case.small).total("xla")
        assert (total.flops, total.transcendentals) == (program.flops, program.transcendentals)


def test_every_module_has_rows_in_every_run() -> None:
    rows = {name: {case.name for table in ("CASES", "FUNCTIONS") for case in cases(table, [name])} for name in MODULES}
    assert [name for name in MODULES if not rows[name] & DAILY] == []
    assert {case.name for case in ROWS} >= DAILY


def test_what_is_repeated_is_shown_by_rows_that_are_tried() -> None:
    shown = {name for names in REPEATED.values() for name in names}
    assert {case.name for case in ROWS} >= {*REPEATED, *shown}
    assert not REPEATED.keys() & (DAILY | shown)
