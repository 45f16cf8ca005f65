"""A model at a git revision: checked out aside, traced by a process of its own, and the checkout removed again."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from symcost.costs.saved.load import load
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.reading.numerals import short

TREE = "."
"""Names the working tree as it is, instead of a revision."""
_ORIGIN = "import sys, importlib.util as u; sys.path.insert(0, ''); s = u.find_spec(sys.argv[1]); print(s.origin if s else '')"


def traced_at(revision: str, target: str, specs: Sequence[str], options: Sequence[str], folder: Path) -> CostTable:
    """The table of ``PKG.MOD:NAME`` as it is at a revision; ``specs`` and ``options`` are those of ``symcost trace``."""
    if revision == TREE:
        return _traced(target, specs, options, folder, folder)
    top = Path(_git(folder, "rev-parse", "--show-toplevel", what=f"{folder} is in no git repository"))
    commit = _git(
        folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}",
        what=f"there is no revision {short(revision)} in {top}: git log shows them",
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="symcost-") as place:
        aside = Path(place).resolve() / "tree"
        apart = ("worktree", "add", "--quiet", "--detach")
        _git(folder, *apart, str(aside), commit, what=f"{revision} cannot be checked out")
        try:
            return _traced(target, specs, options, aside / folder.resolve().relative_to(top.resolve()), aside)
        finally:
            _git(folder, "worktree", "remove", "--force", str(aside), what=f"{aside} cannot be removed")


def _traced(target: str, specs: Sequence[str], options: Sequence[str], folder: Path, top: Path) -> CostTable:
    paths = [str(place) for place in (folder / "src", top / "src") if place.is_dir()]
    before = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *before]), "PYTHONDONTWRITEBYTECODE": "1"}
    if not folder.is_dir():
        raise SymcostError(f"the folder {folder.name} is not in that revision: run symcost diff from one that is")
    module = target.partition(":")[0]
    origin = _run([sys.executable, "-P", "-c", _ORIGIN, module], folder, environment).strip()
    if origin and not Path(origin).resolve().is_relative_to(top.resolve()):
        raise SymcostError(
            f"{module} is imported from {origin} and not from the checkout: put its folder beside, or in src"
        )
    with tempfile.TemporaryDirectory(prefix="symcost-") as place:
        file = Path(place) / "costs.json"
        _run([sys.executable, "-P", "-m", "symcost", "trace", *options, "--format", "json", "--output", str(file), "--",
              target, *specs], folder, environment)  # fmt: skip
        return load(file)


def _run(command: Sequence[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise SymcostError(last.removeprefix("symcost: error: "))
    return done.stdout


def _git(folder: Path, *arguments: str, what: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise SymcostError("git is not installed: compare two saved files instead") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [""])[-1]
        raise SymcostError(f"{what}{f' ({said})' if said else ''}")
    return done.stdout.strip()
