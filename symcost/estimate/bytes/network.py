"""The layers behind what is asked about: some questions change a network, and a table of numbers cannot be changed."""

from __future__ import annotations

from typing import Any

from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.layers.base import Layer


def layers_of(given: Any, needs: str) -> Layer:
    """A network of layers as it is, or that of its table; ``needs`` says what else has none, and what to do."""
    net = given.net if isinstance(given, CostTable) and given.parts.network is not None else given
    if not isinstance(net, Layer):
        raise SymcostError(f"{needs} (this is a {type(given).__name__})")
    return net
