"""Elasticity, leading terms, crossovers, derivatives and explanations: from known formulas, and by laws."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import symcost as sc

N, d, L, n = sc.symbols("N d L n")
GPT = sc.models.gpt2(d="d", L="L", H=1, N="N", n="n")


def test_attention_overtakes_the_mlp_at_four_times_the_width() -> None:
    """Products of queries, keys and values against the MLP: 2 N^2 d = 8 N d^2 at N = 4 d."""
    attention = sum(r.under("textbook").macs for r in GPT.rows if r.op in ("scores", "context"))
    mlp = sum(r.under("textbook").macs for r in GPT.rows if "/mlp/" in r.path)
    found = sc.crossover(attention, mlp, "N")
    assert (found.at, found.beyond) == (4 * d, "first")
    assert str(sc.crossover(mlp, attention, "N")) == "equal at N = 4*d; beyond it the second is larger"


def test_leading_terms_of_a_transformer() -> None:
    macs = GPT.total("textbook").macs
    assert sc.equal(sc.leading_term(macs), 12 * L * N * d**2 * n + 2 * L * N**2 * d * n)
    assert sc.equal(sc.leading_term(macs, "N"), 2 * L * N**2 * d * n)
    assert sc.equal(sc.leading_term(GPT.params, "d"), 12 * L * d**2)


def test_elasticity_says_what_one_percent_costs() -> None:
    """Kaplan et al.: the parameters of a transformer grow with the square of its width."""
    assert sc.elasticity(12 * L * d**2, "d") == 2
    assert sc.elasticity(GPT.macs, "n") == 1
    conv = sc.table(sc.Conv2d(c_o="c", k=3, p=1, s=2), ("n", 3, "r", "r")).macs
    assert sc.elasticity(conv, "r", r=224, c=8, n=1) == Fraction(2 * 112, 112 + Fraction(0))


def test_derivatives_take_sizes_as_smooth() -> None:
    assert sc.partial(sympy.floor(d / 2) * L, "d") == L / 2
    assert sc.partial(GPT.params, "L") == sympy.diff(GPT.params, L)


powers = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=4)


@settings(max_examples=80, deadline=None)
@given(terms=powers, width=st.integers(1, 50), depth=st.integers(1, 50))
def test_elasticities_of_a_homogeneous_formula_add_to_its_degree(
    terms: list[tuple[int, int, int]], width: int, depth: int
) -> None:
    """Euler's theorem, after every term is brought to degree 6 by a third symbol."""
    form = sum((k * d**a * L**b * n ** (6 - a - b) for k, a, b in terms), start=sympy.Integer(0))
    at = {"d": width, "L": depth, "n": 3}
    names = [name for name in at if sc.symbols(name)[0] in form.free_symbols]
    point = {name: at[name] for name in names}
    assert sum(sc.elasticity(form, name, **point) for name in names) == 6


@settings(max_examples=25, deadline=None)
@given(a=st.integers(1, 30), b=st.integers(1, 30), c=st.integers(0, 30))
def test_beyond_a_crossover_the_order_stays(a: int, b: int, c: int) -> None:
    first, second = a * N**2, b * N + c
    found = sc.crossover(first, second, "N")
    beyond = sympy.ceiling(found.at) + 1
    assert found.beyond == "first"
    assert first.subs(N, beyond) > second.subs(N, beyond)
    assert sympy.simplify((first - second).subs(N, found.at)) == 0


BAD = [
    (lambda: sc.elasticity(d**2, "L"), "the formula does not depend on 'L': it has d"),
    (lambda: sc.elasticity(sympy.Max(d, L), "d"), "a formula with Max has a corner in d"),
    (lambda: sc.elasticity(d**2 + L, "d", d=3), r"the elasticity needs a number for L: give L=\.\.\."),
    (lambda: sc.leading_term(d**2, "q"), "unknown symbol 'q': the formula has d"),
    (lambda: sc.leading_term(sympy.Max(d, L)), "a formula with Max has a leading term on each side"),
    (lambda: sc.crossover(d**2 + d, d, "d"), "one is larger for all positive values"),
    (lambda: sc.crossover(d, d, "d"), "the formula does not depend|both formulas are the same"),
    (lambda: sc.crossover(d**5 + d, L, "d"), "solves an equation of degree 5"),
]


@pytest.mark.parametrize(("ask", "message"), BAD, ids=[message for _, message in BAD])
def test_questions_without_an_answer(ask: object, message: str) -> None:
    with pytest.raises(sc.SymcostError, match=message):
        ask()  # type: ignore[operator]


def test_explanations_are_in_words_with_numbers() -> None:
    said = GPT.explain(d=768, L=12, N=1024, n=1)
    assert "124,439,808 parameters: " in said
    assert "1 % more d is 1.68 % more parameters" in said
    assert "most MACs: (the model itself)" not in said
    assert "most MACs: the model itself" in said
    symbolic = GPT.explain()
    assert "rules when everything grows: 12*L*d**2" in symbolic
    assert "1 % more n is 1 % more MACs" in symbolic
    assert sc.models.alexnet().explain().splitlines()[0] == "60,965,224 parameters"
    with pytest.raises(sc.SymcostError, match="unknown symbol 'q': the symbols here are"):
        GPT.explain(q=1)


def test_the_shares_of_an_explanation_are_true() -> None:
    said = GPT.explain(d=768, L=12, N=1024, n=1)
    macs = GPT.subs(d=768, L=12, N=1024, n=1).macs
    head = 50257 * 768 * 1024
    assert f"the model itself {100 * head / macs:.3g} %" in said
