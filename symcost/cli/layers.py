"""The verbs of the layers' road: ``table``, ``models`` and ``audit``. None of them needs jax, unless for a model to trace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from symcost.cli import completion
from symcost.cli.options import Given, Model, Specs, takes_model
from symcost.cli.output import Output, checked, one_of, shows, write
from symcost.cli.screen import ScreenOptions, takes_screen
from symcost.cli.tables import table_of
from symcost.costs.conventions import KNOWN, check_convention
from symcost.reading.choices import AnyConvention

if TYPE_CHECKING:
    from symcost.gates.audit.claims import Claim


@shows(
    "symcost table alexnet",
    "symcost table resnet50 --at n=n --at r=r --at classes=C --format json",
    "symcost table mobilenet_v2 --at width=1.4 --convention full",
    "symcost table costs.json --at n=1",
    "symcost table vit --at d=384 --at H=6 --format markdown --output vit_s.md",
)
@takes_model
@takes_screen
def table(
    given: Given,
    screen: ScreenOptions,
    model: Model,
    specs: Specs = None,
    convention: Annotated[
        str | None,
        typer.Option(
            help="Of the text format: textbook, full, xla, torchvision or fvcore; full, unless given, and activations as textbook.",
            callback=checked(check_convention),
            autocompletion=completion.one_of(KNOWN),
        ),
    ] = None,
) -> None:
    """Cost of a reference network as the lectures draw it, with activations and receptive fields; of any other model too."""
    screen.show(table_of(given.source(model, specs)), cast(AnyConvention | None, convention), drawn=True)


@shows(
    "symcost models",
    "symcost models --format json",
)
def models(
    format_: Annotated[str, one_of("text", "json")] = "text",
    output: Output = None,
) -> None:
    """The reference networks with their parameters and who published them."""
    from symcost.report.subjects import catalog

    write(catalog.FORMATS[format_](), output)


@shows(
    "symcost audit examples/lectures.csv",
    "symcost audit claims.csv --format json --output findings.json",
    "symcost audit mine.csv   [dim]# rows of Flax models: PKG.MOD:NAME in model, float32\\[n,32,32,3] in specs, n=1 in at[/dim]",
    "A file of claims: model,layer,quantity,value / alexnet,conv1,params,24848 / resnet50,,gmacs,4.089",
)
def audit(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Columns: model, quantity, value, and more.")],
    format_: Annotated[str, one_of("text", "csv", "json")] = "text",
    output: Output = None,
) -> None:
    """Check a table of claims: which are right, what is right, and why. Exit code 1 when one is wrong."""
    from symcost.gates.audit import claims, judge
    from symcost.report.subjects import findings

    judged = judge.audit(claims.read(file), claimed)
    write(findings.FORMATS[format_](judged), output)
    if not all(finding.right for finding in judged):
        raise typer.Exit(1)


def claimed(claim: Claim) -> Any:
    """The table of a claim, of a model to trace too: that brings jax."""
    from symcost.gates.audit.judge import source

    return table_of(source(claim))
