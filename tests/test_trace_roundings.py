"""Widths as model authors round them: where a closed form is given, it is right at every width of its domain."""

from __future__ import annotations

from collections.abc import Callable

import flax.linen as nn
import jax
import pytest
from effort import rows

import symcost as sc
from symcost.errors import LiftError
from symcost.formulas.symbols import evaluate

LARGEST = 1200


def make_divisible(value: float, divisor: int = 8) -> int:
    """The rounding of MobileNetV2: to the nearest multiple, never more than a tenth below."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


ROUNDINGS: dict[str, tuple[Callable[[int], int], int]] = {
    "up to a multiple of 8": (lambda d: -(-d // 8) * 8, 1),
    "up to a multiple of 256": (lambda d: (d + 255) // 256 * 256, 1),
    "LLaMA's feed-forward width": (lambda d: 256 * ((int(2 * 4 * d / 3) + 255) // 256), 1),
    "a quarter": (lambda d: max(1, int(d * 0.25)), 1),
    "a third": (lambda d: max(1, d // 3), 3),
    "half, rounded up": (lambda d: max(1, int(d * 0.5 + 0.5)), 1),
    "two thirds": (lambda d: max(1, int(d * 2 / 3)), 2),
    "six tenths": (lambda d: max(1, int(d * 0.6)), 2),
    "a quarter, 16 at least": (lambda d: max(16, d // 4), 1),
    "64 at most": (lambda d: min(64, d), 64),
    "between 8 and 128": (lambda d: min(max(d, 8), 128), 128),
    "half, rounded to even": (lambda d: max(1, round(d / 2)), 2),
    "a half and a third": (lambda d: d // 2 + d // 3 + 1, 1),
    "MobileNetV2, the width itself": (lambda d: make_divisible(d), 1),
    "MobileNetV2, a width multiplier in twentieths": (lambda d: make_divisible(32 * d / 20), 1),
    "MobileNetV3, squeezed to a quarter": (lambda d: make_divisible(d * 0.25), 1),
    "EfficientNet, a width multiplier in tenths": (lambda d: make_divisible(32 * (d / 10)), 1),
}
"""How a width follows from ``d``, and the least ``d`` at which symcost may begin."""

SLOW = {
    "up to a multiple of 256", "LLaMA's feed-forward width", "half, rounded up", "two thirds", "a quarter, 16 at least",
    "64 at most", "MobileNetV2, a width multiplier in twentieths", "MobileNetV3, squeezed to a quarter",
    "EfficientNet, a width multiplier in tenths",
}  # fmt: skip
"""Left to the campaign, beside others of their kind."""


class Between(nn.Module):
    """A width before and after a layer of 64."""

    width: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for width in (self.width, 64, self.width):
            x = nn.Dense(width, use_bias=False)(x)
        return x


class Layer(nn.Module):
    """One dense layer of a width."""

    width: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(self.width, use_bias=False)(x)


@pytest.mark.parametrize("name", rows(ROUNDINGS, SLOW))
def test_a_rounded_width_is_right_at_every_value_of_its_domain(name: str) -> None:
    rounding, latest = ROUNDINGS[name]
    costs = sc.trace(lambda d: Between(rounding(d)), "float32[n,4]")
    inside = [d for d in range(1, LARGEST) if costs.domain.problem({"n": 1, "d": d}) is None]
    assert inside[0] <= latest
    assert len(inside) >= (LARGEST - latest) // 2  # every second value at least
    params = costs.params
    assert [d for d in inside if evaluate(params, {"d": d}) != (4 + 64 + 64) * rounding(d)] == []
    assert [d for d in inside[::23] if costs.subs(n=1, d=d).params != (4 + 64 + 64) * rounding(d)] == []


def test_a_width_without_a_closed_form_is_an_error_that_says_what_to_give() -> None:
    def rounding(d: int) -> int:
        return max(1, int(d**0.4))

    with pytest.raises(LiftError, match=r"samples=\{...\}"):
        sc.trace(lambda d: Layer(rounding(d)), "float32[n,4]")
