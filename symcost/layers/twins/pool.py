"""Twins of pooling."""

from __future__ import annotations

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from symcost.layers.base import each
from symcost.layers.kinds.pool import (
    AdaptiveAvgPool2d,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from symcost.layers.twins.base import twin
from symcost.layers.twins.conv import paddings


@twin(MaxPool1d, MaxPool2d, MaxPool3d)
def max_pool(layer: Any, x: Any) -> Any:
    """The largest of each window."""
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, **_window(layer, x))


@twin(AvgPool1d, AvgPool2d, AvgPool3d)
def avg_pool(layer: Any, x: Any) -> Any:
    """The sum of each window over the number of its places, all of them or those inside the input."""
    window = _window(layer, x)
    total = jax.lax.reduce_window(x, 0.0, jax.lax.add, **window)
    if layer.count_padding:
        return total / math.prod(window["window_dimensions"])
    inside = jnp.ones((1, *x.shape[1:-1], 1), x.dtype)
    return total / jax.lax.reduce_window(inside, 0.0, jax.lax.add, **window)


def _window(layer: Any, x: Any) -> dict[str, Any]:
    k, s, d = (each(given, x.ndim - 2, "", ValueError) for given in (layer.k, layer.s, layer.d))
    pads = paddings(layer, x)
    if layer.ceil:  # the last window reaches over the border
        reach = [d[axis] * (k[axis] - 1) + 1 for axis in range(len(k))]
        rooms = [size + sum(pads[axis]) - reach[axis] for axis, size in enumerate(x.shape[1:-1])]
        pads = [(lo, hi + -room % s[axis]) for axis, (room, (lo, hi)) in enumerate(zip(rooms, pads, strict=True))]
    return {
        "window_dimensions": (1, *k, 1), "window_strides": (1, *s, 1), "padding": ((0, 0), *pads, (0, 0)),
        "window_dilation": (1, *d, 1),
    }  # fmt: skip


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
