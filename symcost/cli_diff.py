"""The verb of changes: ``diff``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symcost.cli_input import integers
from symcost.cli_output import Output, Progress, check_writable, write
from symcost.cli_target import table_of
from symcost.errors import SymcostError

DIFF_EXAMPLES = """[bold]Examples[/bold]

symcost diff before.json after.json

symcost diff resnet50 resnet101 --set n=n --set r=r --at n=1 --at r=224

symcost diff examples.gpt:GPT mine.gpt:GPT 'int32\\[n,N]'

symcost diff main . --model examples.gpt:GPT 'int32\\[n,N]' --budgets gpt --format markdown

With --model, OLD and NEW are git revisions; . is the working tree as it is."""

Texts = list[str] | None


def diff(
    old: Annotated[
        str, typer.Argument(metavar="OLD", help="A saved file, a reference network, PKG.MOD:NAME; a revision.")
    ],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same, after the change.")],
    specs: Annotated[Texts, typer.Argument(metavar="SPEC...", help="Inputs of models to trace.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="PKG.MOD:NAME", help="Compare this model at two git revisions.")
    ] = None,
    at: Annotated[Texts, typer.Option(metavar="NAME=INT", help="Values of the symbols to show numbers at.")] = None,
    budgets: Annotated[
        str | None, typer.Option(metavar="NAME", help="Show numbers at the points of this model's budgets.")
    ] = None,
    set_: Annotated[
        Texts, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of a reference network.")
    ] = None,
    arg: Annotated[Texts, typer.Option(metavar="NAME=VALUE", help="Fix a parameter of a traced factory.")] = None,
    call: Annotated[Texts, typer.Option(metavar="NAME=VALUE", help="Keyword argument of a traced call.")] = None,
    format_: Annotated[str, typer.Option("--format", help="text | markdown | json")] = "text",
    output: Output = None,
) -> None:
    """What a change costs: totals and modules, as formulas and as numbers."""
    from symcost.diff.compare import compare
    from symcost.report import difference

    if format_ not in difference.FORMATS:
        raise SymcostError(f"unknown format {format_!r}: use {', '.join(difference.FORMATS)}")
    check_writable(output)
    points = [integers("--at", at)] if at else _points(budgets) if budgets else []
    if model is None:
        tables = [table_of(each, specs if ":" in each else None, None if ":" in each else set_,
                           arg if ":" in each else None, call if ":" in each else None) for each in (old, new)]  # fmt: skip
    else:
        if set_:
            raise SymcostError("--set is for reference networks: fix a parameter of the model with --arg")
        from symcost.diff.revision import traced_at

        options = [
            part for name, given in (("--arg", arg), ("--call", call)) for each in given or () for part in (name, each)
        ]
        with Progress() as progress:
            tables = []
            for revision in (old, new):
                progress.say(f"tracing {model} at {revision}")
                tables.append(traced_at(revision, model, specs or (), options, Path.cwd()))
    write(difference.FORMATS[format_](compare(tables[0], tables[1], points, (old, new))), output)


def _points(name: str) -> list[dict[str, int]]:
    """The points of a model's budgets; of a range its end."""
    from symcost.budget.read import chosen, find, read

    (model,) = chosen(read(find(Path.cwd())), [name]).models
    found = [{**budget.at, **{n: values[-1] for n, values in budget.over.items()}} for budget in model.budgets]
    return list({tuple(point.items()): point for point in found}.values())


def add(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(epilog=DIFF_EXAMPLES)(diff)
