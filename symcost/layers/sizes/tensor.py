"""What flows between layers: a shape, and which of its axes holds the channels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from symcost.layers.sizes.algebra import Size, exact

FIRST, LAST = "first", "last"
"""Layouts: channels behind the batch ``(n, c, h, w)`` as the lectures write images, features last ``(n, N, d)``."""


@dataclass(frozen=True)
class Tensor:
    """One value of the network.

    ``layout`` is None while nothing has settled it: three axes may be a signal ``(n, c, l)`` or tokens ``(n, N, d)``;
    :func:`symcost.layers.base.entering` settles them where a network begins. ``value`` tells the values of a network apart.
    """

    shape: tuple[Size, ...]
    layout: str | None = None
    value: int = 0

    @property
    def size(self) -> Size:
        """Number of elements."""
        return prod(self.shape)

    @property
    def n(self) -> Size:
        """Batch size."""
        return self.shape[0]

    def settled(self, layout: str = LAST) -> Tensor:
        """The same with its layout settled, unless it is already."""
        return self if self.layout else replace(self, layout=layout)

    @property
    def axis(self) -> int:
        """Position of the channels, or features."""
        return 1 if self.layout == FIRST else len(self.shape) - 1

    @property
    def channels(self) -> Size:
        """Number of channels, or features."""
        return self.shape[self.axis]

    @property
    def rows(self) -> Size:
        """Number of vectors of channels: everything but the channels."""
        return prod((self.n, *self.places))

    @property
    def places(self) -> tuple[Size, ...]:
        """Sizes beside batch and channels: height and width, or tokens."""
        return tuple(size for index, size in enumerate(self.shape) if index not in (0, self.axis))

    def shaped(self, c: Size, places: tuple[Size, ...]) -> Tensor:
        """The same batch and layout with other channels and places."""
        layout = self.layout or LAST
        inner = (c, *places) if layout == FIRST else (*places, c)
        return Tensor((self.n, *inner), layout)

    def __str__(self) -> str:
        return shown(self.shape)

    def differs_in_layout(self, other: Tensor) -> bool:
        """Whether one is channels first and the other channels last."""
        return {self.layout, other.layout} == {FIRST, LAST} and min(len(self.shape), len(other.shape)) > 2

    @property
    def with_layout(self) -> str:
        """The shape in an error about layouts."""
        return f"{self} with channels {self.layout}"


def shown(shape: tuple[Size, ...]) -> str:
    """A shape in an error."""
    return f"({', '.join(str(exact(size)) for size in shape)})"


def tensor(shape: tuple[Size, ...]) -> Tensor:
    """A network's input: four axes and more are images, the layout of fewer is open."""
    return Tensor(shape, FIRST if len(shape) > 3 else None)
