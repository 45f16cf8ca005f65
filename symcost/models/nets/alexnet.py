"""AlexNet as the lectures draw it, with groups, and as torchvision has it.

Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, NeurIPS 2012; the one
without groups after Krizhevsky: One weird trick for parallelizing convolutional neural networks, arXiv:1404.5997.
"""

from __future__ import annotations

from symcost.layers.kinds.activation import ReLU
from symcost.layers.kinds.combine import Sequential
from symcost.layers.kinds.conv import Conv2d
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.pool import AdaptiveAvgPool2d, MaxPool2d
from symcost.layers.kinds.shape import Dropout, Flatten
from symcost.layers.sizes.algebra import Size


def alexnet(classes: Size = 1000) -> Sequential:
    """The lectures' AlexNet: convolutions 2, 4 and 5 in two groups; 60,954,656 weights, 724,406,816 MACs at 224."""
    return Sequential(
        conv1=Conv2d(c_o=96, k=11, s=4, p=2), relu1=ReLU(), pool1=MaxPool2d(k=3, s=2),
        conv2=Conv2d(c_o=256, k=5, p=2, g=2), relu2=ReLU(), pool2=MaxPool2d(k=3, s=2),
        conv3=Conv2d(c_o=384, k=3, p=1), relu3=ReLU(),
        conv4=Conv2d(c_o=384, k=3, p=1, g=2), relu4=ReLU(),
        conv5=Conv2d(c_o=256, k=3, p=1, g=2), relu5=ReLU(), pool5=MaxPool2d(k=3, s=2),
        flatten=Flatten(),
        fc6=Linear(c_o=4096), relu6=ReLU(), fc7=Linear(c_o=4096), relu7=ReLU(), fc8=Linear(c_o=classes),
    )  # fmt: skip


def alexnet_torchvision(classes: Size = 1000) -> Sequential:
    """torchvision's AlexNet, narrower and without groups: 61,100,840 parameters, 0.714 GMACs at 224."""
    return Sequential(
        conv1=Conv2d(c_o=64, k=11, s=4, p=2), relu1=ReLU(), pool1=MaxPool2d(k=3, s=2),
        conv2=Conv2d(c_o=192, k=5, p=2), relu2=ReLU(), pool2=MaxPool2d(k=3, s=2),
        conv3=Conv2d(c_o=384, k=3, p=1), relu3=ReLU(),
        conv4=Conv2d(c_o=256, k=3, p=1), relu4=ReLU(),
        conv5=Conv2d(c_o=256, k=3, p=1), relu5=ReLU(), pool5=MaxPool2d(k=3, s=2),
        pool=AdaptiveAvgPool2d(6), flatten=Flatten(),
        drop6=Dropout(), fc6=Linear(c_o=4096), relu6=ReLU(),
        drop7=Dropout(), fc7=Linear(c_o=4096), relu7=ReLU(), fc8=Linear(c_o=classes),
    )  # fmt: skip
