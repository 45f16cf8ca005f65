"""Layers that move data and compute nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from symcost.layers.base import Layer
from symcost.layers.sizes.tensor import FIRST, LAST, Tensor
from symcost.layers.tape import Tape


@dataclass(frozen=True)
class Flatten(Layer):
    """All of an input's places and channels as one vector: ``(n, c, h, w) -> (n, c h w)``.

    >>> Flatten().out((1, 256, 6, 6))
    (1, 9216)
    """

    @property
    def joins_places(self) -> bool:
        """All of them."""
        return True

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        return tape.emit(self.kind, x, Tensor((x.n, prod(x.shape[1:]))), view=True)


@dataclass(frozen=True)
class ToTokens(Layer):
    """Places as tokens: ``(n, c, h, w) -> (n, h w, c)``.

    >>> ToTokens().out((1, 768, 14, 14))
    (1, 196, 768)
    """

    three_axes = FIRST

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        out = Tensor((x.n, prod(x.places), x.channels), LAST)
        return tape.emit(self.kind, x, out, view=True)


@dataclass(frozen=True)
class Dropout(Layer):
    """Nothing at inference: ``x``, any shape.

    >>> Dropout().cost((1, 10))
    Cost()
    """

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        return x
