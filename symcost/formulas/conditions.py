"""The one language of conditions, such as ``d % H == 0`` or ``params <= 25 M and latency <= 5 ms``: read and never run.

Expressions of ``symcost.parse`` are compared (chains too, ``64 <= d <= 1024``) and joined by ``and``, ``or``, ``not``. Beside
integers there are decimals, exactly (``25e6``, ``0.01``), and numbers with a unit (``25 M``, ``320 KiB``, ``5 ms``), which
must be that of the quantities they are compared with. A word of :data:`WORDS` alone is a condition too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import sympy

from symcost.errors import ExpressionError
from symcost.formulas.extent import of_number
from symcost.formulas.measures import Dimension, agree, bare, dimension, has_units, marked
from symcost.formulas.relations import RELATIONS, SIGNS
from symcost.formulas.symbols import Evaluator, Reader, Sized, syntax
from symcost.reading.numerals import LETTERS, MAX_DIGITS, MAX_POWER, NUMBER, fraction, short

WORDS = ("fits",)
"""Conditions that are one word: what it stands for is for whoever asks (``fits``: every memory of a device)."""
_OPPOSITE = {"<=": ">", "<": ">=", ">=": "<", ">": "<=", "==": "!=", "!=": "=="}
_AMOUNT = re.compile(rf"(?<![\w.])({NUMBER})\s*(?!(?:and|or|not|in|is|if|else|for)\b)({LETTERS}+)(?![\w(])")
_UNIT = re.compile(r"(?<=[0-9.]) \.(?=[^\W\d])")
MAX_TEXT = 20_000


@dataclass(frozen=True)
class Compare:
    """Two expressions compared by one of ``<= < >= > == !=``; ``text`` is how it was written."""

    op: str
    left: sympy.Expr
    right: sympy.Expr
    text: str = field(default="", repr=False, compare=False)

    @property
    def difference(self) -> Any:
        """``left - right``."""
        return self.left - self.right

    def map(self, function: Callable[[Any], Any]) -> Compare:
        """The same comparison of what ``function`` makes of both sides."""
        return replace(self, left=function(self.left), right=function(self.right))


@dataclass(frozen=True)
class Combined:
    """``and``, ``or`` or ``not`` of conditions."""

    op: str
    parts: tuple[Condition, ...]
    text: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True)
class Word:
    """A condition of :data:`WORDS`."""

    text: str


Condition = Compare | Combined | Word


def condition(text: str, of: Callable[[str], Dimension | None] | None = None) -> Condition:
    """Read a condition; ``of`` has the dimensions of names, with which units in it must agree, where they are known.

    >>> condition("64 <= d <= 1024")
    Combined(op='and', parts=(Compare(op='<=', left=64, right=d), Compare(op='<=', left=d, right=1024)))
    >>> condition("params <= 25 M"), condition("latency < 2.5 ms")
    (Compare(op='<=', left=params, right=25000000), Compare(op='<', left=latency, right=1/400))
    """
    if not isinstance(text, str):
        raise ExpressionError(f"the condition {short(text)} is no text: write one such as 'params <= 25_000_000'")
    if len(text) > MAX_TEXT:
        raise ExpressionError(f"the condition {short(text)} has {len(text)} characters: at most {MAX_TEXT} are read")
    text = " ".join(text.split())
    made = _AMOUNT.sub(r"\1 .\2", text)
    try:
        return _Conditions(text, made.encode(), of).read(syntax(made, "a condition", short(text)))
    except RecursionError:
        raise ExpressionError(f"the condition {short(text)} is nested too deeply") from None


@dataclass(frozen=True)
class _Conditions:
    """A text, and the same with a unit as an attribute of its number: Python's syntax binds it as tightly."""

    text: str
    made: bytes
    of: Callable[[str], Dimension | None] | None

    def read(self, node: ast.expr) -> Condition:
        match node:
            case ast.Compare(left=first, ops=ops, comparators=others) if all(type(op) in SIGNS for op in ops):
                sides = [_Side(self._written(side), self.made).read(side) for side in (first, *others)]
                names = [self._written(side) for side in (first, *others)]
                parts = [
                    self._compared(SIGNS[type(op)], sides[i], sides[i + 1], names[i], names[i + 1])
                    for i, op in enumerate(ops)
                ]
                return parts[0] if len(parts) == 1 else Combined("and", tuple(parts), self._written(node))
            case ast.BoolOp(op=op, values=values):
                word = "and" if isinstance(op, ast.And) else "or"
                return Combined(word, tuple(self.read(value) for value in values), self._written(node))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Combined("not", (self.read(operand),), self._written(node))
            case ast.Name(id=word) if word in WORDS:
                return Word(word)
        raise ExpressionError(
            f"cannot read {short(self.text)} as a condition: compare two expressions, as 'params <= 7_000_000' or 'd % H == 0'"
        )

    def _compared(self, op: str, left: Any, right: Any, *names: str) -> Compare:
        if self.of is not None and has_units(left, right):
            try:
                agree(dimension(left, self.of), dimension(right, self.of))
            except ExpressionError as problem:
                raise ExpressionError(
                    f"{short(self.text)} {problem}: give a number in the unit of its quantity"
                ) from None
        return Compare(op, bare(left), bare(right), f"{names[0]} {op} {names[1]}")

    def _written(self, node: ast.expr) -> str:
        """A side as it is written: an error shows the user's own text."""
        return _UNIT.sub(" ", _segment(self.made, node))


@dataclass(frozen=True)
class _Side(Reader):
    """One side of a comparison: decimals, and numbers with units, are exact numbers in it."""

    source: bytes = b""

    def sized(self, node: ast.expr) -> Sized:
        match node:
            case ast.Constant(value=float()):
                return self._number(node, Fraction(1))
            case ast.Attribute(value=ast.Constant() as number, attr=letters):
                scale, mark = marked(letters, self.shown())
                value, size = self._number(number, scale)
                return value * mark, size
        return super().sized(node)

    def _number(self, node: ast.Constant, scale: Fraction) -> Sized:
        text = _segment(self.source, node)
        try:
            made = fraction(text.replace("_", "")) * scale
        except ValueError:
            raise ExpressionError(
                f"{short(text)} in a condition is out of range: use an exponent of at most {MAX_POWER}, {MAX_DIGITS} digits"
            ) from None
        above, below = (
            (sympy.Integer(part), of_number(part).checked(self.shown)) for part in (made.numerator, made.denominator)
        )
        return self._product(ast.Div(), above, below)


def _segment(source: bytes, node: ast.expr) -> str:
    """What a node was read from, in a source of one line."""
    return source[node.col_offset : node.end_col_offset].decode()


def names(stated: Condition) -> set[str]:
    """Names in a condition."""
    return {str(s) for compare in compares(stated) for side in (compare.left, compare.right) for s in side.free_symbols}


def compares(stated: Condition) -> Iterator[Compare]:
    """Every comparison in a condition."""
    if isinstance(stated, Compare):
        yield stated
    for part in stated.parts if isinstance(stated, Combined) else ():
        yield from compares(part)


def has_word(stated: Condition) -> bool:
    """Whether a word of :data:`WORDS` stands in a condition."""
    return isinstance(stated, Word) or (isinstance(stated, Combined) and any(map(has_word, stated.parts)))


def rewritten(
    stated: Condition, compare: Callable[[Compare], Condition], word: Callable[[Word], Condition]
) -> Condition:
    """The condition with every comparison and word in it replaced."""
    if isinstance(stated, Combined):
        return replace(stated, parts=tuple(rewritten(part, compare, word) for part in stated.parts))
    return compare(stated) if isinstance(stated, Compare) else word(stated)


def put(stated: Condition, point: Mapping[str, int]) -> Condition:
    """The condition with values put in.

    >>> put(condition("n % m == 0"), {"m": 4})
    Compare(op='==', left=Mod(n, 4), right=0)
    """

    def at(side: Any) -> Any:
        return side.xreplace({s: sympy.Integer(point[str(s)]) for s in side.free_symbols if str(s) in point})

    return rewritten(stated, lambda compare: compare.map(at), lambda word: word)


def conjuncts(stated: Condition) -> list[Condition]:
    """Conditions that all must hold: comparisons, and what an ``or`` leaves of them.

    >>> [each.op for each in conjuncts(condition("not (a < 1 or b == 2) and c >= 3"))]
    ['>=', '!=', '>=']
    """
    match stated:
        case Combined(op="and", parts=parts):
            return [each for part in parts for each in conjuncts(part)]
        case Combined(op="not", parts=(Compare() as part,)):
            return [replace(part, op=_OPPOSITE[part.op], text=f"not ({part.text})")]
        case Combined(op="not", parts=(Combined(op="not", parts=(part,)),)):
            return conjuncts(part)
        case Combined(op="not", parts=(Combined(op="or", parts=parts),)):
            return [each for part in parts for each in conjuncts(Combined("not", (part,), f"not ({part.text})"))]
    return [stated]


def holds(stated: Condition, value: Evaluator) -> bool:
    """Whether a condition holds at the point of an evaluator, exactly."""
    match stated:
        case Compare():
            return RELATIONS[stated.op][0](value(stated.left), value(stated.right))
        case Combined(op="not", parts=(part,)):
            return not holds(part, value)
        case Combined(op=op, parts=parts):
            return (all if op == "and" else any)(holds(part, value) for part in parts)
    raise ExpressionError(f"{stated.text} stands for conditions of a device: there is none here")
