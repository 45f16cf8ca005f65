"""Units of quantities: how amounts in them are written (``25 M``, ``320 KiB``, ``5 ms``) and which of them compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy

from symcost.errors import ExpressionError
from symcost.formulas.binary.digits import Digital
from symcost.reading.nearest import near, offered
from symcost.reading.prefixes import BINARY, DECIMAL, PARTS

_TEN = {prefix: Fraction(scale) for prefix, scale in {**DECIMAL, "K": DECIMAL["k"]}.items()}
_SMALL = {**PARTS, "µ": PARTS["u"], "μ": PARTS["u"]}  # the sign of micro, and the letter that Python makes of it

Dimension = Mapping[str, int]
"""Powers of bytes, seconds and joules; a pure number of things has none."""


@dataclass(frozen=True)
class Unit:
    """What a quantity is measured in: the letters behind its numbers and what they stand for, and an example of them.

    ``kind`` is one word for units that compare with each other: elements and operations are counts.
    """

    name: str
    kind: str
    sign: str = ""
    letters: Mapping[str, Fraction] = field(default_factory=dict)
    example: str = ""
    dimension: Dimension = field(default_factory=dict)


COUNT, EXAMPLE = "count", "25_000_000 or '25 M'"
ELEMENTS = Unit("elements", COUNT, "", _TEN, EXAMPLE)
OPERATIONS = Unit("operations", COUNT, "", _TEN, EXAMPLE)
BYTES = Unit(
    "bytes", "bytes", "B", {f"{prefix}B": Fraction(scale) for prefix, scale in {**_TEN, **BINARY}.items()},
    "'320 KiB' or '1 MB'", {"bytes": 1},
)  # fmt: skip
SECONDS = Unit(
    "seconds", "seconds", "s", {f"{prefix}s": scale for prefix, scale in _SMALL.items()}, "'10 ms'", {"seconds": 1}
)
JOULES = Unit(
    "joules", "joules", "J", {f"{prefix}J": scale for prefix, scale in _SMALL.items()}, "'5 mJ'", {"joules": 1}
)
RATE = Unit("examples per second", "rate", dimension={"seconds": -1})
SIGNS: Mapping[str, str] = {unit.kind: unit.sign for unit in (ELEMENTS, BYTES, SECONDS, JOULES, RATE)}
"""What stands behind numbers of each kind."""
_MARKED = {unit.kind: unit for unit in (ELEMENTS, BYTES, SECONDS, JOULES)}
_MARKS: Mapping[Any, Unit] = {sympy.Dummy(kind, positive=True, integer=True): unit for kind, unit in _MARKED.items()}
"""A factor for each kind of unit while a text is read: no name can be mistaken for it."""
_LETTERS = {
    letters: (scale, mark) for mark, unit in _MARKS.items() for letters, scale in unit.letters.items() if letters
}


def marked(letters: str, text: str) -> tuple[Fraction, Any]:
    """What a unit behind a number stands for: how many of which; ``text`` is where it stands.

    >>> marked("KiB", "320 KiB")[0]
    Fraction(1024, 1)
    """
    if letters not in _LETTERS:
        hint = offered(near(letters, _LETTERS, 2), "write k, M, G, KiB, MB, ms or mJ behind a number")
        raise ExpressionError(f"unknown unit {letters!r} in {text}: {hint}")
    return _LETTERS[letters]


def bare(expression: Any) -> Any:
    """The expression in bytes, seconds and joules, without marks of its units."""
    marks = {mark: sympy.Integer(1) for mark in _MARKS if expression.has(mark)}
    return expression.xreplace(marks) if marks else expression


def has_units(*sides: Any) -> bool:
    """Whether a number in any side has a unit."""
    return any(symbol in _MARKS for side in sides for symbol in side.free_symbols)


def dimension(expression: Any, of: Callable[[str], Dimension | None]) -> Dimension | None:
    """The dimension of an expression whose names have those of ``of``; None: a plain number, which fits them all."""
    if expression.is_Symbol:
        return _MARKS[expression].dimension if expression in _MARKS else of(expression.name)
    if isinstance(expression, Digital):
        return {}
    parts = [dimension(part, of) for part in expression.args]
    if expression.is_Pow:
        base, exponent = parts[0], int(expression.exp)
        return None if base is None else {name: power * exponent for name, power in base.items()}
    if expression.is_Mul:
        return _product(part for part in parts if part is not None)
    dimensions = [part for part in parts if part is not None]
    for other in dimensions[1:]:
        agree(dimensions[0], other, "adds")
    return dimensions[0] if dimensions else None


def kind_of(found: Dimension | None) -> str:
    """The kind of units of a dimension; what has none of its own is told as a number."""
    return next((unit.kind for unit in _MARKED.values() if unit.dimension == found), COUNT)


def sign_of(expression: Any, of: Callable[[str], Dimension | None]) -> str:
    """What stands behind numbers of an expression: ``s``, ``J`` or ``B``; nothing behind counts and mixtures.

    >>> from symcost.formulas.symbols import parse
    >>> known = {"latency": SECONDS.dimension, "energy": JOULES.dimension}
    >>> [sign_of(parse(text), known.get) for text in ("2*latency", "energy", "energy/latency", "macs")]
    ['s', 'J', '', '']
    """
    try:
        found = dimension(expression, of)
    except ExpressionError:  # a sum of different things, which is a number all the same
        return ""
    return SIGNS[kind_of(found)]


def agree(left: Dimension | None, right: Dimension | None, verb: str = "compares") -> None:
    """Raise where two sides are measured in different things."""
    if left is not None and right is not None and _named(left) != _named(right):
        raise ExpressionError(f"{verb} {_named(left)} with {_named(right)}")


def _product(parts: Iterable[Dimension]) -> Dimension | None:
    known = list(parts)
    return {name: sum(part.get(name, 0) for part in known) for part in known for name in part} if known else None


def _named(found: Dimension) -> str:
    """In words: ``bytes``, ``1/seconds``, ``bytes/seconds``."""
    above, below = (
        "*".join(name if abs(power) == 1 else f"{name}**{abs(power)}" for name, power in sorted(found.items())
                 if power * sign > 0)
        for sign in (1, -1)
    )  # fmt: skip
    return f"{above or '1'}/{below}" if below else above or "a count"
