"""Closed forms of windows against counting them one by one."""

from __future__ import annotations

import itertools

import pytest
from window_case import output_size

import symcost as sc
from symcost.formulas.form import Form, as_form
from symcost.formulas.windows.window import positions_inside
from symcost.layers.sizes.sliding import NoFormError, output_length, same_padding, taps_on_padding, taps_on_same_padding

SIZES, KERNELS, STEPS, PADS = range(1, 12), range(1, 6), range(1, 4), range(5)


def counted(size: int, k: int, s: int, d: int, lo: int, hi: int) -> int:
    """Taps on padding, one by one."""
    out = output_size(size, k, s, lo, hi, d)
    return k * out - positions_inside(size, k, out, s, lo, d)


def test_output_length_is_that_of_integers() -> None:
    length = output_length(*(Form.symbol(name) for name in ("h", "k", "s", "d", "a", "b")))
    for h, k, s, d, a, b in itertools.product(SIZES, KERNELS, STEPS, (1, 2), (0, 2), (0, 1)):
        if h + a + b > d * (k - 1):
            assert length.value(dict(h=h, k=k, s=s, d=d, a=a, b=b)) == output_size(h, k, s, a, b, d)


@pytest.mark.parametrize(
    ("fixed", "free"),
    [
        ({"lo": 2, "hi": 2, "d": 1}, ("size", "k", "s")),
        ({"lo": 3, "hi": 1, "d": 2}, ("size", "k", "s")),
        ({"s": 1}, ("size", "k", "d", "lo", "hi")),
        ({"d": 1}, ("size", "k", "s", "lo", "hi")),
        ({"lo": 0, "hi": 0}, ("size", "k", "s", "d")),
        ({"lo": 3, "hi": 2}, ("size", "k", "s", "d")),
        ({"lo": 1, "hi": 4, "s": 2}, ("size", "k", "d")),
    ],
)
def test_taps_on_padding_in_closed_form(fixed: dict[str, int], free: tuple[str, ...]) -> None:
    form = taps_on_padding(**fixed, **{name: Form.symbol(name) for name in free})
    ranges = {"size": SIZES, "k": KERNELS, "s": STEPS, "d": (1, 2), "lo": PADS, "hi": PADS}
    seen = 0
    for values in itertools.product(*(ranges[name] for name in free)):
        at = {**fixed, **dict(zip(free, values, strict=True))}
        reach = at.get("d", 1) * (at["k"] - 1)
        inside = at["size"] + min(at["lo"], at["hi"]) >= reach and max(at["lo"], at["hi"]) <= at["d"] * at["k"]
        if at["size"] + at["lo"] + at["hi"] > reach and inside:
            assert as_form(form).value(at) == counted(**{"s": 1, **at})
            seen += 1
    assert seen > 50


@pytest.mark.parametrize(("k", "s", "d"), list(itertools.product((1, 2, 3, 5), (2, 3), (1, 2))))
def test_same_padding_with_a_stride_in_closed_form(k: int, s: int, d: int) -> None:
    form, least = taps_on_same_padding(Form.symbol("h"), k, s, d)
    for h in range(least, 40):
        value = form if isinstance(form, int) else form.value({"h": h})
        assert value == counted(h, k, s, d, *same_padding(h, k, s, d))


def test_padding_without_a_closed_form_is_an_error() -> None:
    p, h = (Form.symbol(name) for name in ("p", "h"))
    with pytest.raises(NoFormError):
        taps_on_padding(h, k=3, s=2, d=2, lo=p, hi=p)
    with pytest.raises(
        sc.ShapeError, match=r"stem \(Conv2d\): the products on padding p=p with stride s=2 and dilation d=2"
    ):
        sc.table(sc.Sequential(stem=sc.Conv2d(c_o=1, k=3, s=2, d=2, p="p")), (1, 1, "h", "h"))
