"""The command line: parse, call, print. One verb each; user errors are one line and exit code 2."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from symcost.cli import calibrate, check, diff, estimate, layers, report, sweep, verify
from symcost.cli.output import Output, Progress, check_writable, close_standard_output, write
from symcost.errors import SymcostError
from symcost.report import FORMATS
from symcost.sources.texts import integers
from symcost.sources.tracing import Tracing, tracing
from symcost.system.interrupt import INTERRUPTED, PROGRAM, end, watch
from symcost.version import __version__

_UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""The parser's own errors; typer publishes only this subclass."""

app = typer.Typer(name=PROGRAM, add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)

EXAMPLES = """[bold]Examples[/bold]

symcost trace examples.resnet:resnet50 'float32\\[n,r,r,3]' --call train=false

symcost trace examples.gpt:GPT 'int32\\[n,N]' --set n=1 --set N=1024 --format markdown

symcost trace examples.gpt:GPT 'int32\\[n,N]' --arg H=4 --arg V=1000 --mode train --format json --output gpt.json

symcost trace jax.numpy:matmul 'float32\\[m,k]' 'float32\\[k,n]' --function"""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Exact, symbolic cost formulas of JAX and Flax models, and of networks written as layers."""


def _check_format(name: str) -> str:
    if name not in FORMATS:
        raise typer.BadParameter(f"unknown format {name!r}: use {', '.join(FORMATS)}")
    return name


def _check_depth(depth: int | None) -> int | None:
    if depth is not None and depth < 0:
        raise typer.BadParameter(f"{depth} is not a number of levels: use 0 or more")
    return depth


@app.command(epilog=EXAMPLES)
@tracing
def trace(
    how: Tracing,
    target: Annotated[
        str,
        typer.Argument(
            metavar="PKG.MOD:NAME", help="A factory, module or class; its parameters without a default become symbols."
        ),
    ],
    specs: Annotated[
        list[str] | None,
        typer.Argument(metavar="SPEC...", help="Inputs, such as 'float32\\[n,224,224,3]'; names are symbols."),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=INT", help="Give a symbol a value in the report.")
    ] = None,
    depth: Annotated[
        int | None, typer.Option(callback=_check_depth, help="Module levels to show (fitted to a page by default).")
    ] = None,
    format_: Annotated[str, typer.Option("--format", callback=_check_format, help=" | ".join(FORMATS))] = "text",
    output: Output = None,
) -> None:
    """Derive the exact cost of a Flax model in closed form."""
    at = integers("--set", set_)
    check_writable(output)
    with Progress() as progress:
        costs = how.table(target, specs or (), progress)
        shown = costs.subs(**at) if at else costs
        report = FORMATS[format_](shown, depth=depth)
    write(report, output)


layers.add(app)
sweep.add(app)
estimate.add(app)
calibrate.add(app)
verify.add(app)
check.add(app)
diff.add(app)
report.add(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the result is the exit code: 0, 2 for a user's error, 130 when interrupted."""
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        result = app(given or ["--help"], prog_name=PROGRAM, standalone_mode=False)
    except SymcostError as problem:
        return _fail(str(problem))
    except _UsageError as problem:
        return _fail(problem.format_message())  # type: ignore[attr-defined]
    except BrokenPipeError:  # the reader, such as head, has seen enough
        close_standard_output()
        return 1
    except OSError as problem:  # a disk that is full, or a file that is gone meanwhile
        if problem.filename is None:
            close_standard_output()
        place = problem.filename or "standard output"
        return _fail(f"{place} cannot be read or written: {problem.strerror or problem}; make room, or name another")
    except (KeyboardInterrupt, typer.Abort):
        result = INTERRUPTED
    if result == INTERRUPTED:  # newer versions of typer return the code instead of raising
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
    return result if isinstance(result, int) else 0


def script() -> None:
    """Entry point of the installed command."""
    watch()
    gc.freeze()  # what the imports made stays: the collector need not look through it at every turn
    end(main())


def _fail(message: str) -> int:
    print(f"{PROGRAM}: error: {' '.join(message.split())}", file=sys.stderr)
    return 2
