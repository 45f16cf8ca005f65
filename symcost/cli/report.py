"""The verb of the page: ``report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from symcost.cli import completion
from symcost.cli.options import Given, Model, On, Specs, Texts, takes_model
from symcost.cli.output import check_writable, checked, shows, write
from symcost.cli.tables import points, tables_of
from symcost.costs.saved.load import is_saved
from symcost.errors import SymcostError


def _check_page(output: Path) -> None:
    if output.suffix not in (".html", ".htm"):
        raise SymcostError(f"--output {output} must end in .html: the page is HTML")
    check_writable(output)


@shows(
    "symcost report resnet50 --at n=n --at r=r --output resnet50.html",
    "symcost report costs.json --output costs.html --device jetson-agx-orin",
    "symcost report examples.gpt:GPT 'int32\\[n,N]' --output gpt.html",
    "symcost report mobilenet_v2 --beside mcunet_in1 --at r=r --output two.html",
    "symcost verify examples.gpt:GPT 'int32\\[n,N]' --at n=1 ... --format json --output verdict.json",
    "symcost report examples.gpt:GPT 'int32\\[n,N]' --verdict verdict.json --output gpt.html",
)
@takes_model
def report(
    given: Given,
    target: Model,
    specs: Specs = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.html",
            help="Write here instead of to standard output.",
            callback=checked(_check_page),
        ),
    ] = None,
    beside: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="A second model beside it, on common symbols.", autocompletion=completion.models
        ),
    ] = None,
    verdict: Annotated[
        Texts, typer.Option(metavar="FILE.json", help="What compilers said, by symcost verify --format json.")
    ] = None,
    device: On = "a100-80gb",
) -> None:
    """One HTML page, without a network or a server, whose sliders evaluate the closed forms exactly.

    A slider starts at the value that --at gives its symbol.
    """
    from symcost.report.page.render import check, render

    check()
    verdicts = _verdicts(verdict or [])
    models = [target] if beside is None else [target, beside]
    sources = given.sources(models, specs)
    tables = list(zip(titles(models), tables_of(sources), strict=True))
    write(render(tables, at=points(sources), on=device, verdicts=verdicts), output)


def _verdicts(files: list[str]) -> dict[str, Any]:
    """Saved verdicts by their files."""
    if not files:
        return {}
    from symcost.referee.verdicts.saved import load_verdict

    return {file: load_verdict(file) for file in files}


def titles(targets: Sequence[str]) -> list[str]:
    """What models are called: files without their suffix, and no two the same.

    >>> titles(["a/net.json", "b/net.json"]), titles(["a/net.json", "alexnet"])
    (['a/net', 'b/net'], ['net', 'alexnet'])
    """
    paths = [Path(each).with_suffix("") if is_saved(each) else None for each in targets]
    short = [path.name if path else each for path, each in zip(paths, targets, strict=True)]
    if len(set(short)) < len(short) and len(set(targets)) == len(targets):
        short = ["/".join(path.parts[-2:]) if path else name for path, name in zip(paths, short, strict=True)]
    return [name if name not in short[:i] else f"{name} ({i + 1})" for i, name in enumerate(short)]
