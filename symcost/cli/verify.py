"""The verbs of the referee: ``verify`` and ``targets``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from symcost.cli.options import Given, Model, Specs, Texts, takes_model
from symcost.cli.output import Output, Steps, one_of, write
from symcost.errors import SymcostError
from symcost.reading.numerals import short
from symcost.referee.compilers.start import start_jax
from symcost.sources.texts import integers

VERIFY_EXAMPLES = """[bold]Examples[/bold]

symcost verify examples.resnet:resnet50 'float32\\[n,r,r,3]' --call train=false --at n=1 --at r=224 --at classes=1000

symcost verify examples.scan_or_unrolled:Scanned 'float32\\[n,N,d]' --at n=1 --at N=64 --at d=32 --at L=6 --against flax,xla

symcost verify resnet18 --arg r=r --at r=64 --target cpu --target tpu-v5e

symcost verify flax.linen:Dense 'float32\\[n,c]' --at n=64 --at c=8 --at features=8 --target cuda-h100 --mesh d=8 --shard inputs=d

Exit code 0: the verdict is true. 1: it is false. 2: it is incomplete, since a target did not answer; or an error of use."""

TARGETS_EXAMPLES = """[bold]Examples[/bold]

symcost targets

symcost targets --try --format json"""


@takes_model
def verify(
    given: Given,
    model: Model,
    specs: Specs = None,
    target: Annotated[
        Texts, typer.Option(metavar="TARGET", help="cpu, tpu-v5e, cuda-h100, ...; symcost targets lists them.")
    ] = None,
    against: Annotated[str, typer.Option(metavar="NAME,...", help="Other counters to show: flax, roofline, xla.")] = "",
    mesh: Annotated[Texts, typer.Option(metavar="AXIS=INT", help="An axis of a mesh of devices.")] = None,
    shard: Annotated[
        Texts, typer.Option(metavar="PART=AXIS,-,...", help="Mesh axes of arrays whose name has this part; - for none.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.001, metavar="SECONDS", help="What one compiler may take.")] = 600.0,
    cache: Annotated[bool, typer.Option(help="Keep and reuse the compilers' answers.")] = True,
    format_: Annotated[str, one_of("text", "markdown", "json")] = "text",
    output: Output = None,
) -> None:
    """Compile for the named targets: is our count the compilers' number? Exit code 1 when it is not, 2 when one is silent.

    Every symbol needs a value, given by --at.
    """
    from symcost.referee.compilers.targets import target as target_of
    from symcost.report.subjects import verdict as report

    for name in target or ():
        target_of(name)
    source = given.source(model, specs, point=True, verdict=True)
    options: dict[str, Any] = {
        "targets": target or ["cpu"], "against": against, "timeout": timeout, "cache": cache,
        "mesh": integers("--mesh", mesh), "shard": {part: _axes(text) for part, text in _parts(shard)},
    }  # fmt: skip
    start_jax()
    program, inputs, how, name = source.program()
    from symcost.referee.verdicts import verify as referee  # needs jax, which was started without a word
    from symcost.referee.verdicts.verdict import FALSE

    with Steps() as progress:
        verdict = referee.verify(program, *inputs, at=source.left, **options, **how, name=name, on_event=progress)
    write(report.FORMATS[format_](verdict), output)
    if not verdict:
        raise typer.Exit(1 if verdict.outcome == FALSE else 2)


def _parts(given: Texts) -> list[tuple[str, str]]:
    found = []
    for text in given or ():
        part, equals, axes = text.rpartition("=")
        if not equals or not part:
            raise SymcostError(f"--shard {short(text)} must be PART=AXIS,..., as --shard kernel=-,model")
        found.append((part, axes))
    return found


def _axes(text: str) -> tuple[str | None, ...]:
    return tuple(None if word in ("-", "") else word for word in text.split(","))


def targets(
    attempt: Annotated[
        bool, typer.Option("--try", help="Compile a small program for each that seems to work.")
    ] = False,
    format_: Annotated[str, one_of("text", "json")] = "text",
    output: Output = None,
) -> None:
    """What can be compiled for on this machine, and which extra to install for the rest."""
    from symcost.referee.compilers.targets import TARGETS
    from symcost.report.subjects.targets import FORMATS

    problems = {name: each.problem() for name, each in TARGETS.items()}
    if attempt:
        start_jax()
        from symcost.referee.compilers.trial import tried

        with Steps() as progress:
            problems.update(tried([TARGETS[name] for name, problem in problems.items() if problem is None], progress))
    write(FORMATS[format_](problems), output)


def add(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command(epilog=VERIFY_EXAMPLES)(verify)
    app.command(epilog=TARGETS_EXAMPLES)(targets)
