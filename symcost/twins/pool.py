"""Twins of pooling."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from symcost.layers.base import each
from symcost.layers.pool import AdaptiveAvgPool2d, AvgPool2d, GlobalAvgPool, GlobalMaxPool, MaxPool2d
from symcost.twins.base import twin
from symcost.twins.conv import paddings


@twin(MaxPool2d)
def max_pool(layer: MaxPool2d, x: Any) -> Any:
    """``nn.max_pool``."""
    return nn.max_pool(x, *_window(layer, x))


@twin(AvgPool2d)
def avg_pool(layer: AvgPool2d, x: Any) -> Any:
    """``nn.avg_pool``."""
    return nn.avg_pool(x, *_window(layer, x), count_include_pad=layer.count_padding)


def _window(layer: Any, x: Any) -> tuple[Any, ...]:
    if any(step != 1 for step in each(layer.d, x.ndim - 2, "", ValueError)):
        raise NotImplementedError("flax pools without dilation")
    k, s = (each(given, x.ndim - 2, "", ValueError) for given in (layer.k, layer.s))
    pads = paddings(layer, x)
    if layer.ceil:  # the last window reaches over the border
        rooms = [
            size + lo + hi - k[axis] for axis, (size, (lo, hi)) in enumerate(zip(x.shape[1:-1], pads, strict=True))
        ]
        pads = [(lo, hi + -room % s[axis]) for axis, (room, (lo, hi)) in enumerate(zip(rooms, pads, strict=True))]
    return k, s, pads


@twin(GlobalAvgPool)
def global_avg_pool(layer: GlobalAvgPool, x: Any) -> Any:
    """``jnp.mean`` over the places."""
    return jnp.mean(x, tuple(range(1, x.ndim - 1)), keepdims=layer.keep)


@twin(GlobalMaxPool)
def global_max_pool(layer: GlobalMaxPool, x: Any) -> Any:
    """``jnp.max`` over the places."""
    return jnp.max(x, tuple(range(1, x.ndim - 1)))


@twin(AdaptiveAvgPool2d)
def adaptive_avg_pool(layer: AdaptiveAvgPool2d, x: Any) -> Any:
    """One window where the outputs divide the places, else one mean for every output."""
    rows, columns = each(layer.o, 2, "", ValueError)
    h, w = x.shape[1:3]
    if h % rows == 0 and w % columns == 0:
        window = (h // rows, w // columns)
        return nn.avg_pool(x, window, window)
    cells = [
        [jnp.mean(x[:, slice(*_bounds(h, rows, i)), slice(*_bounds(w, columns, j))], (1, 2)) for j in range(columns)]
        for i in range(rows)
    ]
    return jnp.stack([jnp.stack(row, 1) for row in cells], 1)


def _bounds(size: int, outputs: int, index: int) -> tuple[int, int]:
    return index * size // outputs, -(-(index + 1) * size // outputs)
