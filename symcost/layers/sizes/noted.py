"""What a run of layers notes beside its rows: the conditions under which they fit, and the lifetimes of values."""

from __future__ import annotations

from dataclasses import dataclass

from symcost.formulas.form import Form
from symcost.layers.sizes.algebra import Size


@dataclass(frozen=True)
class Need:
    """A condition on symbols: ``form`` is an integer of at least ``least``; ``why`` says what breaks otherwise."""

    form: Form
    least: int | None
    why: str

    def broken(self, value: object) -> bool:
        """Whether a value of the form violates it."""
        return not isinstance(value, int) or (self.least is not None and value < self.least)


@dataclass(frozen=True)
class NotedValue:
    """A value made from others, for liveness; ``scratch`` elements live beside it only while it is made.

    A value that ``becomes`` another takes the place of its operand, which need not have its size.
    """

    ins: tuple[int, ...]
    out: int
    size: Size
    scratch: Size
    in_place: bool
    view: bool
    textbook: Size
    becomes: bool = False
