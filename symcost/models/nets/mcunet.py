"""A network in the manner of MCUNet: small inverted bottlenecks with kernels of 3, 5 and 7 for a microcontroller.

Lin et al.: MCUNet: Tiny Deep Learning on IoT Devices, arXiv:2007.10319. The searched networks themselves are not public
as text; this one has their kind of stages and fits 320 kB of memory and 1 MB of flash with 8 bits.
"""

from __future__ import annotations

from symcost.layers.activation import ReLU6
from symcost.layers.algebra import Dim
from symcost.layers.base import Layer
from symcost.layers.combine import Sequential
from symcost.layers.linear import Linear
from symcost.layers.pool import GlobalAvgPool
from symcost.models.nets.blocks import Multiplier, conv_norm, depthwise_norm, make_divisible, multiplier
from symcost.models.nets.mobilenet import inverted

STAGES = ((3, 7, 16, 2, 2), (4, 5, 24, 3, 2), (5, 3, 40, 3, 2), (4, 5, 48, 2, 1), (5, 7, 96, 3, 2), (4, 3, 160, 1, 1))
"""Expansion, kernel, channels, repeats and stride of each stage."""


def mcunet(width: Multiplier = 1, classes: Dim = 1000) -> Sequential:
    """A network like MCUNet at resolution 160."""
    alpha = multiplier(width, "width")
    c = make_divisible(16 * alpha)
    parts: dict[str, Layer] = {
        "stem": conv_norm(c, 3, ReLU6(), s=2),
        "separable": Sequential(
            depthwise=depthwise_norm(3, ReLU6()), pointwise=conv_norm(make_divisible(8 * alpha), 1)
        ),
    }
    c = make_divisible(8 * alpha)
    for t, k, channels, repeats, stride in STAGES:
        c_o = make_divisible(channels * alpha)
        for index in range(repeats):
            parts[f"block_{len(parts) - 1}"] = inverted(c, c_o, t, stride if index == 0 else 1, k)
            c = c_o
    return Sequential(**parts, gap=GlobalAvgPool(), fc=Linear(classes))
