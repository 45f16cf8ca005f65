"""Mixtures of experts: all of them on every token, or only those that a router picks."""

from __future__ import annotations

from dataclasses import dataclass, field

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import GELU, Softmax
from symcost.layers.kinds.linear import Linear
from symcost.layers.sizes.algebra import Size, exact
from symcost.layers.sizes.tensor import LAST, Tensor
from symcost.layers.sizes.types import NONE, Dim, MaybeDim
from symcost.layers.tape import Tape


@dataclass(frozen=True)
class MoE(Layer):
    """``sum over e of p_e(x) W_2e act(W_1e x)`` with ``p = softmax(W_r x)``: ``(n, N, d) -> (n, N, d)``.

    ``E`` experts of ``d_f`` hidden features. Dense (``k`` not given): every expert sees every token. Routed: only the
    ``k`` experts of largest ``p``.

    #params ``2 E d d_f + d E``, active ``2 m d d_f + d E``; MACs ``n N d E + 2 n N m d d_f + n N m d`` with ``m = E`` or
    ``m = k``: router, experts, the weighted sum. Operations: softmax over ``E``, the activation on ``m d_f`` hidden features
    of each token; routing compares ``E`` scores of each token.

    >>> MoE(E=8, d_f=64, k=2).cost((1, 10, 16), "textbook").macs
    42560
    >>> costs = MoE(E=8, d_f=64, k=2).cost((1, 10, 16))
    >>> costs.params, costs.active_params
    (16512, 4224)
    """

    E: Dim
    d_f: Dim
    k: MaybeDim = NONE
    activation: Layer = field(default_factory=lambda: GELU("tanh"))
    kind = "moe"
    three_axes = LAST

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        (tokens,), d = x.places, x.channels
        gates = tape.run(Softmax(), tape.run(Linear(self.E, bias=False), x, "router"), "softmax")
        used: Size = self.E
        if self.k is not None:
            tape.at_least(exact(self.E - self.k), 0, f"k={self.k} experts of E={self.E} cannot be picked: give fewer")
            used = self.k
            picked = Tensor((x.n, tokens, used), LAST)
            gates = tape.emit("top_k", gates, picked, flops=gates.size, xla_flops=0)
        rows, held, idle = x.n * tokens * used, self.E * d * self.d_f, (self.E - used) * d * self.d_f
        hidden = Tensor((x.n, tokens, used, self.d_f), LAST)
        hidden = tape.emit("up", x, hidden, weights=held, inactive=idle, macs=rows * d * self.d_f, stores=True)
        hidden = tape.run(self.activation, hidden, "activation")
        each = Tensor((x.n, tokens, used, d), LAST)
        each = tape.emit("down", hidden, each, weights=held, inactive=idle, macs=rows * d * self.d_f, stores=True)
        out = x.shaped(d, (tokens,))
        return tape.emit("combine", (each, gates), out, macs=rows * d, stores=True)
