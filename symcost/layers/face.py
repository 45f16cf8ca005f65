"""The verb ``table``: what a network of layers costs."""

from __future__ import annotations

from symcost.errors import ShapeError
from symcost.layers.algebra import Dim
from symcost.layers.base import Layer, shaped
from symcost.layers.layered import LayerTable


def table(net: Layer, x: tuple[Dim, ...]) -> LayerTable:
    """Closed-form cost of a network for an input of shape ``x``.

    ``x`` has the batch first: images are ``(n, c, h, w)``, tokens ``(n, N, d)`` or ``(n, N)``, vectors ``(n, c)``;
    sizes are integers or symbols. A network whose shapes do not fit raises :class:`ShapeError`, which names the
    layer and both shapes.

    >>> from symcost.layers.linear import Linear
    >>> from symcost.symbols import symbols
    >>> n, c = symbols("n c")
    >>> costs = table(Linear(c_o=10), (n, c))
    >>> costs.params, costs.macs
    (10*c + 10, 10*c*n)
    """
    if not isinstance(net, Layer):
        raise ShapeError(f"{net!r} is not a layer: give one such as Conv2d(c_o=64, k=3), or a Sequential of them")
    if not x:
        raise ShapeError("the input has no axes: give its shape, the batch first, as (n, c, h, w)")
    return LayerTable(net, shaped(tuple(x)))
