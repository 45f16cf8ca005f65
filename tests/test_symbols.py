"""Symbols, the safe parser and exact evaluation."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from symcost.errors import ExpressionError
from symcost.formulas.binary.digits import ceil_log2, clog2, flog2
from symcost.formulas.symbols import evaluate, parse, symbol, symbols

VALUES = {"n": 3, "d": 7, "r": 65}
SMALL = st.integers(1, 200)


def test_symbols_are_positive_integers_and_equal_by_name() -> None:
    n, d = symbols("n, d")
    assert n.is_positive
    assert n.is_integer
    assert (n, d) == symbols("n d") == (symbol("n"), symbol("d"))


@pytest.mark.parametrize("name", ["2n", "a-b", "", "a b", "a.b"])
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(ExpressionError, match="is not a name for a symbol: use letters, digits and _"):
        symbol(name)


# -- the parser ----------------------------------------------------------------------------------------------------
READ = {
    "12*n*d**2": 1764, "+n - -d": 10, "r // 2": 32, "r % 4": 1, "floor(r/32) + ceiling(r/32)": 5,
    "Max(n, d) - Min(n, d)": 4, "Mod(r, 7)": 2, "clog2(9) + flog2(9)": 7, "n/d": Fraction(3, 7), "2**-1": Fraction(1, 2),
    "  n ": 3,
}  # fmt: skip


@pytest.mark.parametrize("text", READ)
def test_an_expression_is_read_and_evaluated_exactly(text: str) -> None:
    assert evaluate(parse(text), VALUES) == READ[text]


REFUSED = [
    "__import__('os')", "n.real", "n[0]", "'n'", "1.5", "1e3", "True", "lambda: n", "[n]", "n if d else r", "f(n)",
    "n and d", "n < d", "open(n)", "floor(n, key=d)", "(n := 3)", "{n}", "*n", "~n", "n @ d", "n << 2", "n | d",
    "1j", "...", "None",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="cannot read"):
        parse(text)


@pytest.mark.parametrize("text", ["", "n +", "n n", "(n", "n\x00"])
def test_bad_syntax_is_one_line(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"cannot read .* as an expression") as caught:
        parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["n/0", "n//0", "n % 0", "0**-1", "n/(d - d)"])
def test_dividing_by_zero_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="divides by zero"):
        parse(text)


@pytest.mark.parametrize("text", ["2**65", "n**d", "n**(1/2)", "9**9**9"])
def test_large_or_symbolic_exponents_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="must be an integer of at most 64"):
        parse(text)


def test_a_wrong_number_of_arguments_is_refused() -> None:
    with pytest.raises(ExpressionError, match=r"floor in 'floor\(n, d\)' takes another number of arguments"):
        parse("floor(n, d)")


def test_endless_text_and_nesting_are_refused() -> None:
    with pytest.raises(ExpressionError, match="has 2000001 characters: at most 2000000 are read"):
        parse("n" * 2_000_001)
    with pytest.raises(ExpressionError):
        parse("(" * 5000 + "n" + ")" * 5000)
    with pytest.raises(ExpressionError):
        parse("-" * 5000 + "n")


def test_a_long_text_is_shortened_in_the_message() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("n + " * 100 + "'x'")
    assert len(str(caught.value)) < 300


# -- laws ----------------------------------------------------------------------------------------------------------
def expressions() -> st.SearchStrategy[Any]:
    """Expressions of every kind that reports print."""
    leaves = st.one_of(st.sampled_from(symbols("n d r")), st.integers(1, 9).map(sympy.Integer))
    positive = st.integers(2, 9).map(sympy.Integer)

    def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(
            st.tuples(inner, inner).map(lambda p: p[0] + p[1]),
            st.tuples(inner, inner).map(lambda p: p[0] * p[1]),
            st.tuples(inner, positive).map(lambda p: sympy.floor(p[0] / p[1])),
            st.tuples(inner, positive).map(lambda p: sympy.ceiling(p[0] / p[1])),
            st.tuples(inner, inner).map(lambda p: sympy.Max(*p, evaluate=False)),
        )

    return st.recursive(leaves, grow, max_leaves=6)


@given(expressions(), SMALL, SMALL, SMALL)
def test_what_is_printed_reads_back_to_the_same_value(value: Any, n: int, d: int, r: int) -> None:
    at = {"n": n, "d": d, "r": r}
    assert evaluate(parse(str(value)), at) == evaluate(value, at)


@given(expressions(), SMALL, SMALL, SMALL)
def test_exact_evaluation_agrees_with_substitution(value: Any, n: int, d: int, r: int) -> None:
    at = {"n": n, "d": d, "r": r}
    substituted = value.subs({symbol(name): number for name, number in at.items()})
    # Maxima of plain numbers stay as they were built: rebuilding every node evaluates them.
    rebuilt = substituted.replace(lambda e: bool(e.args), lambda e: e.func(*e.args))
    assert sympy.Rational(str(evaluate(value, at))) == rebuilt


@given(st.integers(1, 10**30))
def test_integer_logarithms_bracket_their_argument(value: int) -> None:
    up, down = int(clog2(sympy.Integer(value))), int(flog2(sympy.Integer(value)))
    assert 2**down <= value < 2 ** (down + 1)
    assert up == ceil_log2(value)
    assert value <= 2**up
    assert up == 0 or 2 ** (up - 1) < value


@given(st.integers(-(10**40), 10**40), st.integers(1, 10**20))
def test_no_digit_is_lost(a: int, b: int) -> None:
    assert evaluate(parse(f"({a})*n + {b}"), {"n": b}) == a * b + b
    assert evaluate(parse(f"floor(({a})/{b})"), {}) == math.floor(Fraction(a, b))


# -- evaluation ----------------------------------------------------------------------------------------------------
def test_a_missing_value_is_named() -> None:
    with pytest.raises(ExpressionError, match="no value for the symbol d: values are given for n"):
        evaluate(parse("n*d"), {"n": 2})
    with pytest.raises(ExpressionError, match="values are given for none"):
        evaluate(parse("d"), {})


def test_a_logarithm_of_nothing_has_no_value() -> None:
    with pytest.raises(ExpressionError, match="the logarithm of 0 has no value: sizes are positive integers"):
        clog2(sympy.Integer(0))


def test_a_division_by_zero_at_a_point_is_an_error() -> None:
    with pytest.raises(ExpressionError, match="divides by zero"):
        evaluate(1 / (symbol("n") - 1), {"n": 1})


def test_a_function_without_exact_value_is_refused() -> None:
    with pytest.raises(ExpressionError, match="has no exact evaluation"):
        evaluate(sympy.sin(symbol("n")), {"n": 1})
    with pytest.raises(ExpressionError, match="is not an integer"):
        evaluate(sympy.sqrt(symbol("n")), {"n": 2})


@pytest.mark.parametrize(("n", "value"), [(1, 10), (4, 20), (5, 20), (7, 40), (9, 30)])
def test_a_piecewise_form_takes_the_first_condition_that_holds(n: int, value: int) -> None:
    x = symbol("n")
    form = sympy.Piecewise(
        (10, x < 4), (20, sympy.And(x >= 4, x <= 5)), (30, sympy.Or(sympy.Eq(x, 9), x > 9)), (40, True)
    )
    assert evaluate(form, {"n": n}) == value


def test_a_piecewise_form_without_a_true_condition_is_an_error() -> None:
    with pytest.raises(ExpressionError, match="no condition holds"):
        evaluate(sympy.Piecewise((1, symbol("n") > 5)), {"n": 1})
