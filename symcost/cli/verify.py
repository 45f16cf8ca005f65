"""The verbs of the referee: ``verify`` and ``targets``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from symcost.cli import completion
from symcost.cli.options import Given, Model, Specs, Texts, takes_model
from symcost.cli.output import Output, Steps, one_of, shows, write
from symcost.cli.tables import table_of, verdict_of
from symcost.errors import SymcostError
from symcost.referee.compilers.start import start_jax


@shows(
    "symcost verify examples.resnet:resnet50 'float32\\[n,r,r,3]' --call train=false --at n=1 --at r=224 --at classes=1000",
    "symcost verify examples.scan_or_unrolled:Scanned 'float32\\[n,N,d]' --at n=1 --at N=64 --at d=32 --at L=6 --against flax,xla",
    "symcost verify resnet18 --arg r=r --at r=64 --target cpu --target tpu-v5e",
    "symcost verify flax.linen:Dense 'float32\\[n,c]' --at n=64 --at c=8 --at features=8 --target cuda-h100 "
    "--mesh d=8 --shard inputs/0=d",
    "Exit code 0: the verdict is true. 1: it is false. 2: it is incomplete, since a target did not answer; or an error of use.",
)
@takes_model
def verify(
    given: Given,
    model: Model,
    specs: Specs = None,
    target: Annotated[
        Texts,
        typer.Option(
            metavar="TARGET",
            help="cpu, tpu-v5e, cuda-h100, ...; symcost targets lists them.",
            autocompletion=completion.targets,
        ),
    ] = None,
    against: Annotated[str, typer.Option(metavar="NAME,...", help="Other counters to show: flax, roofline, xla.")] = "",
    timeout: Annotated[float, typer.Option(min=0.001, metavar="SECONDS", help="What one compiler may take.")] = 600.0,
    cache: Annotated[bool, typer.Option(help="Keep and reuse the compilers' answers.")] = True,
    format_: Annotated[str, one_of("text", "markdown", "json")] = "text",
    output: Output = None,
) -> None:
    """Compile for the named targets: is our count the compilers' number? Exit code 1 when it is not, 2 when one is silent.

    Every symbol needs a value, given by --at. With --mesh also every byte that devices exchange and hold.
    """
    from symcost.referee.compilers.targets import target as target_of
    from symcost.referee.verdicts.verdict import FALSE
    from symcost.report.subjects import verdict as report

    for name in target or ():
        target_of(name)
    source = given.source(model, specs, point=True, verdict=True)
    options: dict[str, Any] = {"against": against, "timeout": timeout, "cache": cache}
    plan = source.how.plan
    if plan is not None:
        check_given(plan.symbols, source.left)
    table = None if plan is None else table_of(source)
    with Steps() as progress:
        verdict = verdict_of(source, source.left, target or ["cpu"], table, **options, on_event=progress)
    write(report.FORMATS[format_](verdict), output)
    if not verdict:
        raise typer.Exit(1 if verdict.outcome == FALSE else 2)


def check_given(symbols: Sequence[str], at: Mapping[str, int]) -> None:
    """Raise where an axis of a mesh has no size."""
    for name in symbols:
        if name not in at:
            raise SymcostError(
                f"an axis of the mesh has the size {name}, which has no value: give it with --at {name}=4"
            )


@shows(
    "symcost targets",
    "symcost targets --try --format json",
)
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
