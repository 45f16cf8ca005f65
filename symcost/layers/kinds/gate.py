"""Gates: one branch multiplies another. Squeeze-and-excitation, and the family of gated linear units."""

from __future__ import annotations

from dataclasses import dataclass, field

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import ReLU, Sigmoid, SiLU
from symcost.layers.kinds.conv import Conv2d
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.pool import GlobalAvgPool
from symcost.layers.sizes.algebra import ratio
from symcost.layers.sizes.tensor import LAST, Tensor
from symcost.layers.sizes.types import Dim
from symcost.layers.tape import Tape


@dataclass(frozen=True)
class SqueezeExcitation(Layer):
    """``x gate(W_2 act(W_1 mean(x)))``, one factor per channel: ``(n, c, h, w) -> (n, c, h, w)``.

    Two 1 x 1 convolutions on the means over the places, with bias: #params ``2 c c_r + c_r + c``, MACs ``2 n c c_r``;
    then one product per element.

    >>> SqueezeExcitation(8).cost((1, 32, 112, 112), "textbook").macs
    512
    """

    c_r: Dim
    activation: Layer = field(default_factory=ReLU)
    gate: Layer = field(default_factory=Sigmoid)

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        y = tape.run(GlobalAvgPool(keep=True), x, "squeeze")
        y = tape.run(Conv2d(c_o=self.c_r, k=1), y, "reduce")
        y = tape.run(self.activation, y, "activation")
        y = tape.run(Conv2d(c_o=x.channels, k=1), y, "expand")
        y = tape.run(self.gate, y, "gate")
        return tape.emit("multiply", (x, y), x, flops=x.size, in_place=True)


@dataclass(frozen=True)
class GLU(Layer):
    """``a act(b)`` of the two halves ``a, b`` of the features: ``(n, ..., 2 d) -> (n, ..., d)``.

    With ``Sigmoid()`` the gated linear unit, with ``SiLU()``, ``GELU()``, ``ReLU()`` SwiGLU, GEGLU, ReGLU. The
    activation on half of the features, and one product per output.

    >>> GLU().cost((1, 8)).flops
    16
    """

    activation: Layer = field(default_factory=Sigmoid)

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        d = ratio(x.channels, 2)
        tape.whole(d, f"the features {x.channels} must be even to be halved: give an even number")
        half = x.shaped(d, x.places)
        first = tape.emit("split", x, half)
        second = tape.run(self.activation, tape.emit("split", x, half), "activation")
        return tape.emit("multiply", (first, second), half, flops=half.size, in_place=True)


@dataclass(frozen=True)
class GatedMLP(Layer):
    """``W_3(act(W_1 x) * W_2 x)`` with ``d_f`` hidden features: ``(n, N, d) -> (n, N, d)``; SwiGLU with ``SiLU()``.

    #params ``3 d d_f``, with bias ``+ 2 d_f + d``; MACs ``3 d d_f`` for every row; the activation and one product per
    hidden feature.

    >>> GatedMLP(11008).cost((1, 1, 4096), "textbook").macs
    135266304
    """

    d_f: Dim
    activation: Layer = field(default_factory=SiLU)
    bias: bool = False
    three_axes = LAST

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        hidden = tape.run(Linear(self.d_f, bias=self.bias), x, "gate")
        hidden = tape.run(self.activation, hidden, "activation")
        up = tape.run(Linear(self.d_f, bias=self.bias), x, "up")
        joined = tape.emit("multiply", (hidden, up), up, flops=up.size, in_place=True)
        return tape.run(Linear(x.channels, bias=self.bias), joined, "down")
