"""Times on arrays: the float64 nearest to what is exact, at every configuration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pod_case import V5P
from sweep_oracle import FORMULAS, NAMES, value

import symcost as sc
from symcost.formulas.symbols import parse
from symcost.sweeps.numbers.arithmetic import cast, objects
from symcost.sweeps.numbers.nearest import nearest, parts_of
from symcost.sweeps.numbers.tiers import FLOAT, INT, LIMITS, PYTHON, TWO
from symcost.sweeps.question.columns import CompiledFormulas

SIDES = st.one_of(st.integers(1, LIMITS[FLOAT] - 1), st.integers(1, LIMITS[INT] - 1), st.integers(1, LIMITS[TWO] - 1))


def held(number: int) -> tuple[Any, int]:
    """An integer as an array of the smallest kind that holds it; two words with an error that they may have."""
    kind = next(kind for kind, limit in enumerate(LIMITS) if number < limit)
    if kind == TWO:
        word = (number + 2**63) % 2**64 - 2**63
        return (np.array([word]), np.array([float(number)]) + 2.0**60), kind
    return cast(np, objects([number]), PYTHON, kind), kind


def divided(above: int, below: int) -> float:
    (one, kind), (other, its) = held(above), held(below)
    return float(nearest(one, other, kind, its)[0])


@settings(max_examples=400, deadline=None)
@given(SIDES, SIDES)
def test_a_quotient_is_rounded_once(above: int, below: int) -> None:
    assert divided(above, below) == above / below


@settings(max_examples=400, deadline=None)
@given(st.integers(2**52, 2**53 - 1), st.integers(1, 2**40), st.integers(-2, 2), st.booleans())
def test_between_two_floats_the_last_unit_decides(mantissa: int, below: int, more: int, power: bool) -> None:
    """A quotient a hair beside the middle of two neighbours, and the middle itself; beside a power of two as well."""
    least = 2**53 if power else mantissa
    assert divided((2 * least + 1) * below + more, 2 * below) == ((2 * least + 1) * below + more) / (2 * below)
    assert divided((4 * least - 1) * below + more, 4 * below) == ((4 * least - 1) * below + more) / (4 * below)


COLUMNS = st.fixed_dictionaries({name: st.lists(st.integers(1, 2**45), min_size=1, max_size=5) for name in NAMES})


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(COLUMNS, FORMULAS, st.integers(0, 2**32 - 1))
def test_every_row_is_the_exact_value_as_a_float(pools: dict[str, list[int]], formula: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    columns = {name: random.choice(pool, 40) for name, pool in pools.items()}
    whole = parse("Max(f/7 + 3*Max(a/11, b/13), c/9)")
    evaluate = CompiledFormulas({"whole": whole, "f": formula}, {"f": formula}, nearest=["whole"])
    try:
        found = evaluate(**{name: columns[name] for name in evaluate.symbols})["whole"]
    except sc.ExpressionError as problem:
        assume("could be 0" not in str(problem))
        raise
    points = [dict(zip(NAMES, map(int, row), strict=True)) for row in zip(*(columns[n] for n in NAMES), strict=True)]
    right = whole.xreplace({sc.symbols("f")[0]: formula})
    assert found.dtype == np.float64
    assert found.tolist() == [float(value(right, at)) for at in points]


def test_a_maximum_in_a_sum_is_one_of_sums() -> None:
    assert parts_of(parse("n - Max(n, d)")) == [parse("n - Max(n, d)")], "what is subtracted is none"
    found = {*map(parse, ("3*n/2", "n/2 + 4", "n + d/2", "4 + d/2"))}
    assert {*parts_of(parse("Max(n, 4) + Max(n, d)/2"))} == found
    assert len(parts_of(parse(" + ".join(f"Max(n, d + {k})" for k in range(9))))) == 1, "too many"


@pytest.mark.campaign
def test_times_of_plans_on_arrays_are_those_of_each_plan(tensor: sc.CostTable) -> None:
    evaluate = tensor.compile("step_time", "communication", "step_time/B", device=V5P, microbatches=4)
    random = np.random.default_rng(0)
    X, Y = 2 ** random.integers(1, 5, 60), 2 ** random.integers(1, 5, 60)
    columns: dict[str, Any] = {"B": 16384 * random.integers(1, 5, 60), "X": X, "Y": Y, "d": 4096, "F": Y * 3**5}
    found = evaluate(**columns)
    for row in range(0, 60, 7):
        at = {name: int(np.broadcast_to(each, 60)[row]) for name, each in columns.items()}
        exact = 4 * sc.step_time(tensor, V5P).value(**at)
        assert found["step_time"][row] == float(exact)
        assert found["step_time/B"][row] == float(exact / at["B"])
    assert found["communication"].dtype == "int64", "bytes are counted"
    with pytest.raises(sc.SymcostError, match="unknown option 'chip'"):
        tensor.compile("step_time", chip=V5P)
    with pytest.raises(sc.SymcostError, match="need a device"):
        tensor.compile("step_time")
