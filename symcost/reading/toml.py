"""TOML as people write it: decimals read exactly, no number too large, and every mistake in one line."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from symcost.errors import SymcostError
from symcost.reading.numerals import MAX_BITS, MAX_POWER, short

MAX_BYTES = 10_000_000


class WrittenDecimal(Decimal):
    """An exact number with a point, which errors show as it was written."""

    __repr__ = Decimal.__str__

    def digits(self) -> str:
        """The number without a power of ten; what no model's number may be stays as it is.

        >>> WrittenDecimal("25e-3").digits(), WrittenDecimal("1e99999").digits()
        ('0.025', '1E+99999')
        """
        return f"{self:f}" if self.is_finite() and abs(self.adjusted()) <= MAX_POWER else str(self)


def read(
    path: Path, what: str, error: type[SymcostError], decimal: Callable[[str], Any] = WrittenDecimal
) -> dict[str, Any]:
    """The tables of a file, which errors call ``what``; ``decimal`` reads the numbers with a point."""
    try:
        size, text = path.stat().st_size, ""
        if size <= MAX_BYTES:
            text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise error(f"{what} cannot be read: {problem.strerror}") from None
    except ValueError as problem:  # no UTF-8, or a name that no file can have
        raise error(f"{what} is not TOML: {problem}") from None
    if size > MAX_BYTES:
        raise error(f"{what} has {size} bytes: files of up to {MAX_BYTES} are read")
    return parsed(text, what, error, decimal)


def parsed(
    text: str, what: str, error: type[SymcostError], decimal: Callable[[str], Any] = WrittenDecimal
) -> dict[str, Any]:
    r"""The tables of a text.

    >>> parsed("n = 3\nshare = 0.10", "the text", SymcostError)
    {'n': 3, 'share': 0.10}
    """
    try:
        tables = tomllib.loads(text, parse_float=decimal)
    except RecursionError:
        raise error(f"{what} is not TOML: it is nested too deeply") from None
    except ValueError as problem:
        raise error(f"{what} is not TOML: {problem}") from None
    for number in _integers(tables):
        if number.bit_length() > MAX_BITS:
            raise error(f"{what} has {short(number)}: numbers have at most {MAX_BITS} bits")
    return tables


def _integers(tables: Any) -> Iterator[int]:
    """Every integer, however deep."""
    waiting = [tables]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, int):
            yield value
