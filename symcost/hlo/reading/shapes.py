"""Shapes as HLO prints them: arrays, tuples of shapes, tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from symcost.hlo.reading.text import HloError, closing, split_top

_ARRAY = re.compile(r"([a-z]\w*)\[([^]]*)\](.*)", re.DOTALL)


@dataclass(frozen=True)
class Shape:
    """One HLO shape.

    `dtype` is XLA's name (`f32`, `pred`, `c64`, `token`; `tuple` for a tuple), `dims` the sizes (for a
    dynamic size `<=n` its bound, as XLA counts), `layout` the raw layout text (`{1,0:T(8,128)}`), `parts` the
    members of a tuple.
    """

    dtype: str
    dims: tuple[int, ...] = ()
    layout: str = ""
    parts: tuple[Shape, ...] = ()

    @property
    def is_tuple(self) -> bool:
        """Whether it is a tuple of shapes."""
        return self.dtype == "tuple"

    @property
    def elements(self) -> int:
        """Number of elements of an array (1 for a scalar); asking it of a tuple is an `HloError`."""
        if self.is_tuple:
            raise HloError(f"shape {self} is a tuple, an array was needed: take one of its parts")
        return prod(self.dims)

    @property
    def minor_to_major(self) -> tuple[int, ...]:
        """Dimensions from the one whose neighbours are adjacent in memory outwards; empty when the text has no layout.

        >>> parse_shape("f32[8,128]{0,1:T(8,128)}").minor_to_major
        (0, 1)
        """
        order = self.layout.partition(":")[0].strip("{}")
        return tuple(int(d) for d in order.split(",") if d)

    def leaves(self) -> Iterator[Shape]:
        """The arrays inside, in order; tokens and opaque values are left out."""
        if self.is_tuple:
            for part in self.parts:
                yield from part.leaves()
        elif self.dtype not in ("token", "opaque"):
            yield self

    def first(self) -> Shape:
        """The array itself, or the first member of a tuple: how XLA reads variadic results."""
        return self.parts[0].first() if self.is_tuple and self.parts else self

    def __str__(self) -> str:
        if self.is_tuple:
            return f"({', '.join(map(str, self.parts))})"
        return f"{self.dtype}[{','.join(map(str, self.dims))}]"


@lru_cache(maxsize=4096)
def parse_shape(text: str) -> Shape:
    """Read one shape. Errors: `HloError` for anything that is not one.

    >>> parse_shape("f32[2,<=3]{1,0}").dims
    (2, 3)
    >>> str(parse_shape("(s32[], (f32[4]{0}, pred[2]))"))
    '(s32[], (f32[4], pred[2]))'
    """
    text = text.strip()
    if text.startswith("("):
        end = closing(text, 0)
        if end < 0:
            raise HloError(f"shape {text!r} has no closing parenthesis: give the whole text")
        parts = tuple(parse_shape(part) for part in split_top(text[1:end]))
        return Shape("tuple", (), text[end + 1 :], parts)
    match = _ARRAY.fullmatch(text)
    if match is None:
        raise HloError(f"shape {text!r} is not of the form dtype[sizes]: give HLO text as XLA prints it")
    dtype, sizes, layout = match.groups()
    written = [size.strip().removeprefix("<=") for size in sizes.split(",") if size.strip()]
    if not all(size.isdecimal() for size in written):
        raise HloError(f"shape {text!r} has a size that is not a number: lower at concrete sizes")
    return Shape(dtype, tuple(map(int, written)), layout)
