"""Twins of normalisation."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax

from symcost.layers.kinds import norm as layers
from symcost.layers.twins.base import modules


class Scale(nn.Module):
    """One learned factor per channel."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        """The product."""
        return x * self.param("scale", jax.nn.initializers.ones, (x.shape[-1],))


modules({
    layers.BatchNorm: lambda layer: nn.BatchNorm(use_running_average=True),
    layers.LayerNorm: lambda layer: nn.LayerNorm(use_bias=layer.bias),
    layers.RMSNorm: lambda layer: nn.RMSNorm(),
    layers.GroupNorm: lambda layer: nn.GroupNorm(num_groups=layer.g),
    layers.InstanceNorm: lambda layer: nn.InstanceNorm(),
    layers.ChannelScale: lambda layer: Scale(),
})  # fmt: skip
