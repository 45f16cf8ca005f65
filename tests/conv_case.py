"""Convolutions for the laws: every kind of stride, padding, dilation and grouping, in one to three dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from symcost.tracing.lifted import Lifted

PADDINGS = ("none", "same", "full", "lopsided", "cropped")
CHANNELS = {"plain": (1, 1), "groups": (3, 1), "depthwise": (4, 1), "batch groups": (1, 2)}
LETTERS = "DHW"


@dataclass(frozen=True)
class Axis:
    """One spatial dimension: ``h_i`` and ``k``, the steps ``s`` and ``d``, the holes ``e`` of the input, the padding."""

    size: int
    k: int
    s: int = 1
    d: int = 1
    e: int = 1
    padding: str = "none"

    @property
    def reach(self) -> int:
        """``d(k - 1)``."""
        return self.d * (self.k - 1)

    @property
    def pads(self) -> tuple[int, int]:
        """Padding before and behind; for ``same`` that of ``ceiling(h_i/s)`` outputs."""
        dilated = (self.size - 1) * self.e + 1
        short = max((-(-dilated // self.s) - 1) * self.s + self.reach + 1 - dilated, 0)
        return {"none": (0, 0), "same": (short // 2, short - short // 2), "full": (self.reach, self.reach),
                "lopsided": (2, 0), "cropped": (-1, 1)}[self.padding]  # fmt: skip

    @property
    def out(self) -> int:
        """``floor(((h_i - 1)e + 1 + lo + hi - d(k - 1) - 1)/s) + 1``."""
        return ((self.size - 1) * self.e + sum(self.pads) - self.reach) // self.s + 1

    @property
    def inside(self) -> int:
        """Triples of an input element, a tap and an output that belong together: ``e i = s o + d t - lo``."""
        lo = self.pads[0]
        return sum(
            self.e * i == self.s * o + self.d * t - lo
            for i, t, o in product(range(self.size), range(self.k), range(self.out))
        )


@dataclass(frozen=True)
class Convolution:
    """A convolution of ``n`` images with ``c`` channels in and out per group."""

    axes: tuple[Axis, ...]
    channels: str = "plain"

    def __str__(self) -> str:
        return f"{self.channels} {' '.join(map(str, self.axes))}"

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Of the input, and of the kernel."""
        g, b = CHANNELS[self.channels]
        c_i = 1 if self.channels == "depthwise" else 2
        sizes, taps = tuple(axis.size for axis in self.axes), tuple(axis.k for axis in self.axes)
        return (2 * b, g * c_i, *sizes), (g * b * 3, c_i, *taps)

    @property
    def pairs(self) -> int:
        """``n c_o c_i/g``: how often each place is multiplied."""
        (n, *_), (c_o, c_i, *_) = self.shapes
        return n // CHANNELS[self.channels][1] * c_o * c_i

    @property
    def transposed(self) -> bool:
        """Whether the input has holes."""
        return any(axis.e > 1 for axis in self.axes)

    @property
    def macs(self) -> int:
        """Every tap meets every output of a plain convolution, and every input element of a transposed one."""
        return self.pairs * math.prod(axis.k * (axis.size if self.transposed else axis.out) for axis in self.axes)

    @property
    def padding_macs(self) -> int:
        """Those that read padding or fall into the cropped border."""
        return self.macs - self.pairs * math.prod(axis.inside for axis in self.axes)

    def __call__(self, x: jax.Array, w: jax.Array) -> jax.Array:
        g, b = CHANNELS[self.channels]
        places = LETTERS[-len(self.axes) :]
        return lax.conv_general_dilated(
            x, w, [axis.s for axis in self.axes], [axis.pads for axis in self.axes],
            [axis.e for axis in self.axes], [axis.d for axis in self.axes], ("NC" + places, "OI" + places, "NC" + places),
            feature_group_count=g, batch_group_count=b,
        )  # fmt: skip


def with_gradients(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function's value with the gradients of a sum with respect to all its arguments."""

    def run(*args: Any) -> Any:
        out, pullback = jax.vjp(function, *args)
        return out, pullback(jnp.ones_like(out))

    return run


def specs(shapes: tuple[tuple[int, ...], ...]) -> list[str]:
    """Of arrays with these shapes."""
    return [f"float32[{','.join(map(str, shape))}]" for shape in shapes]


def axes() -> list[Axis]:
    """Every combination of stride, padding and both dilations, on sizes and kernels that change from one to the next."""
    kinds = product((1, 2, 3), PADDINGS, (1, 2), (1, 2, 3))
    made = [Axis(5 + index % 4, 1 + index % 3, s, d, e, padding) for index, (s, padding, d, e) in enumerate(kinds)]
    return [axis for axis in made if axis.out > 0 and axis.size * axis.e + min(axis.pads) > 0]


def convolutions() -> Iterator[Convolution]:
    """Every axis alone with every kind of channels; then beside another, and beside two others."""
    every = axes()
    for index, (channels, axis) in enumerate(product(CHANNELS, every)):
        second, third = every[(37 * index + 11) % len(every)], every[(53 * index + 5) % len(every)]
        yield Convolution((axis,), channels)
        yield Convolution((second, axis), channels)
        yield Convolution((axis, third, second), channels)


def products(costs: Lifted) -> list[tuple[int, int]]:
    """MACs and MACs on padding of every convolution of a program, each execution once."""
    return [(row.cost.macs, row.cost.padding_macs) for row in costs.rows if row.op == "conv_general_dilated"]
