"""Claims that are formulas: of the MACs or parameters of a kind of layer, in the letters of the textbooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import sympy

from symcost.costs.cost import FULL, TEXTBOOK
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.formulas.compared.equality import difference
from symcost.formulas.symbols import symbols
from symcost.layers.base import Layer
from symcost.layers.kinds.conv import Conv2d, DepthwiseConv2d
from symcost.layers.kinds.linear import Linear
from symcost.layers.table import table
from symcost.reading.nearest import choose

_CI, _CO, _KH, _KW, _HO, _WO, _G = symbols("c_i c_o k_h k_w h_o w_o g")
_PLACES = (_HO + _KH - 1, _WO + _KW - 1)


def _image(layer: Callable[[], Layer], channels: Any) -> Callable[[], tuple[Layer, tuple[Any, ...]]]:
    return lambda: (layer(), (1, channels, *_PLACES))


KINDS: Mapping[str, Callable[[], tuple[Layer, tuple[Any, ...]]]] = {
    "linear": lambda: (Linear(c_o=_CO), (1, _CI)),
    "conv": _image(lambda: Conv2d(c_o=_CO, k=(_KH, _KW)), _CI),
    "grouped_conv": _image(lambda: Conv2d(c_o=_CO, k=(_KH, _KW), g=_G), _CI),
    "depthwise_conv": _image(lambda: DepthwiseConv2d(k=(_KH, _KW)), _CO),
}
"""A layer and its input, such that the output has the places ``h_o`` and ``w_o``."""
METRICS = {"macs_formula": "macs", "params_formula": "params"}


def formula(kind: str, quantity: str) -> Any:
    """The textbook's formula, batch 1 and bias ignored.

    >>> formula("conv", "macs_formula")
    c_i*c_o*h_o*k_h*k_w*w_o
    """
    return getattr(_costs(kind).total(TEXTBOOK), METRICS[quantity])


def others(kind: str, quantity: str) -> dict[str, Any]:
    """What is counted instead of what is claimed, by what to call that.

    >>> others("linear", "macs_formula")
    {'these are FLOPs, two for each MAC': 2*c_i*c_o}
    """
    costs = _costs(kind)
    if METRICS[quantity] == "macs":
        return {"these are FLOPs, two for each MAC": costs.total(TEXTBOOK).flops}
    return {"bias counted": costs.total(FULL).params}


def _costs(kind: str) -> CostTable:
    if kind not in KINDS:
        raise SymcostError(f"unknown kind of layer {kind!r}: {choose(kind, KINDS)}")
    return table(*KINDS[kind]())


def slip(claimed: Any, right: Any, others: Mapping[str, Any] = MappingProxyType({})) -> str:
    """What is wrong with a formula: another quantity, one letter for another, or a factor."""
    for words, other in others.items():
        if difference(claimed, other) == 0:
            return words
    factor = claimed / right
    above, below = factor.as_numer_denom()
    if difference(claimed, right * above / below) == 0 and above.is_Symbol and below.is_Symbol:
        return f"{above} stands where {below} belongs"
    return "another formula" if factor.has(sympy.Add) else f"it is {factor} times the right one"
