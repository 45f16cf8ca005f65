"""Elasticity, leading terms, crossovers, derivatives and explanations: from known formulas, and by laws."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import symcost as sc
from symcost.formulas.symbols import evaluate, parse

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
    (
        lambda: sc.elasticity(sympy.Max(d, L), "d"),
        r"has a corner in d: take one of its parts, or give L=\.\.\., d=\.\.\.",
    ),
    (
        lambda: sc.elasticity(sympy.Max(d, L), "d", d=3, L=3),
        "two sides of a Max are equal at d=3, L=3 and grow differently",
    ),
    (lambda: sc.elasticity(d**2, "d", d=0), "d=0 is outside the domain: d must be a positive integer"),
    (lambda: sc.elasticity(d**2, "d", d=2.5), r"d=2\.5 is outside the domain"),
    (lambda: sc.elasticity(d**2, "d", d=2, q=3), "unknown symbol 'q': the formula has d"),
    (lambda: sc.partial(d * L, "d", d=2), "the derivative needs a number for L"),
    (lambda: sc.elasticity(sc.latency(GPT, "nvidia-a100-sxm-80gb"), "d"), "a Latency is no formula: give one such as"),
    (lambda: sc.crossover("N**2", d, "N"), r"'N\*\*2' is no formula: give one such as"),
    (lambda: sc.leading_term("N**2"), r"'N\*\*2' is no formula"),
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


AT = dict(n=8, d=768, L=12, N=1024)


@pytest.mark.parametrize("name", AT)
def test_at_a_point_the_side_of_a_maximum_that_rules_there_counts(name: str) -> None:
    """Against the slope between two neighbours, of formulas that have no rounding: polynomials of degree 2 at most."""
    peak = GPT.peak_activations
    seconds = sc.latency(GPT, "nvidia-a100-sxm-80gb", "bfloat16").seconds
    for formula in (peak, seconds):
        around = [sc.evaluate(formula, {**AT, name: AT[name] + step}) for step in (-1, 0, 1)]
        slope = Fraction(around[2] - around[0]) / 2
        used = {each: AT[each] for each in AT if sc.symbols(each)[0] in formula.free_symbols}
        if name in used:
            assert sc.elasticity(formula, name, **used) == slope * AT[name] / around[1]
            assert sc.partial(formula, name, **used) == slope


def test_sides_that_grow_alike_are_no_corner() -> None:
    tied = sympy.Max(d * L, d * n, evaluate=False)
    assert sc.elasticity(tied, "d", d=5, L=2, n=2) == 1
    assert sc.partial(sympy.Min(d**2, L, evaluate=False), "d", d=3, L=10) == 6


def test_a_maximum_is_explained_too() -> None:
    model = sc.models.mobilenet_v2(width=sc.parse("a/20"))
    assert "1 % more a has no one answer: a formula with Max has a corner in a" in model.explain()
    assert "% more parameters" in model.explain(a=21)


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


PIECES = st.sampled_from([
    "Max({a}*N, {b}*N**2 - {c})", "floor(N/{a})**2", "{b}*N**3", "Max({a}*N + {c}, {b}*ceiling(N/7))", "{a}*N + {c}",
    "Min({c}, {a}*N)*N", "{b}*Mod(N, {a}) + N", "{c}*N/({b}*N + {a})",
])  # fmt: skip


@pytest.mark.campaign
@settings(max_examples=80, deadline=None)
@given(PIECES, PIECES, *[st.integers(1, 40)] * 6)
def test_a_search_finds_what_every_integer_says(
    one: str, other: str, a: int, b: int, c: int, p: int, q: int, r: int
) -> None:
    first, second = parse(one.format(a=a, b=b, c=c)), parse(other.format(a=p, b=q, c=r))
    most = 300
    signs = [evaluate(first, {"N": n}) - evaluate(second, {"N": n}) for n in range(1, most + 1)]
    last = signs[-1]
    otherwise = [n for n, each in enumerate(signs, 1) if each * last <= 0]
    try:
        found = sc.crossover(first, second, "N", within=(1, most))
    except sc.SymcostError as problem:
        told = str(problem)
        assert ("both formulas are the same" in told) == (last == 0) or "does not depend" in told
        assert "does not depend" in told or ("neither formula" in told) == (last != 0 and not otherwise)
        return
    assert (found.at, found.beyond) == (otherwise[-1] + 1, "first" if last > 0 else "second")
    assert str(found) == (
        f"from N = {found.at} on the {found.beyond} is larger, at every integer up to {most}; at {found.at - 1} it is not"
    )


def test_where_no_formula_says_it_the_integers_are_searched() -> None:
    """A maximum, and a degree above 2: with a value for every other symbol."""
    first, second = parse("Max(n*d, 4096)"), parse("64*ceiling(d/3)")
    with pytest.raises(
        sc.SymcostError, match="a formula with Max has a corner in d: take one of its parts, or give values"
    ):
        sc.crossover(first, second, "d")
    found = sc.crossover(first, second, "d", n=17)
    assert (found.at, found.beyond, found.within) == (193, "second", (1, 2**64))
    assert sc.crossover(parse("N**5"), parse("1000*N**2 + 7*d"), "N", d=4).at == 11
    assert sc.crossover(parse("2*L*N**2*d"), parse("8*L*N*d**2"), "N", d=16).at == 64, (
        "a closed form at a point is one still"
    )
    assert sc.crossover(parse("2*L*N**2*d"), parse("8*L*N*d**2"), "N", d=16, L=1, within=(1, 100)).at == 65, (
        "the first integer beyond"
    )


@pytest.mark.parametrize(("given", "told"), [
    ({"within": (5, 1)}, r"within=\(5, 1\) must be two positive integers, as \(1, 65536\)"),
    ({"within": (1, 9)}, "a search of the crossover needs a number for d: give d=..."),
    ({"q": 4}, "unknown symbol 'q': the formulas have d"),
    ({"d": 0}, "d=0"),
    ({"d": 4, "within": (1, 5)}, "the second is larger at every integer from 1 to 5"),
])  # fmt: skip
def test_a_search_that_cannot_be_is_one_line(given: dict[str, Any], told: str) -> None:
    with pytest.raises(sc.SymcostError, match=told):
        sc.crossover(parse("N**5"), parse("1000*N**2 + 7*d"), "N", **given)


def test_a_crossover_at_0_for_the_least_size_is_one_and_one_of_no_known_sign_is_told() -> None:
    B, X, Y = sc.symbols("B X Y")
    assert str(sc.crossover(B * X, (X - 1) * Y, "B")) == "equal at B = Y - Y/X; beyond it the first is larger"
    with pytest.raises(sc.SymcostError, match=r"whether there is a crossover in B, at X - Y, depends on the other"):
        sc.crossover(B, X - Y, "B")
