"""Numbers in texts: read exactly, in plain digits, and never larger than any number may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeGuard

MAX_BITS = 1 << 13
"""Of any number, so that it is computed at once and can be printed: 2**8192 has 2,467 digits."""
MAX_DIGITS = 2400
"""Of an integer in a text: all of them have fewer than ``MAX_BITS`` bits."""
MAX_POWER = 999
"""Of ten, in a decimal."""
LONGEST_WORD, LONGEST = 300, 3000
"""Characters of a word without spaces, and of a whole error, that the command line prints."""
SHOWN = 60
"""Characters of a text in an error."""
NUMBER = r"(?>(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)"
"""A number without a sign, as a pattern: an integer, or a decimal with or without a power of ten."""
LETTERS = r"[^\W\d_]"
"""A letter of a unit, as a pattern."""
_AMOUNT = re.compile(rf"\s*({NUMBER})\s*({LETTERS}*)\s*")
_WHOLE = re.compile(r"\s*[+-]?[0-9](?:_?[0-9])*\s*")
_DECIMAL = re.compile(
    r"\s*[+-]?(?=\.?[0-9])(?:[0-9](?:_?[0-9])*)?(?:\.[0-9_]*)?(?:[eE](?P<power>[+-]?[0-9]{1,9}))?(?:/[0-9_]+)?\s*"
)


def whole(text: str) -> int:
    """The integer of a text in ASCII digits.

    Raises:
        ValueError: where the text is none, or has more than ``MAX_DIGITS`` digits.

    >>> whole(" -12"), whole("1_000")
    (-12, 1000)
    """
    if len(text) > MAX_DIGITS or not _WHOLE.fullmatch(text):
        raise ValueError(f"{short(text)} is no integer of at most {MAX_DIGITS} digits")
    return int(text)


def whole_or_text(text: str) -> int | str:
    """The integer of a text that is one, and any other text itself.

    >>> whole_or_text("12"), whole_or_text("n")
    (12, 'n')
    """
    try:
        return whole(text)
    except ValueError:
        return text


def fraction(text: str) -> Fraction:
    """The exact number of a text: an integer, a decimal with or without a power of ten, or a quotient.

    Raises:
        ValueError: where the text is none, or the number is too large to be computed with.
        ZeroDivisionError: where it divides by zero.

    >>> fraction("0.25"), fraction("2.5e3"), fraction("1/3")
    (Fraction(1, 4), Fraction(2500, 1), Fraction(1, 3))
    """
    digits = _DECIMAL.fullmatch(text) if len(text) <= MAX_DIGITS else None
    if digits is None or abs(int(digits["power"] or 0)) > MAX_POWER:
        raise ValueError(
            f"{short(text)} is no number of at most {MAX_DIGITS} digits and a power of ten up to {MAX_POWER}"
        )
    return Fraction(text)


def amount(text: str) -> tuple[Fraction, str]:
    """A number and the letters of its unit behind it.

    Raises:
        ValueError: where the text is none, or the number is too large to be computed with.

    >>> amount("25.6 M"), amount("4GiB")
    ((Fraction(128, 5), 'M'), (Fraction(4, 1), 'GiB'))
    """
    parts = _AMOUNT.fullmatch(text)
    if parts is None:
        raise ValueError(f"{short(text)} is no number with or without a unit")
    return fraction(parts[1].replace("_", "")), parts[2]


def bare(value: Any) -> str:
    """A value in an error as people write it, a text without quotes, on one line however long it is.

    >>> bare("4*c"), bare(3)
    ('4*c', '3')
    """
    if isinstance(value, str):
        return short(value)[1:-1]
    return str(value) if not isinstance(value, int) else short(value)


def clipped(message: str) -> str:
    """An error with every word, such as the path of a file, and the whole of it no longer than people read.

    >>> len(clipped("x" * 100_000)), clipped("symcost.toml is there")
    (103, 'symcost.toml is there')
    """
    words = (w if len(w) <= LONGEST_WORD else f"{w[:50]}...{w[-50:]}" for w in message.split(" "))
    text = " ".join(words)
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}...{text[-LONGEST // 2 :]}"


def is_positive(value: Any) -> TypeGuard[int]:
    """Whether a value is a positive integer of Python; a flag is none.

    >>> is_positive(3), is_positive(0), is_positive(True), is_positive("3")
    (True, False, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def assigned(values: Mapping[str, Any]) -> str:
    """Names with their values, as a point is told.

    >>> assigned({"n": 2, "d": 64})
    'n=2, d=64'
    """
    return ", ".join(f"{name}={value}" for name, value in values.items())


def short(value: Any) -> str:
    """A value in an error, however long it is.

    >>> short(12), short(10**5000), short("n + " * 20)
    ('12', 'an integer of 16610 bits', "'n + n + n + n + n + n + n + n + n + n + n + n + n + n + n...'")
    """
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, str):
        return repr(value if len(value) <= SHOWN else f"{value[: SHOWN - 3]}...")
    try:
        shown = " ".join(repr(value).split())
    except Exception:  # an integer inside it that cannot be printed, or a class that cannot print what it holds
        return f"a {type(value).__name__}"
    return shown if len(shown) <= 5 * SHOWN else f"{shown[: 5 * SHOWN]}..."


def so_many(number: int, what: str) -> str:
    """So many things, one of them in the singular.

    >>> so_many(1, "trace"), so_many(1200, "trace")
    ('1 trace', '1,200 traces')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"
