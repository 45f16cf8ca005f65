"""DenseNet-121 as torchvision has it, in its growth rate and the depth of every stage.

Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks, arXiv:1608.06993.
"""

from __future__ import annotations

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import ReLU
from symcost.layers.kinds.combine import Branch, Identity, Repeat, Sequential
from symcost.layers.kinds.conv import Conv2d
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.norm import BatchNorm
from symcost.layers.kinds.pool import AvgPool2d, GlobalAvgPool, MaxPool2d
from symcost.layers.sizes.algebra import Size, floor_ratio, size
from symcost.models.nets.blocks import conv_norm


def dense(growth: Size) -> Layer:
    """``growth`` new channels beside those that come in, by way of ``4 growth``."""
    new = Sequential(
        norm1=BatchNorm(), relu1=ReLU(), conv1=Conv2d(c_o=4 * growth, k=1, bias=False),
        norm2=BatchNorm(), relu2=ReLU(), conv2=Conv2d(c_o=growth, k=3, p=1, bias=False),
    )  # fmt: skip
    return Branch(old=Identity(), new=new)


def transition(c: Size) -> Layer:
    """1 x 1 to ``c`` channels, and half the places along each axis."""
    return Sequential(norm=BatchNorm(), relu=ReLU(), conv=Conv2d(c_o=c, k=1, bias=False), pool=AvgPool2d(k=2))


def densenet121(
    L1: Size = 6, L2: Size = 12, L3: Size = 24, L4: Size = 16, growth: Size = 32, classes: Size = 1000
) -> Sequential:
    """DenseNet-121: 7,978,856 parameters, 2.834 GMACs."""
    growth = size(growth, "growth")
    c = 2 * growth
    parts: dict[str, Layer] = {"stem": conv_norm(c, 7, ReLU(), s=2), "pool": MaxPool2d(k=3, s=2, p=1)}
    for stage, depth in enumerate((L1, L2, L3, L4), 1):
        depth = size(depth, f"L{stage}")
        parts[f"stage{stage}"] = Repeat(dense(growth), depth)
        c = c + depth * growth
        if stage < 4:
            c = floor_ratio(c, 2)
            parts[f"transition{stage}"] = transition(c)
    return Sequential(**parts, norm=BatchNorm(), relu=ReLU(), gap=GlobalAvgPool(), fc=Linear(classes))
