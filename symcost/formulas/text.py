"""Formulas as text: the shortest of the equal ways to write one, and a shortened one where a table has no room."""

from __future__ import annotations

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


def elided(value: Any, width: int) -> str:
    """A formula in at most ``width`` characters; what does not fit is cut behind a term and marked with an ellipsis.

    >>> from symcost.formulas.symbols import parse
    >>> elided(parse("4*N**2*n + 12*N*d**2 + 9*N*d + 3"), 26)
    '4*N**2*n + 12*N*d**2 + …'
    >>> elided(parse("4*N*n*(3*N + 2*d + 1)"), 16)
    '4*N*n*(3*N + …)'
    """
    text = written(value)
    if len(text) <= width:
        return text
    best, open_ = "", 0
    for position, character in enumerate(text[:width]):
        open_ += (character == "(") - (character == ")")
        if character == " " and text[position + 1] in "+-":
            shown = f"{text[:position]} + {ELLIPSIS}{')' * open_}"
            best = shown if len(shown) <= width else best
    return best if len(best) > width // 2 else text[: max(width - 1, 0)] + ELLIPSIS
