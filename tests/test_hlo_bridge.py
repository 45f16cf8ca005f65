"""Between the program as written and as compiled: parts that sum to the difference, each under its cause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symcost.hlo import analyse, parse
from symcost.hlo.explaining import bridge
from symcost.hlo.explaining.bridge import Part
from symcost.hlo.explaining.products import products

HEAD = "HloModule m\nENTRY main {\n"
X, K = "f32[1,6,6,2]{3,2,1,0}", "f32[3,3,2,4]{3,2,1,0}"


def at(path: str) -> str:
    return f'metadata={{op_name="jit(f)/~{path}~/op"}}'


def parts(written: str, compiled: str) -> dict[tuple[str, str], int]:
    """FLOPs by module and cause; their sum is the difference, which is asserted."""
    left, right = (parse(HEAD + text + "\n}") for text in (written, compiled))
    before, after = analyse(left), analyse(right)
    found = bridge.bridge(before, after, products(left), products(right))
    assert sum(part.flops for part in found) == after.flops - before.flops
    assert sum(part.transcendentals for part in found) == after.transcendentals - before.transcendentals
    assert all(isinstance(part, Part) and (part.flops or part.transcendentals) for part in found)
    return {(part.path, part.because): part.flops for part in found}


def conv(size: str, pad: str, path: str = "c", result: str = "f32[1,6,6,4]{3,2,1,0}") -> str:
    window = f"window={{size=3x3{pad}}}, dim_labels=b01f_01io->b01f"
    return f"  x = {size} parameter(0)\n  k = {K} parameter(1)\n  ROOT y = {result} convolution(x, k), {window}, {at(path)}"


def test_padding_that_becomes_data_is_brought_back() -> None:
    whole, trimmed = 2 * 2 * 4 * 18 * 18, 2 * 2 * 4 * 16 * 16
    padded = f"  p = {X} parameter(0)\n" + conv("f32[1,8,8,2]{3,2,1,0}", "").replace("parameter(0)", "parameter(2)")
    assert parts(conv(X, " pad=1_1x1_1"), padded) == {("c", bridge.PADDING): whole - trimmed}


def test_more_results_than_were_asked_for_are_rounded_up_to_tiles() -> None:
    large = conv("f32[1,8,10,2]{3,2,1,0}", "", result="f32[1,6,8,4]{3,2,1,0}")
    exact = conv("f32[1,8,8,2]{3,2,1,0}", "")
    assert parts(exact, large) == {("c", bridge.ROUNDED): 2 * 2 * 4 * 9 * 6 * 2}


DOT = "dot(x, k), lhs_contracting_dims={1}, rhs_contracting_dims={0}"
OPERANDS = "  x = f32[8,4]{1,0} parameter(0)\n  k = f32[4,5]{1,0} parameter(1)\n"


def test_a_product_done_by_multiplying_and_summing_says_so() -> None:
    written = f"{OPERANDS}  ROOT y = f32[8,5]{{1,0}} {DOT}, {at('d')}"
    cube = "f32[8,4,5]{2,1,0}"
    compiled = f"{OPERANDS}  a = {cube} broadcast(x), dimensions={{0,1}}\n  ROOT m = {cube} multiply(a, a), {at('d')}"
    assert parts(written, compiled) == {("d", bridge.VECTOR): 8 * 4 * 5 - 2 * 8 * 4 * 5}


def test_products_of_several_modules_in_one_have_moved() -> None:
    two = f"{OPERANDS}  a = f32[8,5]{{1,0}} {DOT}, {at('q')}\n  ROOT b = f32[8,5]{{1,0}} {DOT}, {at('k')}"
    wide = OPERANDS.replace("f32[4,5]", "f32[4,10]")
    one = f"{wide}  ROOT y = f32[8,10]{{1,0}} {DOT}, {at('q')}"
    assert parts(two, one) == {("q", bridge.MOVED): 320, ("k", bridge.MOVED): -320}


def elementwise(*operations: tuple[str, str]) -> str:
    lines = ["  x = f32[10]{0} parameter(0)"]
    lines += [f"  v{k} = f32[10]{{0}} {op}(x{', x' * (op in ('add', 'multiply', 'divide'))}), {at(path)}"
              for k, (op, path) in enumerate(operations)]  # fmt: skip
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("written", "compiled", "expected"),
    [
        ([("add", "a")], [("add", "a"), ("add", "a")], {("a", bridge.DUPLICATED): 10}),
        ([("add", "a"), ("negate", "a")], [("add", "a")], {("a", bridge.FOLDED): -10}),
        ([("add", "a")], [("add", "a"), ("convert", "a")], {("a", bridge.CONVERTED): 10}),
        ([("add", "a")], [("add", "a"), ("abs", "b")], {("b", bridge.ADDED): 10}),
        ([("divide", "a")], [("multiply", "a")], {}),  # a constant divisor: as many operations
        ([("add", "a"), ("tanh", "a")], [("add", "a")], {("a", bridge.FOLDED): 0}),
    ],
)
def test_elementwise_differences_have_their_cause(
    written: list[tuple[str, str]], compiled: list[tuple[str, str]], expected: dict[tuple[str, str], int]
) -> None:
    assert parts(elementwise(*written), elementwise(*compiled)) == expected


OPS = st.tuples(
    st.sampled_from(["add", "multiply", "divide", "negate", "abs", "convert", "tanh"]), st.sampled_from("abc")
)


@given(st.lists(OPS, min_size=1, max_size=8), st.lists(OPS, min_size=1, max_size=8))
def test_the_parts_always_sum_to_the_difference(
    written: list[tuple[str, str]], compiled: list[tuple[str, str]]
) -> None:
    parts(elementwise(*written), elementwise(*compiled))
