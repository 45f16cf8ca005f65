"""VGG-11 to VGG-19, with and without batch norm, as torchvision has them.

Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, arXiv:1409.1556.
"""

from __future__ import annotations

from functools import partial

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import ReLU
from symcost.layers.kinds.combine import Repeat, Sequential
from symcost.layers.kinds.conv import Conv2d
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.norm import BatchNorm
from symcost.layers.kinds.pool import AdaptiveAvgPool2d, MaxPool2d
from symcost.layers.kinds.shape import Dropout, Flatten
from symcost.layers.sizes.algebra import Size, size

WIDTHS = (64, 128, 256, 512, 512)


def _vgg(*, L1: Size, L2: Size, L3: Size, L4: Size, L5: Size, classes: Size = 1000, bn: bool = False) -> Sequential:
    """Convolutions one by one; where their number is a symbol, all but a stage's first are one repeated block."""
    parts: dict[str, Layer] = {}
    for stage, (width, given) in enumerate(zip(WIDTHS, (L1, L2, L3, L4, L5), strict=True), 1):
        depth = size(given, f"L{stage}")
        conv = Conv2d(c_o=width, k=3, p=1)
        for index in range(1, depth + 1 if isinstance(depth, int) else 2):
            parts[f"conv{stage}_{index}"] = conv
            if bn:
                parts[f"norm{stage}_{index}"] = BatchNorm()
            parts[f"relu{stage}_{index}"] = ReLU()
        if not isinstance(depth, int):
            block = {"conv": conv, **({"norm": BatchNorm()} if bn else {}), "relu": ReLU()}
            parts[f"rest{stage}"] = Repeat(Sequential(**block), depth - 1)
        parts[f"pool{stage}"] = MaxPool2d(k=2)
    return Sequential(
        **parts, pool=AdaptiveAvgPool2d(7), flatten=Flatten(),
        fc6=Linear(4096), relu6=ReLU(), drop6=Dropout(), fc7=Linear(4096), relu7=ReLU(), drop7=Dropout(),
        fc8=Linear(classes),
    )  # fmt: skip


vgg11 = partial(_vgg, L1=1, L2=1, L3=2, L4=2, L5=2)
vgg13 = partial(_vgg, L1=2, L2=2, L3=2, L4=2, L5=2)
vgg16 = partial(_vgg, L1=2, L2=2, L3=3, L4=3, L5=3)
vgg19 = partial(_vgg, L1=2, L2=2, L3=4, L4=4, L5=4)
