"""Plans of a model on so many chips as text, CSV and JSON; numbers of JSON and CSV are exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from json import dumps, loads
from typing import Any

from symcost.errors import SymcostError
from symcost.formulas.units import physical
from symcost.report.subjects import verdict
from symcost.report.words import sheet

SIGNS = {"step_time": "s", "device_bytes": "B", "communication": "B"}
"""What stands behind the numbers that are told rounded."""


def shown(name: str, value: Any) -> str:
    """A number of a plan for people: seconds and bytes in few digits.

    >>> shown("device_bytes", 671088652), shown("X", 8192)
    ('671.1 MB', '8,192')
    """
    if name in SIGNS:
        return physical(value, SIGNS[name])
    if isinstance(value, int):
        return f"{value:,}"
    return value if isinstance(value, str) else f"{float(value):.3g}"


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
    return said + [f"plan {number}: {verdict.sentence(each)}" for number, each in enumerate(plans.verdicts, 1)]


def csv(plans: Any) -> str:
    """One line per plan."""
    names = list(plans.found[0].row) if plans.found else []
    return sheet.csv(names, [[each.row[name] for name in names] for each in plans.found])


def document(plans: Any) -> dict[str, Any]:
    """``{"feasible", "size", "device", "minimize", "options", "plans", "front", "facts", "verdicts"}``; fractions are texts."""
    return {
        "feasible": plans.count, "size": plans.size, "device": plans.device, "minimize": plans.objective,
        "options": dict(plans.options), "plans": [_exact(each.row) for each in plans.found],
        "front": [_exact(each.row) for each in plans.front], "facts": facts(plans),
        "verdicts": [loads(verdict.json(each)) for each in plans.verdicts],
    }  # fmt: skip


def _exact(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | str) else str(value) for name, value in row.items()}


def json(plans: Any) -> str:
    """The document of the plans."""
    return dumps(document(plans), indent=2, ensure_ascii=False)


def html(plans: Any) -> str:
    """A table for notebooks."""
    names = list(plans.found[0].row) if plans.found else []
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    rows = ("".join(f"<td>{escape(shown(name, each.row[name]))}</td>" for name in names) for each in plans.found)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table><p>{'<br>'.join(map(escape, facts(plans)))}</p>"


FORMATS: Mapping[str, Callable[[Any], str]] = {"text": text, "csv": csv, "json": json}
