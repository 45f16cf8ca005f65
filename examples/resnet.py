"""ResNet-50 of the flaxmodels package: parameters, MACs and FLOPs in batch n, resolution r and number of classes."""

from __future__ import annotations

import flaxmodels
from flax import linen as nn

import symcost as sc


def resnet50(classes: int) -> nn.Module:
    """The network as published, with its own number of classes and without downloaded weights."""
    return flaxmodels.ResNet50(output="logits", pretrained=None, num_classes=classes)


if __name__ == "__main__":
    costs = sc.trace(resnet50, "float32[n,r,r,3]", call={"train": False})
    print(costs)
    print()
    at = costs.subs(n=1, r=224, classes=1000)
    print(f"at n=1, r=224, classes=1000: {at.params:,} parameters, {at.macs:,} MACs")
