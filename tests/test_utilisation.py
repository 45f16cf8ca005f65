"""Utilisation of a measured step: which FLOPs, of which peak, and the line that says so."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import flax.linen as nn
import jax
import pytest

import symcost as sc

A100 = "nvidia-a100-sxm-80gb"


def gpt(**point: int) -> sc.CostTable:
    """GPT-2 small at a batch and a length."""
    return sc.models.gpt2(d=768, L=12, H=12, **point)


def test_a_decoder_is_counted_as_palm_counts() -> None:
    """Chowdhery et al., arXiv:2204.02311, appendix B: 6 N + 12 L H Q T FLOPs a token, N the weights of products."""
    n, length, depth, width, words = 8, 1024, 12, 768, 50257
    weights = 12 * depth * width**2 + words * width
    found = sc.mfu(gpt(n=n, N=length), "0.25", A100, passes=3)
    assert found.flops == n * length * (6 * weights + 12 * depth * width * length)
    assert found.share == found.flops * 4 / (312 * 10**12)
    assert float(found) == float(found.share)


def test_the_line_names_its_flops_its_peak_and_its_number_type() -> None:
    assert str(sc.mfu(gpt(n=8, N=1024), "0.25", A100, devices=2)) == (
        "MFU 1.5 %: 9.333 TFLOP/s of 624 TFLOP/s, 2 x nvidia-a100-sxm-80gb dense bfloat16; "
        "FLOPs of forward (textbook: 2 a MAC)"
    )
    assert str(sc.mfu(10**14, 10, A100, "float32")).endswith("; FLOPs of a count as given")


class Net(nn.Module):
    """Two layers, computed again for the backward pass if asked."""

    again: bool

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        dense = nn.remat(nn.Dense) if self.again else nn.Dense
        return dense(7, name="b")(nn.gelu(dense(5, name="a")(x)))


def test_of_training_both_passes_count_and_what_is_computed_again_does_not() -> None:
    plain, again = (sc.trace(Net(again), "float32[2,3]", mode="train") for again in (False, True))
    assert again.total("textbook").flops >= plain.total("textbook").flops
    found = [sc.mfu(costs, 1, A100) for costs in (plain, again)]
    assert found[0].flops == found[1].flops == plain.total("textbook").flops
    assert found[0].counted == "forward and backward (textbook: 2 a MAC)"
    with pytest.raises(sc.SymcostError, match="passes=3 is for a table of the forward pass: this one is of training"):
        sc.mfu(plain, 1, A100, passes=3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(costs=sc.models.alexnet(n="n")), r"the utilisation needs a number for n: give costs.subs\(n=...\)"),
        (dict(costs="many"), "costs=many must be a table at a point, or a count of FLOPs"),
        (dict(costs=-1), "costs=-1 must be a table"),
        (dict(seconds_per_step=0), "seconds_per_step=0 must be a positive time, such as '0.25'"),
        (dict(seconds_per_step="soon"), "seconds_per_step=soon must be a positive time"),
        (dict(devices=0), "devices=0 must be a positive integer"),
        (dict(passes=0), "passes=0 must be a positive integer"),
        (dict(costs=10, passes=3), "passes=3 is for a table of the forward pass: multiply the count instead"),
        (dict(device="a100"), "unknown device 'a100'"),
        (dict(device="stm32f746"), "device stm32f746 has no published peak for bfloat16"),
    ],
)
def test_what_is_no_measurement_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(sc.SymcostError, match=message):
        sc.mfu(**{"costs": sc.models.alexnet(), "seconds_per_step": 1, "device": A100, **given})


def test_it_is_exact() -> None:
    assert sc.mfu(3, Fraction(1, 3), A100).share == Fraction(9, 312 * 10**12)
