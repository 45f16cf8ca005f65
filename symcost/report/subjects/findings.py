"""What an audit found, as text, CSV and JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from symcost.reading.numerals import so_many
from symcost.report.words import documents, markup, sheet

COLUMNS: tuple[str, ...] = ("line", "model", "at", "layer", "quantity", "value", "source", "right", "actual", "because",
                            "remark")  # fmt: skip


def _line(finding: Any) -> dict[str, Any]:
    known = {**asdict(finding.claim), "right": finding.right, "actual": finding.actual, "because": finding.because,
             "remark": finding.remark}  # fmt: skip
    return {name: known[name] for name in COLUMNS}


def text(findings: Sequence[Any]) -> str:
    """One line per claim, and how many are wrong."""
    width = sheet.terminal()
    shown = [line for each in findings for line in sheet.hung(str(each), width, "right  " if each.right else "WRONG  ")]
    return "\n".join([*shown, "", totals(findings)])


def totals(findings: Sequence[Any]) -> str:
    """How many claims there are, and how many of them are wrong."""
    wrong = sum(not finding.right for finding in findings)
    return f"{so_many(len(findings), 'claim')}, {wrong} wrong"


def html(findings: Sequence[Any]) -> str:
    """The claims with their verdicts for a notebook."""
    rows = [
        ("right" if each.right else "WRONG", each.claim.subject, markup.quoted(each.claim.value), each.actual,
         "; ".join(part for part in (each.because, each.remark) if part), each.claim.source)
        for each in findings
    ]  # fmt: skip
    heads = ("", "claim", "value", "is", "because", "source")
    return markup.said(totals(findings)) + (markup.table(heads, rows) if rows else "")


def csv(findings: Sequence[Any]) -> str:
    """The claims with verdict, right value and reason, one line each."""
    lines = ({**_line(finding), "right": str(finding.right).lower()} for finding in findings)
    return sheet.csv(COLUMNS, ([line[column] for column in COLUMNS] for line in lines))


def json(findings: Sequence[Any]) -> str:
    """A list of objects with the keys of the CSV's columns."""
    return documents.written([_line(finding) for finding in findings])


FORMATS: Mapping[str, Callable[[Sequence[Any]], str]] = {"text": text, "csv": csv, "json": json}
