"""MobileNetV1 and MobileNetV2 with their width multipliers, exact.

Howard et al.: MobileNets, arXiv:1704.04861 (as TensorFlow's: widths rounded down, at least 8). Sandler et al.:
MobileNetV2, arXiv:1801.04381 (as torchvision's and TensorFlow's: widths made divisible by 8, the head never narrowed).
"""

from __future__ import annotations

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import ReLU6
from symcost.layers.kinds.combine import Sequential
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.pool import GlobalAvgPool
from symcost.layers.kinds.shape import Dropout
from symcost.layers.sizes.algebra import Size, floor, largest
from symcost.models.nets.blocks import Multiplier, around, conv_norm, depthwise_norm, make_divisible, multiplier

V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))
"""Channels and stride of each depthwise separable block."""
V2 = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, channels, repeats and stride of each stage."""


def mobilenet_v1(width: Multiplier = 1, classes: Size = 1000) -> Sequential:
    """MobileNetV1: 4.2 million parameters, 569 million MACs at width 1."""
    alpha = multiplier(width, "width")

    def narrowed(c: int) -> Size:
        return largest([floor(c * alpha), 8])

    blocks = {
        f"block_{index}": Sequential(
            depthwise=depthwise_norm(3, ReLU6(), s=s), pointwise=conv_norm(narrowed(c), 1, ReLU6())
        )
        for index, (c, s) in enumerate(V1, 1)
    }
    stem = conv_norm(narrowed(32), 3, ReLU6(), s=2)
    return Sequential(stem=stem, **blocks, gap=GlobalAvgPool(), drop=Dropout(), fc=Linear(classes))


def inverted(c_i: Size, c_o: Size, t: int, s: int, k: int = 3, act: Layer | None = None) -> Layer:
    """1 x 1 to ``t c_i`` channels, depthwise, 1 x 1 to ``c_o`` without activation; the input goes around where it fits."""
    act = act or ReLU6()
    expand: dict[str, Layer] = {} if t == 1 else {"expand": conv_norm(t * c_i, 1, act)}
    body = Sequential(**expand, depthwise=depthwise_norm(k, act, s=s), project=conv_norm(c_o, 1))
    return around(body, c_i, c_o, s)


def mobilenet_v2(width: Multiplier = 1, classes: Size = 1000) -> Sequential:
    """MobileNetV2: 3,504,872 parameters, 0.301 GMACs at width 1."""
    alpha = multiplier(width, "width")
    c = make_divisible(32 * alpha)
    parts: dict[str, Layer] = {"stem": conv_norm(c, 3, ReLU6(), s=2)}
    for t, channels, repeats, stride in V2:
        for index in range(repeats):
            c_o = make_divisible(channels * alpha)
            parts[f"block_{len(parts)}"] = inverted(c, c_o, t, stride if index == 0 else 1)
            c = c_o
    head = conv_norm(largest([make_divisible(1280 * alpha), 1280]), 1, ReLU6())
    return Sequential(**parts, head=head, gap=GlobalAvgPool(), drop=Dropout(), fc=Linear(classes))
