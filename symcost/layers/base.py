"""What a layer is: a frozen description whose ``forward`` writes its operations on a tape, over symbolic shapes.

To add a layer, write a frozen dataclass with the formula in its docstring and a ``forward`` of a few lines in the
family's file, its Flax twin in ``symcost/layers/twins``, its name in ``symcost/__init__.pyi``, and one row in
``tests/layer_cases.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from symcost.costs.cost import FULL, Cost
from symcost.errors import ShapeError
from symcost.formulas.form import Form
from symcost.layers.sizes.algebra import exact, plain, size
from symcost.layers.sizes.tensor import LAST, Tensor, tensor
from symcost.layers.sizes.types import LEAST, SizeLike
from symcost.layers.tape import Tape
from symcost.reading.choices import LAYOUTS, Convention, Layout
from symcost.reading.nearest import check_symbols
from symcost.reading.numerals import short

INNER = ("Layer", "Layer | None")
"""Annotations of fields that are layers."""


@dataclass(frozen=True)
class Layer:
    """Base of every layer. Sizes are integers, sympy expressions of ``sc.symbols``, or texts such as ``"4*d"``.

    Fields annotated ``Dim`` or ``Dims`` are positive sizes, ``Pad`` or ``Pads`` may be 0, ``Layer`` is a layer; others
    are what they are. What is none of these, and a shape that does not fit, raise :class:`~symcost.errors.ShapeError`.

    Raises:
        ShapeError: where a field is not what its annotation says, or the shape of an input does not fit.

    >>> @dataclass(frozen=True)
    ... class Double(Layer):
    ...     def forward(self, tape, x):
    ...         return tape.emit(self.kind, x, x, flops=x.size, in_place=True)
    >>> Double().cost(("n", 4)).flops
    4*n
    """

    kind: ClassVar[str] = ""
    three_axes: ClassVar[str | None] = None
    """What an input of three axes is to it: a signal ``(n, c, l)`` (``first``), tokens ``(n, N, d)`` (``last``), either."""
    insists: ClassVar[bool] = True
    """Whether it takes three axes one way only."""

    @property
    def joins_places(self) -> bool:
        """Whether its output has no places: what stands behind it does not see what three axes were."""
        return False

    @property
    def reads_tokens(self) -> bool:
        """Whether its input are integers: indices of a table."""
        return False

    def __init_subclass__(cls) -> None:
        cls.kind = cls.__dict__.get("kind") or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type in INNER and not (value is None and field.type == "Layer | None"):
                as_layer(value, f"{type(self).__name__}: {field.name}=")
            if field.type == "bool" and not isinstance(value, bool):
                raise ShapeError(f"{type(self).__name__}: {field.name}={short(value)} must be True or False: give one")
            if field.type == "Dim" and (value is None or isinstance(value, tuple | list)):
                raise ShapeError(
                    f"{type(self).__name__}: {field.name}={short(value)} must be one size: give an integer"
                )
            if field.type in LEAST:
                object.__setattr__(self, field.name, self._sized(value, field.name, LEAST[str(field.type)]))
        self.check()

    def _sized(self, given: Any, name: str, least: int) -> Any:
        if given is None:
            return None
        if isinstance(given, tuple | list):
            return tuple(self._sized(part, name, least) for part in given)
        return size(given, f"{type(self).__name__}: {name}", least)

    def check(self) -> None:
        """Raise when the fields do not fit each other."""

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        """Write the operations on the tape; the result is the output."""
        raise NotImplementedError

    def out(self, x: tuple[SizeLike, ...], layout: Layout | None = None) -> tuple[Any, ...]:
        """Shape of the output for an input of shape ``x``; ``layout`` as in :func:`symcost.table`."""
        return tuple(plain(length) for length in Tape().run(self, entering(self, x, layout)).shape)

    def cost(self, x: tuple[SizeLike, ...], convention: Convention = FULL, layout: Layout | None = None) -> Cost:
        """Cost of the layer for an input of shape ``x``, the input itself left out; ``layout`` as in :func:`symcost.table`."""
        tape = Tape()
        tape.run(self, entering(self, x, layout))
        return tape.total(convention).map(plain)

    def in_order(self) -> Iterator[Layer]:
        """The layer, and those inside it as they run."""
        yield self
        for field in fields(self):
            yield from _layers_in(getattr(self, field.name))

    def subs(self, **point: SizeLike) -> Layer:
        """The layer with values for some of its symbols; a name that is none of them is an error."""
        known = sorted(symbols_of(self))
        check_symbols(point, known, ShapeError)
        values = {name: size(value, name) for name, value in point.items()}
        return substituted(self, values)


def _layers_in(value: Any) -> Iterator[Layer]:
    """The layers of a field: one, a tuple of them, or none."""
    if isinstance(value, tuple):
        for part in value:
            yield from _layers_in(part)
    elif isinstance(value, Layer):
        yield from value.in_order()


def shaped(x: tuple[SizeLike, ...]) -> Tensor:
    """The input of a network."""
    return tensor(tuple(size(length, f"axis {axis} of the input") for axis, length in enumerate(x)))


def entering(net: Layer, x: tuple[SizeLike, ...], layout: Layout | None = None) -> Tensor:
    """The input of a network, its layout settled; ``layout`` says where the channels of three axes stand.

    >>> from symcost.layers.kinds.norm import BatchNorm, LayerNorm
    >>> entering(BatchNorm(), (1, 4, 100)).channels, entering(LayerNorm(), (1, 10, 16)).channels
    (4, 16)
    """
    if layout is not None and layout not in LAYOUTS:
        raise ShapeError(f"layout={short(layout)} is unknown: use 'first' for (n, c, l), 'last' for (n, N, d)")
    x_in = shaped(x)
    if layout is not None and len(x) != 3:
        raise ShapeError(f"layout={layout!r} is for inputs of three axes and {x_in} has {len(x)}: leave it out")
    return x_in.settled(layout or _meant(net)) if len(x) == 3 else x_in


def _meant(net: Layer) -> str:
    """As the first layer takes three axes that takes them one way only; else the first that leans to one; else tokens."""
    leaning = None
    for layer in net.in_order():
        if layer.joins_places:
            break
        if layer.three_axes and layer.insists:
            return layer.three_axes
        leaning = leaning or layer.three_axes
    return leaning or LAST


def as_layer(given: Any, what: str = "") -> Layer:
    """The layer itself; anything else is an error, in which ``what`` stands before it."""
    if isinstance(given, Layer):
        return given
    if isinstance(given, type) and issubclass(given, Layer):
        name = given.__name__
        raise ShapeError(f"{what}{name} is a kind of layer and not a layer: write {name}(...) with its sizes, if any")
    raise ShapeError(
        f"{what}{short(given)} is not a layer: give one such as Conv2d(c_o=64, k=3), or a Sequential of them"
    )


def substituted(value: Any, point: Mapping[str, Any]) -> Any:
    """A layer, a size or a tuple of them with values for symbols."""
    if isinstance(value, Form):
        named = {name: plain(point[name]) for name in value.symbols & set(point)}
        expression: Any = value.sympy()
        return size(
            expression.xreplace({s: named[str(s)] for s in expression.free_symbols if str(s) in named}), "size", 0
        )
    if isinstance(value, tuple):
        return tuple(substituted(part, point) for part in value)
    if isinstance(value, Layer):
        layer = object.__new__(type(value))
        for field in fields(value):
            object.__setattr__(layer, field.name, substituted(getattr(value, field.name), point))
        layer.check()
        return layer
    return value


def forms_of(value: Any) -> frozenset[Form]:
    """The symbolic sizes of a layer and of the layers inside it, or of a tuple."""
    if isinstance(value, Form):
        return frozenset({value})
    if isinstance(value, tuple):
        return frozenset().union(*map(forms_of, value))
    if isinstance(value, Layer):
        return frozenset().union(*(forms_of(getattr(value, field.name)) for field in fields(value)))
    return frozenset()


def symbols_of(value: Any) -> frozenset[str]:
    """Names of the symbols in a layer, a size or a tuple of them."""
    return frozenset().union(*(form.symbols for form in forms_of(value)))


def each(given: Any, rank: int, what: str, fail: Any) -> tuple[Any, ...]:
    """One size for each of ``rank`` axes, from one for all or a tuple."""
    if not isinstance(given, tuple):
        return (given,) * rank
    if len(given) != rank:
        raise fail(f"{what}={given} has {len(given)} sizes and the input {rank} spatial axes: give {rank}")
    return tuple(map(exact, given))
