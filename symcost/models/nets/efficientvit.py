"""EfficientViT-B1: convolutions first, then multi-scale linear attention.

Cai, Li, Hu, Gan, Han: EfficientViT: Multi-Scale Linear Attention for High-Resolution Dense Prediction, ICCV 2023,
arXiv:2205.14756; structure and figures of github.com/mit-han-lab/efficientvit (9.1 M parameters, 0.52 GMACs at 224).
"""

from __future__ import annotations

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import HardSwish
from symcost.layers.kinds.attention import LinearCore
from symcost.layers.kinds.combine import Branch, Identity, Repeat, Residual, Sequential
from symcost.layers.kinds.conv import Conv2d, DepthwiseConv2d
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.norm import LayerNorm
from symcost.layers.kinds.pool import GlobalAvgPool
from symcost.layers.kinds.shape import Dropout
from symcost.layers.sizes.algebra import Size, ratio, size
from symcost.models.nets.blocks import conv_norm, depthwise_norm, finished
from symcost.models.nets.mobilenet import inverted

D_K = 16
"""Features of a head."""


def mbconv(c_i: Size, c_o: Size, s: int) -> Layer:
    """An inverted bottleneck with biases and one norm only, at its end."""
    return Sequential(
        expand=finished(Conv2d(c_o=4 * c_i, k=1), None, HardSwish()),
        depthwise=finished(DepthwiseConv2d(k=3, s=s, p=1), None, HardSwish()), project=conv_norm(c_o, 1),
    )  # fmt: skip


def attention(c: Size) -> Layer:
    """Linear attention over queries, keys and values, and over their sums by 5 x 5 neighbourhoods."""
    nearby = Sequential(
        depthwise=DepthwiseConv2d(k=5, p=2, bias=False),
        pointwise=Conv2d(c_o=3 * c, k=1, g=3 * ratio(c, D_K), bias=False),
    )
    return Sequential(
        qkv=Conv2d(c_o=3 * c, k=1, bias=False), scales=Branch(one=Identity(), five=nearby), core=LinearCore(D_K),
        project=conv_norm(c, 1),
    )  # fmt: skip


def efficientvit_b1(
    L1: Size = 2, L2: Size = 3, L3: Size = 3, L4: Size = 4, w: Size = 16, classes: Size = 1000
) -> Sequential:
    """EfficientViT-B1: 9.1 million parameters, 0.52 GMACs."""
    act, w = HardSwish(), size(w, "w")
    stem = Sequential(
        conv=conv_norm(w, 3, act, s=2),
        separable=Residual(Sequential(depthwise=depthwise_norm(3, act), pointwise=conv_norm(w, 1))),
    )
    stages: dict[str, Layer] = {}
    for index, depth in enumerate((L1, L2), 1):
        c = w * 2**index
        first, rest = inverted(ratio(c, 2), c, 4, 2, act=act), inverted(c, c, 4, 1, act=act)
        stages[f"stage{index}"] = Sequential(first=first, rest=Repeat(rest, size(depth, f"L{index}") - 1))
    for index, depth in enumerate((L3, L4), 3):
        c = w * 2**index
        block = Sequential(context=Residual(attention(c)), local=Residual(mbconv(c, c, 1)))
        stages[f"stage{index}"] = Sequential(first=mbconv(ratio(c, 2), c, 2), rest=Repeat(block, depth))
    return Sequential(
        stem=stem, **stages, head=conv_norm(96 * w, 1, act), gap=GlobalAvgPool(),
        fc1=Linear(100 * w, bias=False), norm=LayerNorm(), act=act, drop=Dropout(), fc2=Linear(classes),
    )  # fmt: skip
