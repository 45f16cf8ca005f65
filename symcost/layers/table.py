"""The verb ``table``: what a network of layers costs."""

from __future__ import annotations

from collections.abc import Iterable

from symcost.costs.table import CostTable
from symcost.errors import ShapeError
from symcost.layers.base import Layer, as_layer, entering
from symcost.layers.layered import layered
from symcost.layers.sizes.types import SizeLike
from symcost.reading.choices import Layout
from symcost.reading.numerals import short


def table(net: Layer, x: tuple[SizeLike, ...], layout: Layout | None = None) -> CostTable:
    """Closed-form cost of a network for an input of shape ``x``.

    ``x`` has the batch first: images are ``(n, c, h, w)``, tokens ``(n, N, d)`` or ``(n, N)``, vectors ``(n, c)``;
    sizes are integers or symbols. Three axes are a signal ``(n, c, l)`` where the network begins with what takes those,
    a 1-D convolution, or a batch norm and no linear layer; ``layout`` says it otherwise: ``"first"`` or ``"last"`` is
    where the channels stand.

    Raises:
        ShapeError: where ``x`` or ``layout`` is none, or a layer's shapes do not fit: it names the layer and both shapes.

    >>> from symcost.layers.kinds.linear import Linear
    >>> from symcost.formulas.symbols import symbols
    >>> n, c = symbols("n c")
    >>> costs = table(Linear(c_o=10), (n, c))
    >>> costs.params, costs.macs
    (10*c + 10, 10*c*n)
    """
    as_layer(net)
    if isinstance(x, str) or not isinstance(x, Iterable):
        raise ShapeError(f"the input {short(x)} is no shape: give a tuple of sizes, the batch first, as (n, c, h, w)")
    sizes = tuple(x)
    if not sizes:
        raise ShapeError("the input has no axes: give its shape, the batch first, as (n, c, h, w)")
    return layered(net, entering(net, sizes, layout))
