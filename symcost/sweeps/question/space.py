"""Design spaces: axes with their values, and conditions between them; written in Python or TOML."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from symcost.errors import SpaceError
from symcost.formulas.conditions import condition, names
from symcost.formulas.symbols import integer
from symcost.reading.numerals import short

MOST_VALUES = 10_000_000
LARGEST = 2**62
"""Configurations are numbered with 64-bit integers."""
LARGEST_VALUE = 2**53
"""Values of axes are exact in every kind of number below this."""
Texts = str | Iterable[str] | None
_KEYS = {"from", "to", "step", "multiples_of", "powers_of"}


def texts(what: str, given: Texts) -> tuple[str, ...]:
    """One text or several as a tuple; ``None`` is none."""
    items = (given,) if isinstance(given, str) else given if given is not None else ()
    if not isinstance(items, Iterable) or isinstance(items, Mapping):
        raise SpaceError(f"{what} = {short(given)} must be a text or a list of texts")
    listed = tuple(items)
    if not all(isinstance(text, str) for text in listed):
        raise SpaceError(f"{what} = {short(given)} must be a text or a list of texts")
    return listed


def check_count(name: str, value: Any, most: int, beyond: str, what: str = "") -> None:
    """Raise for what is no positive integer, and what it counts, or for a larger one than there may be."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise SpaceError(f"{name}={short(value)} must be a positive integer{what}")
    if value > most:
        raise SpaceError(f"{name}={short(value)} {beyond}")


class Space:
    """Every combination of the values of some axes that satisfies the conditions between them.

    An axis is a ``range``, a list of positive integers, one integer, or a list of names: a choice of networks. As in a
    TOML file it may be ``{"from": 64, "to": 1024, "step": 64}``, ``{"multiples_of": 64, "to": 1024}`` or
    ``{"powers_of": 2, "from": 4, "to": 512}``, with both ends.
    ``where`` holds conditions on axes, such as ``"d % H == 0"`` or ``"L1 <= L2"``; those on costs may stand here too.
    An axis that cannot be a keyword goes into the mapping.

    Raises:
        SpaceError: where an axis is empty, given twice or no axis, or there are more configurations than can be numbered.
        ExpressionError: where a condition cannot be read.

    >>> space = Space(d=range(64, 1025, 64), H=[1, 2, 4, 8], where=["d % H == 0"])
    >>> space
    Space(64 configurations: d 16, H 4)
    >>> space.size
    64
    """

    def __init__(self, axes: Mapping[str, Any] | None = None, /, *, where: Texts = (), **more: Any) -> None:
        given = {**(axes or {}), **more}
        if axes and len(given) < len(axes) + len(more):
            raise SpaceError(f"the axis {', '.join(sorted(set(axes) & set(more)))} is given twice: give it once")
        self.axes: dict[str, Sequence[Any]] = {name: _values(name, values) for name, values in given.items()}
        """The values of every axis by its name."""
        self.where = texts("where", where)
        """Conditions as text."""
        for text in self.where:
            condition(text)
        if self.size > LARGEST:
            raise SpaceError(f"the space has {self.size:.3e} configurations: at most {LARGEST:.1e} can be numbered")

    @property
    def size(self) -> int:
        """Number of combinations, conditions left aside."""
        return math.prod(len(values) for values in self.axes.values())

    @property
    def choices(self) -> dict[str, Sequence[str]]:
        """Axes whose values are names."""
        return {name: values for name, values in self.axes.items() if isinstance(values[0], str)}

    @property
    def numbers(self) -> dict[str, Sequence[int]]:
        """Axes whose values are integers."""
        return {name: values for name, values in self.axes.items() if not isinstance(values[0], str)}

    @property
    def names(self) -> set[str]:
        """Names that the conditions use."""
        return {name for text in self.where for name in names(condition(text))}

    def __repr__(self) -> str:
        axes = ", ".join(f"{name} {len(values):,}" for name, values in self.axes.items())
        where = f"; {'; '.join(self.where)}" if self.where and len(self.axes) > 2 else ""
        return f"Space({self.size:,} configurations: {axes or 'no axes'}{where})"


def _values(name: str, values: Any) -> Sequence[Any]:
    """An axis' values, checked."""
    if not isinstance(name, str) or not name.isidentifier():
        raise SpaceError(f"{name!r} is not a name for an axis: use letters, digits and _")
    if isinstance(values, Mapping):
        values = _described(name, values)
    if isinstance(values, int) and not isinstance(values, bool):
        values = [values]
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise SpaceError(f"the axis {name}={short(values)} must be a range, a list of integers or a list of names")
    axis = values if isinstance(values, range) else [_plain(value) for value in values]
    if len(axis) == 0:
        raise SpaceError(f"the axis {name} is empty: give it at least one value")
    if len(axis) > MOST_VALUES:
        raise SpaceError(f"the axis {name} has {len(axis):,} values: at most {MOST_VALUES:,}; use a larger step")
    if isinstance(axis[0], str):
        _check(name, axis, lambda v: isinstance(v, str), "a name, as its first value is")
    elif isinstance(axis, range):
        _check(name, (axis[0], axis[-1]), _positive, "a positive integer")
    else:
        _check(name, axis, _positive, "a positive integer")
    if not isinstance(axis, range) and len(set(axis)) < len(axis):
        ((twice, _),) = Counter(axis).most_common(1)
        raise SpaceError(f"the axis {name} has the value {twice!r} twice: give it once")
    return axis if isinstance(axis, range) else tuple(axis)


def _plain(value: Any) -> Any:
    """Numpy's integers as Python's."""
    whole = integer(value)
    return value if whole is None else whole


def _positive(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < LARGEST_VALUE


def _check(name: str, values: Iterable[Any], right: Any, what: str) -> None:
    for value in values:
        if not right(value):
            more = ""
            if isinstance(value, float | Decimal):
                more = "; for fractions make the numerator the axis, as w/20 in the network"
            elif isinstance(value, int) and value >= LARGEST_VALUE:
                more = f" below 2**53 = {LARGEST_VALUE:,}; in larger units it fits, with the factor in the formulas"
            raise SpaceError(f"the axis {name} has the value {short(value)}: every value must be {what}{more}")


def _described(name: str, table: Mapping[str, Any]) -> Any:
    """``{from = 64, to = 1024, step = 64}``, ``{multiples_of = 64, to = 1024}`` or ``{powers_of = 2, to = 512}``."""
    unknown = set(table) - _KEYS
    kinds = [key for key in ("step", "multiples_of", "powers_of") if key in table]
    if unknown or len(kinds) > 1 or "to" not in table:
        raise SpaceError(
            f"the axis {name}={dict(table)} is not understood: write {{from = 64, to = 1024, step = 64}}, "
            "{multiples_of = 64, to = 1024} or {powers_of = 2, from = 4, to = 512}; both ends belong to it"
        )
    for key, value in table.items():
        if not _positive(value):
            raise SpaceError(f"the axis {name} has {key} = {short(value)}: it must be a positive integer below 2**53")
    start, stop = table.get("from", 1), table["to"]
    if "powers_of" in table:
        base = table["powers_of"]
        if base < 2:
            raise SpaceError(f"the axis {name} has powers_of = {base}: it must be at least 2")
        return [v for v in (base**k for k in range(stop.bit_length() + 1)) if start <= v <= stop]
    if "multiples_of" in table:
        step = table["multiples_of"]
        return range(-(-start // step) * step, stop + 1, step)
    return range(start, stop + 1, table.get("step", 1))
