"""Modules whose layers differ, of the programs of a depth."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
from flax import nnx


class Indexed(nn.Module):
    """A layer that knows its place."""

    layer: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.Dense(16 if self.layer % 8 == 0 else 8)(x)


class ByAttribute(nn.Module):
    """Layers made in ``setup``."""

    L: int

    def setup(self) -> None:
        self.blocks = [Indexed(i) for i in range(self.L)]

    def __call__(self, x: Any) -> Any:
        for block in self.blocks:
            x = block(x)
        return x


class Rematerialised(nn.Module):
    """Layers computed again in the backward pass."""

    L: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        for i in range(self.L):
            x = nn.remat(Indexed)(i)(x)
        return x


class Body(nn.Module):
    """One layer of a scan."""

    d: int

    @nn.compact
    def __call__(self, x: Any, _: None) -> Any:
        return nn.Dense(self.d)(x), None


class Scanned(nn.Module):
    """Layers in one scan."""

    L: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        body = nn.scan(Body, variable_axes={"params": 0}, split_rngs={"params": True}, length=self.L)
        x, _ = body(8)(x, None)
        if self.L > 24:
            x = nn.Dense(8)(x)
        return x


class Listed(nnx.Module):
    """Layers in a list of nnx."""

    def __init__(self, L: int, *, rngs: nnx.Rngs) -> None:
        self.blocks = nnx.List([nnx.Linear(8, 8, rngs=rngs) for i in range(L)])

    def __call__(self, x: Any) -> Any:
        for i, block in enumerate(self.blocks):
            x = block(x) * (2 if i in {1, 30} else 1)
            x = self.blocks[i](x)
        return x
