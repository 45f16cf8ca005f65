"""What three axes are: a signal ``(n, c, l)`` or tokens ``(n, N, d)``, settled once where a network begins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Protocol

from symcost.errors import ShapeError
from symcost.layers.sizes.algebra import size
from symcost.layers.sizes.given import SizeLike
from symcost.layers.sizes.tensor import LAST, Tensor, tensor
from symcost.reading.choices import LAYOUTS, Layout
from symcost.reading.numerals import short


class InputReader(Protocol):
    """A layer as far as its input goes: what three axes are to it and to the layers inside it."""

    three_axes: ClassVar[str | None]
    insists: ClassVar[bool]

    @property
    def joins_places(self) -> bool:
        """Whether its output has no places."""
        ...

    def in_order(self) -> Iterator[InputReader]:
        """The layer, and those inside it as they run."""
        ...


def shaped(x: tuple[SizeLike, ...]) -> Tensor:
    """The input of a network."""
    return tensor(tuple(size(length, f"axis {axis} of the input") for axis, length in enumerate(x)))


def entering(net: InputReader, x: tuple[SizeLike, ...], layout: Layout | None = None) -> Tensor:
    """The input of a network, its layout settled; ``layout`` says where the channels of three axes stand.

    >>> from symcost.layers.kinds.norm import BatchNorm, LayerNorm
    >>> entering(BatchNorm(), (1, 4, 100)).channels, entering(LayerNorm(), (1, 10, 16)).channels
    (4, 16)
    """
    if layout is not None and layout not in LAYOUTS:
        raise ShapeError(f"layout={short(layout)} is unknown: use 'first' for (n, c, l), 'last' for (n, N, d)")
    made = shaped(x)
    if layout is not None and len(x) != 3:
        raise ShapeError(f"layout={layout!r} is for inputs of three axes and {made} has {len(x)}: leave it out")
    return made.settled(layout or _meant(net)) if len(x) == 3 else made


def _meant(net: InputReader) -> str:
    """As the first layer takes three axes that takes them one way only; else the first that leans to one; else tokens."""
    leaning = None
    for layer in net.in_order():
        if layer.joins_places:
            break
        if layer.three_axes and layer.insists:
            return layer.three_axes
        leaning = leaning or layer.three_axes
    return leaning or LAST
