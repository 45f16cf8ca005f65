"""Twins of activation functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax

from symcost.layers.base import Layer
from symcost.layers.kinds import activation as layers
from symcost.layers.twins.base import twin

FUNCTIONS: dict[type[Layer], Callable[[Any], Any]] = {
    layers.ReLU: nn.relu,
    layers.ReLU6: nn.relu6,
    layers.LeakyReLU: nn.leaky_relu,
    layers.ELU: nn.elu,
    layers.Sigmoid: nn.sigmoid,
    layers.Tanh: nn.tanh,
    layers.SiLU: nn.silu,
    layers.HardSigmoid: nn.hard_sigmoid,
    layers.HardSwish: nn.hard_swish,
    layers.Mish: jax.nn.mish,
    layers.Softmax: nn.softmax,
}


@twin(*FUNCTIONS)
def activation(layer: Layer, x: Any) -> Any:
    """The function of the same name in ``jax.nn``."""
    return FUNCTIONS[type(layer)](x)


@twin(layers.GELU)
def gelu(layer: layers.GELU, x: Any) -> Any:
    """``nn.gelu``."""
    return nn.gelu(x, approximate=layer.form == "tanh")
