"""Answers whose numbers are compared with a fresh trace, and compiled formulas that know their domain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import flax.linen as nn
import numpy as np
import pytest

import symcost as sc
from symcost.costs.parts import Rows


class Heads(nn.Module):
    """A product per head, whose number must divide the width."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.MultiHeadDotProductAttention(self.H)(nn.Dense(self.d)(x))


@pytest.fixture(scope="module")
def costs() -> sc.CostTable:
    """A traced model."""
    return sc.trace(
        lambda d, H: Heads(d, H), "float32[n,N,16]", steps={"d": 8}, samples={"H": [1, 2, 4, 8]}, referee=False
    )


@pytest.fixture(scope="module")
def wrong(costs: sc.CostTable) -> sc.CostTable:
    """The same with one number that a trace contradicts."""
    rows = [
        replace(row, cost=replace(row.cost, macs=row.cost.macs * 2)) if row.cost.macs != 0 else row
        for row in costs.rows
    ]
    return sc.CostTable.of(Rows(rows), replace(costs.parts, peak=None, symbols=costs.symbols))


SPACE = sc.Space(n=[1], N=[4, 8], d=[8, 16], H=[2, 3, 4])
ASKED: dict[str, Callable[..., Any]] = {
    "count": lambda costs, check: sc.count(costs, SPACE, check=check),
    "sweep": lambda costs, check: sc.sweep(costs, SPACE, maximize="params", check=check),
    "all that is feasible": lambda costs, check: sc.sweep(costs, SPACE, check=check),
    "front": lambda costs, check: sc.pareto(costs, SPACE, minimize="activations", maximize="params", check=check),
    "solve": lambda costs, check: sc.solve(
        costs, "params <= 2000", largest="d", given={"n": 1, "N": 4, "H": 2}, within=range(8, 65, 8), check=check
    ),
    "explain": lambda costs, check: costs.explain(n=1, N=4, d=8, H=2, check=check),
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_an_answer_that_a_fresh_trace_has_too_is_the_answer_without_it(costs: sc.CostTable, asked: Any) -> None:
    plain, checked = asked(costs, False), asked(costs, True)
    told = "numbers equal to those of a fresh trace there"
    if isinstance(plain, int):
        assert checked == plain
        return
    assert told in str(checked)
    assert told not in str(plain)


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_an_answer_that_a_fresh_trace_contradicts_is_an_error_that_shows_both(wrong: sc.CostTable, asked: Any) -> None:
    asked(wrong, False)
    with pytest.raises(sc.LiftError, match=r"macs .* by the closed form and .* by the trace"):
        asked(wrong, True)


@pytest.mark.parametrize("name", ["count", "sweep", "front"])
def test_formulas_alone_cannot_be_checked(name: str) -> None:
    with pytest.raises(sc.SymcostError, match="check=True needs the model, and this table has formulas alone"):
        ASKED[name]({"params": "d*H*n*N", "activations": "N", "macs": "d"}, True)


def test_whether_to_check_is_true_or_false(costs: sc.CostTable) -> None:
    with pytest.raises(sc.SpaceError, match="check=3 must be True or False"):
        sc.count(costs, SPACE, check=3)  # type: ignore[arg-type]


# -- compiled formulas ----------------------------------------------------------------------------------------------


def test_compiled_formulas_have_the_numbers_of_every_point_of_the_domain(costs: sc.CostTable) -> None:
    columns = {"n": 1, "N": [4, 8, 16], "d": [8, 16, 24], "H": [2, 4, 8]}
    found = costs.compile("macs")(**columns)["macs"].tolist()
    assert found == [costs.subs(n=1, N=N, d=d, H=H).macs for N, d, H in [(4, 8, 2), (8, 16, 4), (16, 24, 8)]]


@pytest.mark.parametrize("length", [3, 20_000])
def test_compiled_formulas_refuse_the_first_point_outside_the_domain(costs: sc.CostTable, length: int) -> None:
    H = np.full(length, 4)
    H[-1] = 3
    columns = {"n": 1, "N": 4, "d": 8, "H": H}
    with pytest.raises(
        sc.DomainError, match=rf"^row {length - 1}: .*H=3.*; give points of the domain, or compile with checked=F"
    ):
        costs.compile()(**columns)
    anywhere = costs.compile("params", checked=False)
    assert anywhere(d=8)["params"].tolist() == [costs.subs(n=1, N=4, d=8, H=2).params]


def test_conditions_on_symbols_that_a_call_does_not_need_are_left_aside(costs: sc.CostTable) -> None:
    assert costs.compile("params").symbols == ("d",)
    assert costs.compile("params")(d=16)["params"].tolist() == [costs.subs(n=1, N=4, d=16, H=2).params]
    with pytest.raises(sc.DomainError, match="row 0: d=16, H=3 is outside the domain: "):
        costs.compile("params")(d=16, H=3)


def test_a_table_at_a_point_keeps_its_domain_when_it_is_compiled(costs: sc.CostTable) -> None:
    there = costs.subs(H=4, n=1)
    assert there.compile("macs")(N=4, d=[8, 16])["macs"].tolist() == [there.subs(N=4, d=d).macs for d in (8, 16)]
    with pytest.raises(sc.DomainError, match="row 1: "):
        there.compile("macs")(N=4, d=[8, 10])


def test_what_layers_say_of_their_sizes_holds_for_columns_too() -> None:
    compiled = sc.models.gpt2(n=1, N="N", d="d", L=2, H=4).compile("macs")
    with pytest.raises(sc.DomainError, match=r"row 1: .*d=10.*must hold"):
        compiled(N=8, d=[8, 10])


def test_a_space_of_a_table_at_a_point_keeps_its_domain_too(costs: sc.CostTable) -> None:
    there = costs.subs(H=4, n=1)
    assert sc.count(there, sc.Space(N=[4], d=range(1, 33))) == sc.count(
        costs, sc.Space(N=[4], d=range(1, 33), H=[4], n=[1])
    )
    with pytest.raises(sc.DomainError):
        there.subs(N=4, d=10)
    assert [row["d"] for row in sc.sweep(there, sc.Space(N=[4], d=[8, 10, 12, 16]))] == [8, 12, 16]
