"""Twins of layers that move data."""

from __future__ import annotations

from typing import Any

from symcost.layers.kinds.shape import Flatten, ToTokens
from symcost.layers.twins.base import twin


@twin(Flatten)
def flatten(layer: Flatten, x: Any) -> Any:
    """One vector."""
    return x.reshape(x.shape[0], -1)


@twin(ToTokens)
def to_tokens(layer: ToTokens, x: Any) -> Any:
    """Places as tokens."""
    return x.reshape(x.shape[0], -1, x.shape[-1])
