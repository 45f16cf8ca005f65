"""The verb of budgets: ``check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from symcost.cli.output import Output, Progress, one_of, shows, write
from symcost.cli.tables import verdict_of as compiled
from symcost.errors import SymcostError
from symcost.gates.budgets.proofs import named


def verdict_of(model: Any, budget: Any) -> Any:
    """What the compilers of a budget's targets say of a model that is traced."""
    source = model.source
    if not source.traced:
        raise SymcostError(f"models.{model.name}: verdict needs the program, PKG.MOD:NAME: {source.model} is a table")
    return named(f"models.{model.name}", lambda: compiled(source, budget.at, budget.targets))


@shows(
    "symcost check",
    "symcost check budgets/symcost.toml --format markdown --output budgets.md",
    "symcost check --model gpt --format github",
    'A budget: [\\[tool.symcost.models.gpt.budgets]] at = { n = 1, d = 768 }, over = { L = "1..48" }, params = "125 M"',
    "Exit code 0: every limit holds. 1: one does not. 2: an error of use.",
)
def check(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="symcost.toml or pyproject.toml; the nearest unless given."),
    ] = None,
    model: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only these models.")] = None,
    format_: Annotated[str, one_of("text", "markdown", "json", "junit", "github", "gitlab")] = "text",
    output: Output = None,
) -> None:
    """Hold models to their budgets, at points and proved over ranges. Exit code 1 when a limit is exceeded."""
    from symcost.gates.budgets.check import check as judged
    from symcost.gates.budgets.read import chosen as models_of
    from symcost.gates.budgets.read import find, read
    from symcost.report.subjects import gate

    plan = models_of(read(file or find(Path.cwd())), model or [])
    with Progress() as progress:

        def table_of(model: Any) -> Any:
            progress.say(f"budgets of {model.name}")
            return model.source.table(progress)

        verdict = judged(plan, table_of, verdict_of)
    write(gate.FORMATS[format_](verdict), output)
    if not verdict:
        raise typer.Exit(1)
