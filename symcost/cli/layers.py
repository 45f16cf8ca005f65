"""The verbs of the layers' road: ``table``, ``models`` and ``audit``. None of them needs jax."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symcost.cli.output import Output, check_writable, write
from symcost.reading.nearest import known_format
from symcost.report import FORMATS
from symcost.sources.texts import integers, pairs

if TYPE_CHECKING:
    from symcost.costs.table import CostTable
    from symcost.gates.audit.claims import Claim

TABLE_EXAMPLES = """[bold]Examples[/bold]

symcost table alexnet

symcost table resnet50 --set n=n --set r=r --set classes=C --format json

symcost table mobilenet_v2 --set width=1.4 --convention full

symcost table costs.json --set n=1

symcost table vit --set d=384 --set H=6 --format markdown --output vit_s.md"""

MODELS_EXAMPLES = """[bold]Examples[/bold]

symcost models

symcost models --format json"""

AUDIT_EXAMPLES = """[bold]Examples[/bold]

symcost audit examples/lectures.csv

symcost audit claims.csv --format json --output findings.json

symcost audit mine.csv   [dim]# rows of Flax models: PKG.MOD:NAME in model, float32\\[n,32,32,3] in spec, n=1 in at[/dim]

A file of claims: model,layer,quantity,value / alexnet,conv1,params,24848 / resnet50,,gmacs,4.089"""


def table(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A reference network (symcost models lists them), or a saved table.")
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A number, a symbol or an expression for a parameter."),
    ] = None,
    convention: Annotated[
        str, typer.Option(help="Of the text format: textbook, full, xla, torchvision or fvcore.")
    ] = "textbook",
    depth: Annotated[int | None, typer.Option(min=0, help="Module levels, in formats other than text.")] = None,
    format_: Annotated[str, typer.Option("--format", help=" | ".join(FORMATS))] = "text",
    output: Output = None,
) -> None:
    """Cost of a reference network, layer by layer, as the lectures draw it."""
    from symcost.costs.saved.face import is_saved, load
    from symcost.models.catalog import literal, reference

    known_format(format_, FORMATS)
    check_writable(output)
    if is_saved(model):
        at, costs = integers("--set", set_), load(model)
        costs = costs.subs(**at) if at else costs
    else:
        costs = reference(model)(**{name: literal(text) for name, text in pairs("--set", set_)})
    if format_ == "text":
        from symcost.report.formats import layers

        write(layers.render(costs, convention=convention), output)
    else:
        write(FORMATS[format_](costs, depth=depth), output)


def models(
    format_: Annotated[str, typer.Option("--format", help="text | json")] = "text",
    output: Output = None,
) -> None:
    """The reference networks with their parameters and who published them."""
    from symcost.report.subjects import catalog

    check_writable(output)
    formats: dict[str, Callable[[], str]] = {"text": catalog.text, "json": catalog.json}
    known_format(format_, formats)
    write(formats[format_](), output)


def audit(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Columns: model, quantity, value, and more.")],
    format_: Annotated[str, typer.Option("--format", help="text | csv | json")] = "text",
    output: Output = None,
) -> None:
    """Check a table of claims: which are right, what is right, and why. Exit code 1 when one is wrong."""
    from symcost.gates.audit import claims, judge
    from symcost.report.subjects import findings

    check_writable(output)
    known_format(format_, findings.FORMATS)
    found = judge.audit(claims.read(file), claimed)
    write(findings.FORMATS[format_](found), output)
    if not all(finding.right for finding in found):
        raise typer.Exit(1)


def claimed(claim: Claim) -> CostTable:
    """The table of a claim, of a Flax model too: that brings jax."""
    from symcost.cli.target import table_of
    from symcost.gates.audit.judge import named, values

    if ":" not in claim.model and not (claim.spec or claim.call):
        return named(claim)
    at = [f"{name}={value}" for name, value in values(claim.at)]
    return table_of(claim.model, claim.spec.split(), at, None, claim.call.split())


def add(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command(epilog=TABLE_EXAMPLES)(table)
    app.command(epilog=MODELS_EXAMPLES)(models)
    app.command(epilog=AUDIT_EXAMPLES)(audit)
