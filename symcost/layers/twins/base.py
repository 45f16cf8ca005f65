"""The linen module that any layer becomes, and the registry of what each kind of layer does in it.

Images are channels last, ``(n, h, w, c)``; tokens ``(n, N, d)`` and vectors ``(n, c)`` as they are. To add a layer,
register a function of the layer and the array in the family's file; it may create submodules like any compact method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn

from symcost.errors import ShapeError
from symcost.layers.base import Layer, as_layer, symbols_of
from symcost.layers.sizes.types import Size, SizeLike
from symcost.system.folder import import_all

Twin = Callable[[Any, Any], Any]
TWINS: dict[type[Layer], Twin] = {}


def twin(*kinds: type[Layer]) -> Callable[[Twin], Twin]:
    """Register what layers of these kinds do; registering one twice is an error."""

    def register(function: Twin) -> Twin:
        for kind in kinds:
            if kind in TWINS:
                raise ShapeError(f"{kind.__name__} already has a twin: remove one of the two")
            TWINS[kind] = function
        return function

    return register


def modules(made: Mapping[type[Layer], Callable[[Any], nn.Module]]) -> None:
    """Register kinds of layers that are one linen module each, made of the layer."""
    for kind, module in made.items():
        twin(kind)(lambda layer, x, module=module: module(layer)(x))


class Built(nn.Module):
    """The network or layer as a linen module; its submodules carry the names of its layers."""

    layer: Layer

    @nn.compact
    def __call__(self, x: Any) -> Any:
        """The layer's output for an array."""
        found = TWINS.get(type(self.layer))
        if found is None:
            raise ShapeError(f"{type(self.layer).__name__} has no Flax twin: register one in symcost/layers/twins")
        try:
            return found(self.layer, x)
        except ShapeError as problem:  # where a model is tried at many sizes, those that do not fit are no mistake
            raise ValueError(str(problem)) from None


def inner(layer: Layer, x: Any, name: str) -> Any:
    """The output of a layer inside another one."""
    return Built(layer, name=name)(x)


def number(size: Size) -> int:
    """A size of a layer that is built: its symbols have their values."""
    if not isinstance(size, int):
        raise ShapeError(f"{size} has no value: give its symbols values as keywords")
    return size


def build(net: Layer, **point: SizeLike) -> Built:
    """The network as a Flax linen module, channels last; ``point`` gives values to its symbols.

    Raises:
        ShapeError: where it is no layer, or a symbol has no value.

    >>> from symcost.layers.kinds.linear import Linear
    >>> build(Linear(c_o="4*d"), d=2).layer
    Linear(c_o=8, bias=True)
    """
    as_layer(net)
    import_all("symcost.layers.twins")
    network = net.subs(**point) if point else net
    left = sorted(symbols_of(network))
    if left:
        values = ", ".join(f"{name}=..." for name in left)
        raise ShapeError(f"the network has no value for {', '.join(left)}: give them, as build(net, {values})")
    return Built(network)
