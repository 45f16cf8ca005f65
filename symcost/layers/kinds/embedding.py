"""Embeddings: of tokens, of positions, of patches, and the token that stands for the class."""

from __future__ import annotations

from dataclasses import dataclass

from symcost.layers.base import Layer
from symcost.layers.kinds.conv import Conv2d
from symcost.layers.kinds.shape import ToTokens
from symcost.layers.sizes.algebra import exact
from symcost.layers.sizes.tensor import LAST, Tensor
from symcost.layers.sizes.types import Dim, Dims
from symcost.layers.tape import Tape


@dataclass(frozen=True)
class Embedding(Layer):
    """One row of a table for each token: ``(n, N) -> (n, N, d)``.

    #params ``V d``; no MACs and no FLOPs. Integer operations ``n N (d + 6)``: negative indices are counted from the end
    (3), indices outside the table are found (3) and give rows that are not numbers (a choice per element).

    >>> Embedding(V=50257, d=768).cost((1, 1)).params
    38597376
    """

    V: Dim
    d: Dim

    @property
    def reads_tokens(self) -> bool:
        """Indices of the table's rows."""
        return True

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        out = Tensor((*x.shape, self.d), LAST)
        if self.V == 1:  # its one row is copied, nothing is looked up
            return tape.emit(self.kind, x, out, biases=self.d)
        tape.at_least(self.V, 2, "a table of one row looks nothing up: give V=1 as a number")
        return tape.emit(self.kind, x, out, weights=self.V * self.d, int_ops=out.size + 6 * x.size)


@dataclass(frozen=True)
class TiedEmbedding(Layer):
    """Embedding, body, and the same table once more for the output: ``(n, N) -> (n, N, V)``.

    #params ``V d`` once, besides the body's; MACs of the output ``n N d V``, no bias.

    >>> from symcost.layers.kinds.combine import Identity
    >>> TiedEmbedding(V=100, d=8, body=Identity()).cost((1, 10)).macs
    8000
    """

    V: Dim
    d: Dim
    body: Layer

    @property
    def reads_tokens(self) -> bool:
        """Indices of the table's rows."""
        return True

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        y = tape.run(self.body, tape.run(Embedding(self.V, self.d), x, "embedding"), "body")
        width = y.channels
        if exact(width - self.d) != 0:
            raise tape.fail(f"the body's output {y} must have the table's d={self.d} features: make them equal")
        out = y.shaped(self.V, y.places)
        return tape.emit("attend", y, out, macs=out.size * self.d, stores=True)


@dataclass(frozen=True)
class PositionEmbedding(Layer):
    """A learned vector for each of at most ``N`` positions, added: ``(n, N, d) -> (n, N, d)``.

    #params ``N_max d``; one addition per element.

    >>> PositionEmbedding(1024).cost((1, 10, 768)).params
    786432
    """

    N_max: Dim
    three_axes = LAST

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        (positions,) = x.places
        tape.at_least(
            exact(self.N_max - positions),
            0,
            f"there are {positions} positions and a table of N_max={self.N_max}: take fewer",
        )
        return tape.emit(self.kind, x, x.settled(), biases=self.N_max * x.channels, flops=x.size, in_place=True)


@dataclass(frozen=True)
class ClassToken(Layer):
    """A learned token before the others: ``(n, N, d) -> (n, N + 1, d)``: #params ``d``, no operations.

    >>> ClassToken().out((1, 196, 768))
    (1, 197, 768)
    """

    three_axes = LAST

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        (tokens,) = x.places
        d = x.channels
        return tape.emit(self.kind, x, x.shaped(d, (exact(tokens + 1),)), biases=d)


@dataclass(frozen=True)
class TakeToken(Layer):
    """The first token alone: ``(n, N, d) -> (n, d)``: no operations.

    >>> TakeToken().out((1, 197, 768))
    (1, 768)
    """

    three_axes = LAST

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        return tape.emit(self.kind, x, Tensor((x.n, x.channels)))


@dataclass(frozen=True)
class PatchEmbedding(Layer):
    """Patches of ``k x k`` pixels as tokens of width ``d``: ``(n, c, h, w) -> (n, (h/k)(w/k), d)``.

    A convolution with ``s = k``: #params ``c k^2 d``, with bias ``+ d``; MACs ``n c h w d`` where ``k`` divides ``h`` and ``w``.

    >>> PatchEmbedding(d=768, k=16).out((1, 3, 224, 224))
    (1, 196, 768)
    """

    d: Dim
    k: Dims
    bias: bool = True

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        patches = tape.run(Conv2d(c_o=self.d, k=self.k, s=self.k, bias=self.bias), x, "conv")
        return tape.run(ToTokens(), patches)
