"""Networks of layers as compiled functions, with parameters of the right shapes."""

from __future__ import annotations

from typing import Any

from symcost.estimate.calibration.timing import Timed
from symcost.layers.base import Layer


def timed(net: Layer, x: tuple[int, ...]) -> Timed:
    """The network as a Flax module in float32; images are given channels first, as the layers take them."""
    import jax
    import jax.numpy as jnp

    from symcost.layers.twins.base import build

    shape = (x[0], *x[2:], x[1]) if len(x) == 4 else x  # images are channels last there
    module = build(net)
    entering = jnp.ones(shape)
    shapes: Any = jax.eval_shape(module.init, jax.random.key(0), entering)
    variables = jax.tree.map(lambda leaf: jnp.full(leaf.shape, 1e-3, leaf.dtype), shapes)
    return Timed(lambda v, a: module.apply(v, a), variables, entering)
