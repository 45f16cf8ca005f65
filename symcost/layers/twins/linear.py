"""Twins of linear layers."""

from __future__ import annotations

import flax.linen as nn

from symcost.layers.kinds.linear import Linear
from symcost.layers.twins.base import modules

modules({Linear: lambda layer: nn.Dense(layer.c_o, use_bias=layer.bias)})
