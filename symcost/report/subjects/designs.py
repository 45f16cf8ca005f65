"""Answers of a sweep as text, CSV and JSON: configurations with their exact costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symcost.formulas.units import physical
from symcost.report.subjects import verdict
from symcost.report.words import documents, sheet

MOST_LINES = 40
BAR = 30


def text(answer: Any) -> str:
    """A table of the configurations, and a line of facts below."""
    names = list(answer.columns)
    rows = [
        [sheet.number(answer.columns[name][i], answer.units.get(name, "")) for name in names]
        for i in range(min(len(answer), MOST_LINES))
    ]
    lines = []
    if rows:
        lines += sheet.listed(names, rows, sheet.terminal())
        if len(answer) > len(rows):
            lines.append(f"... and {len(answer) - len(rows):,} more")
        lines.append("")
    told = [part for line in facts(answer).splitlines() for part in sheet.hung(line, sheet.terminal())]
    return "\n".join([*lines, *told, *(line for name in answer.histograms for line in bars(answer, name))])


def bars(answer: Any, name: str) -> list[str]:
    """A histogram: the upper end of each bin, the number in it, and a bar."""
    bins = answer.histograms[name]
    most = max(number for _, _, number in bins)
    unit = answer.units.get(name, "")
    ends = [physical(high, unit) if unit in sheet.SMALL else f"{float(high):,.0f}" for _, high, _ in bins]
    numbers = [f"{number:,}" for _, _, number in bins]
    widths = max(map(len, ends)), max(map(len, numbers))
    lines = [
        f"{end:>{widths[0]}}  {number:>{widths[1]}} {'#' * round(BAR * inside / most)}"
        for end, number, (_, _, inside) in zip(ends, numbers, bins, strict=True)
    ]
    return ["", f"{name} up to", *lines]


def facts(answer: Any) -> str:
    """How many are feasible, of how many, and how that was found."""
    if answer.count == 0:
        first = f"no configuration of {answer.size:,} is feasible"
    elif answer.count is None:
        first = f"{len(answer):,} of {answer.size:,} configurations"
    else:
        first = f"{answer.count:,} of {answer.size:,} configurations are feasible"
    lines = [first, f"{answer.visited:,} visited one by one, in {answer.numbers} ({answer.engine})"]
    lines += [f"compared at the first: {answer.compared}"] if answer.compared else []
    return "\n".join([*lines, *([answer.note] if answer.note else [])])


def csv(answer: Any) -> str:
    """One line per configuration, with decimal numbers where they are no integers: JSON has them exact."""
    titles = (sheet.measured(name, answer.units.get(name, "")) for name in answer.columns)
    return sheet.csv(titles, zip(*(map(sheet.decimal, column) for column in answer.columns.values()), strict=True))


def json(answer: Any) -> str:
    """The document of an answer."""
    return documents.written(document(answer))


def document(answer: Any) -> dict[str, Any]:
    """``{"feasible", "size", "visited", "numbers", "engine", "note", "configurations", "histograms"}``; fractions are texts."""
    return {
        "feasible": answer.count, "size": answer.size, "visited": answer.visited, "numbers": answer.numbers,
        "engine": answer.engine, "note": answer.note, "configurations": list(map(documents.row, answer.rows)),
        "histograms": {name: [[str(a), str(b), k] for a, b, k in bins] for name, bins in answer.histograms.items()},
    }  # fmt: skip


def verdicts(judged: Sequence[Any]) -> str:
    """What the compilers say of the first configurations, as JSON."""
    return documents.written(list(map(verdict.document, judged)))


def with_verdicts(answer: Any, judged: Sequence[Any], form: str) -> str:
    """The answer as text or JSON, with what the compilers say of its first configurations (key ``"verdicts"``)."""
    if form == "json":
        return documents.written({**document(answer), "verdicts": list(map(verdict.document, judged))})
    lines = [f"configuration {k}: {verdict.sentence(each)}" for k, each in enumerate(judged, 1)]
    return "\n".join([text(answer), "", *lines])


FORMATS: dict[str, Callable[[Any], str]] = {"text": text, "csv": csv, "json": json}
