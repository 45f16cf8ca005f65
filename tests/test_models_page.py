"""The page of what every model of the tests decides by its sizes: all models are on it, and it counts what it shows."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from recorded_models import DEPTHS, HEAD, HERE, every_model, line, row, titles

from symcost.costs.evidence import BOUNDED, GUARDED, PROVED

PAGE = Path(__file__).parents[1] / "examples/about/models.md"
ASKED = 80
"""The least percentage of sizes that are proved or guarded."""
AGAIN = ("mixer", "fractional_widths", "funnel", "switch")
"""Rows that are recorded anew in every run: the quick ones."""


def lines() -> list[str]:
    """The lines of the table, without its titles."""
    return [text for text in PAGE.read_text().splitlines() if text.startswith("| ")][1:]


def cells(text: str) -> list[str]:
    """The cells of a line."""
    return [cell.replace("\\|", "|") for cell in re.split(r" (?<!\\)\| ", text.strip("| "))]


def sizes(evidence: str) -> Counter[str]:
    """How many symbols have each word, by the cell that tells it."""
    found: Counter[str] = Counter()
    for part in re.sub(r"\(.*\)", "", evidence).split(";"):
        word, _, names = part.strip().partition(" ")
        if word in (PROVED, GUARDED, BOUNDED) and DEPTHS not in part:
            found[word] += len([name for name in names.split(",") if name.strip()])
    return found


def test_every_model_of_the_tests_is_on_the_page_once() -> None:
    assert list(titles(HEAD)) == [text for text in PAGE.read_text().splitlines() if text.startswith("|")][:2]
    assert [cells(text)[0] for text in lines()] == [case.name for source, case in every_model() if source in HERE]


def test_the_last_line_counts_the_table_and_is_what_was_asked_for() -> None:
    count = sum((sizes(cells(text)[4]) for text in lines()), Counter[str]())
    known, last = count[PROVED] + count[GUARDED], PAGE.read_text().splitlines()[-1]
    told = [int(number) for number in re.findall(r"[0-9]+", last)]
    assert told == [known, known + count[BOUNDED], len(lines()), count[PROVED], count[GUARDED], count[BOUNDED],
                    100 * known // (known + count[BOUNDED])]  # fmt: skip
    assert told[-1] >= ASKED


@pytest.mark.parametrize("name", AGAIN)
def test_a_row_is_what_a_recording_sees_today(name: str) -> None:
    source, case = next((source, case) for source, case in every_model() if case.name == name)
    (told,) = [text for text in lines() if cells(text)[0] == name]
    assert cells(told)[:-1] == cells(line(row(source, case).cells))[:-1], "but for the seconds"
