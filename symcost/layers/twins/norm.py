"""Twins of normalisation."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax

from symcost.layers.kinds import norm as layers
from symcost.layers.twins.base import twin


@twin(layers.BatchNorm)
def batch_norm(layer: layers.BatchNorm, x: Any) -> Any:
    """``nn.BatchNorm`` with its running averages."""
    return nn.BatchNorm(use_running_average=True)(x)


@twin(layers.LayerNorm)
def layer_norm(layer: layers.LayerNorm, x: Any) -> Any:
    """``nn.LayerNorm``."""
    return nn.LayerNorm(use_bias=layer.bias)(x)


@twin(layers.RMSNorm)
def rms_norm(layer: layers.RMSNorm, x: Any) -> Any:
    """``nn.RMSNorm``."""
    return nn.RMSNorm()(x)


@twin(layers.GroupNorm)
def group_norm(layer: layers.GroupNorm, x: Any) -> Any:
    """``nn.GroupNorm``."""
    return nn.GroupNorm(num_groups=layer.g)(x)


@twin(layers.InstanceNorm)
def instance_norm(layer: layers.InstanceNorm, x: Any) -> Any:
    """``nn.InstanceNorm``."""
    return nn.InstanceNorm()(x)


class Scale(nn.Module):
    """One learned factor per channel."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        """The product."""
        return x * self.param("scale", jax.nn.initializers.ones, (x.shape[-1],))


@twin(layers.ChannelScale)
def channel_scale(layer: layers.ChannelScale, x: Any) -> Any:
    """A parameter and a product."""
    return Scale()(x)
