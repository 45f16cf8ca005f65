"""SqueezeNet 1.0 as torchvision has it.

Iandola et al.: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and < 0.5 MB model size, arXiv:1602.07360.
"""

from __future__ import annotations

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import ReLU
from symcost.layers.kinds.combine import Branch, Sequential
from symcost.layers.kinds.conv import Conv2d
from symcost.layers.kinds.pool import GlobalAvgPool, MaxPool2d
from symcost.layers.kinds.shape import Dropout
from symcost.layers.sizes.algebra import Size


def fire(c_s: Size, c_e: Size) -> Layer:
    """1 x 1 to ``c_s`` channels, then 1 x 1 and 3 x 3 to ``c_e`` each, side by side."""
    one = Sequential(conv=Conv2d(c_o=c_e, k=1), relu=ReLU())
    three = Sequential(conv=Conv2d(c_o=c_e, k=3, p=1), relu=ReLU())
    return Sequential(squeeze=Conv2d(c_o=c_s, k=1), relu=ReLU(), expand=Branch(expand1=one, expand3=three))


def squeezenet(classes: Size = 1000) -> Sequential:
    """SqueezeNet 1.0: 1,248,424 parameters, 0.819 GMACs."""

    def pool() -> Layer:
        return MaxPool2d(k=3, s=2, ceil=True)

    return Sequential(
        conv1=Conv2d(c_o=96, k=7, s=2), relu1=ReLU(), pool1=pool(),
        fire2=fire(16, 64), fire3=fire(16, 64), fire4=fire(32, 128), pool4=pool(),
        fire5=fire(32, 128), fire6=fire(48, 192), fire7=fire(48, 192), fire8=fire(64, 256), pool8=pool(),
        fire9=fire(64, 256), drop9=Dropout(), conv10=Conv2d(c_o=classes, k=1), relu10=ReLU(), gap=GlobalAvgPool(),
    )  # fmt: skip
