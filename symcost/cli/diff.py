"""The verb of changes: ``diff``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from symcost.cli.output import Output, Progress, check_writable, write
from symcost.cli.target import is_target, is_traced, tables_of
from symcost.errors import SymcostError
from symcost.reading.nearest import known_format
from symcost.sources.texts import integers
from symcost.sources.tracing import Tracing, tracing

DIFF_EXAMPLES = """[bold]Examples[/bold]

symcost diff before.json after.json

symcost diff resnet50 resnet101 --set n=n --set r=r --at n=1 --at r=224

symcost diff examples.gpt:GPT mine.gpt:GPT 'int32\\[n,N]'

symcost diff main . --model examples.gpt:GPT 'int32\\[n,N]' --budgets gpt --format markdown

symcost diff HEAD~1 . --budgets gpt

With --model, OLD and NEW are git revisions; . is the working tree as it is. --budgets alone takes model, inputs and options
from the file of budgets."""

Texts = list[str] | None


@tracing
def diff(
    how: Tracing,
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
        str | None,
        typer.Option(
            metavar="NAME", help="Show numbers at the points of this model's budgets; with revisions, compare it."
        ),
    ] = None,
    set_: Annotated[
        Texts, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of a reference network.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="text | markdown | json")] = "text",
    output: Output = None,
) -> None:
    """What a change costs: totals and modules, as formulas and as numbers."""
    from symcost.gates.diff.compare import compare
    from symcost.report.subjects import difference

    known_format(format_, difference.FORMATS)
    check_writable(output)
    if at and budgets:
        raise SymcostError(f"--at and --budgets {budgets} both say where to show numbers: leave one")
    if model is None and not (budgets and not any(map(is_target, (old, new)))):
        tables = tables_of((old, new), specs, set_, how)
    else:
        if set_:
            raise SymcostError("--set is for reference networks: fix a parameter of the model with --arg")
        tables = _revisions((old, new), *_program(model, specs, how, budgets))
    points = [integers("--at", at)] if at else _points(budgets) if budgets else []
    write(difference.FORMATS[format_](compare(tables[0], tables[1], points, (old, new))), output)


def _program(model: str | None, specs: Texts, how: Tracing, budgets: str | None) -> tuple[str, Any, Tracing, Path]:
    """The model to compare at two revisions: its name, inputs, options of tracing, and the folder that it is in."""
    if model is not None or budgets is None:
        return model or "", specs or (), how, Path.cwd()
    if specs or how:
        raise SymcostError(
            f"--budgets {budgets} has the inputs and options of its model: leave them out, or give --model"
        )
    file, planned = _planned(budgets)
    if not is_traced(planned.model):
        raise SymcostError(f"models.{budgets} is {planned.model}: only a program, PKG.MOD:NAME, is traced at revisions")
    options = dict(planned.options)
    inputs = options.pop("specs", [])
    return planned.model, inputs, Tracing(**options), file.resolve().parent


def _revisions(revisions: tuple[str, str], model: str, specs: Any, how: Tracing, folder: Path) -> list[Any]:
    from symcost.gates.diff.revision import traced_at

    tables = []
    with Progress() as progress:
        for revision in revisions:
            progress.say(f"tracing {model} at {revision}")
            tables.append(traced_at(revision, model, specs, how.texts(), folder))
    return tables


def _planned(name: str) -> tuple[Path, Any]:
    """The file of budgets, and the model of that name in it."""
    from symcost.gates.budgets.read import chosen, find, read

    plan = chosen(read(find(Path.cwd())), [name])
    return plan.file, plan.models[0]


def _points(name: str) -> list[dict[str, int]]:
    """The points of a model's budgets; of a range its end."""
    _, model = _planned(name)
    found = [{**budget.at, **{n: values[-1] for n, values in budget.over.items()}} for budget in model.budgets]
    return list({tuple(point.items()): point for point in found}.values())


def add(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(epilog=DIFF_EXAMPLES)(diff)
