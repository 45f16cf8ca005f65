"""Windows that slide over the places of an input: kernel, stride, dilation and padding of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symcost.errors import ShapeError
from symcost.formulas.form import Form
from symcost.layers.base import Layer, each
from symcost.layers.sizes.algebra import Size, ceil_ratio, exact
from symcost.layers.sizes.field import Reach
from symcost.layers.sizes.sliding import output_length, same_padding
from symcost.layers.sizes.tensor import FIRST, Tensor, shown
from symcost.layers.sizes.types import NONE, ONE, ZERO, Dims, Pads
from symcost.layers.tape import Tape
from symcost.reading.nearest import near

PADDINGS = ("none", "same", "full")
AXES = ("n, c, l", "n, c, h, w", "n, c, t, h, w")


@dataclass(frozen=True)
class Window:
    """One axis of a window: input length, kernel, stride, dilation, padding on both sides, output length.

    The sides of ``same`` padding are not settled while the length is a symbol (None).
    """

    size: Size
    k: Size
    s: Size
    d: Size
    lo: Size
    hi: Size
    out: Size


@dataclass(frozen=True, kw_only=True)
class Windowed(Layer):
    """Base of layers with a window; ``p`` is a kind, a size, one per axis, or a pair ``(before, behind)`` per axis."""

    k: Dims
    s: Dims = ONE
    p: Pads = ZERO
    d: Dims = ONE
    three_axes = FIRST

    def _sized(self, given: Any, name: str, least: int) -> Any:
        if name == "p" and isinstance(given, str) and not given.isdigit() and given in PADDINGS:
            return given
        if name == "p" and isinstance(given, str) and (meant := near(given, PADDINGS, 1)):
            raise ShapeError(f"{type(self).__name__}: p={given!r} is unknown: did you mean {meant[0]!r}?")
        return super()._sized(given, name, least)

    def windows(self, tape: Tape, x: tuple[Size, ...]) -> list[Window]:
        """The windows along every spatial axis, checked to fit."""
        rank = len(x)
        k, s, d = (each(given, rank, name, tape.fail) for name, given in (("k", self.k), ("s", self.s), ("d", self.d)))
        if isinstance(self.p, tuple) and len(self.p) != rank:
            raise tape.fail(f"p={self.p} has {len(self.p)} paddings and the input {rank} spatial axes: give {rank}")
        windows = []
        for axis, length in enumerate(x):
            if self.p == "same" and isinstance(length, Form) and s[axis] != 1:  # it depends on the length, and fits
                windows.append(Window(length, k[axis], s[axis], d[axis], NONE, NONE, ceil_ratio(length, s[axis])))
                continue
            lo, hi = sides(self.p, axis, length, k[axis], s[axis], d[axis])
            reach, padded = exact(d[axis] * (k[axis] - 1) + 1), exact(length + lo + hi)
            tape.at_least(
                padded - reach, 0,
                f"the kernel reaches over {reach} and its padded input over {padded}, input {shown(x)}: "
                "use a smaller kernel or more padding",
            )  # fmt: skip
            out = output_length(length, k[axis], s[axis], d[axis], lo, hi)
            windows.append(Window(length, k[axis], s[axis], d[axis], lo, hi, out))
        return windows


def sides(p: Any, axis: int, size: Size, k: Size, s: Size, d: Size) -> tuple[Size, Size]:
    """Padding before and behind one axis: ``same`` gives ``ceiling(size/s)`` outputs, ``full`` is ``d(k - 1)``."""
    if p == "none":
        return 0, 0
    if p == "full":
        return d * (k - 1), d * (k - 1)
    if p == "same":
        return same_padding(size, k, s, d)
    padding = p[axis] if isinstance(p, tuple) else p
    return padding if isinstance(padding, tuple) else (padding, padding)


def reach_of(windows: Sequence[Window]) -> Reach:
    """How far each window reaches, and its stride."""
    return [(window.d * (window.k - 1) + 1, window.s) for window in windows]


def image(tape: Tape, x: Tensor, rank: int) -> Tensor:
    """An input with ``rank`` spatial axes, its channels behind the batch unless they are settled to be last."""
    if len(x.shape) != rank + 2:
        raise tape.fail(
            f"the input {x} has {len(x.shape)} axes and must have {rank + 2}: give it as ({AXES[rank - 1]})"
        )
    return x.settled(FIRST)


def check_word(layer: Layer, what: str, value: object, known: Sequence[str]) -> None:
    """Raise for a word that is none of those known; the nearest one is offered."""
    if value not in known:
        hint = "".join(f"did you mean {meant!r}? " for meant in near(str(value), known, 1))
        raise ShapeError(f"{type(layer).__name__}: {what}={value!r} is unknown: {hint}use {', '.join(known)}")
