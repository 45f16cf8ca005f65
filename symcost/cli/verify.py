"""The verbs of the referee: ``verify`` and ``targets``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from symcost.cli.output import Output, Steps, check_writable, write
from symcost.errors import SymcostError
from symcost.reading.nearest import known_format
from symcost.referee.compilers.start import start_jax
from symcost.sources.texts import bind, integers, load, numbers, values

VERIFY_EXAMPLES = """[bold]Examples[/bold]

symcost verify examples.resnet:resnet50 'float32\\[n,r,r,3]' --call train=false --at n=1 --at r=224 --at classes=1000

symcost verify examples.scan_or_unrolled:Scanned 'float32\\[n,N,d]' --at n=1 --at N=64 --at d=32 --at L=6 --against flax,xla

symcost verify resnet18 --arg r=r --at r=64 --target cpu --target tpu-v5e

symcost verify flax.linen:Dense 'float32\\[n,c]' --at n=64 --at c=8 --at features=8 --target cuda-h100 --mesh d=8 --shard inputs=d

Exit code 0: the verdict is true. 1: it is false. 2: it is incomplete, since a target did not answer; or an error of use."""

TARGETS_EXAMPLES = """[bold]Examples[/bold]

symcost targets

symcost targets --try --format json"""

Texts = list[str] | None


def verify(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="PKG.MOD:NAME, as in symcost trace, or a reference network."),
    ],
    specs: Annotated[Texts, typer.Argument(metavar="SPEC...", help="Inputs, such as 'float32\\[n,224,224,3]'.")] = None,
    at: Annotated[Texts, typer.Option(metavar="NAME=INT", help="The value of a symbol; all of them need one.")] = None,
    target: Annotated[
        Texts, typer.Option(metavar="TARGET", help="cpu, tpu-v5e, cuda-h100, ...; symcost targets lists them.")
    ] = None,
    against: Annotated[str, typer.Option(metavar="NAME,...", help="Other counters to show: flax, roofline, xla.")] = "",
    call: Annotated[Texts, typer.Option(metavar="NAME=VALUE", help="Keyword argument of the call.")] = None,
    arg: Annotated[Texts, typer.Option(metavar="NAME=VALUE", help="Fix a parameter of the factory.")] = None,
    free: Annotated[Texts, typer.Option(metavar="NAME", help="Make a parameter with a default a symbol too.")] = None,
    steps: Annotated[Texts, typer.Option(metavar="NAME=INT", help="The symbol is a multiple of this.")] = None,
    at_least: Annotated[Texts, typer.Option(metavar="NAME=INT", help="The symbol is at least this.")] = None,
    samples: Annotated[
        Texts, typer.Option(metavar="NAME=INT,INT,...", help="Values of the symbol to trace at.")
    ] = None,
    rng: Annotated[Texts, typer.Option(metavar="NAME", help="A further random stream of a linen module.")] = None,
    mode: Annotated[str, typer.Option(help="forward, or train: forward and backward.")] = "forward",
    wrt: Annotated[Texts, typer.Option(metavar="PATTERN", help="What is trained, by path: '**/lora/**'.")] = None,
    method: Annotated[str, typer.Option(help="The module's method.")] = "__call__",
    function: Annotated[bool, typer.Option("--function", help="NAME is a plain JAX function of the inputs.")] = False,
    mesh: Annotated[Texts, typer.Option(metavar="AXIS=INT", help="An axis of a mesh of devices.")] = None,
    shard: Annotated[
        Texts, typer.Option(metavar="PART=AXIS,-,...", help="Mesh axes of arrays whose name has this part; - for none.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.001, metavar="SECONDS", help="What one compiler may take.")] = 600.0,
    cache: Annotated[bool, typer.Option(help="Keep and reuse the compilers' answers.")] = True,
    format_: Annotated[str, typer.Option("--format", help="text | markdown | json")] = "text",
    output: Output = None,
) -> None:
    """Compile for the named targets: is our count the compilers' number? Exit code 1 when it is not, 2 when one is silent."""
    from symcost.report.subjects import verdict as report

    known_format(format_, report.FORMATS)
    check_writable(output)
    options: dict[str, Any] = {
        "at": integers("--at", at), "targets": target or ["cpu"], "against": _words(against),
        "call": values("--call", call), "steps": integers("--steps", steps), "at_least": integers("--at-least", at_least),
        "samples": numbers("--samples", samples), "free": free or (), "rngs": rng or (), "mode": mode, "wrt": wrt or None,
        "method": method, "function": function, "mesh": integers("--mesh", mesh), "timeout": timeout, "cache": cache,
        "shard": {part: _axes(text) for part, text in _parts(shard)},
    }  # fmt: skip
    fixed = values("--arg", arg)
    if function and (fixed or free or wrt):
        raise SymcostError("--function takes none of --arg, --free, --wrt: use --call")
    found = bind(load(model), fixed, model) if ":" in model else _reference(model, fixed)
    from symcost.referee.verdicts import face  # needs jax, which was started without a word
    from symcost.referee.verdicts.verdict import FALSE

    with Steps() as progress:
        verdict = face.verify(
            found, *(specs or ()), **options, name="" if fixed or ":" not in model else model, on_event=progress
        )
    write(report.render(verdict, format_), output)
    if not verdict:
        raise typer.Exit(1 if verdict.outcome == FALSE else 2)


def _reference(name: str, fixed: dict[str, Any]) -> Any:
    from symcost.models.catalog import reference

    network = reference(name)(**fixed)
    start_jax()
    return network


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _parts(given: Texts) -> list[tuple[str, str]]:
    found = []
    for text in given or ():
        part, equals, axes = text.rpartition("=")
        if not equals or not part:
            raise SymcostError(f"--shard {text!r} must be PART=AXIS,..., as --shard kernel=-,model")
        found.append((part, axes))
    return found


def _axes(text: str) -> tuple[str | None, ...]:
    return tuple(None if word in ("-", "") else word for word in text.split(","))


def targets(
    attempt: Annotated[
        bool, typer.Option("--try", help="Compile a small program for each that seems to work.")
    ] = False,
    format_: Annotated[str, typer.Option("--format", help="text | json")] = "text",
    output: Output = None,
) -> None:
    """What can be compiled for on this machine, and which extra to install for the rest."""
    from symcost.referee.compilers.targets import TARGETS
    from symcost.report.subjects.targets import FORMATS

    known_format(format_, FORMATS)
    check_writable(output)
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
