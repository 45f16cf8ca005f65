"""Window arithmetic against counting by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from window_case import output_size

from symcost.formulas.windows.window import positions_inside

WINDOWS = st.fixed_dictionaries({
    "size": st.integers(1, 24), "k": st.integers(1, 6), "s": st.integers(1, 4), "lo": st.integers(-2, 5),
    "hi": st.integers(-2, 5), "d": st.integers(1, 3), "lhs_d": st.integers(1, 3),
})  # fmt: skip


def by_hand(size: int, k: int, s: int, lo: int, hi: int, d: int, lhs_d: int) -> tuple[int, int]:
    """(windows, taps on real elements) by laying the padded input out and sliding over it."""
    dilated = [i % lhs_d == 0 for i in range((size - 1) * lhs_d + 1)]
    kept = dilated[max(0, -lo) : len(dilated) - max(0, -hi)]
    laid = [False] * max(0, lo) + kept + [False] * max(0, hi)
    starts = range(0, len(laid) - d * (k - 1), s)
    return len(starts), sum(laid[start + tap * d] for start in starts for tap in range(k))


@given(WINDOWS)
def test_sizes_and_positions_equal_a_count_by_hand(window: dict[str, int]) -> None:
    trimmed = (window["size"] - 1) * window["lhs_d"] + 1 + min(0, window["lo"]) + min(0, window["hi"])
    if trimmed <= 0:
        return
    out, inside = by_hand(**window)
    assert output_size(**window) == out
    if window["hi"] >= 0:  # a negative high padding only shortens the output
        arguments = {name: value for name, value in window.items() if name != "hi"}
        assert positions_inside(out=out, **arguments) == inside


@given(WINDOWS)
def test_positions_inside_never_exceed_the_dense_count(window: dict[str, int]) -> None:
    out = output_size(**window)
    arguments = {name: value for name, value in window.items() if name != "hi"}
    assert 0 <= positions_inside(out=out, **arguments) <= window["k"] * out


@given(st.integers(1, 50), st.integers(1, 9), st.integers(1, 4))
def test_without_padding_every_position_is_inside(size: int, k: int, s: int) -> None:
    out = output_size(size, k, s)
    assert positions_inside(size, k, out, s) == k * out


@pytest.mark.parametrize(
    ("size", "k", "s", "p", "out"),
    [(224, 11, 4, 2, 55), (55, 3, 2, 0, 27), (27, 5, 1, 2, 27), (224, 7, 2, 3, 112), (7, 7, 1, 0, 1), (3, 5, 1, 0, 0)],
)
def test_textbook_sizes(size: int, k: int, s: int, p: int, out: int) -> None:
    assert output_size(size, k, s, p, p) == out


def test_an_empty_input_has_only_its_padding() -> None:
    assert output_size(0, k=1) == 0
    assert output_size(0, k=1, lo=1, hi=1) == 2
