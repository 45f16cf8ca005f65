"""Pages with blocks that are run: how they are read and compared, and which compilers a command needs that are not installed."""

from __future__ import annotations

import doctest
import linecache
import re
import zlib
from pathlib import Path
from types import CodeType

from symcost.referee.compilers.targets import TARGETS

WIDTH = "100"


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of every block of a page."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def compiled(code: str, page: str) -> CodeType:
    """A block as a file of its own, whose text can be read as that of a notebook's cell can."""
    name = f"<{page}, {zlib.crc32(code.encode())}>"
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    return compile(code, name, "exec")


def matches(shown: str, printed: str) -> None:
    """Compare what is shown with what was printed; ``...`` stands for anything."""
    if not doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS):
        assert printed == shown


NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?! terms?\b)")
"""A number as it is printed; how many terms a formula has is told only where the formula has no room."""


def cut(shown: str, whole: str, columns: int) -> list[str]:
    """What is wrong with a report of so many columns: numbers that the widest one has not, names that are cut, lines too long.

    A formula without room is its leading terms, whose sum may have other factors: after ``…`` numbers are not compared. Nor is
    how many configurations a search visits: that differs from run to run.
    """
    wide = set(NUMBER.findall(whole))
    parts = [line for line in shown.splitlines() if "…" not in line and "visited" not in line]
    numbers = [number for line in parts for number in NUMBER.findall(line) if number not in wide]
    names = re.findall(r"\w…", shown)
    long = [line for line in shown.splitlines() if len(line) > columns and " " in line.strip()]
    return [*numbers, *names, *long]


def absent_target(text: str) -> str | None:
    """Why a command, or a block of Python, cannot ask the compilers that it names; ``None`` where they are all here."""
    listed = " ".join(re.findall(r"targets=\[(.*?)\]", text))
    named = [*re.findall(r"--target (\S+)", text), *re.findall(r"[\w-]+", listed)]
    problems = {name: TARGETS[name].problem() for name in named if name in TARGETS}
    return next((f"{name}: {problem}" for name, problem in problems.items() if problem is not None), None)
