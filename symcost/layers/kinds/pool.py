"""Pooling: windows, the whole input, or a given number of outputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar

from symcost.formulas.form import Form
from symcost.layers.base import Layer, each
from symcost.layers.sizes.algebra import Size, ceil_ratio, exact, gcd, ratio
from symcost.layers.sizes.field import Reach
from symcost.layers.sizes.tensor import Tensor
from symcost.layers.sizes.types import NONE, Dims
from symcost.layers.sizes.windowed import Window, Windowed, image, reach_of
from symcost.layers.tape import Tape


@dataclass(frozen=True, kw_only=True)
class _Pool(Windowed):
    s: Dims = NONE
    ceil: bool = False
    rank: ClassVar[int] = 2

    def __post_init__(self) -> None:
        if self.s is None:
            object.__setattr__(self, "s", self.k)
        super().__post_init__()

    def pooled(self, tape: Tape, x: Tensor) -> tuple[Tensor, Size, Reach]:
        """The output's shape, the taps of a window, and how far it reaches."""
        x = image(tape, x, self.rank)
        c, places = x.channels, x.places
        windows = [self._ceiled(tape, window) for window in self.windows(tape, places)]
        out = x.shaped(c, tuple(window.out for window in windows))
        return out, prod(window.k for window in windows), reach_of(windows)

    def _ceiled(self, tape: Tape, window: Window) -> Window:
        """The window with a last position that may reach beyond the padding, where that is wanted."""
        if not self.ceil:
            return window
        reach = window.d * (window.k - 1) + 1
        fits = exact(reach - window.s - window.lo)
        tape.at_least(fits, 0, f"ceil=True needs s + p <= k, not s={window.s}, p={window.lo}, k={reach}: use less")
        return replace(window, out=ceil_ratio(window.size + window.lo + window.hi - reach, window.s) + 1)


@dataclass(frozen=True, kw_only=True)
class _MaxPool(_Pool):
    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        out, taps, reach = self.pooled(tape, x)
        return tape.emit(self.kind, x, out, flops=(taps - 1) * out.size, stores=True, reach=reach)


class MaxPool1d(_MaxPool):
    """Largest of a window over a signal: ``(n, c, l_i) -> (n, c, l_o)``, as :class:`MaxPool2d`.

    >>> MaxPool1d(k=2).out((1, 8, 10))
    (1, 8, 5)
    """

    rank = 1


class MaxPool2d(_MaxPool):
    """Largest of a window: ``(n, c, h_i, w_i) -> (n, c, h_o, w_o)``, no parameters.

    ``k_h k_w - 1`` comparisons per output, padding included. ``s`` is ``k`` unless given; with ``ceil`` the last window
    may reach over the border, ``h_o = ceiling((h_i + 2p - k)/s) + 1``; sizes as in :class:`Conv2d`.

    >>> MaxPool2d(k=3, s=2).cost((1, 96, 55, 55)).flops
    559872
    """


class MaxPool3d(_MaxPool):
    """Largest of a window over a volume: ``(n, c, t, h, w) -> (n, c, t_o, h_o, w_o)``, as :class:`MaxPool2d`.

    >>> MaxPool3d(k=2).out((1, 8, 4, 6, 6))
    (1, 8, 2, 3, 3)
    """

    rank = 3


@dataclass(frozen=True, kw_only=True)
class _AvgPool(_Pool):
    count_padding: bool = True

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        out, taps, reach = self.pooled(tape, x)
        places = prod(out.places)
        counted = 0 if self.count_padding else (taps - 1) * places
        return tape.emit(
            self.kind, x, out, flops=taps * out.size + counted, stores=True, reach=reach,
            reduces=(0, 0) if self.count_padding else (1, places),
        )  # fmt: skip


class AvgPool1d(_AvgPool):
    """Mean of a window over a signal: ``(n, c, l_i) -> (n, c, l_o)``, as :class:`AvgPool2d`.

    >>> AvgPool1d(k=2).out((1, 8, 10))
    (1, 8, 5)
    """

    rank = 1


class AvgPool2d(_AvgPool):
    """Mean of a window: ``(n, c, h_i, w_i) -> (n, c, h_o, w_o)``, no parameters.

    ``k_h k_w - 1`` additions and one division per output. With ``count_padding=False`` the divisor is the number of
    places inside the input, counted once for all channels: ``(k_h k_w - 1) h_o w_o`` additions more.

    >>> AvgPool2d(k=2).cost((1, 8, 4, 4)).flops
    128
    """


class AvgPool3d(_AvgPool):
    """Mean of a window over a volume: ``(n, c, t, h, w) -> (n, c, t_o, h_o, w_o)``, as :class:`AvgPool2d`.

    >>> AvgPool3d(k=2).out((1, 8, 4, 6, 6))
    (1, 8, 2, 3, 3)
    """

    rank = 3


@dataclass(frozen=True)
class GlobalAvgPool(Layer):
    """Mean over all places: ``(n, c, h, w) -> (n, c)``, any number of spatial axes; of tokens ``(n, N, d) -> (n, d)``.

    Alone, it takes three axes for tokens: of a signal with ``layout="first"``.
    ``h w - 1`` additions and one division per channel.

    >>> GlobalAvgPool().cost((1, 2048, 7, 7)).flops
    100352
    """

    keep: bool = False
    """Whether the places stay, with length 1."""

    @property
    def joins_places(self) -> bool:
        """Unless they are kept."""
        return not self.keep

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        c, places = x.channels, x.places
        if not places:
            raise tape.fail(f"the input {x} has no places to pool: give it as (n, c, h, w)")
        out = x.shaped(c, (1,) * len(places)) if self.keep else Tensor((x.n, c))
        return tape.emit(self.kind, x, out, flops=x.size, reduces=(1, out.size), everything=True)


@dataclass(frozen=True)
class GlobalMaxPool(Layer):
    """Largest over all places: ``(n, c, h, w) -> (n, c)``: ``h w - 1`` comparisons per channel.

    >>> GlobalMaxPool().cost((1, 8, 7, 7)).flops
    384
    """

    @property
    def joins_places(self) -> bool:
        """All of them."""
        return True

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        if not x.places:
            raise tape.fail(f"the input {x} has no places to pool: give it as (n, c, h, w)")
        out = Tensor((x.n, x.channels))
        return tape.emit(self.kind, x, out, flops=x.size - out.size, reduces=(1, out.size), everything=True)


@dataclass(frozen=True)
class AdaptiveAvgPool2d(Layer):
    """Means of ``o`` windows along each axis: ``(n, c, h, w) -> (n, c, o_h, o_w)``.

    Window ``i`` runs from ``floor(i h/o)`` to ``ceiling((i + 1)h/o)``; all of them together read ``h + o - gcd(h, o)``
    elements along an axis, so there are as many additions less one per output, and one division per output. Where
    ``o`` divides ``h`` this is average pooling with ``k = s = h/o``; where ``o`` is a symbol it must.

    >>> AdaptiveAvgPool2d(6).cost((1, 256, 13, 13)).flops
    82944
    """

    o: Dims

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        x = image(tape, x, 2)
        c, places = x.channels, x.places
        wanted = each(self.o, 2, "o", tape.fail)
        reads = [self._reads(tape, size, out) for size, out in zip(places, wanted, strict=True)]
        out = x.shaped(c, wanted)
        return tape.emit(self.kind, x, out, flops=x.n * c * prod(reads), stores=True, everything=True)

    def _reads(self, tape: Tape, size: Size, o: Size) -> Size:
        if isinstance(o, int) and not (isinstance(part := ratio(size, o), Form) and part.is_integral):
            return exact(size + o - gcd(size, o))
        tape.whole(ratio(size, o), f"{o} outputs must divide the length {size}: take a multiple, or numbers")
        return size
