"""Normalisation: ``(x - mu)/sigma``, then scale and shift; the kinds differ in the set that mu and sigma are taken over.

None of them has a MAC, and the textbook counts neither their operations nor their parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

from symcost.layers.base import Layer
from symcost.layers.sizes.algebra import Size, ratio
from symcost.layers.sizes.tensor import FIRST, Tensor
from symcost.layers.sizes.types import Dim
from symcost.layers.tape import Tape


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Over batch and places, per channel; at inference with the stored mu and sigma: ``(n, c, ...) -> (n, c, ...)``.

    #params ``2 c``, state ``2 c`` (the moving averages). Operations: difference, product and sum per element, ``2 c`` to
    prepare the factors ``scale/sqrt(var + eps)``; ``c`` transcendentals.

    >>> BatchNorm().cost((1, 64, 56, 56)).flops
    602240
    """

    three_axes, insists = FIRST, False

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        c = x.channels
        return tape.emit(
            self.kind,
            x,
            x.settled(),
            biases=2 * c,
            state=2 * c,
            flops=3 * x.size + 2 * c,
            calls=c,
            in_place=True,
            scratch=c,
        )


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Over the features of each place: ``(n, N, d) -> (n, N, d)``, or the channels of each pixel.

    #params ``2 d`` (``d`` without ``bias``). Per element 7 operations: two of ``x^2`` and its sum, one of the sum of ``x``,
    difference, two products, shift; 4 per row of features, and 1 transcendental: ``1/sqrt(E x^2 - mu^2 + eps)``.

    >>> LayerNorm().cost((1, 197, 768)).flops
    1059860
    """

    bias: bool = True

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        d = x.channels
        rows = x.rows
        return tape.emit(
            self.kind, x, x.settled(), biases=(1 + self.bias) * d, flops=(6 + self.bias) * x.size + 4 * rows, calls=rows,
            reduces=(2, rows), in_place=True, scratch=x.size + 2 * rows,
        )  # fmt: skip


@dataclass(frozen=True)
class RMSNorm(Layer):
    """``scale x/sqrt(mean of x^2 + eps)`` over the features: ``(n, N, d) -> (n, N, d)``, no mean and no shift.

    #params ``d``. 4 operations per element (square, sum, two products), 1 per row, 1 transcendental per row.

    >>> RMSNorm().cost((1, 10, 16)).flops
    650
    """

    kind = "rms_norm"

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        d = x.channels
        rows = x.rows
        return tape.emit(
            self.kind, x, x.settled(), biases=d, flops=4 * x.size + rows, calls=rows, reduces=(1, rows), in_place=True,
            scratch=x.size + rows,
        )  # fmt: skip


@dataclass(frozen=True)
class GroupNorm(Layer):
    """Over the places and the channels of each of ``g`` groups: ``(n, c, ...) -> (n, c, ...)``.

    #params ``2 c``. 6 operations per element (square, two sums, difference, product, shift), 3 for each group of each
    sample, ``2 n c`` to prepare the factors; ``n c`` transcendentals.

    >>> GroupNorm(g=4).cost((1, 64, 8, 8)).flops
    24716
    """

    g: Dim
    three_axes, insists = FIRST, False

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        c = x.channels
        tape.whole(ratio(c, self.g), f"g={self.g} groups must divide the channels {c}: choose another g")
        return _grouped(tape, self.kind, x, self.g)


@dataclass(frozen=True)
class InstanceNorm(Layer):
    """Over the places of each channel of each sample, as group norm with ``g = c``: ``(n, c, ...) -> (n, c, ...)``.

    #params ``2 c``. 6 operations per element, 5 per channel of each sample; ``n c`` transcendentals.

    >>> InstanceNorm().cost((1, 64, 8, 8)).flops
    24896
    """

    three_axes, insists = FIRST, False

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        return _grouped(tape, self.kind, x, x.channels)


def _grouped(tape: Tape, kind: str, x: Tensor, g: Size) -> Tensor:
    c = x.channels
    groups = x.n * g
    return tape.emit(
        kind, x, x.settled(), biases=2 * c, flops=6 * x.size + 3 * groups + 2 * x.n * c, calls=x.n * c, reduces=(2, groups),
        in_place=True, scratch=x.size + 2 * groups, everything=True,
    )  # fmt: skip


@dataclass(frozen=True)
class ChannelScale(Layer):
    """``gamma x`` with one learned factor per channel or feature: ``(n, c, h, w) -> (n, c, h, w)``.

    #params ``c``; one operation per element.

    >>> ChannelScale().cost((1, 96, 56, 56)).params
    96
    """

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        return tape.emit(self.kind, x, x.settled(), biases=x.channels, flops=x.size, in_place=True)
