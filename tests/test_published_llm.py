"""105 published numbers of language models on many devices: each answered by symcost, bounded, or explained."""

from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from llm_answers import ANSWERS, exact

from symcost.gates.audit.claims import Claim
from symcost.gates.audit.judge import audit

ROWS = list(csv.DictReader((Path(__file__).parent / "data" / "llm.csv").read_text().splitlines()))
UNITS = {"": Fraction(1), "%": Fraction(1, 100), "KiB": Fraction(2**10), "MiB": Fraction(2**20), "GiB": Fraction(2**30)}
READ = Fraction(15, 100)
"""Percentage points to which bars of a figure can be read."""


def of(status: str) -> list[dict[str, str]]:
    """Rows of a status, each with its line of the file as a name."""
    return [row for row in ROWS if row["status"] == status]


def each(status: str) -> pytest.MarkDecorator:
    """A test for every row of a status."""
    return pytest.mark.parametrize("row", of(status), ids=[row["key"] or row["config"] for row in of(status)])


def printed(text: str, unit: str) -> tuple[Fraction, Fraction]:
    """The number of a text, and one of its last digit."""
    digit = Fraction(10) ** int(Decimal(text).as_tuple().exponent)
    return Fraction(text) * UNITS[unit], digit * UNITS[unit]


def stands_for(text: str, unit: str, found: Fraction) -> bool:
    """Whether a text is a number rounded to its digits, or cut off there."""
    value, digit = printed(text, unit)
    return -digit / 2 <= found - value < digit


@each("answered")
def test_it_is_answered_to_the_printed_digits(row: dict[str, str]) -> None:
    assert stands_for(row["printed"], row["unit"], exact(ANSWERS[row["key"]]()))


@each("inputs")
def test_it_lies_within_what_rounded_inputs_leave_open(row: dict[str, str]) -> None:
    value, digit = printed(row["printed"], row["unit"])
    low, high = sorted(map(exact, ANSWERS[row["key"]]()))
    assert low - digit < value < high + digit
    assert high - low < value / 50, "and that is not much"


@each("figure")
def test_it_is_what_was_read_off_a_figure(row: dict[str, str]) -> None:
    value, _ = printed(row["printed"], row["unit"])
    assert abs(100 * exact(ANSWERS[row["key"]]()) - 100 * value) <= READ


@each("misprint")
def test_what_is_printed_is_not_right_and_what_is_right_is_answered(row: dict[str, str]) -> None:
    found = exact(ANSWERS[row["key"]]())
    assert not stands_for(row["printed"], row["unit"], found)
    assert stands_for(row["right"], row["unit"], found)
    assert row["because"]


def test_an_audit_finds_the_misprint_in_a_table_of_claims() -> None:
    """The first row as a line of a table of claims, on the layers of the reference network."""
    at = "d=4096 H=32 H_kv=32 L=64 d_f=16384 V=32000 n=1 N=1"
    (finding,) = audit([Claim(2, "llama", "params", "16e9", at=at, convention="textbook")])
    assert not finding.right
    assert finding.because == "a digit: 6 stands for 7"
    assert "17,442,013,184" in finding.actual
    (right,) = audit([Claim(2, "llama", "params", "17.4e9", at=at, convention="textbook")])
    assert right.right


@each("least")
def test_what_was_measured_is_at_least_what_is_answered(row: dict[str, str]) -> None:
    """No run needs less memory than its arguments, or less time than its products at the peak; how near it came is told."""
    found = exact(ANSWERS[row["key"]]())
    value, _ = printed(row["printed"], row["unit"])
    assert stands_for(row["right"], row["unit"], found)
    assert value / 3 < found < value
    assert row["because"]


def test_all_of_them_are_answered() -> None:
    assert len(ROWS) == 105
    counts = Counter(row["status"] for row in ROWS)
    assert counts == {"answered": 58, "inputs": 24, "figure": 11, "misprint": 9, "least": 3}
    assert {row["key"] for row in ROWS} == set(ANSWERS), "every answer is to a row"
    assert all(row["source"] and row["quantity"] for row in ROWS)
