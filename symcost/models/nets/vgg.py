"""VGG-11 to VGG-19, with and without batch norm, as torchvision has them.

Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, arXiv:1409.1556.
"""

from __future__ import annotations

from symcost.layers.activation import ReLU
from symcost.layers.algebra import Dim
from symcost.layers.base import Layer
from symcost.layers.combine import Sequential
from symcost.layers.conv import Conv2d
from symcost.layers.linear import Linear
from symcost.layers.norm import BatchNorm
from symcost.layers.pool import AdaptiveAvgPool2d, MaxPool2d
from symcost.layers.shape import Dropout, Flatten

WIDTHS = (64, 128, 256, 512, 512)


def _vgg(depths: tuple[int, ...], bn: bool, classes: Dim) -> Sequential:
    parts: dict[str, Layer] = {}
    for stage, (width, depth) in enumerate(zip(WIDTHS, depths, strict=True), 1):
        for index in range(1, depth + 1):
            parts[f"conv{stage}_{index}"] = Conv2d(c_o=width, k=3, p=1)
            if bn:
                parts[f"norm{stage}_{index}"] = BatchNorm()
            parts[f"relu{stage}_{index}"] = ReLU()
        parts[f"pool{stage}"] = MaxPool2d(k=2)
    return Sequential(
        **parts, pool=AdaptiveAvgPool2d(7), flatten=Flatten(),
        fc6=Linear(4096), relu6=ReLU(), drop6=Dropout(), fc7=Linear(4096), relu7=ReLU(), drop7=Dropout(),
        fc8=Linear(classes),
    )  # fmt: skip


def vgg11(classes: Dim = 1000, bn: bool = False) -> Sequential:
    """VGG-11."""
    return _vgg((1, 1, 2, 2, 2), bn, classes)


def vgg13(classes: Dim = 1000, bn: bool = False) -> Sequential:
    """VGG-13."""
    return _vgg((2, 2, 2, 2, 2), bn, classes)


def vgg16(classes: Dim = 1000, bn: bool = False) -> Sequential:
    """VGG-16."""
    return _vgg((2, 2, 3, 3, 3), bn, classes)


def vgg19(classes: Dim = 1000, bn: bool = False) -> Sequential:
    """VGG-19."""
    return _vgg((2, 2, 4, 4, 4), bn, classes)
