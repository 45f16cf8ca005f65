"""The verb of the page: ``report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from symcost.cli_input import integers
from symcost.cli_output import check_writable, write
from symcost.cli_target import table_of
from symcost.errors import SymcostError

REPORT_EXAMPLES = """[bold]Examples[/bold]

symcost report resnet50 --set n=n --set r=r --output resnet50.html

symcost report costs.json --output costs.html --device jetson-agx-orin

symcost report examples.gpt:GPT 'int32\\[n,N]' --output gpt.html

symcost report mobilenet_v2 --beside mcunet_in1 --set r=r --output two.html

symcost verify examples.gpt:GPT 'int32\\[n,N]' --at n=1 ... --format json --output verdict.json

symcost report examples.gpt:GPT 'int32\\[n,N]' --verdict verdict.json --output gpt.html"""

Texts = list[str] | None


def report(
    target: Annotated[str, typer.Argument(metavar="MODEL", help="A saved file, a reference network, or PKG.MOD:NAME.")],
    specs: Annotated[Texts, typer.Argument(metavar="SPEC...", help="Inputs of a model to trace.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE.html", help="Write here instead of to standard output."),
    ] = None,
    beside: Annotated[
        str | None, typer.Option(metavar="MODEL", help="A second model beside it, on common symbols.")
    ] = None,
    at: Annotated[Texts, typer.Option(metavar="NAME=INT", help="Where a slider starts.")] = None,
    verdict: Annotated[
        Texts, typer.Option(metavar="FILE.json", help="What compilers said, by symcost verify --format json.")
    ] = None,
    device: Annotated[str, typer.Option(metavar="DEVICE", help="The device chosen at first.")] = "nvidia-a100-sxm-80gb",
    set_: Annotated[
        Texts,
        typer.Option("--set", metavar="NAME=VALUE", help="A number or symbol for a reference network's parameter."),
    ] = None,
    arg: Annotated[Texts, typer.Option(metavar="NAME=VALUE", help="Fix a parameter of a traced factory.")] = None,
    call: Annotated[Texts, typer.Option(metavar="NAME=VALUE", help="Keyword argument of a traced call.")] = None,
) -> None:
    """One HTML page, without a network or a server, whose sliders evaluate the closed forms exactly."""
    from symcost.devices import device as device_of
    from symcost.report.page.render import render

    if output is not None and output.suffix not in (".html", ".htm"):
        raise SymcostError(f"--output {output} must end in .html: the page is HTML")
    check_writable(output)
    device_of(device)
    verdicts = _verdicts(verdict or [])
    given = [target] if beside is None else [target, beside]
    tables = [
        (Path(each).stem if each.endswith(".json") else each, _table(each, specs, set_, arg, call)) for each in given
    ]
    write(render(tables, at=integers("--at", at), on=device, verdicts=verdicts), output)


def _verdicts(files: list[str]) -> dict[str, Any]:
    """Saved verdicts by their files."""
    if not files:
        return {}
    from symcost.verify.saved import load_verdict

    return {file: load_verdict(file) for file in files}


def _table(each: str, specs: Texts, set_: Texts, arg: Texts, call: Texts) -> Any:
    """A table of the page: specs, ``--arg`` and ``--call`` are for what is traced, ``--set`` for the others."""
    traced = ":" in each
    return table_of(each, specs if traced else None, set_, arg if traced else None, call if traced else None)


def add(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(epilog=REPORT_EXAMPLES)(report)
