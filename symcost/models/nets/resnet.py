"""ResNet-18 to ResNet-152 in the widths and the depth of every stage, as torchvision has them.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, arXiv:1512.03385; the stride of a bottleneck is on
its 3 x 3 convolution.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import ReLU
from symcost.layers.kinds.combine import Repeat, Residual, Sequential
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.pool import GlobalAvgPool, MaxPool2d
from symcost.layers.sizes.algebra import Size, size
from symcost.models.nets.blocks import conv_norm

Block = Callable[[Size, int, bool], Layer]


def basic(c: Size, s: int = 1, project: bool = False) -> Layer:
    """Two 3 x 3 convolutions around which the input goes."""
    body = Sequential(conv1=conv_norm(c, 3, ReLU(), s=s), conv2=conv_norm(c, 3))
    return Sequential(sum=Residual(body, conv_norm(c, 1, s=s) if project else None), relu=ReLU())


def bottleneck(c: Size, s: int = 1, project: bool = False) -> Layer:
    """1 x 1 to ``c`` channels, 3 x 3, 1 x 1 to ``4 c``."""
    body = Sequential(conv1=conv_norm(c, 1, ReLU()), conv2=conv_norm(c, 3, ReLU(), s=s), conv3=conv_norm(4 * c, 1))
    return Sequential(sum=Residual(body, conv_norm(4 * c, 1, s=s) if project else None), relu=ReLU())


def _resnet(block: Block, *, L1: Size, L2: Size, L3: Size, L4: Size, w: Size = 64, classes: Size = 1000) -> Sequential:
    w = size(w, "w")
    stages: dict[str, Layer] = {}
    for index, depth in enumerate((L1, L2, L3, L4)):
        width, stride = w * 2**index, 1 if index == 0 else 2
        project = index > 0 or block is bottleneck
        rest = Repeat(block(width, 1, False), size(depth, f"L{index + 1}") - 1)
        stages[f"stage{index + 1}"] = Sequential(first=block(width, stride, project), rest=rest)
    return Sequential(
        stem=conv_norm(w, 7, ReLU(), s=2), pool=MaxPool2d(k=3, s=2, p=1), **stages, gap=GlobalAvgPool(),
        fc=Linear(classes),
    )  # fmt: skip


resnet18 = partial(_resnet, basic, L1=2, L2=2, L3=2, L4=2)
resnet34 = partial(_resnet, basic, L1=3, L2=4, L3=6, L4=3)
resnet50 = partial(_resnet, bottleneck, L1=3, L2=4, L3=6, L4=3)
resnet101 = partial(_resnet, bottleneck, L1=3, L2=4, L3=23, L4=3)
resnet152 = partial(_resnet, bottleneck, L1=3, L2=8, L3=36, L4=3)
