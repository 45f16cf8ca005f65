"""EfficientNet-B0 to B7 as torchvision has them: width and depth multipliers, exact.

Tan, Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, arXiv:1905.11946.
"""

from __future__ import annotations

from functools import partial

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import Sigmoid, SiLU
from symcost.layers.kinds.combine import Repeat, Sequential
from symcost.layers.kinds.gate import SqueezeExcitation
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.pool import GlobalAvgPool
from symcost.layers.kinds.shape import Dropout
from symcost.layers.sizes.algebra import Size, ceiling, floor_ratio
from symcost.models.nets.blocks import Multiplier, around, conv_norm, depthwise_norm, make_divisible, multiplier

STAGES = (
    (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)  # fmt: skip
"""Expansion, kernel, stride, channels and repeats of each stage of B0."""


def mbconv(c_i: Size, c_o: Size, t: int, k: int, s: int) -> Layer:
    """Inverted bottleneck with squeeze-and-excitation to a quarter of the channels that come in."""
    expand: dict[str, Layer] = {} if t == 1 else {"expand": conv_norm(t * c_i, 1, SiLU())}
    body = Sequential(
        **expand, depthwise=depthwise_norm(k, SiLU(), s=s),
        se=SqueezeExcitation(floor_ratio(c_i, 4), SiLU(), Sigmoid()), project=conv_norm(c_o, 1),
    )  # fmt: skip
    return around(body, c_i, c_o, s)


def _efficientnet(*, width: Multiplier, depth: Multiplier, classes: Size = 1000) -> Sequential:
    alpha, beta = multiplier(width, "width"), multiplier(depth, "depth")
    c = make_divisible(32 * alpha)
    parts: dict[str, Layer] = {"stem": conv_norm(c, 3, SiLU(), s=2)}
    for index, (t, k, s, channels, repeats) in enumerate(STAGES, 1):
        c_o = make_divisible(channels * alpha)
        rest = Repeat(mbconv(c_o, c_o, t, k, 1), ceiling(repeats * beta) - 1)
        parts[f"stage{index}"] = Sequential(first=mbconv(c, c_o, t, k, s), rest=rest)
        c = c_o
    head = conv_norm(4 * c, 1, SiLU())
    return Sequential(**parts, head=head, gap=GlobalAvgPool(), drop=Dropout(), fc=Linear(classes))


efficientnet_b0 = partial(_efficientnet, width=1, depth=1)
"""5,288,548 parameters, 0.386 GMACs at 224."""
efficientnet_b1 = partial(_efficientnet, width=1, depth="1.1")
efficientnet_b2 = partial(_efficientnet, width="1.1", depth="1.2")
efficientnet_b3 = partial(_efficientnet, width="1.2", depth="1.4")
efficientnet_b4 = partial(_efficientnet, width="1.4", depth="1.8")
efficientnet_b5 = partial(_efficientnet, width="1.6", depth="2.2")
efficientnet_b6 = partial(_efficientnet, width="1.8", depth="2.6")
efficientnet_b7 = partial(_efficientnet, width=2, depth="3.1")
