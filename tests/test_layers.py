"""Every layer by three roads: its own formulas, the trace of its Flax twin in all symbols, XLA's count at three sizes."""

from __future__ import annotations

import jax
import pytest
from effort import by_turns
from layer_case import Case, compiled, factory, unequal
from layer_cases import CASES
from rule_case import spec

import symcost as sc
from symcost.layers.base import Layer, entering
from symcost.layers.sizes.tensor import FIRST
from symcost.layers.tape import Tape
from symcost.layers.twins.base import TWINS

KINDS = [type(case.layer) for case in CASES if case.lifted]
LIFTED = [
    pytest.param(case, id=f"{i}-{case.label}", marks=[pytest.mark.campaign] * (type(case.layer) in KINDS[:place]))
    for place, (i, case) in enumerate((i, case) for i, case in enumerate(CASES) if case.lifted)
]
"""Every run takes one row of each kind of layer, and the campaign the others."""
POINTS = [
    pytest.param(
        case, at, id=f"{i}-{case.label}-{','.join(f'{k}={v}' for k, v in at.items())}", marks=by_turns(i, j, 3)
    )
    for i, case in enumerate(CASES)
    for j, at in enumerate(case.points)
]


@pytest.mark.parametrize("case", LIFTED)
def test_formulas_equal_the_trace_of_the_flax_twin(case: Case) -> None:
    traced = sc.trace(factory(case.layer), case.input_spec, referee=False)  # XLA is asked below, at three sizes
    table = sc.table(case.layer, case.x)
    assert unequal(table, traced) == []
    if case.peaks:
        for rule in ("textbook", "liveness"):
            assert sc.equal(table.peak(rule), traced.peak(rule)), rule


@pytest.mark.parametrize(("case", "at"), POINTS)
def test_numbers_equal_xla_and_flax(case: Case, at: dict[str, int]) -> None:
    layer, x = case.at(at)
    counted = sc.table(layer, x)
    evaluated = sc.table(case.layer, case.x).subs(**at)
    params, xla = compiled(sc.build(layer), spec(case.input_spec, at))
    for table in (counted, evaluated):
        total = table.total("xla")
        assert (total.params, total.flops, total.transcendentals) == (params, xla.flops, xla.transcendentals)
    for convention in sc.CONVENTIONS:
        assert counted.total(convention) == evaluated.total(convention)


def _kinds(kind: type[Layer]) -> set[type[Layer]]:
    """Public layers of a kind."""
    found = {kind for kind in kind.__subclasses__() if kind.__name__ in sc.__all__}
    return found.union(*(_kinds(sub) for sub in kind.__subclasses__()))


def test_every_public_layer_has_a_twin_and_a_row() -> None:
    public = {kind for kind in vars(sc).values() if isinstance(kind, type) and issubclass(kind, Layer)}
    public |= _kinds(Layer)
    public.discard(Layer)
    rows = {type(case.layer) for case in CASES} | {sc.Sequential}
    assert {kind.__name__ for kind in public - rows} == set()
    assert {kind.__name__ for kind in public - set(TWINS)} == set()


def test_the_output_has_the_shape_of_the_twin() -> None:
    for case in CASES:
        at = case.points[1]
        layer, x = case.at(at)
        module, given = sc.build(layer), spec(case.input_spec, at)
        made = jax.eval_shape(lambda x, m=module: m.init_with_output(jax.random.key(0), x)[0], given).shape
        out = layer.out(x)
        first = Tape().run(layer, entering(layer, x)).layout == FIRST
        assert made == ((out[0], *out[2:], out[1]) if first else out), case.label
