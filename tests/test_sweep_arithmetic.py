"""Numbers of every kind: each operation on two words is that of Python's integers, and the kinds are chosen rightly."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from effort import needs
from hypothesis import given, settings
from hypothesis import strategies as st

import symcost as sc
from symcost.formulas.graph.graph import APPLY, Graph
from symcost.formulas.graph.ranges import Ranges
from symcost.sweeps.numbers.arithmetic import cast, operate
from symcost.sweeps.numbers.tiers import FLOAT, INT, NAMES, PYTHON, TWO, Tiers

WIDE = st.one_of(
    st.integers(-(2**109), 2**109), st.integers(-(2**66), 2**66), st.sampled_from([0, 2**63, -(2**63), 2**64])
)
PAIRS = st.lists(st.tuples(WIDE, WIDE), min_size=1, max_size=20)


def two(values: list[int]) -> Any:
    """Two words, with the float64 that is nearest."""
    words = np.array([(v + 2**63) % 2**64 - 2**63 for v in values], dtype=np.int64)
    return words, np.array([float(v) for v in values])


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.sampled_from(["add", "sub", "max", "min", "le", "lt", "eq"]), st.booleans())
def test_two_words_are_pythons_integers(pairs: list[tuple[int, int]], op: str, near: bool) -> None:
    left = [a for a, _ in pairs]
    right = [a + b % 5 - 2 if near else b for a, b in pairs]  # neighbours are what float64 cannot tell apart
    made = operate(np, op, TWO, [two(left), two(right)], True)
    found = made.tolist() if op in ("le", "lt", "eq") else cast(np, made, TWO, PYTHON).tolist()
    assert found == [APPLY[op](a, b) for a, b in zip(left, right, strict=True)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(WIDE, st.integers(1, 2**31 - 1)), min_size=1, max_size=20), st.sampled_from(["floordiv", "mod"])
)
def test_two_words_are_divided_as_pythons_integers(pairs: list[tuple[int, int]], op: str) -> None:
    left, right = [a for a, _ in pairs], [b for _, b in pairs]
    made = operate(np, op, TWO, [two(left), two(right)], True)
    assert cast(np, made, TWO, PYTHON).tolist() == [APPLY[op](a, b) for a, b in zip(left, right, strict=True)]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(-(2**54), 2**54), st.integers(-(2**54), 2**54)), min_size=1, max_size=20))
def test_products_of_two_words_are_the_same_in_jax(pairs: list[tuple[int, int]]) -> None:
    left, right = [a for a, _ in pairs], [b for _, b in pairs]
    with jax.enable_x64(True):
        made = operate(jnp, "mul", TWO, [tuple(map(jnp.asarray, two(v))) for v in (left, right)], False)
        words = tuple(np.asarray(m) for m in made)
    assert cast(np, words, TWO, PYTHON).tolist() == [a * b for a, b in pairs]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(-(2**52), 2**52), st.integers(1, 2**20)), min_size=1, max_size=30), st.booleans())
def test_float64_is_divided_exactly(pairs: list[tuple[int, int]], multiples: bool) -> None:
    right = [b for _, b in pairs]
    left = [a // b * b for a, b in pairs] if multiples else [a for a, _ in pairs]
    args = [np.array(left, dtype=float), np.array(right, dtype=float)]
    reciprocal = np.floor(args[0] * (1 / args[1])) if multiples else None
    assert operate(np, "floordiv", FLOAT, args, True).tolist() == [a // b for a, b in zip(left, right, strict=True)]
    assert operate(np, "floordiv", FLOAT, args, False).tolist() == [a // b for a, b in zip(left, right, strict=True)]
    assert reciprocal is None or len(reciprocal) == len(left)


@pytest.mark.parametrize(
    ("largest", "kind"),
    [(2**26, FLOAT), (2**27, INT), (2**31, INT), (2**32, TWO), (2**52, TWO)],
)
def test_the_kind_of_a_product_follows_from_its_range(largest: int, kind: int) -> None:
    graph = Graph()
    ranges = Ranges([[1, largest], [1, largest]])
    product = graph.apply("mul", graph.axis(0), graph.axis(1))
    assert Tiers(ranges)(product) == kind
    assert ranges(product) == (1, largest**2)


@pytest.mark.parametrize(
    ("power", "numbers"), [(3, NAMES[FLOAT]), (4, NAMES[INT]), (6, NAMES[TWO]), (7, NAMES[TWO]), (9, NAMES[PYTHON])]
)
def test_numbers_beyond_10_to_the_27_are_exact_and_their_kind_is_told(power: int, numbers: str) -> None:
    columns = sc.sweep({"f": f"a**{power} + b"}, sc.Space(a=[1, 30_011], b=[1, 2]), engine="numpy")
    assert [row["f"] for row in columns] == [row["a"] ** power + row["b"] for row in columns]
    limit = 30_011**power + 1  # float64 cannot tell it from the next integer
    found = sc.count({"f": f"a**{power} + b"}, sc.Space(a=[1, 30_011], b=[1, 2]), f"f <= {limit}", engine="numpy")
    assert found == 3
    assert found.numbers == numbers


@pytest.mark.parametrize(
    "engine", ["numpy", pytest.param("native", marks=needs("llvmlite", "the engine of machine code")), "jax"]
)
@pytest.mark.parametrize("power", [4, 6, 7])
def test_every_engine_tells_neighbours_of_large_integers_apart(engine: str, power: int) -> None:
    space = sc.Space(a=range(30_000, 30_012), b=range(1, 40), c=range(1, 9))
    limit = 30_005**power + 17
    found = sc.count({"f": f"a**{power} + b*c"}, space, f"f <= {limit}", engine=engine)
    assert found == sum(a**power + b * c <= limit for a in space.axes["a"] for b in range(1, 40) for c in range(1, 9))
    assert found.engine == engine
    best = sc.sweep({"f": f"a**{power} + b*c"}, space, f"f <= {limit}", maximize="f", top=2, engine=engine)
    right = sorted((a**power + b * c for a in space.axes["a"] for b in range(1, 40) for c in range(1, 9)), reverse=True)
    assert [row["f"] for row in best] == [v for v in right if v <= limit][:2]


def test_floors_of_fractions_are_never_computed_in_floats() -> None:
    space = sc.Space(a=range(1, 2000), b=range(1, 20))
    found = sc.count({"f": "floor(7*a/10*b/3)"}, space, "f % 7 == 0", engine="numpy")
    assert found == sum(7 * a * b // 30 % 7 == 0 for a in range(1, 2000) for b in range(1, 20))


def test_a_divisor_that_can_be_zero_is_an_error() -> None:
    with pytest.raises(sc.ExpressionError, match="a divisor lies between 0 and 4 in this space: it could be 0"):
        sc.count({"f": "floor(a/(b - 1))"}, sc.Space(a=[1], b=range(1, 6)), "f <= 1")
