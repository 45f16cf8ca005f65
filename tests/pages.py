"""Pages with blocks that are run: how they are read and compared, and what a block needs that is not installed."""

from __future__ import annotations

import doctest
import re
import shlex
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from effort import ABSENT

from symcost.errors import SymcostError
from symcost.referee.compilers.targets import TARGETS

WIDTH = "100"
NEEDED = re.compile(r"needs (\w+), which is not installed: pip install")


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of every block of a page."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


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


def absent_package(problem: Exception) -> str | None:
    """What an exception of a block says is not installed; ``None`` where it is here, and the exception is a fault."""
    found = NEEDED.search(str(problem)) if isinstance(problem, SymcostError) else None
    name = problem.name if isinstance(problem, ModuleNotFoundError) else found and found[1]
    top = (name or "").partition(".")[0]
    return ABSENT.format("a block", top) if top and find_spec(top) is None else None
