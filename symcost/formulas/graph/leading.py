"""The leading terms of a formula: those of the highest total degree, exactly, for where there is no room for all of it.

Every symbol counts as degree 1. A rounding counts as what it rounds, from which it differs by less than 1: a term of lower
degree. Logarithms count as degree 0 and stay as they are. Of a maximum the largest candidate is taken where its coefficients
say which one that is, else the maximum of those that may be. What cannot be told so has no leading terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy

from symcost.formulas.symbols import clog2, flog2
from symcost.formulas.text import ELLIPSIS, written
from symcost.reading.numerals import so_many

SHORT = 48
"""Characters of a formula in a line about it."""


@dataclass(frozen=True)
class _Top:
    """The part of highest degree, which grows by ``t**degree`` when every symbol grows by ``t``."""

    degree: Any
    part: Any


@lru_cache(maxsize=4096)
def leading(value: Any, names: tuple[str, ...] = ()) -> Any:
    """The terms of highest total degree, in the symbols named or in all; None where they cannot be told.

    >>> from symcost.formulas.symbols import parse
    >>> leading(parse("64*n*(225280*ceiling(r/32)**2 + 147*ceiling(r/2)**2 + 32*classes)"))
    16432*n*r**2
    >>> leading(parse("8*L*d**2 + 7*L*d + 10")), leading(parse("Max(8*d*n, 4*d*n + 3136*n)"))
    (8*L*d**2, 8*d*n)
    >>> leading(parse("2*L*N**2*d + 12*L*N*d**2"), ("N",))
    2*L*N**2*d
    """
    if value == 0:
        return None
    whole = sympy.sympify(value, strict=True)
    found = _top(whole, {symbol for symbol in whole.free_symbols if not names or str(symbol) in names})
    return None if found is None else found.part


def abbreviated(value: Any) -> tuple[str, ...]:
    """A formula as text: whole; its leading terms, or whole where they are not shorter; the number of its terms, likewise.

    A number has one text. Of a maximum the leading terms of each candidate that may be the largest are told.

    >>> from symcost.formulas.symbols import parse
    >>> abbreviated(parse("8*L*d**2 + 7*L*d + 10"))
    ('8*L*d**2 + 7*L*d + 10', '8*L*d**2 + …', '3 terms')
    >>> abbreviated(parse("Max(n**2 + 9*n, 4*T*n + 8*T, 2*T*n + 4096)"))[1]
    'Max(n**2, 4*T*n) + …'
    >>> abbreviated(parse("2*n"))
    ('2*n', '2*n', '2*n')
    """
    text = written(value)
    if isinstance(value, int) or not getattr(value, "free_symbols", None):
        return (text,)
    first = leading(value)
    if first is None and isinstance(value, sympy.Max):
        first = _foremost(value)
    plain = value if value.has(sympy.Max) else sympy.expand(value)  # sympy would compare all candidates of a maximum
    ahead = text if first is None or first == plain else f"{written(first)} + {ELLIPSIS}"
    candidates = isinstance(value, sympy.Max)
    number = len(value.args if candidates else sympy.Add.make_args(plain))
    counted = so_many(number, "candidate" if candidates else "term")
    return text, min(text, ahead, key=len), min(text, counted, key=len)


def brief(value: Any, width: int = SHORT) -> str:
    """A formula as text, whole where it has so many characters at most, else its leading terms.

    >>> from symcost.formulas.symbols import parse
    >>> brief(parse("8*L*d**2 + 7*L*d + 10"), 12), brief(parse("2*n"))
    ('8*L*d**2 + …', '2*n')
    """
    text = written(value)
    texts = abbreviated(value)
    return text if len(text) <= width or len(texts) == 1 else texts[1]


def _top(value: Any, grown: Set[Any]) -> _Top | None:
    """The part of highest degree of an expression, which is not 0."""
    if value.is_number:
        return _Top(sympy.Integer(0), value) if value.is_Rational and value != 0 else None
    if value.is_Symbol:
        return _Top(sympy.Integer(value in grown), value)
    if isinstance(value, clog2 | flog2):
        return _Top(sympy.Integer(0), value)
    if isinstance(value, sympy.Max):
        return _largest(_tops((part for part in value.args if part != 0), grown))
    if value.is_Pow:
        return _power(_top(value.base, grown), value.exp)
    parts = _tops(value.args, grown)
    if parts and isinstance(value, sympy.floor | sympy.ceiling):
        return _rounded(value, *parts)
    return _sum(parts) if parts and value.is_Add else _product(parts) if parts and value.is_Mul else None


def _tops(values: Iterable[Any], grown: Set[Any]) -> list[_Top]:
    """Those of several expressions; none where one of them cannot be told."""
    parts = [_top(value, grown) for value in values]
    known = [part for part in parts if part is not None]
    return known if len(known) == len(parts) else []


def _sum(known: list[_Top]) -> _Top | None:
    most = max(part.degree for part in known)
    whole = sympy.expand(sympy.Add(*(part.part for part in known if part.degree == most)))
    return None if whole == 0 else _Top(most, whole)


def _product(known: list[_Top]) -> _Top:
    return _Top(sympy.Add(*(part.degree for part in known)), sympy.expand(sympy.Mul(*(part.part for part in known))))


def _power(base: _Top | None, exponent: Any) -> _Top | None:
    """An integer power; below a bar only what is surely not 0 may stand."""
    if base is None or not exponent.is_Integer or (exponent < 0 and not _positive(base.part)):
        return None
    return _Top(base.degree * exponent, sympy.expand(base.part**exponent))


def _rounded(value: Any, inside: _Top) -> _Top | None:
    """A rounding is what it rounds where that grows; a quotient that does not grow is rounded for good."""
    if inside.degree > 0:
        return inside
    alike = inside.degree == 0 and sympy.expand(value.args[0] - inside.part) == 0
    return _Top(sympy.Integer(0), value) if alike else None


def _largest(known: list[_Top]) -> _Top | None:
    """The candidates of the highest degree that no other of it always exceeds; beside a 0 they must be positive."""
    most = max((part.degree for part in known), default=0)
    kept = _unexceeded(part.part for part in known if part.degree == most)
    return _Top(most, _maximum(kept)) if kept and all(map(_positive, kept)) else None


def _foremost(value: Any) -> Any:
    """A maximum of the leading terms of those candidates that another of the same degree does not always exceed."""
    known = [
        each for each in _tops((part for part in value.args if part != 0), value.free_symbols) if _positive(each.part)
    ]
    most = max((each.degree for each in known), default=0)
    kept = _unexceeded(each.part for each in known if each.degree == most)
    return _maximum(kept) if kept else None


def _unexceeded(parts: Iterable[Any]) -> list[Any]:
    """Those that none of the others is at least as large as everywhere."""
    best = dict.fromkeys(parts)
    return [one for one in best if not any(one != other and _positive(other - one) for other in best)]


def _maximum(kept: list[Any]) -> Any:
    return kept[0] if len(kept) == 1 else sympy.Max(*kept, evaluate=False)


def _positive(part: Any) -> bool:
    """Whether no term is negative: every symbol is positive."""
    return all(term.is_nonnegative or term == 0 or _sign(term) for term in sympy.Add.make_args(sympy.expand(part)))


def _sign(term: Any) -> bool:
    """Whether a term's coefficient is positive, and it has nothing that could be negative."""
    coefficient, rest = term.as_coeff_Mul()
    return bool(coefficient > 0) and not any(part.is_Add for part in sympy.preorder_traversal(rest))
