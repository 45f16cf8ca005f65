"""The verbs of the layers' road: ``table``, ``models`` and ``audit``. None of them needs jax."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from symcost.cli_input import pairs
from symcost.cli_output import check_writable, write
from symcost.errors import SymcostError
from symcost.report import FORMATS

TABLE_EXAMPLES = """[bold]Examples[/bold]

symcost table alexnet

symcost table resnet50 --set n=n --set r=r --set classes=C --format json

symcost table mobilenet_v2 --set width=1.4 --convention full

symcost table vit --set d=384 --set H=6 --format markdown --output vit_s.md"""

MODELS_EXAMPLES = """[bold]Examples[/bold]

symcost models

symcost models --format json"""

Output = Annotated[Path | None, typer.Option(metavar="FILE", help="Write here instead of to standard output.")]


def table(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A reference network: symcost models lists them.")],
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
    from symcost.models.catalog import reference

    if format_ not in FORMATS:
        raise SymcostError(f"unknown format {format_!r}: use {', '.join(FORMATS)}")
    check_writable(output)
    costs = reference(model)(**{name: _value(text) for name, text in pairs("--set", set_)})
    if format_ == "text":
        from symcost.report import layers

        write(layers.render(costs, convention=convention), output)
    else:
        write(FORMATS[format_](costs, depth=depth), output)


def _value(text: str) -> Any:
    """A flag, a number as it is written (a width of 1.4 stays a decimal), or an expression of symbols."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return int(text) if text.lstrip("-").isdigit() else text


def models(
    format_: Annotated[str, typer.Option("--format", help="text | json")] = "text",
    output: Output = None,
) -> None:
    """The reference networks with their parameters and who published them."""
    from symcost.report import catalog

    check_writable(output)
    formats: dict[str, Callable[[], str]] = {"text": catalog.text, "json": catalog.json}
    if format_ not in formats:
        raise SymcostError(f"unknown format {format_!r}: use {', '.join(formats)}")
    write(formats[format_](), output)


def add(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command(epilog=TABLE_EXAMPLES)(table)
    app.command(epilog=MODELS_EXAMPLES)(models)
