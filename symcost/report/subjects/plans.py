"""Plans of a model on so many chips as text, CSV and JSON; numbers of JSON are exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symcost.errors import SymcostError
from symcost.formulas.units import physical
from symcost.report.subjects import verdict
from symcost.report.words import documents, markup, sheet
from symcost.sweeps.plans.found import NotJudged

SIGNS = {"step_time": "s", "device_bytes": "B", "communication": "B"}
"""What stands behind the numbers that are told rounded."""


def shown(name: str, value: Any) -> str:
    """A number of a plan for people: seconds and bytes in few digits.

    >>> shown("device_bytes", 671088652), shown("X", 8192)
    ('671.1 MB', '8,192')
    """
    if name in SIGNS:
        return physical(value, SIGNS[name])
    return sheet.number(value) if isinstance(value, int | str) else f"{float(value):.3g}"


def text(plans: Any) -> str:
    """The plans, best first, and how they were found."""
    width = sheet.terminal()
    lines: list[str] = []
    for title, several in (("", plans.found), ("nothing is faster without more memory:", plans.front)):
        if several:
            names = list(several[0].row)
            rows = [[shown(name, each.row[name]) for name in names] for each in several]
            lines += [*([title] if title else []), *sheet.listed(names, rows, width), ""]
    told = [part for line in facts(plans) for part in sheet.hung(line, width)]
    return "\n".join([*lines, *told])


def facts(plans: Any) -> list[str]:
    """How many are feasible, until which batch the best one fits, and what compilers say of the first ones."""
    some = f"{plans.count:,} of {plans.size:,} plans" if plans.count else f"no plan of {plans.size:,}"
    said = [
        f"{some} {'are' if plans.count else 'is'} feasible on {plans.device}, by {plans.objective}; {plans.seconds:.2g} s"
    ]
    if plans.found and plans.fits and plans.batch:
        try:
            most = plans.largest_batch()
            said.append(
                f"the first one fits with every {most.symbol} <= {most.value:,} that its axes divide ({most.method})"
            )
        except SymcostError as problem:
            said.append(f"until which batch the first one fits is not told: {problem}")
    return said + [f"plan {number}: {_judged(each)}" for number, each in enumerate(plans.verdicts, 1)]


def _judged(found: Any) -> str:
    return f"not compiled: {found.reason}" if isinstance(found, NotJudged) else verdict.sentence(found)


def csv(plans: Any) -> str:
    """One line per plan, with decimal numbers where they are no integers: JSON has them exact."""
    names = list(plans.found[0].row) if plans.found else []
    titles = (sheet.measured(name, SIGNS.get(name, "")) for name in names)
    return sheet.csv(titles, [[sheet.decimal(each.row[name]) for name in names] for each in plans.found])


def document(plans: Any) -> dict[str, Any]:
    """``{"feasible", "size", "device", "minimize", "options", "plans", "front", "facts", "verdicts"}``; fractions are texts."""
    return {
        "feasible": plans.count, "size": plans.size, "device": plans.device, "minimize": plans.objective,
        "options": dict(plans.options), "plans": [documents.row(each.row) for each in plans.found],
        "front": [documents.row(each.row) for each in plans.front], "facts": facts(plans),
        "verdicts": [
            {"problem": each.reason} if isinstance(each, NotJudged) else verdict.document(each) for each in plans.verdicts
        ],
    }  # fmt: skip


def json(plans: Any) -> str:
    """The document of the plans."""
    return documents.written(document(plans))


def html(plans: Any) -> str:
    """A table for notebooks."""
    names = list(plans.found[0].row) if plans.found else []
    rows = [[shown(name, each.row[name]) for name in names] for each in plans.found]
    first, *others = facts(plans)
    table = markup.table(names, rows, right=range(len(names))) if rows else ""
    return "".join([markup.said(first), table, *map(markup.note, others)])


FORMATS: Mapping[str, Callable[[Any], str]] = {"text": text, "csv": csv, "json": json}
