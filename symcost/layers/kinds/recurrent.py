"""Recurrent layers: one compiled loop over the sequence, whose body costs as often as it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from symcost.layers.base import Layer
from symcost.layers.sizes.tensor import LAST, Tensor
from symcost.layers.sizes.types import Dim
from symcost.layers.tape import Tape


@dataclass(frozen=True)
class _Recurrent(Layer):
    d: Dim
    gates: ClassVar[int] = 0
    biases: ClassVar[int] = 0
    flops: ClassVar[int] = 0
    calls: ClassVar[int] = 0
    three_axes = LAST

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        if len(x.shape) != 3:
            raise tape.fail(f"the input {x} has {len(x.shape)} axes and must have 3: give it as (n, N, c)")
        (steps,), c, d = x.places, x.channels, self.d
        out = Tensor((x.n, steps, d), LAST)
        out = tape.emit(self.kind, x, out, weights=self.gates * d * (c + d), biases=self.biases * d, everything=True)
        entering, state = Tensor((x.n, c), LAST), Tensor((x.n, d), LAST)
        products = self.gates, x.n * d
        with tape.repeated(steps, loop=True):
            tape.emit("input", entering, state, macs=self.gates * x.n * d * c, reduces=products)
            tape.emit(
                "state", state, state, macs=self.gates * x.n * d * d, reduces=products, int_ops=2,
                flops=self.flops * x.n * d, calls=self.calls * x.n * d,
            )  # fmt: skip
        return out


class LSTM(_Recurrent):
    """Long short-term memory of ``d`` features over ``N`` steps: ``(n, N, c) -> (n, N, d)``.

    Gates ``i, f, o = sigmoid(W x + U h + b)`` and ``g = tanh(W x + U h + b)``; ``c' = f c + i g``, ``h' = o tanh(c')``.
    #params ``4 d (c + d) + 4 d``; MACs ``4 n N d (c + d)``. Per step and feature 21 operations (4 sums of products, 4
    biases, 3 sigmoids of 3, 4 in the states) and 5 transcendentals; the loop itself takes 2 integer operations a step.

    >>> LSTM(64).cost((1, 10, 32)).macs
    245760
    """

    kind = "lstm"
    gates, biases, flops, calls = 4, 4, 21, 5


class GRU(_Recurrent):
    """Gated recurrent unit of ``d`` features over ``N`` steps: ``(n, N, c) -> (n, N, d)``.

    ``r, z = sigmoid(W x + U h + b)``, ``m = tanh(W x + b + r (U h + b'))``, ``h' = (1 - z) m + z h``. #params
    ``3 d (c + d) + 4 d``; MACs ``3 n N d (c + d)``. Per step and feature 18 operations and 3 transcendentals; the loop
    itself takes 2 integer operations a step.

    >>> GRU(64).cost((1, 10, 32)).macs
    184320
    """

    kind = "gru"
    gates, biases, flops, calls = 3, 4, 18, 3
