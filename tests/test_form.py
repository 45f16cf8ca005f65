"""Forms: an exact algebra that agrees with sympy and with integers."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from symcost.errors import ExpressionError
from symcost.formulas.form import ONE, ZERO, Form, as_form, floor
from symcost.formulas.functions import logarithm, maximum
from symcost.formulas.symbols import evaluate, parse

n, d, r = (Form.symbol(name) for name in "ndr")
POINTS = st.fixed_dictionaries({name: st.integers(1, 300) for name in "ndr"})
NUMBERS = st.one_of(st.integers(-9, 9), st.fractions(-5, 5, max_denominator=8))


def forms() -> st.SearchStrategy[Form]:
    """Forms with fractions, negative exponents and floors."""
    monomials = st.tuples(NUMBERS, st.integers(-1, 2), st.integers(0, 2), st.integers(0, 1))

    def build(terms: list[tuple[Any, int, int, int]]) -> Form:
        return Form.total(a * n**i * d**j * r**k for a, i, j, k in terms)

    plain = st.lists(monomials, max_size=4).map(build)
    return st.one_of(plain, st.tuples(plain, plain).map(lambda pair: pair[0] + floor(pair[1])))


FORMS = forms()


@given(FORMS, FORMS, FORMS, POINTS)
def test_the_algebra_is_a_commutative_ring(a: Form, b: Form, c: Form, at: dict[str, int]) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a * b == b * a
    assert a * (b + c) == a * b + a * c
    assert a + ZERO == a == a * ONE
    assert a - a == ZERO
    assert (a * b).value(at) == a.value(at) * b.value(at)
    assert (a + b).value(at) == a.value(at) + b.value(at)


@given(FORMS, POINTS)
def test_sympy_and_the_form_have_the_same_value(a: Form, at: dict[str, int]) -> None:
    assert evaluate(a.sympy(), at) == a.value(at)
    assert evaluate(parse(str(a)), at) == a.value(at)


@given(FORMS, POINTS)
def test_the_integral_part_and_the_rest_make_the_form(a: Form, at: dict[str, int]) -> None:
    whole, rest = a.split_integral()
    assert whole + rest == a
    assert isinstance(whole.value(at), int)


@given(FORMS, POINTS)
def test_floor_is_the_floor_of_the_value(a: Form, at: dict[str, int]) -> None:
    assert floor(a).value(at) == math.floor(a.value(at))


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 6), st.integers(1, 6), POINTS)
def test_a_floor_of_a_floor_is_the_same_number(a: int, b: int, s: int, t: int, at: dict[str, int]) -> None:
    inner = floor((r + a) / s)
    outer = floor((inner + b) / t)
    assert outer.value(at) == ((at["r"] + a) // s + b) // t
    assert str(outer).count("floor") <= 1


@given(st.integers(-20, 20), st.integers(1, 12), st.integers(1, 12))
def test_equal_floors_are_equal_forms(a: int, s: int, extra: int) -> None:
    shifted = (r + a) / s + Fraction(extra % s, s * extra) if extra % s and s * extra > s else (r + a) / s
    same = all(math.floor(shifted.value({"r": v})) == (v + a) // s for v in range(1, 50))
    assert (floor(shifted) == floor((r + a) / s)) == same


@given(st.lists(FORMS, max_size=4), POINTS)
def test_a_total_is_the_sum(parts: list[Form], at: dict[str, int]) -> None:
    assert Form.total(parts).value(at) == sum(part.value(at) for part in parts)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=3), POINTS)
def test_a_maximum_of_sizes_is_the_largest(numbers: list[int], at: dict[str, int]) -> None:
    parts = [number * n + d for number in numbers]
    assert maximum(parts).value(at) == max(part.value(at) for part in parts)


def test_a_maximum_of_numbers_is_a_number_and_zero_says_nothing() -> None:
    assert maximum([2, 5]) == 5
    assert maximum([n, 0]) == n
    assert maximum([n, n]) == n
    assert maximum([n, 0, 3]).value({"n": 1}) == 3


def test_forms_equal_numbers_and_hash_like_them() -> None:
    assert Form.constant(3) == 3
    assert hash(Form.constant(3)) == hash(3)
    assert {n + 1, 1 + n} == {n + 1}
    assert n != "n"
    assert as_form(2) == Form.constant(2)


def test_a_quotient_cancels() -> None:
    assert d * n / d == n
    assert (6 * n * d) / (2 * d) == 3 * n
    assert (n / 2) * 2 == n


def test_only_one_term_may_stand_below() -> None:
    with pytest.raises(ExpressionError, match=r"cannot be divided by .*: only one term may stand below"):
        _ = n / (d + 1)


def test_powers() -> None:
    assert n**0 == 1
    assert n**3 == n * n * n
    assert n**-2 == ONE / (n * n)


def test_symbols_are_found_inside_functions() -> None:
    assert (floor(r / 2) * n).symbols == {"r", "n"}
    assert Form.constant(3).symbols == frozenset()


def test_what_is_integral_and_what_is_polynomial() -> None:
    assert (n * d + 2).is_integral
    assert not (n / 2).is_integral
    assert not (d / n).is_integral
    assert (d / n).is_polynomial
    assert not floor(r / 2).is_polynomial


def test_logarithms_of_numbers_are_numbers() -> None:
    assert logarithm("clog2", 9) == 4
    assert logarithm("flog2", 9) == 3
    for kind in ("clog2", "flog2"):
        assert logarithm(kind, n).value({"n": 9}) == logarithm(kind, 9).number


def test_a_number_is_known_as_one() -> None:
    assert ZERO.number == 0
    assert Form.constant(Fraction(1, 2)).number == Fraction(1, 2)
    assert n.number is None
    assert (n + 1).number is None


def test_forms_print_as_sympy_does() -> None:
    assert str(2 * n * d**2 + floor(r / 32)) == str(2 * parse("n*d**2") + sympy.floor(parse("r") / 32))


def test_a_form_is_itself_in_a_process_whose_atoms_have_other_numbers() -> None:
    a, b = Form.symbol("a_first"), Form.symbol("b_second")
    form = floor(b / 3) * a * 2 + b * b + floor((floor(b / 2) + a) / 5)
    code = (
        "import pickle, sys\n"
        "from symcost.formulas.form import Form, floor\n"
        "b, a = Form.symbol('b_second'), Form.symbol('a_first')\n"
        "read = pickle.loads(sys.stdin.buffer.read())\n"
        "assert read == floor(b / 3) * a * 2 + b * b + floor((floor(b / 2) + a) / 5)\n"
        "print(read.value({'a_first': 7, 'b_second': 11}))\n"
    )
    told = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(form), capture_output=True, check=True)
    assert int(told.stdout) == form.value({"a_first": 7, "b_second": 11}) == 165
