"""Laws of bilinear operations that need no oracle, over every combination of stride, padding, dilation and grouping.

Of the enumerated convolutions every run takes a third, every axis with every kind of channels once, and compares one in
six of them with XLA; the campaign takes the rest, and ``SYMCOST_CAMPAIGN=1`` compares all with XLA.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import pytest
from conv_case import CHANNELS, PADDINGS, Axis, Convolution, axes, convolutions, products, specs, with_gradients
from effort import CAMPAIGN, EXPLORE, also_campaign, examples
from hypothesis import given, settings
from hypothesis import strategies as st

import symcost as sc

EVERY = list(convolutions())
KINDS = len(EVERY) // 3  # each axis with each kind of channels: alone, beside a second, beside two others
DAILY = [EVERY[3 * index + (index + index // 3 + index // len(axes())) % 3] for index in range(KINDS)]
REST = [conv for conv in EVERY if conv not in DAILY]
PARTS = {f"{part} of every run": DAILY[part::4] for part in range(4)} | {str(p): REST[p::6] for p in range(6)}
ROWS = [pytest.param(part, id=name, marks=[pytest.mark.campaign] * name.isdigit()) for name, part in PARTS.items()]
BY_XLA = 1 if EXPLORE or CAMPAIGN else 6
"""Of so many convolutions one is lowered, which takes three times as long as all the rest."""


def xla_flops(function: Any, *shapes: tuple[int, ...]) -> int:
    """What XLA counts of the lowered program."""
    arrays = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    counted = int((jax.jit(lambda *args: function(*args)).lower(*arrays).cost_analysis() or {}).get("flops", 0))
    assert counted < 1 << 24  # above, its own sum is rounded
    return counted


def holds(conv: Convolution, by_xla: bool) -> None:
    """The laws of one convolution with its gradients."""
    run, (x, w) = with_gradients(conv), conv.shapes
    costs = sc.trace_function(run, *specs((x, w)), referee=False)  # XLA is asked below
    one = (conv.macs, conv.padding_macs)
    assert products(costs) == [one] * 3, f"{conv}: forward pass and gradients are {products(costs)}, not all {one}"
    assert costs.macs == costs.total("textbook").macs == 3 * conv.macs, str(conv)
    trimmed = costs.macs - costs.total("full").padding_macs
    assert costs.total("xla").macs == trimmed, str(conv)
    if by_xla:
        assert 2 * trimmed == xla_flops(run, x, w) == costs.total("xla").flops, str(conv)


def test_there_are_a_thousand_convolutions_to_hold_the_laws() -> None:
    assert len(set(EVERY)) >= 1000
    assert {len(conv.axes) for conv in EVERY} == {1, 2, 3}
    assert {conv.transposed for conv in EVERY} == {True, False}


def test_every_run_takes_every_axis_with_every_kind_of_channels_in_every_number_of_dimensions() -> None:
    assert len({(conv.axes[0 if len(conv.axes) != 2 else 1], conv.channels) for conv in DAILY}) == len(axes()) * 4
    assert {(len(conv.axes), conv.channels, conv.transposed) for conv in DAILY} == {
        (len(conv.axes), conv.channels, conv.transposed) for conv in EVERY
    }


@also_campaign
@pytest.mark.parametrize("part", ROWS)
def test_gradients_have_the_products_of_their_forward_pass_and_xla_counts_those_inside(part: list[Convolution]) -> None:
    for index, conv in enumerate(part):
        holds(conv, by_xla=index % BY_XLA == 0)


@st.composite
def drawn(draw: st.DrawFn) -> Convolution:
    """Any convolution with at least one output."""

    def axis() -> st.SearchStrategy[Axis]:
        sizes, steps = st.integers(1, 9), st.integers(1, 4)
        made = st.builds(Axis, sizes, st.integers(1, 5), steps, steps, steps, st.sampled_from(PADDINGS))
        return made.filter(lambda a: a.out > 0 and (a.size - 1) * a.e + 1 + min(a.pads) > 0)

    rank = draw(st.integers(1, 3))
    return Convolution(tuple(draw(axis()) for _ in range(rank)), draw(st.sampled_from(sorted(CHANNELS))))


@also_campaign
@settings(max_examples=examples(40, 400), derandomize=not EXPLORE, database=None, deadline=None)
@given(drawn())
def test_any_convolution_holds_the_laws(conv: Convolution) -> None:
    holds(conv, by_xla=True)
