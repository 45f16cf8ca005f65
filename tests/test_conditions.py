"""The one language of conditions: what it reads, exactly, and that every verb understands the same by it."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symcost as sc
from symcost.formulas.conditions import Compare, compares, condition, conjuncts, holds
from symcost.formulas.measures import BYTES, SECONDS
from symcost.formulas.symbols import Evaluator

DIMENSIONS = {"latency": SECONDS.dimension, "size": BYTES.dimension}


def measured(name: str) -> Any:
    """Seconds of ``latency``, bytes of ``size``; anything else is a number."""
    return DIMENSIONS.get(name, {})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("25e6", 25_000_000), ("2.5e7", 25_000_000), ("25 M", 25_000_000), ("25M", 25_000_000), ("0.1", Fraction(1, 10)),
        ("1e-3", Fraction(1, 1000)), (".5", Fraction(1, 2)), ("1_000.5", Fraction(2001, 2)), ("3 k", 3000), ("2 T", 2 * 10**12),
        ("320 KiB", 320 * 1024), ("1.5 MiB", 3 << 19), ("1 MB", 10**6), ("5 ms", Fraction(1, 200)), ("5 µs", Fraction(1, 200_000)),
        ("5 us", Fraction(1, 200_000)), ("2 mJ", Fraction(1, 500)), ("7 s", 7), ("123456789012345678901234567890.5",
        Fraction(246913578024691357802469135781, 2)), ("2*5 ms", Fraction(1, 100)), ("5 ms + 1 us", Fraction(5001, 10**6)),
    ],
)  # fmt: skip
def test_a_number_is_what_it_says_to_its_last_digit(text: str, value: Fraction) -> None:
    found = condition(f"a <= {text}")
    assert isinstance(found, Compare)
    assert Fraction(int(found.right.p), int(found.right.q)) == value
    assert found.text.split() == f"a <= {text}".replace("25M", "25 M").split()


@pytest.mark.parametrize(
    "text",
    ["latency <= 5 ms", "size <= 320 KiB and latency < 1 s", "d <= 2 k", "size/d >= 4 B", "latency*1000 <= 5 s", "latency <= 5",
     "2*size + 1 <= 1 MB", "size <= 8e9", "floor(size/4) <= 1 kB", "latency % 2 == 0 s or size >= 1 B"],
)  # fmt: skip
def test_units_that_agree_are_read(text: str) -> None:
    condition(text, measured)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "latency <= 320 KiB",
            "'latency <= 320 KiB' compares seconds with bytes: give a number in the unit of its quantity",
        ),
        ("d <= 5 ms", "'d <= 5 ms' compares a count with seconds"),
        ("latency <= 25 M", "'latency <= 25 M' compares seconds with a count"),
        ("latency + size <= 5 ms", "adds seconds with bytes"),
        ("size*latency <= 5 B", r"compares bytes\*seconds with bytes"),
        ("1/latency >= 5 ms", "compares 1/seconds with seconds"),
        ("latency <= 5 mss", "unknown unit 'mss' in '5 mss': did you mean ms"),
        ("latency <= 5 kib", "unknown unit 'kib' in '5 kib': did you mean KiB or KB"),
        ("d <= 5 ms ms", "cannot read 'd <= 5 ms ms' as a condition: invalid syntax"),
        ("d <= 1e1000", "'1e1000' in a condition is out of range"),
        ("fit", "cannot read 'fit' as a condition: compare two expressions"),
        ("d", "cannot read 'd' as a condition: compare two expressions"),
        ("d <= 5 .real", "cannot read|unknown unit 'real'"),
        ("d <= d.real", "cannot read 'd.real'"),
        ("d <= (lambda: 0)()", "cannot read"),
        ("d <= '5 ms'", "cannot read"),
    ],
)
def test_what_is_none_is_one_line(text: str, message: str) -> None:
    with pytest.raises(sc.ExpressionError, match=message) as problem:
        condition(text, measured)
    assert "\n" not in str(problem.value)


OPS = ("<=", "<", ">=", ">", "==", "!=")
sides = st.sampled_from(["a", "b", "2*a", "a + b", "a % 3", "b // 2", "5", "2.5", "1e1", "3 k/1000"])
chains = st.lists(sides, min_size=2, max_size=3).flatmap(
    lambda texts: st.lists(st.sampled_from(OPS), min_size=len(texts) - 1, max_size=len(texts) - 1).map(
        lambda ops: " ".join(itertools.chain(*zip(texts, [*ops, ""], strict=True))).strip()
    )
)
trees = st.recursive(
    chains,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        inner.map(lambda text: f"not ({text})"),
    ),
    max_leaves=5,
)


def python(text: str, a: int, b: int) -> bool:
    """What Python says of it, in exact fractions."""
    exact = text.replace("3 k", "3000").replace("2.5", "Fraction(5, 2)").replace("1e1", "10")
    exact = exact.replace("3000/1000", "Fraction(3000, 1000)")
    return bool(eval(exact, {"a": a, "b": b, "Fraction": Fraction}))  # noqa: S307 - our own text, to compare with


@settings(max_examples=150, deadline=None)
@given(text=trees, a=st.integers(1, 9), b=st.integers(1, 9))
def test_a_condition_holds_where_python_says_so(text: str, a: int, b: int) -> None:
    found = condition(text)
    right, at = python(text, a, b), Evaluator({"a": a, "b": b})
    assert holds(found, at) == right
    assert all(holds(each, at) for each in conjuncts(found)) == right


@settings(max_examples=25, deadline=None)
@given(text=trees)
def test_count_and_solve_understand_the_same(text: str) -> None:
    points = [(a, b) for a in range(1, 7) for b in range(1, 7)]
    right = [point for point in points if python(text, *point)]
    table = sc.table(sc.Sequential(sc.Linear("a"), sc.Linear("b")), (1, 3))
    assert int(sc.count(table, sc.Space(a=range(1, 7), b=range(1, 7)), [text])) == len(right)
    largest = max((a for a, b in right if b == 4), default=None)
    asked: dict[str, Any] = {"largest": "a", "given": {"b": 4} if "b" in text else {}, "within": range(1, 7)}
    if "b" not in text:
        largest = max((a for a, _ in right), default=None)
    if largest is None:
        with pytest.raises(sc.SymcostError, match="no a satisfies the constraints"):
            sc.solve(table, text, **asked)
    else:
        assert int(sc.solve(table, text, **asked)) == largest


def test_every_comparison_keeps_its_own_text() -> None:
    found = condition("64 <=  d <= 1 k and not (L > 2.50 or fits)")
    assert [each.text for each in compares(found)] == ["64 <= d", "d <= 1 k", "L > 2.50"]
    assert [each.text for each in conjuncts(found)] == ["64 <= d", "d <= 1 k", "not (L > 2.50)", "not (fits)"]
