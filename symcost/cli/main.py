"""The command line: parse, call, print. One verb each; user errors are one line and exit code 2."""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from symcost.cli import calibrate, check, diff, estimate, layers, report, verify
from symcost.cli.options import Given, Model, Specs, takes_model
from symcost.cli.output import EPILOGS, WholeHelp, close_standard_output, shows
from symcost.cli.screen import ScreenOptions, takes_screen
from symcost.cli.search import plans, sweep
from symcost.cli.tables import table_of
from symcost.cli.wording import as_options
from symcost.errors import SymcostError
from symcost.reading.nearest import choose
from symcost.reading.numerals import clipped
from symcost.system.interrupt import INTERRUPTED, PROGRAM, UNREAD, end, watch
from symcost.version import __version__

_UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""The parser's own errors; typer publishes only this subclass."""

app = typer.Typer(
    name=PROGRAM, rich_markup_mode="rich", pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip


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


@shows(
    "symcost trace examples.resnet:resnet50 'float32\\[n,r,r,3]' --call train=false",
    "symcost trace examples.gpt:GPT 'int32\\[n,N]' --at n=1 --at N=1024 --format markdown",
    "symcost trace examples.gpt:GPT 'int32\\[n,N]' --arg H=4 --arg V=1000 --mode train --format json --output gpt.json",
    "symcost trace jax.numpy:matmul 'float32\\[m,k]' 'float32\\[k,n]' --function",
    "symcost trace flax.linen:Dense 'float32\\[n,c]' --mode train --mesh data=X --shard inputs/0=data",
)
@takes_model
@takes_screen
def trace(given: Given, screen: ScreenOptions, target: Model, specs: Specs = None) -> None:
    """Derive the exact cost of a Flax model in closed form; with --mesh also what each device of it computes and sends."""
    screen.show(table_of(given.source(target, specs)))


VERBS = (
    trace, layers.table, layers.models, layers.audit, sweep.sweep, plans.plans, estimate.devices, estimate.estimate, estimate.fits,
    estimate.solve, estimate.plot, calibrate.calibrate, verify.verify, verify.targets, check.check, diff.diff, report.report,
)  # fmt: skip
for verb in VERBS:
    app.command(cls=WholeHelp, epilog=EPILOGS[verb.__name__])(verb)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the result is the exit code: 0, 2 for a user's error, 130 interrupted, 141 when nobody reads on."""
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        result = app(given or ["--help"], prog_name=PROGRAM, standalone_mode=False)
    except SymcostError as problem:
        return _fail(as_options(str(problem)))
    except _UsageError as problem:
        return _fail(_with_cure(problem.format_message()))  # type: ignore[attr-defined]
    except (BrokenPipeError, SystemExit) as problem:
        if not _is_unread(problem):
            raise
        close_standard_output()
        return UNREAD
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


def _is_unread(problem: BaseException) -> bool:
    """Whether the reader, such as head, has seen enough: the libraries of the screen end themselves where they notice it."""
    return isinstance(problem, BrokenPipeError) or isinstance(problem.__context__, BrokenPipeError)


def _with_cure(message: str) -> str:
    """An error of the parser, with the verbs that were perhaps meant behind an unknown one.

    >>> _with_cure("No such command 'trase'.")
    "No such command 'trase': did you mean trace or table?"
    """
    unknown = re.fullmatch(r"No such command ('.*')\..*", message)
    if unknown is None:
        return message
    return f"No such command {unknown[1]}: {choose(unknown[1], (verb.__name__ for verb in VERBS))}"


def script() -> None:
    """Entry point of the installed command."""
    watch()
    gc.freeze()  # what the imports made stays: the collector need not look through it at every turn
    gc.set_threshold(100_000)  # most of what traces make stays too
    gc.enable()
    end(main())


def _fail(message: str) -> int:
    print(f"{PROGRAM}: error: {clipped(' '.join(message.split()))}", file=sys.stderr)
    return 2
