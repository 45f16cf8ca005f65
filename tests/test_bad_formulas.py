"""What is large is known before it is made, and logarithms and remainders mean one thing on every path."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from refusals import TOWER, one_line

import symcost as sc
from symcost.costs.cost import Cost
from symcost.costs.rows import Row
from symcost.costs.table import CostTable
from symcost.formulas.binary.digits import clog2, flog2, log2
from symcost.formulas.extent import MAX_TERMS, extent
from symcost.formulas.form import Form
from symcost.formulas.functions import logarithm
from symcost.formulas.prove.boxed import Boxed
from symcost.formulas.symbols import evaluate, parse
from symcost.reading.numerals import MAX_BITS, MAX_DIGITS
from symcost.sweeps.question.columns import CompiledFormulas

# -- what is large is known before it is made ----------------------------------------------------------------------
LARGE = {
    TOWER: f"has more than {MAX_BITS} bits",
    "((n**64)**64)**64": f"has more than {MAX_BITS} bits",
    "Max(((9**64)**64)**64, 1)": f"has more than {MAX_BITS} bits",
    "floor((n**64)**64/7)": f"has more than {MAX_BITS} bits",
    "Mod((n**64)**64, 7)": f"has more than {MAX_BITS} bits",
    "((1/3)**64)**64 * 3": f"has more than {MAX_BITS} bits",
    "*".join(["9**64"] * 50): f"has more than {MAX_BITS} bits",
    "(a+b+c+d+e+f+g+h)**64": f"multiplied out: at most {MAX_TERMS} are made",
    "*".join(f"(a{i}+b{i})" for i in range(40)): f"multiplied out: at most {MAX_TERMS} are made",
    "0x" + "f" * 10**6: f"has more than {MAX_BITS} bits",
    "9" * 10**6: f"has an integer of 1000000 digits: at most {MAX_DIGITS} are read",
    "-" * 100_000 + "1": "is nested too deeply",
    "~" * 100_000 + "1": "is nested too deeply",
    "(" * 100_000: "too many nested parentheses",
    "floor(" * 100_000: "too many nested parentheses",
    "n*" * 100_000 + "n": "is nested too deeply",
    "n" * 10**8: "has 100000000 characters: at most 2000000 are read",
    "\u0661\u0662": "invalid character",
    "n\0": "cannot read 'n\\x00' as an expression",
}


@pytest.mark.parametrize("text", LARGE, ids=range(len(LARGE)))
def test_a_text_that_would_become_too_large_is_refused(text: str) -> None:
    assert LARGE[text] in one_line(lambda: parse(text))


def test_sums_as_long_as_saved_tables_have_them_are_read() -> None:
    text = " + ".join(f"{k}*n**2/{2 + k % 5}" for k in range(1, 5_000))
    assert evaluate(parse(text), {"n": 2}) == sum(Fraction(4 * k, 2 + k % 5) for k in range(1, 5_000))


@pytest.mark.parametrize("power", [1, 2, 64, 127])
def test_numbers_up_to_the_limit_are_exact(power: int) -> None:
    assert evaluate(parse(f"(2**{min(power, 64)})*n"), {"n": 2**power}) == 2 ** (min(power, 64) + power)


def test_values_of_a_point_are_bounded_too() -> None:
    n = sc.symbols("n")[0]
    huge = 2**n
    assert evaluate(huge, {"n": 100}) == 2**100
    for make in (
        lambda: evaluate(huge, {"n": 10**12}),
        lambda: evaluate(huge, {"n": 10**5000}),
        lambda: evaluate(parse("n**64"), {"n": 10**60}),
        lambda: CostTable([Row(path="a", op="b", cost=Cost(macs=huge))]).subs(n=10**9).macs,
        lambda: CostTable([Row(path="a", op="b", cost=Cost(macs=huge * sc.symbols("d")[0]))]).subs(n=10**9).macs,
        lambda: extent(huge, {"n": 10**9}),
    ):
        assert f"{MAX_BITS} bits" in one_line(make)


def test_sums_of_fractions_end_too() -> None:
    text = " + ".join(f"1/(n + {k})" for k in range(1, 3000))
    assert f"has more than {MAX_BITS} bits" in one_line(lambda: evaluate(parse(text), {"n": 10**18}))


# -- one meaning of logarithms and remainders ----------------------------------------------------------------------
@given(st.fractions(min_value=Fraction(1, 10**6), max_value=10**9))
def test_logarithms_of_fractions_bracket_them(value: Fraction) -> None:
    down, up = log2(value, up=False), log2(value, up=True)
    assert Fraction(2) ** down <= value < Fraction(2) ** (down + 1)
    assert Fraction(2) ** (up - 1) < value <= Fraction(2) ** up


@pytest.mark.parametrize("above", [2, 3, 5, 8, 9, 1023])
def test_every_path_gives_the_same_logarithm(above: int) -> None:
    for kind, up in (("clog2", True), ("flog2", False)):
        right = log2(Fraction(above, 2), up)
        formula = parse(f"{kind}(n/2)")
        assert evaluate(formula, {"n": above}) == right
        assert formula.subs({sc.symbols("n")[0]: above}) == right
        assert (clog2 if up else flog2)(sympy.Rational(above, 2)) == right
        assert Boxed(formula, {"n": (above, above)}).bounds() == (right, right)
        assert logarithm(kind, Form.symbol("n") / 2).value({"n": above}) == right
        assert CompiledFormulas({"f": formula}, {})(n=[above])["f"].tolist() == [right]
        space = sc.Space(n=range(2, 1024))
        assert sc.count({"f": formula}, space, where=[f"f == {right}", f"n == {above}"], engine="numpy") == 1
        assert sc.count({"f": formula}, space, where=[f"f == {right}", f"n == {above}"]) == 1


@pytest.mark.parametrize("kind", ["clog2", "flog2"])
@pytest.mark.parametrize("n", [1, 4])
def test_no_path_gives_a_logarithm_of_nothing(kind: str, n: int) -> None:
    formula = parse(f"{kind}(n - 4)")
    for make in (
        lambda: evaluate(formula, {"n": n}),
        lambda: formula.subs({sc.symbols("n")[0]: n}),
        lambda: CompiledFormulas({"f": formula}, {})(n=[n, 9]),
        lambda: sc.count({"f": formula}, sc.Space(n=[n, 9]), where=["f >= 0"]),
        lambda: logarithm(kind, Form.symbol("n") - 4).value({"n": n}),
        lambda: parse(f"{kind}({n - 4})"),
    ):
        assert "logarithm" in one_line(make)


def test_no_path_divides_by_zero() -> None:
    formula = parse("9 % (n - 2)")
    for make in (
        lambda: parse("n % 0"),
        lambda: parse("Mod(n, 0)"),
        lambda: evaluate(formula, {"n": 2}),
        lambda: CompiledFormulas({"f": formula}, {})(n=[2, 9]),
        lambda: sc.count({"f": formula}, sc.Space(n=[2, 9]), where=["f >= 0"]),
        lambda: evaluate(parse("1/(n - 2)"), {"n": 2}),
    ):
        one_line(make)
