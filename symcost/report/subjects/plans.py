"""Plans of a model on so many chips as text, CSV and JSON; numbers of JSON are exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symcost.errors import SymcostError
from symcost.formulas.units import physical
from symcost.reading.numerals import assigned
from symcost.report.subjects import verdict
from symcost.report.words import documents, markup, sheet
from symcost.sweeps.plans.found import BOUND, RATE, NotJudged

SIGNS = {"step_time": "s", "device_bytes": "B", "communication": "B"}
RESULTS = (*SIGNS, RATE, BOUND)
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
    common = alike([*plans.found, *plans.front])
    lines: list[str] = [*sheet.hung(f"all with {assigned(common)}", width), ""] if common else []
    for title, several in (("", plans.found), ("nothing is faster without more memory:", plans.front)):
        if several:
            names = [name for name in several[0].row if name not in common]
            rows = [[shown(name, each.row[name]) for name in names] for each in several]
            lines += [*([title] if title else []), *sheet.listed(names, rows, width), ""]
    told = [part for line in facts(plans) for part in sheet.hung(line, width)]
    return "\n".join([*lines, *told])


def alike(several: Sequence[Any]) -> dict[str, Any]:
    """The choices that all of several plans share, by name; none where there is one plan, which is told whole."""
    rows = [each.row for each in several]
    first = rows[0] if len(rows) > 1 else {}
    return {
        name: value for name, value in first.items() if name not in RESULTS and all(row[name] == value for row in rows)
    }


def facts(plans: Any) -> list[str]:
    """How many are feasible, until which batch the best one fits, and what compilers say of the first ones."""
    some = f"{plans.count:,} of {plans.size:,} plans" if plans.count else f"no plan of {plans.size:,}"
    said = [
        f"{some} {'are' if plans.count else 'is'} feasible on {plans.device}, by {plans.objective}; {plans.seconds:.2g} s"
    ]
    said += [plans.missed] if plans.missed else []
    said += [f"number types: {plans.assumed}"] if plans.assumed else []
    said += [plans.left_out] if plans.left_out else []
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
    common = alike(plans.found)
    names = [name for name in plans.found[0].row if name not in common] if plans.found else []
    rows = [[shown(name, each.row[name]) for name in names] for each in plans.found]
    first, *others = facts(plans)
    table = markup.table(names, rows, right=range(len(names))) if rows else ""
    above = [markup.note(f"all with {assigned(common)}")] if common else []
    return "".join([markup.said(first), *above, table, *map(markup.note, others)])


FORMATS: Mapping[str, Callable[[Any], str]] = {"text": text, "csv": csv, "json": json}
