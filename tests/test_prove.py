"""Proofs over ranges agree with looking at every point, and refutations name the smallest point."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from effort import also_campaign, examples
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sweep_oracle import FORMULAS as RANDOM

import symcost as sc
from symcost.errors import DomainError, SymcostError
from symcost.formulas.prove.boxed import Boxed
from symcost.formulas.prove.search import prove
from symcost.formulas.symbols import evaluate, parse

FORMULAS = [
    "a*b**2 + 3*a", "a**2 - 6*a + b", "floor((a + 3)/4)*b - a", "Max(a**2, 20*b) - b", "a*b - b**2 + 7",
    "ceiling(a/2)**2*b + Mod(a, 3)", "(a - 5)*(b - 4)", "(a - 5)**2*b", "clog2(a)*b - a/3", "Min(a, b)*a - 2*b",
    "b/a + a/b", "(a - 4)**3 + b", "flog2(a + b) - Max(0, a - 3)", "-a*b - a", "Mod(a*b, 7)", "12", "(b - a)**4 - 3*a**2",
    "pow2(a) - a*b", "isqrt(a*b)*a - b",
]  # fmt: skip
spans = st.tuples(st.integers(1, 9), st.integers(1, 7), st.sampled_from([1, 2, 3])).map(
    lambda t: range(t[0], t[0] + t[1] * t[2], t[2])
)


def every(expression: Any, ranges: dict[str, range]) -> list[tuple[dict[str, int], Any]]:
    """All points in their order, with the value at each."""
    points = (dict(zip(ranges, values, strict=True)) for values in itertools.product(*ranges.values()))
    return [(point, evaluate(expression, point)) for point in points]


@settings(deadline=None, max_examples=150)
@given(text=st.sampled_from(FORMULAS), a=spans, b=spans, limit=st.integers(-30, 120), odd=st.booleans())
def test_a_proof_says_what_every_point_says(text: str, a: range, b: range, limit: int, odd: bool) -> None:
    expression, ranges = parse(text), {"a": a, "b": b}

    def outside(point: dict[str, int]) -> str | None:
        return "a must be odd" if odd and point["a"] % 2 == 0 else None

    inside = [(point, value) for point, value in every(expression, ranges) if outside(point) is None]
    if not inside:
        with pytest.raises(DomainError, match="a must be odd"):
            prove(expression, limit, ranges, outside)
        return
    found = prove(expression, limit, ranges, outside)
    assert found.counterexample == next((point for point, value in inside if value > limit), None)
    if found:
        largest = max(value for _, value in inside)
        assert found.largest == largest if found.at else found.largest >= largest
        assert found.largest <= limit
        if found.at:
            assert evaluate(expression, found.at) == found.largest


@settings(deadline=None, max_examples=100)
@given(text=st.sampled_from(FORMULAS), a=spans, b=spans)
def test_bounds_enclose_and_directions_hold(text: str, a: range, b: range) -> None:
    expression = parse(text)
    box = {"a": (a[0], a[-1]), "b": (b[0], b[-1])}
    boxed = Boxed(expression, box)
    low, high = boxed.bounds()
    whole = {"a": range(a[0], a[-1] + 1), "b": range(b[0], b[-1] + 1)}
    assert all(low <= value <= high for _, value in every(expression, whole))
    for name in box:
        direction = boxed.direction(name)
        for point, value in every(expression, whole):
            if direction is not None and point[name] < box[name][1]:
                step = evaluate(expression, {**point, name: point[name] + 1}) - value
                assert step >= 0 if direction == 1 else step <= 0 if direction == -1 else step == 0


@also_campaign
@settings(deadline=None, max_examples=examples(20, 300), suppress_health_check=list(HealthCheck))
@given(RANDOM, st.fixed_dictionaries(dict.fromkeys("abc", st.tuples(st.integers(1, 6), st.integers(0, 4)))))
def test_bounds_and_directions_of_any_formula_are_those_of_every_point(expression: Any, spans: dict[str, Any]) -> None:
    box = {name: (low, low + more) for name, (low, more) in spans.items()}
    try:
        boxed = Boxed(expression, box)
        low, high = boxed.bounds()
    except sc.ExpressionError as problem:
        assume("could be 0" not in str(problem))
        raise
    values = {tuple(p.values()): v for p, v in every(expression, {n: range(a, b + 1) for n, (a, b) in box.items()})}
    assert low <= min(values.values())
    assert max(values.values()) <= high
    for position, name in enumerate(box):
        direction = boxed.direction(name)
        for point, value in values.items() if direction is not None else ():
            after = values.get((*point[:position], point[position] + 1, *point[position + 1 :]), value)
            assert after == value if direction == 0 else (after - value) * (direction or 0) >= 0


@pytest.mark.parametrize(("text", "box", "name", "direction"), [
    ("d**2 - 6*d + floor(d/4)", {"d": (3, 2**64)}, "d", 1), ("(d - 9)**3", {"d": (1, 99)}, "d", 1),
    ("d - 1/d", {"d": (1, 99)}, "d", 1), ("n/d + floor(n/2)", {"n": (1, 9), "d": (1, 9)}, "d", -1),
    ("n*d - n*n*d", {"n": (1, 9), "d": (1, 9)}, "d", -1), ("(d - 10)**2", {"d": (4, 64)}, "d", None),
])  # fmt: skip
def test_slopes_powers_and_quotients_are_certified(text: str, box: dict[str, Any], name: str, direction: Any) -> None:
    assert Boxed(parse(text), box).direction(name) == direction


def test_a_transformer_is_certified_in_every_symbol() -> None:
    costs = sc.models.gpt2(d="d", L="L", N="N", n="n", H=1)
    ranges = {"n": range(1, 9), "N": range(2, 1025), "d": range(64, 4097), "L": range(1, 97)}
    assert prove(costs.flops, 10**20, ranges).how == "certified monotone: largest at n=8, N=1024, d=4096, L=96"
    found = prove(costs.flops, 10**14, ranges)
    assert found.counterexample is not None
    assert costs.subs(**found.counterexample).flops > 10**14
    smaller = {**found.counterexample, "L": found.counterexample["L"] - 1}
    assert costs.subs(**smaller).flops <= 10**14


def test_nothing_is_decided_by_giving_up() -> None:
    hard = parse("Mod(a*b*c, 1000003) + Mod(a*b*c + 1, 1000003)")
    ranges = {name: range(1, 10**6) for name in "abc"}
    with pytest.raises(SymcostError, match=r"undecided after 50000 boxes of a=1\.\.999999"):
        prove(hard, 2 * 1000002 - 1, ranges)
    assert prove(hard, 2 * 1000002, ranges), "no remainder is larger"


@pytest.mark.parametrize("values", [range(5, 5), range(0, 4), range(4, 1, -1)])
def test_ranges_are_positive_and_ascending(values: range) -> None:
    with pytest.raises(SymcostError, match="the range of a must be positive and ascending"):
        prove(parse("a"), 1, {"a": values})


def test_a_domain_that_begins_late_is_found_and_none_is_claimed_where_not_all_was_looked_at() -> None:
    ranges = {"r": range(1, 225), "n": range(1, 65), "d": range(1, 1025)}
    found = prove(parse("r*n*d"), 10**9, ranges, lambda point: "r must be at least 97" if point["r"] < 97 else None)
    assert found.at == {"r": 224, "n": 64, "d": 1024}
    with pytest.raises(DomainError, match=r"none of 100000 points spread over r=1..224, n=1..64.* \(never\)"):
        prove(parse("r*n*d"), 10**9, ranges, lambda point: "never")
