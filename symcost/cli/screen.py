"""What a verb shows of one table: the first screen, all of it with ``--all``, or a file's format."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from symcost.errors import SymcostError
from symcost.reading.choices import AnyConvention
from symcost.report import FORMATS
from symcost.report.formats import details, text

All = Annotated[bool, typer.Option("--all", help="Everything: conventions, bytes, peaks, formulas whole.")]
Si = Annotated[bool, typer.Option("--si", help="Numbers with three digits and k, M, G.")]


def _check_depth(depth: int | None) -> int | None:
    if depth is not None and depth < 0:
        raise typer.BadParameter(f"{depth} is not a number of levels: use 0 or more")
    return depth


Depth = Annotated[
    int | None, typer.Option(callback=_check_depth, help="Module levels to show (fitted to a page by default).")
]


def check_text(format_: str, **flags: bool) -> None:
    """Raise for options of the text alone beside another format."""
    for name, given in flags.items():
        if given and format_ != "text":
            raise SymcostError(f"--{name} is of the format text: {format_} is whole as it is, leave one of them out")


def shown(
    costs: Any, format_: str, depth: int | None, *, whole: bool, si: bool,
    convention: AnyConvention | None = None, drawn: bool = False,
) -> str:  # fmt: skip
    """The table in a format; as text its first screen, or all of it."""
    if format_ != "text":
        return FORMATS[format_](costs, depth=depth)
    if whole:
        return details.render(costs, depth=depth)
    return text.render(costs, depth=depth, si=si, convention=convention, drawn=drawn, more="--all")
