"""What people give as sizes, and the fields of layers that take them: type checkers see what is given, and what is read.

The classes are seen by type checkers alone. A field is annotated by one of them, and given its default as ``ONE``, ``ZERO`` or
``NONE``; ``LEAST`` says which annotations are sizes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import sympy

from symcost.formulas.form import Form

Size: TypeAlias = int | Form
"""A size as layers compute with it, and where a layer is built as a Flax module an ``int``."""
SizeLike: TypeAlias = int | str | sympy.Expr | Form
"""A positive integer, a sympy expression of positive-integer symbols, or a text that ``symcost.parse`` reads."""
LEAST = {"Dim": 1, "MaybeDim": 1, "Dim | None": 1, "Dims": 1, "Pad": 0, "Pads": 0}
"""Annotations of fields that are sizes, and the smallest value that makes sense."""
ONE: Any = 1
ZERO: Any = 0
NONE: Any = None

if TYPE_CHECKING:

    class Dim:
        """A size."""

        def __get__(self, layer: Any, kind: Any) -> Size: ...
        def __set__(self, layer: Any, value: SizeLike) -> None: ...

    class MaybeDim:
        """A size or None."""

        def __get__(self, layer: Any, kind: Any) -> Size | None: ...
        def __set__(self, layer: Any, value: SizeLike | None) -> None: ...

    class Dims:
        """A size, or one for each spatial axis, or None where that means something."""

        def __get__(self, layer: Any, kind: Any) -> Size | tuple[Size, ...] | None: ...
        def __set__(self, layer: Any, value: SizeLike | tuple[SizeLike, ...] | None) -> None: ...

    class Pad:
        """A size that may be 0."""

        def __get__(self, layer: Any, kind: Any) -> Size: ...
        def __set__(self, layer: Any, value: SizeLike) -> None: ...

    class Pads:
        """A size that may be 0 or a word such as ``"same"``, or one for each spatial axis, or one for each of its sides."""

        def __get__(self, layer: Any, kind: Any) -> Size | str | tuple[Size | tuple[Size, ...], ...]: ...
        def __set__(self, layer: Any, value: SizeLike | tuple[SizeLike | tuple[SizeLike, ...], ...]) -> None: ...
else:
    Dim = MaybeDim = Dims = Pad = Pads = Any
