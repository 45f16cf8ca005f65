"""The verb of budgets: ``check``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from symcost.cli.output import Output, Progress, check_writable, write
from symcost.errors import SymcostError
from symcost.reading.nearest import known_format
from symcost.sources.texts import bind
from symcost.sources.texts import load as load_model
from symcost.sources.tracing import Tracing

CHECK_EXAMPLES = """[bold]Examples[/bold]

symcost check

symcost check budgets/symcost.toml --format markdown --output budgets.md

symcost check --model gpt --format github

A budget: [[tool.symcost.models.gpt.budgets]] at = { n = 1, d = 768 }, over = { L = "1..48" }, params = "125 M"

Exit code 0: every limit holds. 1: one does not. 2: an error of use."""


def table_of(model: Any, folder: Path) -> Any:
    """The table of a model in a plan: a saved file beside it, a reference network, or a model that is traced."""
    from symcost.costs.saved.face import is_saved, load

    options = dict(model.options)
    if is_saved(model.model) or ":" not in model.model:
        arguments = {} if is_saved(model.model) else options.pop("arg", {})
        if options:
            raise SymcostError(f"models.{model.name}: {next(iter(options))} is for a model to trace, not {model.model}")
        if is_saved(model.model):
            return load(folder / model.model)
        from symcost.models.catalog import literal, reference

        return reference(model.model)(**{n: literal(str(v)) for n, v in arguments.items()})
    specs = options.pop("specs", [])
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return Tracing(**options).table(model.model, specs)


def verdict_of(model: Any, budget: Any) -> Any:
    """What the compilers of a budget's targets say of a model that is traced."""
    if ":" not in model.model:
        raise SymcostError(f"models.{model.name}: verdict needs the program, PKG.MOD:NAME: {model.model} is a table")
    options = dict(model.options)
    specs, fixed = options.pop("specs", []), options.pop("arg", {})
    options.pop("active", None)  # of the parameters alone: the program is the same
    if options.pop("axes", None):
        raise SymcostError(
            f"models.{model.name}: verdict compiles for one device, where no axes are: leave one of them"
        )
    options.pop("referee", None)  # a verdict compares with XLA by itself
    found = bind(load_model(model.model), fixed, model.model)
    from symcost.referee.verdicts import face  # brings jax, which the line above started

    return face.verify(
        found, *specs, at=budget.at, targets=budget.targets, name="" if fixed else model.model, **options
    )


def check(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="symcost.toml or pyproject.toml; the nearest unless given."),
    ] = None,
    model: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only these models.")] = None,
    format_: Annotated[str, typer.Option("--format", help="text | markdown | json | junit | github | gitlab")] = "text",
    output: Output = None,
) -> None:
    """Hold models to their budgets, at points and proved over ranges. Exit code 1 when a limit is exceeded."""
    from symcost.gates.budgets.check import check as checked
    from symcost.gates.budgets.read import chosen, find, read
    from symcost.report.subjects import gate

    known_format(format_, gate.FORMATS)
    check_writable(output)
    plan = chosen(read(file or find(Path.cwd())), model or [])
    with Progress() as progress:

        def made(each: Any) -> Any:
            progress.say(f"budgets of {each.name}")
            return table_of(each, plan.file.parent)

        verdict = checked(plan, made, verdict_of)
    write(gate.FORMATS[format_](verdict), output)
    if not verdict:
        raise typer.Exit(1)


def add(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(epilog=CHECK_EXAMPLES)(check)
