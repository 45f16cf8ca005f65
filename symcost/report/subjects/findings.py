"""What an audit found, as text, CSV and JSON."""

from __future__ import annotations

import json as json_
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from symcost.report.words import sheet

COLUMNS: tuple[str, ...] = ("line", "model", "at", "layer", "quantity", "value", "source", "right", "actual", "because",
                            "remark")  # fmt: skip


def _line(finding: Any) -> dict[str, Any]:
    known = {**asdict(finding.claim), "right": finding.right, "actual": finding.actual, "because": finding.because,
             "remark": finding.remark}  # fmt: skip
    return {name: known[name] for name in COLUMNS}


def text(findings: Sequence[Any]) -> str:
    """One line per claim, and how many are wrong."""
    wrong = sum(not finding.right for finding in findings)
    lines = [f"{'right' if finding.right else 'WRONG'}  {finding}" for finding in findings]
    shown = [line for said in lines for line in sheet.hung(said, sheet.terminal())]
    return "\n".join([*shown, "", f"{len(findings)} claims, {wrong} wrong"])


def csv(findings: Sequence[Any]) -> str:
    """The claims with verdict, right value and reason, one line each."""
    lines = ({**_line(finding), "right": str(finding.right).lower()} for finding in findings)
    return sheet.csv(COLUMNS, ([line[column] for column in COLUMNS] for line in lines))


def json(findings: Sequence[Any]) -> str:
    """A list of objects with the keys of the CSV's columns."""
    return json_.dumps([_line(finding) for finding in findings], indent=2, ensure_ascii=False)


FORMATS: Mapping[str, Callable[[Sequence[Any]], str]] = {"text": text, "csv": csv, "json": json}
