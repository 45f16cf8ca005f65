"""Widths that a program makes of a size in ways that are not seen, or hardly: no number is given that a fresh trace denies."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import enum
import fractions
import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from effort import rows
from made_widths import Width

import symcost as sc
from symcost.formulas.conditions import Compare, condition
from symcost.formulas.symbols import symbol


class Kind(enum.Enum):
    """Sizes that have a name."""

    SMALL = 64
    BIG = 128


@dataclass(frozen=True)
class Config:
    """What a model is made of."""

    d: int


def by_name(d: int) -> int:
    try:
        return Kind(d).value // 8
    except ValueError:
        return 12


def halved_while_large(d: int) -> int:
    while d > 4:
        d //= 2
    return d + 3


def how_often_halved(d: int) -> int:
    levels = 3
    while d >= 12:
        d, levels = d // 2, levels + 1
    return levels


def halved_upwards(d: int) -> int:
    while d > 6:
        d = (d + 1) // 2
    return 8 * d


def doubled_up_to(d: int) -> int:
    power = 1
    while power < d:
        power *= 2
    return power


def halved_while_even(d: int) -> int:
    while d % 2 == 0:
        d //= 2
    return d + 3


HIDDEN: dict[str, Callable[[int], int]] = {
    "a member of an enumeration": by_name,
    "the parts of a float": lambda d: 8 if math.modf(d / 4)[0] == 0 else 12,
    "its exponent": lambda d: math.frexp(d / 2)[1] + 3,
    "close to a number": lambda d: 8 if math.isclose(d, 64) else 12,
    "a float close to a number": lambda d: 8 if math.isclose(d / 4, 16) else 12,
    "a float as text": lambda d: 8 if f"{d / 4}" == "16.0" else 12,
    "a float by its digits": lambda d: 8 if str(d / 4) == "16.0" else 12,
    "a float as a key": lambda d: {16.0: 8}.get(d / 4, 12),
    "a float as a quotient": lambda d: (d / 4).as_integer_ratio()[1] + 3,
    "a count": lambda d: collections.Counter([d, 64])[64] + 3,
    "a range with a step": lambda d: len(range(0, d, 48)) + 3,
    "a number of numpy's": lambda d: 8 if np.float32(d / 4) == 16 else 12,
    "a decimal number": lambda d: int(decimal.Decimal(d / 4)) + 3,
    "a fraction": lambda d: fractions.Fraction(d / 4).denominator + 3,
    "a float in bytes": lambda d: 8 if struct.pack("d", d / 4) == struct.pack("d", 16.0) else 12,
    "a float in JSON": lambda d: 8 if json.dumps([d / 4]) == "[16.0]" else 12,
    "a size in JSON": lambda d: 8 if json.dumps({"d": d}) == '{"d": 64}' else 12,
    "a span of time": lambda d: 8 if datetime.timedelta(seconds=d / 4).seconds == 16 else 12,
    "an array of Python's": lambda d: 8 if array.array("d", [d / 4])[0] == 16 else 12,
    "an item of numpy's": lambda d: 8 if np.array([d / 4])[0] == 16 else 12,
    "a configuration as a key": lambda d: {Config(64): 8}.get(Config(d), 12),
}
"""What C code, texts and keys make of a size: only what was tried has numbers."""
SEEN: dict[str, Callable[[int], int]] = {
    "one of an array": lambda d: 8 if np.any(np.array([64, 128]) == d) else 12,
    "less than all of an array": lambda d: 8 if (np.array([64, 128]) > d).all() else 12,
    "all digits but the last": lambda d: 8 if d ^ 1 > 64 else 12,
    "all digits but the last three": lambda d: 8 if d & ~7 == 1000 and d & 4 else 12,
    "a common divisor": lambda d: math.gcd(d, 12) + 3,
    "a common multiple": lambda d: math.lcm(d, 12) // d + 3,
    "an equal configuration": lambda d: 8 if Config(d) == Config(64) else 12,
    "one of some configurations": lambda d: 8 if Config(d) in (Config(64), Config(128)) else 12,
    "ones among the digits": lambda d: d.bit_count() + 3,
    "a single one among the digits": lambda d: 8 if d.bit_count() == 1 else 12,
    "a common divisor by numpy": lambda d: int(np.gcd(d, 12)) + 3,
    "a common multiple by numpy": lambda d: int(np.lcm(d, 12)) // d + 3,
    "a float rounded by numpy": lambda d: int(np.round(d / 3)) + 1,
    "a float rounded by numpy and compared": lambda d: 8 if np.round(d / 3) > 20 else 12,
    "one of three by a remainder": lambda d: (8, 12, 16)[d % 3],
    "one of two by a remainder of a quotient": lambda d: [8, 12][d // 2 % 2],
    "a quotient and a rest of floats": lambda d: int(divmod(d / 4, 1)[1] * 4) + 3,
}
"""What was wrong, or tried alone, and is decided number by number."""
EVERYWHERE: dict[str, Callable[[int], int]] = {
    "the next power of two": lambda d: 1 << (d - 1).bit_length(),
    "the next power of two by a logarithm": lambda d: 2 ** math.ceil(math.log2(d)),
    "the last power of two": lambda d: 2 ** int(math.log2(d)),
    "a power of four": lambda d: 4 ** (d.bit_length() // 4) + 3,
    "a root": lambda d: math.isqrt(d),
    "a root by floats": lambda d: int(math.sqrt(d)),
    "a root as a power": lambda d: int(d**0.5),
    "a root rounded up": lambda d: math.ceil(math.sqrt(d / 2)),
    "a multiple of a root": lambda d: 8 * int(np.sqrt(3 * d) / 8 + 1),
    "a share of a root": lambda d: math.ceil(1.5 * d**0.5 - 1) + 3,
    "a float of numpy's, rounded to a digit": lambda d: 8 if np.round(d / 7, 1) == 9.1 else 12,
    "a float rounded to a digit": lambda d: int(round(d / 7, 1) * 10) + 1,
    "one of a frozen set": lambda d: 8 if d in frozenset({64, 128}) else 12,
    "one of a set of a list": lambda d: 8 if d in set([64, 128]) else 12,  # noqa: C405
    "one of its digits": lambda d: 8 if d & 4 else 12,
    "the last of its digits": lambda d: 8 if d & 1 else 12,
    "a power of two by its digits": lambda d: 8 if d & (d - 1) == 0 else 12,
    "the largest power of two in it": lambda d: (d & -d) + 3,
    "halved while it is large": halved_while_large,
    "how often it is halved": how_often_halved,
    "halved upwards": halved_upwards,
    "halved while it is even": halved_while_even,
    "a power of two by a loop": doubled_up_to,
}
"""What was refused, or had one piece, and has a number at every size."""
SIZES = (*range(1, 200), 255, 256, 300, 512, 1000, 1535, 1536, 4096, 5000)


def numbers(made: Callable[[int], int]) -> list[int]:
    """Sizes that have a number, each that of the program itself."""
    costs = sc.trace(lambda d: Width(d, made), "float32[2,8]", referee=False)
    inside = [d for d in SIZES if costs.domain.problem({"d": d}) is None]
    assert {d: costs.subs(d=d).params for d in inside} == {d: 9 * made(d) for d in inside}
    return inside


@pytest.mark.parametrize("name", rows(HIDDEN, {"a float as a quotient", "a fraction", "the parts of a float"}))
def test_what_c_code_texts_and_keys_make_of_a_size_has_numbers_where_it_was_tried(name: str) -> None:
    assert 0 < len(numbers(HIDDEN[name])) < 40


@pytest.mark.parametrize("made", [lambda d: len(str(d)) + 3, lambda d: len(hex(d)) + 3])
def test_a_refusal_names_the_line_that_makes_a_text_of_a_size(made: Callable[[int], int]) -> None:
    unseen = r"what becomes of d as a plain number at test_widths_made\.py:\d+: .* is not seen; give steps="
    with pytest.raises(sc.LiftError, match=unseen) as refused:
        sc.trace(lambda d: Width(d, made), "float32[2,8]", referee=False)
    assert type(refused.value) is sc.LiftError


@pytest.mark.parametrize("name", rows(SEEN, {"all digits but the last"}))
def test_arrays_and_quotients_decide_number_by_number(name: str) -> None:
    assert len(numbers(SEEN[name])) > 40


@pytest.mark.parametrize(
    "name",
    rows(EVERYWHERE, {"one of its digits", "halved upwards", "a power of two by a loop", "how often it is halved"}),
)
def test_powers_roots_digits_and_halves_have_numbers_at_every_size(name: str) -> None:
    assert numbers(EVERYWHERE[name]) == list(SIZES)


WRITTEN = """
def tenth(d):
    return 8 if int(d * 0.01) == 1 else 12


def divisible(d):
    new = max(8, int(d * 0.35 + 4) // 8 * 8)
    return new + 8 if new < 0.9 * d * 0.35 else new


def thirds(d):
    return 256 * ((int(1.3 * int(2 * (4 * d) / 3)) + 255) // 256)
"""


@pytest.mark.parametrize("name", rows(("tenth", "divisible", "thirds"), {"tenth"}))
def test_roundings_in_a_module_without_jax_are_seen(name: str, importable: Any) -> None:
    importable("written", WRITTEN)
    import written  # pyright: ignore[reportMissingImports]

    assert len(numbers(getattr(written, name))) > 190


@pytest.mark.parametrize("name", rows(("tenth", "divisible", "thirds"), {"divisible"}))
def test_roundings_in_a_module_that_asks_is_int_have_numbers_where_they_were_tried(name: str, importable: Any) -> None:
    importable("asking", WRITTEN + "\n\ndef plain(x):\n    return type(x) is int\n")
    import asking  # pyright: ignore[reportMissingImports]

    assert 0 < len(numbers(getattr(asking, name))) < 40


def test_many_single_values_are_told_by_one_condition(importable: Any) -> None:
    importable("many", WRITTEN + "\n\ndef plain(x):\n    return type(x) is int\n")
    import many  # pyright: ignore[reportMissingImports]

    domain = sc.trace(lambda d: Width(d, many.thirds), "float32[2,8]", referee=False).domain
    (text,) = domain.conditions()
    told = condition(text)
    assert isinstance(told, Compare)
    values = [d for d in SIZES if domain.problem({"d": d}) is None]
    assert [d for d in SIZES if told.left.subs({symbol("d"): d}) == 0] == values
    assert (told.op, told.right) == ("==", 0)
