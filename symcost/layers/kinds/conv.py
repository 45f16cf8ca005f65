"""Convolutions in one, two and three dimensions: grouped, depthwise, transposed."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from math import prod
from typing import ClassVar

from symcost.layers.base import Layer, each
from symcost.layers.sizes.algebra import Size, ceil_ratio, exact, ratio
from symcost.layers.sizes.sliding import NoFormError, taps_on_padding, taps_on_same_padding
from symcost.layers.sizes.tensor import FIRST, Tensor
from symcost.layers.sizes.types import ONE, ZERO, Dim, Dims, Pads
from symcost.layers.sizes.windowed import Window, Windowed, check_word, image, reach_of
from symcost.layers.tape import Tape

FILLS = ("zeros", "reflect", "replicate", "constant")


@dataclass(frozen=True, kw_only=True)
class Convolution(Windowed):
    """Base of convolutions; ``fill`` says what stands on the padding."""

    bias: bool = True
    fill: str = "zeros"
    rank: ClassVar[int] = 0

    def check(self) -> None:
        check_word(self, "fill", self.fill, FILLS)

    def convolve(self, tape: Tape, x: Tensor, c_o: Size, g: Size) -> Tensor:
        """The operation with ``c_o`` output channels in ``g`` groups."""
        x = image(tape, x, self.rank)
        c_i, places = x.channels, x.places
        for name, channels in (("c_i", c_i), ("c_o", c_o)):
            tape.whole(ratio(channels, g), f"g={g} groups must divide {name}={channels}: choose another g or {name}")
        windows = self.windows(tape, places)
        out = x.shaped(c_o, tuple(window.out for window in windows))
        pairs = x.n * c_o * ratio(c_i, g)
        macs = pairs * prod(window.k * window.out for window in windows)
        useful = pairs * prod(window.k * window.out - self._lost(tape, window) for window in windows)
        if self.fill != "zeros":  # written before, and input like any
            if any(window.lo is None for window in windows):
                raise tape.fail(f"the padding 'same' filled with {self.fill} depends on the size {x}: give numbers")
            padded = tuple(window.size + window.lo + window.hi for window in windows)
            x = tape.emit("pad", x, x.shaped(c_i, padded))
        return tape.emit(
            self.kind, x, out, weights=c_o * ratio(c_i, g) * prod(window.k for window in windows),
            biases=c_o if self.bias else 0, macs=exact(macs), padding_macs=exact(macs - useful),
            flops=out.size if self.bias else 0, stores=True, reach=reach_of(windows),
        )  # fmt: skip

    def _lost(self, tape: Tape, window: Window) -> Size:
        """(tap, output) pairs on zeros."""
        if self.fill != "zeros":
            return 0
        size, k, _, d, lo, hi, _ = astuple(window)
        if lo is None:
            return self._lost_to_same(tape, window)
        lost = _on_padding(tape, window)
        if not all(isinstance(value, int) for value in (size, k, d, lo, hi)):
            for pad, other in dict.fromkeys([(lo, hi), (hi, lo)]):
                if pad == 0:
                    continue
                why = f"the padding {pad} is wide for a kernel {k} over {size}: take numbers or less padding"
                tape.at_least(size + other - d * (k - 1), 0, why)
                tape.at_least(d * k - pad, 0, why)
        return lost

    def _lost_to_same(self, tape: Tape, window: Window) -> Size:
        size, k, s, d = window.size, window.k, window.s, window.d
        if isinstance(k, int) and isinstance(s, int) and isinstance(d, int):
            lost, least = taps_on_same_padding(size, k, s, d)
            tape.at_least(size, least, f"the input {size} is smaller than the window: take numbers")
            return lost
        raise tape.fail(
            f"the padding 'same' of a kernel k={k} with stride s={s} over {size} has no closed form: give numbers for "
            "k, s and d, or the padding itself"
        )


def _on_padding(tape: Tape, window: Window) -> Size:
    """The taps on padding, or the error of the layer where they have no closed form."""
    size, k, s, d, lo, hi, _ = astuple(window)
    try:
        return taps_on_padding(size, k, s, d, lo, hi)
    except NoFormError:
        raise tape.fail(
            f"the products on padding p={lo if lo == hi else (lo, hi)} with stride s={s} and dilation d={d} have no "
            "closed form: give a number for p, a multiple of d, or stride 1 or dilation 1"
        ) from None


@dataclass(frozen=True, kw_only=True)
class _Grouped(Convolution):
    c_o: Dim
    g: Dim = ONE

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        return self.convolve(tape, x, self.c_o, self.g)


class Conv1d(_Grouped):
    """Convolution over a signal: ``(n, c_i, l_i) -> (n, c_o, l_o)``; arguments as in :class:`Conv2d`.

    #params ``c_o (c_i/g) k``, with bias ``+ c_o``; MACs ``n (c_i/g) k l_o c_o``; one addition per output for the bias.

    >>> Conv1d(c_o=8, k=3, p=1).out((1, 4, 10))
    (1, 8, 10)
    """

    rank: ClassVar[int] = 1


class Conv2d(_Grouped):
    """Convolution over an image: ``(n, c_i, h_i, w_i) -> (n, c_o, h_o, w_o)``.

    #params ``c_o (c_i/g) k_h k_w``, with bias ``+ c_o``; MACs ``n (c_i/g) k_h k_w h_o w_o c_o``, padding included;
    one addition per output for the bias. ``h_o = floor((h_i + 2p - d(k - 1) - 1)/s) + 1``; W is
    ``(c_o, c_i/g, k_h, k_w)``.

    ``k``, ``s`` (stride), ``d`` (dilation): one size, or one per axis. ``p``: ``"none"``, ``"same"``
    (``h_o = ceiling(h_i/s)``), ``"full"`` (``d(k - 1)``), a size, one per axis, or a pair ``(before, behind)`` per
    axis, filled by ``fill``: ``zeros``, ``reflect``, ``replicate`` or ``constant``. ``g``: groups, which must divide
    ``c_i`` and ``c_o``.

    >>> Conv2d(c_o=96, k=11, s=4, p=2, bias=False).cost((1, 3, 224, 224), "textbook")
    Cost(params=34848, macs=105415200, flops=210830400, activations=290400)
    """

    rank: ClassVar[int] = 2


class Conv3d(_Grouped):
    """Convolution over a volume: ``(n, c_i, t_i, h_i, w_i) -> (n, c_o, t_o, h_o, w_o)``; arguments as in :class:`Conv2d`.

    #params ``c_o (c_i/g) k_t k_h k_w``, with bias ``+ c_o``; MACs ``n (c_i/g) k_t k_h k_w t_o h_o w_o c_o``; one
    addition per output for the bias.

    >>> Conv3d(c_o=8, k=(1, 3, 3), p=(0, 1, 1)).out((1, 3, 16, 56, 56))
    (1, 8, 16, 56, 56)
    """

    rank: ClassVar[int] = 3


@dataclass(frozen=True, kw_only=True)
class DepthwiseConv2d(Convolution):
    """Each channel with kernels of its own, ``g = c_i``: ``(n, c, h_i, w_i) -> (n, m c, h_o, w_o)``.

    #params ``m c k_h k_w``, with bias ``+ m c``; MACs ``n k_h k_w h_o w_o m c``; one addition per output for the bias.
    ``m`` is the number of kernels per channel; the other arguments are those of :class:`Conv2d`.

    >>> DepthwiseConv2d(k=3, p=1, bias=False).cost((1, 32, 112, 112), "textbook")
    Cost(params=288, macs=3612672, flops=7225344, activations=401408)
    """

    m: Dim = ONE
    rank: ClassVar[int] = 2

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        c_i = image(tape, x, self.rank).channels
        return self.convolve(tape, x, self.m * c_i, c_i)


@dataclass(frozen=True, kw_only=True)
class _Transposed(Layer):
    c_o: Dim
    k: Dims
    s: Dims = ONE
    p: Pads = ZERO
    output_padding: Pads = ZERO
    d: Dims = ONE
    bias: bool = True
    rank: ClassVar[int] = 0
    three_axes = FIRST

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        x = image(tape, x, self.rank)
        c_i, places = x.channels, x.places
        named = (("k", self.k), ("s", self.s), ("p", self.p), ("output_padding", self.output_padding), ("d", self.d))
        axes = zip(places, *(each(given, self.rank, name, tape.fail) for name, given in named), strict=True)
        outs: list[Size] = []
        reach: list[tuple[Size, Size]] = []
        dense: Size = 1
        useful: Size = 1
        kernel: Size = 1
        for size, k, s, p, more, d in axes:
            out = (size - 1) * s + d * (k - 1) + 1 + more - 2 * p
            why = f"the padding p={p} takes away all of the output of input {x}: use less"
            tape.at_least(out, 1, why)
            outs.append(exact(out))
            lost = _on_padding(tape, Window(out, k, s, d, p, exact(p - more), size))
            if not all(isinstance(value, int) for value in (size, k, s, d, p, more)):
                tape.at_least(out + p - more - d * (k - 1), 0, why)
            dense = dense * k * size
            useful, kernel = useful * (k * size - lost), kernel * k
            reach.append((ceil_ratio(d * (k - 1) + 1, s), ratio(1, s)))
        made = x.shaped(self.c_o, tuple(outs))
        macs, inside = (exact(x.n * c_i * self.c_o * pairs) for pairs in (dense, useful))
        return tape.emit(
            self.kind, x, made, weights=self.c_o * c_i * kernel, biases=self.c_o if self.bias else 0, macs=macs,
            padding_macs=exact(macs - inside), flops=made.size if self.bias else 0, stores=True, reach=reach,
        )  # fmt: skip


class ConvTranspose1d(_Transposed):
    """Transposed convolution of a signal: ``(n, c_i, l_i) -> (n, c_o, l_o)``; as :class:`ConvTranspose2d`.

    >>> ConvTranspose1d(c_o=4, k=4, s=2, p=1).out((1, 8, 10))
    (1, 4, 20)
    """

    rank: ClassVar[int] = 1


class ConvTranspose2d(_Transposed):
    """Transposed convolution: ``(n, c_i, h_i, w_i) -> (n, c_o, h_o, w_o)``, ``h_o = (h_i - 1)s + d(k - 1) + 1 - 2p``.

    ``output_padding`` adds to ``h_o`` at the end. #params ``c_o c_i k_h k_w``, with bias ``+ c_o``; MACs
    ``n c_i c_o k_h k_w h_i w_i``: every input element meets every tap, at every stride. Products that fall into the
    cropped border are the ``padding_macs``. One addition per output for the bias.

    >>> ConvTranspose2d(c_o=64, k=2, s=2, bias=False).cost((1, 128, 8, 8), "textbook")
    Cost(params=32768, macs=2097152, flops=4194304, activations=16384)
    """

    rank: ClassVar[int] = 2


class ConvTranspose3d(_Transposed):
    """Transposed convolution of a volume: ``(n, c_i, t_i, h_i, w_i) -> (n, c_o, t_o, h_o, w_o)``.

    As :class:`ConvTranspose2d` with a third axis.

    >>> ConvTranspose3d(c_o=4, k=2, s=2).out((1, 8, 2, 4, 4))
    (1, 4, 4, 8, 8)
    """

    rank: ClassVar[int] = 3
