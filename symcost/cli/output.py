"""What the command line shows: progress while it works, and reports that are whole or not there at all."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from symcost.cli import completion
from symcost.errors import SymcostError
from symcost.reading.nearest import one_of as among
from symcost.reading.numerals import so_many
from symcost.system.files import save_whole

USUAL, MOST = "15 to 160", 160
"""Traces of models by others, as they were counted when the closed form was found."""
PATIENCE = 1.0
"""Seconds of work before anything is shown about it."""
LONG = 30.0
"""Seconds of work without a word in a pipe or a file."""


def checked(check: Callable[[Any], object]) -> Callable[[typer.Context, Any], Any]:
    """What an option calls with its value: what is wrong with it is said before the verb begins, and so before any trace."""

    def callback(context: typer.Context, value: Any) -> Any:
        if value is not None and not context.resilient_parsing:
            check(value)
        return value

    return callback


EPILOGS: dict[str, str] = {}
"""By verb what its help ends with."""


def shows(*examples: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator of verbs, whose help ends with these examples."""

    def added(verb: Callable[..., None]) -> Callable[..., None]:
        EPILOGS[verb.__name__] = "\n\n".join(("[bold]Examples[/bold]", *examples))
        return verb

    return added


class WholeHelp(TyperCommand):
    """A verb whose help breaks a word that is longer than its column, where typer's would cut it."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        from typer import rich_utils  # with rich: verbs that print no help should start at once

        kept = {name: getattr(rich_utils, name) for name in ("highlighter", "negative_highlighter")}
        try:
            for name, highlight in kept.items():
                setattr(rich_utils, name, _folding(highlight))
            super().format_help(ctx, formatter)
        finally:
            for name, highlight in kept.items():
                setattr(rich_utils, name, highlight)


def _folding(highlight: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def made(text: Any) -> Any:
        shown = highlight(text)
        shown.overflow = "fold"
        return shown

    return made


def one_of(*formats: str) -> Any:
    """The option of a verb that reports in several formats."""
    return typer.Option(
        "--format", help=" | ".join(formats), callback=checked(lambda name: among(name, formats, "format")),
        autocompletion=completion.one_of(formats),
    )  # fmt: skip


def check_writable(output: Path, option: str = "--output") -> None:
    """Refuse a file that cannot be written before the work begins."""
    if output.is_dir():
        raise SymcostError(f"{option} {output} is a directory: name a file")
    if output.exists() and not output.is_file():
        if not os.access(output, os.W_OK):
            raise SymcostError(f"{option} {output} cannot be written: you may not write to this device")
        return
    folder = output.resolve().parent if output.is_symlink() else output.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise SymcostError(f"{option} {output} cannot be written: there is no writable directory {folder}")


Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write here instead of to standard output.",
        callback=checked(check_writable),
    ),
]
"""The option of every verb that reports."""


def _bar(*more: Any) -> Any:
    """A bar on standard error, for terminals alone. Rich is imported here: verbs that show none should start at once."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"), BarColumn(), *more, console=console, transient=True,
        disable=not console.is_terminal, redirect_stdout=False,
    )  # fmt: skip


class Progress(ExitStack):
    """A bar with the number of traces on standard error, shown when the work takes longer than a second.

    How many traces a model needs shows only on the way, so the bar moves without an end, beside the time so far and how many
    most models need. What the model prints meanwhile goes to standard error too: standard output holds the report and
    nothing else.
    """

    def __init__(self, what: str = "tracing") -> None:
        from rich.progress import TimeElapsedColumn

        super().__init__()
        self.bar = _bar(TimeElapsedColumn())
        self.task = self.bar.add_task(what, total=None)
        self.start = self.told = time.monotonic()
        self.timer = threading.Timer(PATIENCE, self.bar.start)
        self.timer.daemon = True

    def __enter__(self) -> Progress:
        self.enter_context(redirect_stdout(sys.stderr))
        self.timer.start()
        self.callback(self._end)
        return self

    def __call__(self, count: int) -> None:
        """Show that ``count`` traces are done."""
        usual = f", most models need {USUAL}" if count <= MOST else f", more than the {MOST} that most models need"
        self.say(f"tracing: {so_many(count, 'trace')}{usual}")

    def say(self, what: str) -> None:
        """Show what is being done."""
        self.bar.update(self.task, description=what)
        now = time.monotonic()
        if self.bar.disable and now - self.told >= LONG:  # of long work a pipe gets a line now and then
            self.told = now
            print(f"{now - self.start:6.0f} s  {what}", file=sys.stderr, flush=True)

    def _end(self) -> None:
        self.timer.cancel()
        self.timer.join()
        self.bar.stop()


class Steps(ExitStack):
    """A line on standard error for what happens to every target, with the seconds since the start; none in a pipe.

    What the model prints meanwhile goes to standard error too: standard output holds the report and nothing else.
    """

    def __enter__(self) -> Steps:
        self.start = time.monotonic()
        self.enter_context(redirect_stdout(sys.stderr))
        return self

    def __call__(self, target: str, event: str) -> None:
        """Tell what happened to a target."""
        if sys.stderr.isatty():
            print(f"{time.monotonic() - self.start:6.1f} s  {target}: {event}", file=sys.stderr, flush=True)


class SweepProgress(ExitStack):
    """A bar on standard error with the share that is done, the rate in configurations per second, and the time left."""

    def __init__(self, size: int) -> None:
        from rich.progress import TextColumn, TimeRemainingColumn

        super().__init__()
        columns = TextColumn("{task.percentage:.0f} %"), TextColumn("{task.fields[rate]}"), TimeRemainingColumn()
        self.bar, self.size = _bar(*columns), size
        self.task = self.bar.add_task("sweeping", total=1.0, rate="")
        self.phase, self.last = "", 0.0
        self.started, self.begun = time.monotonic(), 0.0

    def __enter__(self) -> SweepProgress:
        self.enter_context(self.bar)
        return self

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show that ``done`` of ``total`` outer steps are searched.

        What is there when a phase begins (the first call) was not done now: the rate and the time left are of the rest.
        """
        share, now = done / total, time.monotonic()
        if what != self.phase or share < self.last:
            self.phase, self.started, self.begun = what, now, share
            self.bar.reset(self.task, total=total, completed=done, description=what, rate="")
        self.last = share
        rate = self.rate(share, now)
        shown = f"{rate:.3g} configurations/s" if rate else ""
        self.bar.update(self.task, completed=done, description=what, rate=shown)

    def rate(self, share: float, now: float) -> float:
        """Configurations per second since the phase began."""
        return self.size * (share - self.begun) / max(now - self.started, 1e-9)


def close_standard_output() -> None:
    """Let what is left for a reader who is gone, or for a full disk, go nowhere: it cannot be told again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write(report: str, output: Path | None) -> None:
    """The report on standard output, or in a file that appears whole: written aside, then moved into place."""
    if output is None:
        try:
            print(report, flush=True)
        except BrokenPipeError:
            raise
        except OSError as problem:
            close_standard_output()
            raise SymcostError(
                f"standard output cannot be written: {problem.strerror}; make room, or name a file with --output"
            ) from None
        return
    save_whole(report, output, "--output")
