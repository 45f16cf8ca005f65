"""What a verb shows of one table: the first screen, all of it with ``--all``, or a file's format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from symcost.cli.options import takes
from symcost.cli.output import Output, checked, one_of, write
from symcost.errors import SymcostError
from symcost.reading.choices import AnyConvention
from symcost.report import FORMATS
from symcost.report.formats import details, text


def _check_depth(depth: int) -> None:
    if depth < 0:
        raise typer.BadParameter(f"{depth} is not a number of levels: use 0 or more")


SCREEN: Mapping[str, Any] = {
    "depth": Annotated[
        int | None,
        typer.Option(callback=checked(_check_depth), help="Module levels to show (fitted to a page by default)."),
    ],
    "all_": Annotated[bool, typer.Option("--all", help="Everything: conventions, bytes, peaks, formulas whole.")],
    "si": Annotated[bool, typer.Option("--si", help="Numbers with three digits and k, M, G.")],
    "format_": Annotated[str, one_of(*FORMATS)],
    "output": Output,
}
"""How a table is shown, and where."""


@dataclass(frozen=True)
class ScreenOptions:
    """How a table is shown, and where."""

    depth: int | None
    all_: bool
    si: bool
    format_: str
    output: Path | None

    @classmethod
    def of(cls, typed: Mapping[str, Any]) -> ScreenOptions:
        """The options; those of the text alone do not go with another format."""
        for name, given in {"all": typed["all_"], "si": typed["si"]}.items():
            if given and typed["format_"] != "text":
                raise SymcostError(
                    f"--{name} is of the format text: {typed['format_']} is whole as it is, leave one of them out"
                )
        return cls(**typed)

    def show(self, costs: Any, convention: AnyConvention | None = None, drawn: bool = False) -> None:
        """The table in its format; as text its first screen, or all of it."""
        if self.format_ != "text":
            shown = FORMATS[self.format_](costs, depth=self.depth)
        elif self.all_:
            shown = details.render(costs, depth=self.depth)
        else:
            shown = text.render(costs, depth=self.depth, si=self.si, convention=convention, drawn=drawn, more="--all")
        write(shown, self.output)


takes_screen = takes("screen", SCREEN, ScreenOptions.of)
"""The verb shows a table: it gets how and where as ``screen``."""
