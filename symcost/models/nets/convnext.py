"""ConvNeXt-T in its width and the depth of every stage, as torchvision has it.

Liu et al.: A ConvNet for the 2020s, arXiv:2201.03545.
"""

from __future__ import annotations

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import GELU
from symcost.layers.kinds.combine import Repeat, Residual, Sequential
from symcost.layers.kinds.conv import Conv2d, DepthwiseConv2d
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.norm import ChannelScale, LayerNorm
from symcost.layers.kinds.pool import GlobalAvgPool
from symcost.layers.sizes.algebra import Size, size


def block(c: Size) -> Layer:
    """7 x 7 depthwise, then every pixel by an MLP of ``4 c``, scaled by channel."""
    parts = {"depthwise": DepthwiseConv2d(k=7, p=3), "norm": LayerNorm(), "up": Linear(4 * c), "gelu": GELU()}
    return Residual(Sequential(**parts, down=Linear(c), scale=ChannelScale()))


def convnext_tiny(
    L1: Size = 3, L2: Size = 3, L3: Size = 9, L4: Size = 3, w: Size = 96, classes: Size = 1000
) -> Sequential:
    """ConvNeXt-T: 28,589,128 parameters, 4.456 GMACs."""
    w = size(w, "w")
    parts: dict[str, Layer] = {"stem": Sequential(conv=Conv2d(c_o=w, k=4, s=4), norm=LayerNorm())}
    for index, depth in enumerate((L1, L2, L3, L4)):
        c = w * 2**index
        if index:
            parts[f"down{index + 1}"] = Sequential(norm=LayerNorm(), conv=Conv2d(c_o=c, k=2, s=2))
        parts[f"stage{index + 1}"] = Repeat(block(c), depth)
    return Sequential(**parts, gap=GlobalAvgPool(), norm=LayerNorm(), fc=Linear(classes))
