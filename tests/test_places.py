"""Products on padding: right at every size, on maps smaller than the kernel too, whatever of it is a symbol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import pytest
from flax import linen as nn
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st
from test_zoo import at, fresh
from zoo.case import Case

from symcost.costs.cost import CONVENTIONS, METRICS
from symcost.errors import ExpressionError
from symcost.formulas.form import Form, floor
from symcost.formulas.windows.places import never_positive, places_inside
from symcost.formulas.windows.window import positions_inside
from symcost.tracing.checking.derived import unlike
from symcost.tracing.domain.domain import Domain
from symcost.tracing.face import trace

K, OUT, SIZE, LO = map(Form.symbol, ("k", "o", "i", "p"))
CROPPED = 9
"""Symbols are positive; padding that is not crops the input."""
STEPS = ((1, 1, 1), (2, 1, 1), (3, 1, 1), (1, 2, 1), (1, 3, 1), (1, 1, 2), (1, 1, 3))
FORMS = {steps: places_inside(K, OUT, SIZE, LO - CROPPED, *steps) for steps in STEPS}


@pytest.mark.parametrize("steps", STEPS, ids=str)
@given(st.data())
def test_places_inside_equal_a_count_whatever_the_sizes_are(steps: tuple[int, int, int], data: st.DataObject) -> None:
    k, out, size = (data.draw(st.integers(1, 12)) for _ in range(3))
    lo = data.draw(st.integers(1 - CROPPED, 20))
    s, d, lhs_d = steps
    form = FORMS[steps].value({"k": k, "o": out, "i": size, "p": lo + CROPPED})
    assert form == positions_inside(size, k, out, s, lo, d, lhs_d)


@pytest.mark.parametrize("steps", [(2, 2, 1), (3, 2, 1), (2, 3, 1), (1, 2, 2), (1, 3, 2)], ids=str)
@given(st.data())
def test_two_steps_at_once_are_counted_tap_by_tap(steps: tuple[int, int, int], data: st.DataObject) -> None:
    k, out, size = (data.draw(st.integers(1, 9)) for _ in range(3))
    lo, (s, d, lhs_d) = data.draw(st.integers(1 - CROPPED, 20)), steps
    at = {"k": k, "o": out, "i": size, "p": lo + CROPPED}
    inside = positions_inside(size, k, out, s, lo, d, lhs_d)
    assert places_inside(Form.constant(k), OUT, SIZE, LO - CROPPED, *steps).value(at) == inside
    if lhs_d == 1:
        assert places_inside(K, Form.constant(out), SIZE, LO - CROPPED, *steps).value(at) == inside


def test_steps_without_a_closed_form_are_refused() -> None:
    with pytest.raises(
        ExpressionError, match="steps of 2 and 2 have no closed form over k: one of them must be 1, or k a"
    ):
        places_inside(K, OUT, SIZE, LO, 2, 2)
    with pytest.raises(
        ExpressionError, match="a stride of 2 over an input dilated by 3 has no closed form: one of them"
    ):
        places_inside(K, OUT, SIZE, LO, 2, 1, 3)


@given(st.integers(-3, 3), st.integers(-3, 3), st.integers(-6, 6), st.integers(1, 5), st.integers(-4, 4))
def test_what_is_said_never_to_be_positive_never_is(a: int, b: int, c: int, s: int, shift: int) -> None:
    form = a * K + b * floor((K + shift) / s) + c
    if never_positive(form):
        assert all(form.value({"k": k}) <= 0 for k in range(1, 60))


class Depthwise(nn.Module):
    """A depthwise convolution behind a stem that may leave a map smaller than the kernel."""

    d: int
    k: int
    s: int = 1
    rate: int = 1
    padding: str = "SAME"

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Dense(self.d)(x)
        return nn.Conv(
            self.d,
            (self.k,),
            strides=self.s,
            kernel_dilation=self.rate,
            padding=self.padding,
            feature_group_count=self.d,
        )(x)


class DepthwiseNnx(nnx.Module):
    """The same in nnx, plain."""

    def __init__(self, d: int, k: int, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(80, d, rngs=rngs)
        self.conv = nnx.Conv(d, d, (k,), feature_group_count=d, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.conv(self.dense(x))


class Transposed(nn.Module):
    """A transposed convolution."""

    d: int
    k: int
    s: int = 1

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.ConvTranspose(self.d, (self.k,), strides=(self.s,))(x)


class Volume(nn.Module):
    """A strided convolution, and behind it one that is strided and dilated."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Conv(6, (4,), strides=2)(x)
        return nn.Conv(self.d, (4,), strides=3, kernel_dilation=2)(x)


MODELS: dict[str, tuple[Callable[..., Any], str]] = {
    "linen": (lambda d, k: Depthwise(d, k), "float32[n,T,80]"),
    "linen, every fourth frame": (lambda d, k: Depthwise(d, k), "float32[n,4*T,80]"),
    "nnx": (lambda d, k: DepthwiseNnx(d, k, nnx.Rngs(0)), "float32[n,T,80]"),
    "dilated": (lambda d, k: Depthwise(d, k, rate=2), "float32[n,T,80]"),
    "causal": (lambda d, k: Depthwise(d, k, padding="CAUSAL"), "float32[n,T,80]"),
    "transposed": (lambda d, k: Transposed(d, k), "float32[n,T,80]"),
    "a number as kernel": (lambda d: Depthwise(d, 31), "float32[n,T,80]"),
    "strides behind strides, dilated": (lambda d: Volume(d), "float32[n,T,80]"),
}
DAILY = {("a number as kernel", "train"), ("strides behind strides, dilated", "forward")}
SIZES = (
    {"n": 2, "T": 400, "d": 6, "k": 31}, {"n": 2, "T": 9, "d": 6, "k": 31}, {"n": 3, "T": 20, "d": 5, "k": 30},
    {"n": 1, "T": 53, "d": 4, "k": 53}, {"n": 2, "T": 7, "d": 3, "k": 90},
)  # fmt: skip


ROWS = [
    pytest.param(name, mode, marks=[pytest.mark.campaign] * ((name, mode) not in DAILY))
    for name in MODELS
    for mode in ("forward", "train")
]


@pytest.mark.parametrize(("name", "mode"), ROWS)
def test_a_kernel_larger_than_the_map_is_counted_exactly(name: str, mode: str) -> None:
    factory, spec = MODELS[name]
    case = Case(name, factory, (spec,), {}, {}, options={"mode": mode})
    table = trace(factory, spec, **case.options)
    inside, domain = 0, table.domain
    assert isinstance(domain, Domain)
    for point in SIZES:
        own = {n: v for n, v in point.items() if n in domain.symbols}
        if domain.problem(own) is not None:
            continue
        inside += 1
        ours, theirs = at(table, own), fresh(case, own)
        for convention in CONVENTIONS:
            total = ours.total(convention)
            for metric in METRICS:
                assert getattr(total, metric) == theirs.get((convention, metric), 0), (own, convention, metric)
    assert inside >= 2


def test_a_fit_that_differs_from_what_is_derived_is_told_apart_without_a_trace() -> None:
    n, k = Form.symbol("n"), Form.symbol("k")
    domain = Domain(("n", "k"), at_least={"n": 4}, ordered=((n, k),))
    fitted = places_inside(k, n, n, floor((k - 1) / 2))
    assert unlike([(fitted, fitted)], domain, {"n": 20, "k": 90}) is None
    small = n * n
    point = unlike([(fitted, small)], domain, {"n": 20, "k": 90})
    assert point is not None
    assert domain.problem(point) is None
    assert fitted.value(point) != small.value(point)
