"""Costs add, and conventions are named."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import symcost as sc
from symcost.costs.cost import CONVENTIONS, METRICS, ZERO, Cost, check_convention
from symcost.errors import SymcostError
from symcost.formulas.symbols import symbols

COSTS = st.builds(Cost, **{metric: st.integers(0, 10**30) for metric in METRICS})


@given(COSTS, COSTS, COSTS)
def test_addition_is_associative_and_commutative_with_a_zero(a: Cost, b: Cost, c: Cost) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + ZERO == a


@given(COSTS, COSTS, st.integers(0, 50), st.integers(0, 50))
def test_repetition_distributes(a: Cost, b: Cost, k: int, m: int) -> None:
    assert k * (a + b) == k * a + k * b
    assert (k + m) * a == k * a + m * a
    assert a * k == k * a


@given(COSTS)
def test_adding_is_metric_by_metric(a: Cost) -> None:
    assert dict((a + a).items()) == {metric: 2 * value for metric, value in a.items()}


def test_costs_may_be_symbolic() -> None:
    n, d = symbols("n d")
    cost = n * Cost(macs=d**2, flops=2 * d**2) + Cost(macs=1)
    assert cost.macs == n * d**2 + 1
    assert sympy.diff(cost.flops, n) == 2 * d**2


def test_map_leaves_plain_zeros_alone() -> None:
    assert Cost(macs=2).map(lambda value: value + 1) == Cost(macs=3)


def test_a_cost_prints_what_is_not_zero_and_reads_like_its_construction() -> None:
    assert repr(Cost(params=1, flops=12)) == "Cost(params=1, flops=12)"
    assert repr(ZERO) == "Cost()"


def test_costs_cannot_be_changed_and_take_only_names() -> None:
    with pytest.raises(FrozenInstanceError):
        ZERO.macs = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        Cost(1)  # type: ignore[call-arg, misc]


def test_an_unknown_convention_is_an_error_that_lists_them() -> None:
    with pytest.raises(SymcostError, match="unknown convention 'torch': use textbook, full, xla"):
        check_convention("torch")
    assert [check_convention(name) for name in CONVENTIONS] == list(CONVENTIONS)


class Every(nn.Module):
    """A little of everything that is counted: padding, statistics, exponentials, whole numbers."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.BatchNorm(use_running_average=True)(nn.Conv(2, (3, 3))(x))
        return nn.softmax(x, -1) + jnp.argmax(x, -1, keepdims=True)


def test_every_metric_is_counted_somewhere() -> None:
    costs = sc.trace(Every(), "float32[1,4,4,2]", referee=False, active={"Conv_0/kernel": "1/2"})
    trained = sc.trace(Every(), "float32[1,4,4,2]", referee=False, mode="train", wrt=["**/bias"])
    total, other = costs.total("full"), trained.total("full")
    assert [metric for metric in METRICS if not (getattr(total, metric) or getattr(other, metric))] == []
