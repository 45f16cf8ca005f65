"""Activation functions: what one element costs, and softmax.

Figures are operations of the forms printed here, an exponential, hyperbolic tangent or error function each being one
transcendental; comparisons and choices count as operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from symcost.layers.base import Layer
from symcost.layers.sizes.tensor import Tensor
from symcost.layers.sizes.windowed import check_word
from symcost.layers.tape import Tape


@dataclass(frozen=True)
class Activation(Layer):
    """Base of functions of one element: ``flops`` and ``calls`` (transcendentals) of each, ``scratch`` copies beside."""

    flops: ClassVar[int] = 0
    calls: ClassVar[int] = 0
    scratch: ClassVar[int] = 0

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        return tape.emit(
            self.kind, x, x, flops=self.flops * x.size, calls=self.calls * x.size, in_place=True,
            scratch=self.scratch * x.size,
        )  # fmt: skip


class ReLU(Activation):
    """``max(x, 0)``: 1 operation per element, any shape.

    >>> ReLU().cost((1, 10)).flops
    10
    """

    kind = "relu"
    flops = 1


class ReLU6(Activation):
    """``min(max(x, 0), 6)``: 2 operations per element, any shape.

    >>> ReLU6().cost((1, 10)).flops
    20
    """

    kind = "relu6"
    flops = 2


class LeakyReLU(Activation):
    """``x if x >= 0 else a x``: per element a comparison, a product and a choice.

    >>> LeakyReLU().cost((1, 10)).flops
    30
    """

    kind = "leaky_relu"
    flops, scratch = 3, 2


class ELU(Activation):
    """``x if x > 0 else exp(x) - 1``: per element two comparisons and two choices, 1 transcendental.

    The exponential sees 0 where ``x > 0``, so that it cannot overflow: that is the second comparison and choice.

    >>> ELU().cost((1, 10)).transcendentals
    10
    """

    kind = "elu"
    flops, calls, scratch = 4, 1, 2


class Sigmoid(Activation):
    """``1/(1 + exp(-x))``: per element negation, addition, division; 1 transcendental.

    >>> Sigmoid().cost((1, 10)).flops
    30
    """

    flops, calls = 3, 1


class Tanh(Activation):
    """``tanh(x)``: 1 transcendental per element.

    >>> Tanh().cost((1, 10)).transcendentals
    10
    """

    calls = 1


class SiLU(Activation):
    """``x sigmoid(x)``, Swish by its other name: 4 operations and 1 transcendental per element.

    >>> SiLU().cost((1, 10)).flops
    40
    """

    kind = "silu"
    flops, calls, scratch = 4, 1, 1


class HardSigmoid(Activation):
    """``min(max(x + 3, 0), 6)/6``: 4 operations per element.

    >>> HardSigmoid().cost((1, 10)).flops
    40
    """

    flops = 4


class HardSwish(Activation):
    """``x hard_sigmoid(x)``: 5 operations per element.

    >>> HardSwish().cost((1, 10)).flops
    50
    """

    flops, scratch = 5, 1


class Mish(Activation):
    """``x tanh(log(1 + exp(x)))``: 7 operations and 3 transcendentals per element.

    The logarithm is the stable ``max(x, 0) + log1p(exp(-|x|))`` with its test for what is not a number.

    >>> Mish().cost((1, 10)).transcendentals
    30
    """

    flops, calls, scratch = 7, 3, 3


@dataclass(frozen=True)
class GELU(Layer):
    """``x Phi(x)``: exact with the error function, or with the approximation by ``tanh``.

    ``tanh``: ``x (1 + tanh(sqrt(2/pi)(x + 0.044715 x^3)))/2``, 8 operations and 1 transcendental. ``erf``:
    ``x erfc(-x/sqrt(2))/2``, 66 operations and 1 transcendental, 62 of them the polynomial of ``erfc``.

    Raises:
        ShapeError: where ``form`` is neither ``"erf"`` nor ``"tanh"``.

    >>> GELU().cost((1, 10)).flops, GELU("tanh").cost((1, 10)).flops
    (660, 80)
    """

    form: str = "erf"
    kind: ClassVar[str] = "gelu"

    def check(self) -> None:
        check_word(self, "form", self.form, ("erf", "tanh"))

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        flops = {"erf": 66, "tanh": 8}[self.form]
        return tape.emit(self.kind, x, x, flops=flops * x.size, calls=x.size, in_place=True, scratch=x.size)


@dataclass(frozen=True)
class Softmax(Layer):
    """``exp(x - max x)/sum exp(x - max x)`` along the features, rows of ``d``.

    ``4 d - 1`` operations a row: ``d - 1`` comparisons, one that keeps the largest finite, ``d`` differences,
    ``d - 1`` additions, ``d`` divisions; ``d`` transcendentals.

    >>> Softmax().cost((1, 10)).flops
    39
    """

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        rows = x.rows
        return tape.emit(
            self.kind,
            x,
            x.settled(),
            flops=4 * x.size - rows,
            calls=x.size,
            reduces=(2, rows),
            in_place=True,
            scratch=rows,
        )
