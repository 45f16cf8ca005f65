"""Composition: one after the other, side by side, around a block, and many times."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from symcost.errors import ShapeError
from symcost.layers.base import Layer, as_layer
from symcost.layers.sizes.algebra import Size
from symcost.layers.sizes.grow import added
from symcost.layers.sizes.tensor import Tensor
from symcost.layers.sizes.types import Pad
from symcost.layers.sizes.windowed import check_word
from symcost.layers.tape import Tape

JOINS = ("concat", "add", "multiply")
RESERVED = ("params",)
"""Names that Flax does not take for a submodule."""


def named(layers: tuple[Any, ...], by_name: dict[str, Any], owner: str) -> tuple[tuple[str, Layer], ...]:
    """Layers with their names: those given, or the kind and its number."""
    layers_by_name: dict[str, Layer] = {}
    counts: Counter[str] = Counter()
    for layer in layers:
        as_layer(layer, f"{owner}: ")
        layers_by_name[f"{layer.kind}_{counts[layer.kind]}"] = layer
        counts[layer.kind] += 1
    for name, layer in by_name.items():
        as_layer(layer, f"{owner}: {name}=")
        if name in RESERVED:
            raise ShapeError(f"{owner}: the name {name} stands for all arrays in Flax: give it another name")
        if name in layers_by_name:
            raise ShapeError(f"{owner}: the name {name} is taken by another layer: give it another name")
        layers_by_name[name] = layer
    return tuple(layers_by_name.items())


@dataclass(frozen=True, init=False)
class Sequential(Layer):
    """One layer after the other: ``f_L(... f_2(f_1(x)))``. Costs add; the shapes must fit.

    Layers given by position are named by their kind and number, others by their keyword.

    Raises:
        ShapeError: where what is given is no layer, or a name is taken twice or by Flax.

    >>> from symcost.layers.kinds.linear import Linear
    >>> Sequential(Linear(c_o=8), head=Linear(c_o=2)).cost((1, 4)).params
    58
    """

    layers: tuple[tuple[str, Layer], ...]

    def __init__(self, *layers: Layer, **by_name: Layer) -> None:
        object.__setattr__(self, "layers", named(layers, by_name, "Sequential"))

    @property
    def reads_tokens(self) -> bool:
        """As the first layer does."""
        return bool(self.layers) and self.layers[0][1].reads_tokens

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        for name, layer in self.layers:
            x = tape.run(layer, x, name)
        return x


@dataclass(frozen=True)
class Residual(Layer):
    """``shortcut(x) + body(x)``; without a shortcut ``x + body(x)``. One addition per output.

    Both must have the same shape; with ``where_it_fits`` the body stands alone where it has another shape, and where
    symbols leave that open, that it has another one becomes a condition.

    >>> from symcost.layers.kinds.linear import Linear
    >>> Residual(Linear(c_o=8)).cost((1, 8)).flops
    144
    """

    body: Layer
    shortcut: Layer | None = None
    where_it_fits: bool = False

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        out = tape.run(self.body, x, "body")
        if self.where_it_fits and tape.differ(x, out, "the input goes around the body where both have one shape"):
            return out
        other = x if self.shortcut is None else tape.run(self.shortcut, x, "shortcut")
        tape.same(other, out, "the body" if self.shortcut is None else "the body of the shortcut")
        return tape.emit("add", (other, out), out, flops=out.size, in_place=True)


@dataclass(frozen=True, init=False)
class Branch(Layer):
    """Several layers on the same input, joined: ``concat`` along the channels, ``add`` or ``multiply`` elementwise.

    Concatenation moves data and computes nothing; joining ``m`` branches elementwise takes ``m - 1`` operations per
    output. Without layers for a branch (``Identity()``) the input itself is joined.

    Raises:
        ShapeError: where no branch is given, ``join`` is another word, or a name is taken twice or by Flax.

    >>> from symcost.layers.kinds.linear import Linear
    >>> Branch(Linear(c_o=8), Linear(c_o=2)).out((1, 4))
    (1, 10)
    """

    layers: tuple[tuple[str, Layer], ...]
    join: str = "concat"

    def __init__(self, *layers: Layer, join: str = "concat", **by_name: Layer) -> None:
        object.__setattr__(self, "layers", named(layers, by_name, "Branch"))
        object.__setattr__(self, "join", join)
        self.check()

    def check(self) -> None:
        check_word(self, "join", self.join, JOINS)
        if not self.layers:
            raise ShapeError("Branch: there are no branches to join: give at least one layer")

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        outs = [tape.run(layer, x, name) for name, layer in self.layers]
        if self.join == "concat":
            return concatenated(tape, outs)
        made = outs[0]
        for other in outs[1:]:
            tape.same(made, other, "a branch")
            made = tape.emit(self.join, (made, other), made, flops=made.size, in_place=True)
        return made


def concatenated(tape: Tape, parts: list[Tensor]) -> Tensor:
    """Values side by side along the channels."""
    first = parts[0]
    for other in parts[1:]:
        if first.differs_in_layout(other):
            raise tape.fail(
                f"a branch has {other.with_layout} and must fit {first.with_layout}: make their layouts equal"
            )
        if first.places != other.places or first.n != other.n:
            raise tape.fail(f"a branch has {other} and must fit {first} in all but the channels: make them equal")
    channels: Size = sum((part.channels for part in parts), start=0)
    return tape.emit("concat", parts, first.shaped(channels, first.places))


@dataclass(frozen=True)
class Identity(Layer):
    """``x``: nothing happens, any shape.

    >>> Identity().out((1, 10))
    (1, 10)
    """

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        return x


@dataclass(frozen=True)
class Repeat(Layer):
    """A block ``times`` times, each with parameters of its own: costs times ``times``, which may be a symbol.

    The block must keep its input's shape, or add as many channels every time: then costs are sums over the blocks, in
    closed form where they are polynomials in the width.

    >>> from symcost.layers.kinds.linear import Linear
    >>> from symcost.formulas.symbols import symbols
    >>> d, L = symbols("d L")
    >>> Repeat(Linear(c_o=d), L).cost((1, d)).params
    L*d**2 + L*d
    >>> from symcost.layers.kinds.linear import Linear
    >>> Repeat(Branch(Identity(), Linear(c_o=8)), L).cost((1, 3)).params
    32*L**2
    """

    block: Layer
    times: Pad

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        tape.at_least(self.times, 0, f"the block cannot be repeated {self.times} times: give 0 or more")
        if self.times == 0:
            return x
        mark, since = tape.mark, tape.fields.newest
        with tape.repeated(self.times):
            out = tape.run(self.block, x, "block_#")
            more = added(x, out)
            if more is not None:
                tape.forget(mark)
                out = x if isinstance(self.times, int) else tape.grown(self.block, x, more, self.times, "block_#")
        if more is None:
            tape.same(x, out, "the repeated block's output")
        elif isinstance(self.times, int):
            return self._each(tape, x, more, self.times)
        tape.fields.repeated(x, out, self.times, since)
        return out

    def _each(self, tape: Tape, x: Tensor, more: Size, times: int) -> Tensor:
        """Blocks of growing width, one by one."""
        for index in range(times):
            out = tape.run(self.block, x, f"block_{index}")
            tape.same(x.shaped(x.channels + more, x.places), out, f"block_{index}, as the first adds {more} channels,")
            x = out
        return x
