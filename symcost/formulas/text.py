"""Formulas as text: the shortest of the equal ways to write one, and a shortened one where a table has no room."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import sympy

ELLIPSIS = "…"


def written(value: Any) -> str:
    """A number or formula as text that :func:`symcost.symbols.parse` reads back: expanded or factored, the shorter.

    >>> from symcost.formulas.symbols import parse
    >>> written(parse("2*L*N**2*d*n + 12*L*N*d**2*n"))
    '2*L*N*d*n*(N + 6*d)'
    """
    return str(value) if isinstance(value, int) else _shortest(value)


@lru_cache(maxsize=4096)
def _shortest(value: Any) -> str:
    return str(shortest(value))


@lru_cache(maxsize=4096)
def shortest(value: Any) -> Any:
    """The expression itself or with common factors taken out, whichever is shorter in print.

    A ``Max`` is kept as it is, around factored candidates: sympy would compare each with each.
    """
    if isinstance(value, int) or not getattr(value, "args", ()):
        return value
    if isinstance(value, sympy.Max):
        return sympy.Max(*map(shortest, value.args), evaluate=False)
    if value.has(sympy.Max):
        return value
    return min((value, sympy.factor_terms(value)), key=lambda form: len(str(form)))


_INSIDE = re.compile(r"(?<=[^*])(?=\*(?!\*))(?<!\*\*)")


def wrapped(text: str, width: int) -> list[str]:
    """A sentence or formula in lines of at most ``width`` characters, broken between words and before operators.

    What has no such place is longer than a line: a number, or a name, is never broken.

    >>> wrapped("64*n*(32*classes + 147*ceiling(r/2)**2)", 24)
    ['64*n*(32*classes', '+ 147*ceiling(r/2)**2)']
    """
    lines: list[str] = []
    for piece in _pieces(" ".join(text.split()), width) if text else ():
        if lines and len(lines[-1]) + len(piece) <= width:
            lines[-1] += piece
        else:
            lines.append(piece.lstrip())
    return lines


def _pieces(text: str, width: int, depth: int = 0) -> list[str]:
    """Where a text may be broken: between words outside of brackets, and inside where a piece is longer than a line.

    An operator stays with what follows it. Factors are apart where nothing else is.
    """
    pieces: list[str] = []
    for word in _words(text, depth):
        if len(word) <= width:
            pieces.append(word)
        elif word.count("(") > depth and " " in word:
            pieces += _pieces(word, width, depth + 1)
        else:
            pieces += _INSIDE.split(word)
    return pieces


def _words(text: str, depth: int) -> list[str]:
    """Words, the blank before each with it; what stands in more than ``depth`` brackets, or behind an operator, is one."""
    words, open_, start = list[str](), 0, 0
    for position, character in enumerate(text):
        open_ += (character == "(") - (character == ")")
        if character == " " and open_ <= depth and text[max(position - 2, 0) : position] not in (" +", " -"):
            words.append(text[start:position])
            start = position
    return [*words, text[start:]]
