"""A symbol that has one of some values, as a condition that is read back, and in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MAX_FACTORS = 12
"""Of more values the condition is one smallest distance."""
_PRODUCT = re.compile(r"\((\w+) - \d+\)( \* \(\1 - \d+\))* == 0")
_WHERE = re.compile(r"Piecewise\(\((\w+), \((.+)\)\), \((\d+), True\)\) (>=|<=|==) \3")
_DISTANCE = re.compile(r"Min\(Max\((\w+) - \d+, \d+ - \1\)(, Max\(\1 - \d+, \d+ - \1\))*\) == 0")


def among(name: str, values: Sequence[int]) -> str:
    """The condition that a symbol has one of some values: a product that is 0 there, or the smallest distance from one.

    >>> among("L", (1, 2, 4))
    '(L - 1) * (L - 2) * (L - 4) == 0'
    """
    if len(values) <= MAX_FACTORS:
        return f"{' * '.join(f'({name} - {value})' for value in values)} == 0"
    return f"Min({', '.join(f'Max({name} - {value}, {value} - {name})' for value in values)}) == 0"


def in_words(text: str) -> str:
    """A condition as people read it: one of some values as such, one that holds on a side alone with it, others as they are.

    >>> in_words("Piecewise((r, (L >= 4)), (16, True)) >= 16")
    'r >= 16 where L >= 4'
    >>> in_words(among("L", (1, 2, 4))), in_words(among("L", range(1, 30, 2)))[:22], in_words("d % H == 0")
    ('L one of 1, 2, 4', 'L one of 1, 3, 5, 7, 9', 'd % H == 0')
    """
    if (where := _WHERE.fullmatch(text)) and not re.search(rf"\b{where[1]}\b", where[2]):
        return f"{where[1]} {where[4]} {where[3]} where {where[2].replace(') & (', ' and ')}"
    found = _PRODUCT.fullmatch(text) or _DISTANCE.fullmatch(text)
    if found is None:
        return text
    values = dict.fromkeys(int(value) for value in re.findall(rf"\b{found[1]} - (\d+)", text))
    return f"{found[1]} one of {', '.join(f'{value:,}' if value > 9999 else str(value) for value in values)}"


def all_in_words(texts: Iterable[str]) -> list[str]:
    """Conditions as people read them."""
    return [in_words(text) for text in texts]
