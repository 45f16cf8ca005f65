"""Linear layers."""

from __future__ import annotations

from dataclasses import dataclass

from symcost.layers.base import Layer
from symcost.layers.sizes.tensor import LAST, Tensor
from symcost.layers.sizes.types import Dim
from symcost.layers.tape import Tape


@dataclass(frozen=True)
class Linear(Layer):
    """``Y = X W^T + b`` on the features: ``(n, c_i) -> (n, c_o)`` or ``(n, N, c_i) -> (n, N, c_o)``.

    #params ``c_o c_i``, with bias ``c_o c_i + c_o``; MACs ``c_o c_i`` for every row of features; FLOPs ``2 MACs``,
    and one addition per output for the bias.

    >>> Linear(c_o=10, bias=False).cost((1, 4))
    Cost(params=40, macs=40, flops=80, activations=10, bytes_read=176, bytes_written=40)
    """

    c_o: Dim
    bias: bool = True
    three_axes = LAST

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        c_i = x.channels
        out = x.shaped(self.c_o, x.places)
        return tape.emit(
            "linear", x, out, weights=self.c_o * c_i, biases=self.c_o if self.bias else 0, macs=out.size * c_i,
            flops=out.size if self.bias else 0, stores=True,
        )  # fmt: skip
