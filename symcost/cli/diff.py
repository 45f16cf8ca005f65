"""The verb of changes: ``diff``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from symcost.cli import completion
from symcost.cli.options import Given, Specs, Texts, takes_model
from symcost.cli.output import Output, Progress, one_of, shows, write
from symcost.cli.tables import points, tables_of
from symcost.errors import SymcostError
from symcost.reading.numerals import bare
from symcost.sources.source import Source, is_model
from symcost.sources.texts import inputs
from symcost.sources.tracing import TracingOptions


@shows(
    "symcost diff before.json after.json",
    "symcost diff resnet50 resnet101 --arg n=n --arg r=r --at n=1 --at r=224",
    "symcost diff examples.gpt:GPT mine.gpt:GPT 'int32\\[n,N]'",
    "symcost diff main . --model examples.gpt:GPT 'int32\\[n,N]' --budgets gpt --format markdown",
    "symcost diff HEAD~1 . --budgets gpt",
    "With --model, OLD and NEW are git revisions; . is the working tree as it is. --budgets alone takes model, inputs and options\n"
    "from the file of budgets.",
)
@takes_model
def diff(
    given: Given,
    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD",
            help="A saved file, a reference network, PKG.MOD:NAME; a revision.",
            autocompletion=completion.models,
        ),
    ],
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="The same, after the change.", autocompletion=completion.models)
    ],
    specs: Specs = None,
    model: Annotated[
        str | None, typer.Option(metavar="PKG.MOD:NAME", help="Compare this model at two git revisions.")
    ] = None,
    budgets: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Show numbers at the points of this model's budgets; with revisions, compare it."
        ),
    ] = None,
    format_: Annotated[str, one_of("text", "markdown", "json")] = "text",
    output: Output = None,
) -> None:
    """What a change costs: totals and modules, as formulas and as numbers.

    Numbers are shown at the values that --at gives the symbols.
    """
    from symcost.gates.diff.compare import compare
    from symcost.report.subjects import difference

    if (given.at or given.given_) and budgets:
        raise SymcostError(f"--at and --budgets {bare(budgets)} both say where to show numbers: leave one")
    planned = _points(budgets) if budgets else []
    if model is None and not (budgets and not any(map(is_model, (old, new)))):
        sources = given.sources((old, new), specs)
        tables, at = tables_of(sources), points(sources)
    else:
        if given.set_:
            raise SymcostError("--set is for reference networks: fix a parameter of the model with --arg")
        source = _program(model, specs, given, budgets).check()
        at = replace(source, point={**given.at, **given.given_}).left
        tables = _revisions((old, new), source)
    change = compare(tables[0], tables[1], [at] if at else planned, (old, new))
    write(difference.FORMATS[format_](change), output)


def _program(model: str | None, specs: Texts, given: Given, budgets: str | None) -> Source:
    """The model to compare at two revisions, and the folder that it is in."""
    how = TracingOptions.read(given.options)
    if model is not None or budgets is None:
        return Source(model or "", inputs(specs), how, folder=Path.cwd())
    if specs or how:
        raise SymcostError(
            f"--budgets {budgets} has the inputs and options of its model: leave them out, or give --model"
        )
    file, planned = _planned(budgets)
    if not planned.source.traced:
        raise SymcostError(
            f"models.{budgets} is {planned.source.model}: only a program, PKG.MOD:NAME, is traced at revisions"
        )
    return replace(planned.source, folder=file.resolve().parent)


def _revisions(revisions: tuple[str, str], source: Source) -> list[Any]:
    from symcost.gates.diff.revision import traced_at

    options = [
        *source.how.texts(),
        *(part for name, value in source.at.items() for part in ("--at", f"{name}={value}")),
    ]
    inputs = [each if isinstance(each, str) else repr(each) for each in source.specs]
    tables = []
    with Progress() as progress:
        for revision in revisions:
            progress.say(f"tracing {source.model} at {revision}")
            tables.append(traced_at(revision, source.model, inputs, options, source.folder or Path.cwd()))
    return tables


def _planned(name: str) -> tuple[Path, Any]:
    """The file of budgets, and the model of that name in it."""
    from symcost.gates.budgets.read import chosen, find, read

    plan = chosen(read(find(Path.cwd())), [name])
    return plan.file, plan.models[0]


def _points(name: str) -> list[dict[str, int]]:
    """The points of a model's budgets; of a range its end."""
    _, model = _planned(name)
    points = [{**budget.at, **{n: values[-1] for n, values in budget.over.items()}} for budget in model.budgets]
    return list({tuple(point.items()): point for point in points}.values())
