"""What a change costs, as text, Markdown and JSON: totals, then modules, each before, after and the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from symcost.formulas.units import counted, percent
from symcost.reading.numerals import assigned
from symcost.report.words import documents, markup, sheet
from symcost.report.words.sheet import escaped

SIGNS = {"added": "+", "removed": "-", "changed": "~"}
ITSELF = "(the model itself)"
NOTHING, LEAST = "0.0 %", "0.1 %"
"""A share that rounds to nothing, and what every such share is below."""


def _signed(value: Any) -> str:
    """A difference with its sign.

    >>> _signed(12), _signed(-3)
    ('+12', '-3')
    """
    return _plus(counted(value))


def _plus(text: str) -> str:
    return text if text.startswith("-") else f"+{text}"


def _values(change: Any, difference: Any) -> list[tuple[str, str]]:
    """(point, before -> after, with the difference and its share)."""
    return [(assigned(point), f"{sheet.number(old)} -> {sheet.number(new)} ({_signed(new - old)}{_share(old, new)})")
            for point, (old, new) in zip(difference.points, change.values, strict=True)]  # fmt: skip


def _share(old: Any, new: Any) -> str:
    """The share of what was there, a small one as small and never as nothing.

    >>> _share(1000, 1200), _share(10**9, 10**9 + 6048), _share(0, 3)
    (', +20.0 %', ', less than 0.1 %', '')
    """
    if old == 0 or new == old:
        return ""
    shown = percent((Fraction(new) - Fraction(old)) / Fraction(old))
    return f", {_plus(shown)}" if shown != NOTHING else f", less than {LEAST}"


def text(difference: Any, width: int | None = None) -> str:
    """Lines for a terminal, in at most ``width`` columns (the terminal's by default)."""
    width = width or sheet.terminal()
    return "\n".join(line for margin, said in _lines(difference) for line in sheet.hung(said, width, margin))


def _lines(difference: Any) -> Iterator[tuple[str, str]]:
    """Every line, behind its margin."""
    yield from (("", f"--- {difference.old}"), ("", f"+++ {difference.new}"))
    if difference.symbols[0] != difference.symbols[1]:
        yield "", f"symbols: {', '.join(difference.symbols[0])} -> {', '.join(difference.symbols[1])}"
    yield from (("", f"not compared: {sentence}") for sentence in difference.withdrawn)
    if not difference:
        yield from (("", ""), ("", "the costs are equal"))
        return
    yield from (("", ""), ("", "totals"))
    for change in difference.totals:
        yield "  ", f"{change.name}: {_formula(change)}"
        yield from _at_points(change, difference, "      ")
    if difference.modules:
        yield from (("", ""), ("", "modules, as full counts"))
    for module in difference.modules:
        yield "  ", f"{SIGNS[module.state]} {module.path or ITSELF} ({module.state})"
        for change in module.changes:
            yield "      ", f"{change.name}: {_formula(change)}"
            yield from _at_points(change, difference, "          ")


def _formula(change: Any) -> str:
    """The difference as a formula, which is not told where it is 0 at every point that was asked for."""
    if not change:
        return "as before"
    same = change.values and all(old == new for old, new in change.values)
    return "another formula, as before at the points" if same else _signed(change.difference)


def _at_points(change: Any, difference: Any, margin: str) -> Iterator[tuple[str, str]]:
    """A line for each point, behind its margin."""
    if change:
        yield from ((margin, f"at {at}: {shown}") for at, shown in _values(change, difference))


def markdown(difference: Any) -> str:
    """Tables for a merge request."""
    head = f"### Costs: {escaped(difference.old)} → {escaped(difference.new)}"
    head += "".join(f"\n\nNot compared: {escaped(sentence)}" for sentence in difference.withdrawn)
    if not difference:
        return f"{head}\n\nThe costs are equal."
    header = ("total", "difference", *(f"at {assigned(point)}" for point in difference.points))
    rows = [(escaped(c.name), _quoted(c), *(s for _, s in _values(c, difference))) for c in difference.totals]
    parts = [head, sheet.markdown(header, rows)]
    if difference.modules:
        rows = [(escaped(m.path or ITSELF), m.state, escaped(c.name), _quoted(c), *(s for _, s in _values(c, difference)))
                for m in difference.modules for c in m.changes]  # fmt: skip
        parts.append(sheet.markdown(("module", "", "metric (full)", *header[1:]), rows))
    return "\n\n".join(parts)


def _quoted(change: Any) -> str:
    told = _formula(change)
    return f"`{told}`" if told == _signed(change.difference) else told


def html(difference: Any) -> str:
    """Totals and modules for a notebook, each with its difference as a formula and at the points."""
    said = f"{difference.old} → {difference.new}: {'totals that differ' if difference else 'the costs are equal'}"
    parts = [markup.said(said), *(markup.note(f"Not compared: {sentence}") for sentence in difference.withdrawn)]
    heads = ("total", "difference", *(f"at {assigned(point)}" for point in difference.points))
    rows = [
        (c.name, _told(c.difference), *(shown for _, shown in _values(c, difference))) for c in difference.totals if c
    ]
    parts += [markup.table(heads, rows, right=range(2, len(heads)))] if rows else []
    rows = [(m.path or ITSELF, m.state, c.name, _told(c.difference), *(shown for _, shown in _values(c, difference)))
            for m in difference.modules for c in m.changes]  # fmt: skip
    if rows:
        table = markup.table(("module", "", "quantity (full)", *heads[1:]), rows, right=range(4, len(heads) + 2))
        parts.append(markup.folded("modules", table))
    return "".join(parts)


def _told(value: Any) -> str:
    return _signed(value) if isinstance(value, int) else markup.formula(value)


def json(difference: Any) -> str:
    """``equal``, ``withdrawn`` (what was not compared and why), ``points``, ``totals`` and ``modules``.

    Formulas and exact values are strings.
    """
    return documents.written(
        {
            "old": difference.old, "new": difference.new, "equal": not difference,
            "symbols": {"old": difference.symbols[0], "new": difference.symbols[1]},
            "withdrawn": list(difference.withdrawn),
            "points": [dict(point) for point in difference.points],
            "totals": [_change(c) for c in difference.totals],
            "modules": [{"path": m.path, "state": m.state, "changes": [_change(c) for c in m.changes]}
                        for m in difference.modules],
        }
    )  # fmt: skip


def _change(change: Any) -> dict[str, Any]:
    """A change as formulas and, at each point that was asked for, in numbers."""
    return {
        "name": change.name, "old": str(change.old), "new": str(change.new), "difference": str(change.difference),
        "values": [{"old": str(old), "new": str(new)} for old, new in change.values],
    }  # fmt: skip


FORMATS: Mapping[str, Callable[[Any], str]] = {"text": text, "markdown": markdown, "json": json}
