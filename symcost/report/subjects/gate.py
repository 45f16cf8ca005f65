"""What a check of budgets found: text, Markdown for a merge request, JSON, JUnit XML, annotations of GitHub and GitLab."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

from symcost.formulas.measures import SIGNS
from symcost.formulas.units import grouped, percent, physical
from symcost.reading.numerals import so_many
from symcost.report.words import documents, sheet

_CONTROL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WHOLE = ("count", "bytes")


def amount(value: Fraction, kind: str) -> str:
    """A value with its unit: counts and bytes whole, seconds and joules in four digits.

    >>> amount(Fraction(1048576), "bytes"), amount(Fraction(1, 80), "seconds")
    ('1,048,576 B', '12.5 ms')
    """
    if kind not in _WHOLE:
        return physical(value, SIGNS[kind])
    return f"{grouped(value)} {SIGNS[kind]}".rstrip()


def _value(finding: Any) -> str:
    return ("" if finding.at is not None else "at most ") + amount(finding.value, finding.kind)


def _margin(finding: Any) -> str:
    """What is left, and its share of the limit."""
    left = finding.margin
    share = f" ({percent(abs(left) / finding.limit)})" if finding.limit else ""
    return f"{'+' if left >= 0 else '-'}{amount(abs(left), finding.kind)}{share}"


def heaviest(finding: Any) -> str:
    """The modules that weigh most with their shares."""
    return ", ".join(f"{path} {percent(share)}" for path, share in finding.heaviest)


def sentence(finding: Any) -> str:
    """One finding on one line."""
    verdict = "is within" if finding else "exceeds"
    most = f"; most in {heaviest(finding)}" if finding.heaviest else ""
    note = f"; {finding.note}" if finding.note else ""
    return (
        f"{finding.model}: {finding.metric} {_value(finding)} {verdict} its limit {finding.text}, "
        f"margin {_margin(finding)}; {finding.how}{most}{note}"
    )


def _totals(verdict: Any) -> str:
    failed = sum(not finding for finding in verdict.findings)
    number = len(verdict.findings)
    if failed:
        return f"{so_many(number, 'limit')}, {failed} exceeded"
    return f"{so_many(number, 'limit')} {'holds' if number == 1 else 'hold'}"


LOG = 200
"""Columns of a log, where nobody says how many there are."""
BELOW = "      "
HEADER = ("", "model", "budget", "metric", "value", "limit", "margin")


def _cells(finding: Any) -> tuple[str, ...]:
    return ("ok" if finding else "FAIL", finding.model, finding.budget, finding.metric, _value(finding),
            finding.text, _margin(finding))  # fmt: skip


def text(verdict: Any, width: int | None = None) -> str:
    """A table with the margin of every limit; below each one how it is known, and what weighs most where it fails.

    Where a terminal of ``width`` columns (its own by default) has no room for a line, it is a sentence.
    """
    width = width or shutil.get_terminal_size((LOG, 24)).columns
    head, rule, *rows = sheet.columns(HEADER, map(_cells, verdict.findings), left=range(len(HEADER)))
    if max(map(len, (rule, *rows))) <= width:
        shown = [head, rule]
    else:
        shown, rows = [], ["  ".join(_cells(finding)[:4]) for finding in verdict.findings]
    for row, finding in zip(rows, verdict.findings, strict=True):
        shown.append(row)
        for said in (*([] if head in shown else [_against(finding)]), *_below(finding)):
            shown += sheet.hung(said, width, BELOW)
    return "\n".join([*shown, "", _totals(verdict)])


def _against(finding: Any) -> str:
    return f"{_value(finding)} against {finding.text}, margin {_margin(finding)}"


def _below(finding: Any) -> list[str]:
    how = finding.how + (f"; {finding.note}" if finding.note else "")
    return [how] if finding or not finding.heaviest else [how, f"most in {heaviest(finding)}"]


def markdown(verdict: Any) -> str:
    """A table for a merge request."""
    rows = [tuple(map(sheet.escaped, (*_cells(f), f.how + (f"; {f.note}" if f.note else ""), heaviest(f))))
            for f in verdict.findings]  # fmt: skip
    title = "Budgets hold" if verdict else "Budgets are exceeded"
    return f"### {title}\n\n{sheet.markdown((*HEADER, 'known by', 'most in'), rows)}\n\n{_totals(verdict)}"


def json(verdict: Any) -> str:
    """``holds`` and ``findings``; values are exact, as integers or fractions in strings."""
    findings = [
        {
            "model": f.model, "budget": f.budget, "metric": f.metric, "kind": f.kind, "holds": f.holds,
            "value": str(f.value), "exact": f.at is not None, "limit": str(f.limit), "text": f.text,
            "margin": str(f.margin), "how": f.how, "at": f.at, "note": f.note,
            "heaviest": [{"path": path, "share": str(share)} for path, share in f.heaviest],
        }
        for f in verdict.findings
    ]  # fmt: skip
    return documents.written({"holds": bool(verdict), "file": verdict.file, "findings": findings})


def junit(verdict: Any) -> str:
    """JUnit XML: one test case per limit."""
    failed = sum(not finding for finding in verdict.findings)
    suite = ElementTree.Element(
        "testsuite", name="symcost check", tests=str(len(verdict.findings)), failures=str(failed)
    )
    for finding in verdict.findings:
        case = ElementTree.SubElement(suite, "testcase", classname=_plain(finding.model),
                                      name=_plain(f"budget {finding.budget}: {finding.metric}"))  # fmt: skip
        if finding:
            ElementTree.SubElement(case, "system-out").text = _plain(sentence(finding))
        else:
            ElementTree.SubElement(case, "failure", message=_plain(sentence(finding)))
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode")


def _plain(given: str) -> str:
    """Characters that XML has no way to write are replaced."""
    return _CONTROL.sub("\ufffd", given)


def github(verdict: Any) -> str:
    """Workflow commands: one error for every limit that is exceeded, one notice when all hold."""
    lines = [
        f"::error file={_property(verdict.file)},line={f.line},"
        f"title={_property(f'{f.model}: {f.metric} exceeds its budget')}::{_command(sentence(f))}"
        for f in verdict.findings
        if not f
    ]
    return "\n".join(lines) or f"::notice title=symcost check::{_totals(verdict)}"


def _command(given: str) -> str:
    return given.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(given: str) -> str:
    return _command(given).replace(":", "%3A").replace(",", "%2C")


def gitlab(verdict: Any) -> str:
    """A code quality report: one issue for every limit that is exceeded."""
    issues = [
        {
            "description": sentence(f), "check_name": f"symcost.{f.metric.replace(' ', '.')}", "severity": "major",
            "fingerprint": hashlib.sha256(f"{f.model}\0{f.budget}\0{f.metric}".encode()).hexdigest(),
            "location": {"path": verdict.file, "lines": {"begin": f.line}},
        }
        for f in verdict.findings
        if not f
    ]  # fmt: skip
    return documents.written(issues)


FORMATS: Mapping[str, Callable[[Any], str]] = {
    "text": text, "markdown": markdown, "json": json, "junit": junit, "github": github, "gitlab": gitlab,
}  # fmt: skip
