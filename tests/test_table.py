"""Tables: totals, groups, points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import symcost as sc
from symcost.costs.cost import CONVENTIONS, METRICS, Cost
from symcost.costs.rows import Row, total
from symcost.costs.table import CostTable
from symcost.errors import DomainError, SymcostError
from symcost.formulas.symbols import symbols

n, d, L = symbols("n d L")
ATTENTION = Cost(params=4 * d**2, macs=4 * n * d**2, flops=8 * n * d**2 + n)
LINEAR = Cost(params=d, macs=n * d, flops=2 * n * d, activations=n)
TABLE = CostTable([
    Row(path="embed", op="gather", cost=Cost(params=10 * d)),
    Row(path="block_#/attn", op="dot", cost=ATTENTION, textbook=Cost(macs=ATTENTION.macs), times=L, xla_times=1,
        xla=ATTENTION),
    Row(path="block_#/mlp", op="dot", cost=LINEAR, textbook=LINEAR, times=2 * L, phase="backward", out=(n, d),
        ins=((n,),)),
    Row(path="head", op="dot", cost=LINEAR),
])  # fmt: skip

COUNTS = st.one_of(st.integers(0, 99), st.sampled_from([n, n * d, 3 * d + 1]))
ROWS = st.lists(
    st.builds(
        Row, path=st.sampled_from(["a", "a/b", "a/c", "d/e/f", ""]), op=st.sampled_from(["dot", "add"]),
        cost=st.builds(Cost, **dict.fromkeys(METRICS, COUNTS)),
        times=st.one_of(st.integers(0, 5), st.sampled_from([L, 2 * L])),
    ),
    max_size=6,
)  # fmt: skip


def equal(a: Any, b: Any) -> bool:
    """Whether two numbers or formulas are equal."""
    return sympy.expand(sympy.sympify(a) - sympy.sympify(b)) == 0


def test_totals_multiply_by_the_repetitions_of_their_convention() -> None:
    assert equal(TABLE.macs, 4 * L * n * d**2 + 2 * L * n * d + n * d)
    assert equal(TABLE.total("xla").macs, 4 * n * d**2)
    assert equal(TABLE.total("textbook").params, 2 * L * d)
    assert equal(TABLE.activations, 2 * L * n)


def test_attributes_are_totals_of_a_named_convention() -> None:
    full = TABLE.total("full")
    assert (TABLE.params, TABLE.macs, TABLE.flops, TABLE.transcendentals) == (
        full.params, full.macs, full.flops, full.transcendentals,
    )  # fmt: skip
    assert TABLE.activations == TABLE.total("textbook").activations


@given(ROWS)
def test_a_total_is_the_plain_sum_of_its_rows(rows: list[Row]) -> None:
    for convention in CONVENTIONS:
        plain = sum((row.under(convention) for row in rows), start=Cost())
        summed = total(rows, convention)
        assert all(equal(getattr(plain, m), getattr(summed, m)) for m in METRICS)


@given(ROWS, st.sampled_from([0, 1, 2, None]))
def test_groups_partition_the_rows(rows: list[Row], depth: int | None) -> None:
    table = CostTable(rows)
    for groups in (table.by_path(depth), table.by_op(), table.by_phase()):
        assert sorted(id(r) for g in groups for r in g.rows) == sorted(id(r) for r in rows)
        assert equal(sum(g.total().macs for g in groups), table.macs)


def test_groups_are_named_and_ordered_by_first_appearance() -> None:
    assert [g.name for g in TABLE.by_path(1)] == ["embed", "block_#", "head"]
    assert [g.name for g in TABLE.by_path()] == ["embed", "block_#/attn", "block_#/mlp", "head"]
    assert [g.name for g in TABLE.by_op()] == ["gather", "dot"]
    assert [g.name for g in TABLE.by_phase()] == ["forward", "backward"]


@given(ROWS, st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_substituting_the_total_equals_summing_the_substituted_rows(rows: list[Row], a: int, b: int, c: int) -> None:
    table = CostTable(rows)
    at = table.subs(**{name: v for name, v in {"n": a, "d": b, "L": c}.items() if name in table.symbols})
    for convention in CONVENTIONS:
        summed = total(at.rows, convention)
        assert all(isinstance(value, int) for _, value in at.total(convention).items())
        assert at.total(convention) == summed


def test_a_point_gives_integers_in_rows_and_shapes_too() -> None:
    at = TABLE.subs(n=2, d=3, L=4)
    assert at.macs == 4 * 4 * 2 * 9 + 2 * 4 * 2 * 3 + 6
    assert at.rows[2].times == 8
    assert at.rows[2].out == (2, 3)
    assert at.rows[2].ins == ((2,),)


def test_part_of_a_point_leaves_formulas() -> None:
    assert equal(TABLE.subs(d=3).macs, 36 * L * n + 6 * L * n + 3 * n)


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({"q": 1}, "unknown symbol 'q': the symbols here are L, d, n"),
        ({"d": 0}, "d=0 is outside the domain: d must be a positive integer"),
        ({"d": 1.5}, "d=1.5 is outside the domain: d must be a positive integer"),
        ({"d": True}, "d=True is outside the domain: d must be a positive integer"),
    ],
)
def test_a_bad_point_is_an_error_that_says_what_is_allowed(point: dict[str, Any], message: str) -> None:
    with pytest.raises(DomainError) as caught:
        TABLE.subs(**point)
    assert str(caught.value) == message


def test_a_table_without_symbols_says_so() -> None:
    with pytest.raises(DomainError, match="unknown symbol 'n': the symbols here are none"):
        CostTable([]).subs(n=1)


def test_an_unknown_convention_is_an_error() -> None:
    with pytest.raises(SymcostError, match="unknown convention"):
        TABLE.total("torch")
    with pytest.raises(SymcostError, match="unknown convention"):
        TABLE.rows[0].under("torch")


def test_iterating_gives_the_rows() -> None:
    assert tuple(TABLE) == TABLE.rows
    assert TABLE.symbols == ("L", "d", "n")


WITHOUT: dict[str, tuple[Callable[[CostTable], object], str]] = {
    "a peak": (lambda t: t.peak(), "this table knows no peak of activations: make it with sc.table or sc.trace"),
    "a path": (lambda t: t.peak_path(), "where the peak is reached is known of networks written as layers"),
    "residuals": (lambda t: t.residuals, 'residuals exist only for training: trace with mode="train"'),
    "a field": (lambda t: t.receptive_field, "the receptive field is known of networks written as layers"),
    "fields": (lambda t: t.receptive_fields, "receptive fields are known of networks written as layers"),
    "layers": (lambda t: t.net, "this table is not of a network written as layers with all its symbols"),
}


@pytest.mark.parametrize("part", WITHOUT)
def test_a_number_that_a_table_has_not_is_an_error_that_says_what_has_it(part: str) -> None:
    ask, message = WITHOUT[part]
    for table in (TABLE, TABLE.subs(n=2)):
        with pytest.raises(sc.SymcostError, match=message):
            ask(table)


def test_what_nobody_says_of_a_table_is_none() -> None:
    assert (TABLE.domain, TABLE.certificate, TABLE.coverage) == (None, None, None)
    assert [dict(part) for part in (TABLE.point, TABLE.unknown_trips, TABLE.unknown_macs)] == [{}, {}, {}]
    assert not TABLE.grows


def test_values_given_one_after_another_are_values_given_at_once() -> None:
    whole = sc.table(sc.Sequential(conv=sc.Conv2d(c_o=8, k=3), act=sc.ReLU()), (n, 3, "h", "h"))
    step, once = whole.subs(n=2).subs(h=9), whole.subs(n=2, h=9)
    assert step.point == once.point == {"n": 2, "h": 9}
    assert step.symbols == ()
    assert (step.rows, step.total(), step.peak(), step.receptive_field) == (
        once.rows, once.total(), once.peak(), once.receptive_field)  # fmt: skip
    assert step.domain is whole.domain


def test_the_domain_holds_for_values_given_one_after_another() -> None:
    whole = sc.table(sc.Conv2d(c_o=8, k=3), ("n", 3, "h", "h"))
    with pytest.raises(sc.DomainError, match=r"n=2, h=2 is outside the domain: h - 3 >= 0 must hold"):
        whole.subs(n=2).subs(h=2)
    with pytest.raises(sc.DomainError, match="unknown symbol 'n': the symbols here are h"):
        whole.subs(n=2).subs(n=3)
