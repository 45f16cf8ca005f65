"""What compilers said, for the page: each verdict beside the model that it is of, and no other.

A verdict belongs to a table when the table's own count at the verdict's point is the verdict's, to the last unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symcost.costs.cost import XLA
from symcost.costs.table import CostTable
from symcost.errors import DomainError, SymcostError
from symcost.report.subjects.verdict import NUMBERS, sections, sentence


@dataclass(frozen=True)
class Shown:
    """A verdict on the page: the model's title, the sentence, the link to its point, a line by target, its tables."""

    title: str
    passed: bool
    sentence: str
    link: str
    targets: tuple[tuple[str, str, str, str, str], ...]
    tables: tuple[tuple[str, tuple[tuple[str, bool], ...], tuple[tuple[str, ...], ...]], ...]
    notes: tuple[str, ...]


def shown(tables: Sequence[tuple[str, CostTable]], verdicts: Mapping[str, Any]) -> list[Shown]:
    """What the page shows of verdicts, which errors call by their names; one that is of none of the tables is an error."""
    pages = []
    for name, verdict in verdicts.items():
        reasons = [(title, _reason(costs, verdict)) for title, costs in tables]
        of = [title for title, reason in reasons if reason is None]
        if not of:
            raise SymcostError(f"verdict {name} is of another model: " + "; ".join(f"{t} {r}" for t, r in reasons))
        tables_of = tuple(
            (title, tuple((heading, heading in NUMBERS) for heading in headings), tuple(rows))
            for title, headings, rows in sections(verdict)
        )
        pages.append(Shown(of[0], bool(verdict), sentence(verdict), _link(verdict), tuple(_targets(verdict)), tables_of,
                           verdict.notes))  # fmt: skip
    return pages


def _reason(costs: CostTable, verdict: Any) -> str | None:
    """Why a verdict is not of a table, or nothing when it is."""
    known, given = costs.point, verdict.at
    missing = [name for name in costs.symbols if name not in given]
    if missing:
        return f"has the symbol {missing[0]}, which the verdict gives no value"
    for name, value in given.items():
        if name in known and known[name] != value:
            return f"is at {name}={known[name]}, the verdict at {name}={value}"
        if name not in known and name not in costs.symbols:
            return f"has no symbol {name}: it has {', '.join(costs.symbols) or 'none'}"
    try:
        if XLA in costs.withdrawn:
            return f"has no figures to compare: {costs.withdrawn[XLA]}"
        at = {name: given[name] for name in costs.symbols}
        counted = (costs.subs(**at) if at else costs).total(XLA)
    except DomainError as problem:
        return f"does not hold there: {problem}"
    if (counted.flops, counted.transcendentals) == (verdict.flops, verdict.transcendentals):
        return None
    return f"counts {counted.flops:,} FLOPs where the verdict has {verdict.flops:,}"


def _link(verdict: Any) -> str:
    """The fragment that moves the sliders to the verdict's point."""
    return "&".join(f"{name}={value}" for name, value in verdict.at.items())


def _targets(verdict: Any) -> list[tuple[str, str, str, str, str]]:
    """(target, what it is, checks that passed, FLOPs that it prints, FLOPs of its program), the silent ones too."""
    lines = []
    for compiled in verdict.targets:
        checks = [check.passed for check in verdict.checks if check.target == compiled.target]
        versions = ", ".join(f"{name} {version}" for name, version in compiled.versions.items())
        told = f"{compiled.title} ({versions})" if versions else compiled.title
        lines.append((compiled.target, told, f"{sum(checks)} of {len(checks)}", f"{compiled.raw:,}",
                      "" if compiled.recount is None else f"{compiled.recount:,}"))  # fmt: skip
    return lines + [(name, reason, "no answer", "", "") for name, reason in verdict.failures.items()]
