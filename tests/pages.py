"""Pages with blocks that are run: how they are read and compared, and which compilers a command needs that are not installed."""

from __future__ import annotations

import doctest
import linecache
import re
import shlex
import zlib
from itertools import pairwise
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


def absent_target(command: str) -> str | None:
    """Why a command cannot ask the compilers that it names; ``None`` where they are all here."""
    words = shlex.split(command)
    named = [word for option, word in pairwise(words) if option == "--target"]
    problems = {name: TARGETS[name].problem() for name in named if name in TARGETS}
    return next((f"{name}: {problem}" for name, problem in problems.items() if problem is not None), None)
