"""Twins of linear layers."""

from __future__ import annotations

from typing import Any

import flax.linen as nn

from symcost.layers.kinds.linear import Linear
from symcost.layers.twins.base import twin


@twin(Linear)
def linear(layer: Linear, x: Any) -> Any:
    """``nn.Dense``."""
    return nn.Dense(layer.c_o, use_bias=layer.bias)(x)
