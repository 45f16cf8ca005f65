"""README and the pages of the site are true: their blocks run in order and print what stands below them."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest
from effort import absent_in, absent_package, rows
from pages import WIDTH, absent_target, blocks, compiled, matches

from symcost.cli.main import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "examples").rglob("*.md"))]
SLOW = {ROOT / "examples" / "cookbook" / "gates.md"}
"""Traces deep models again in a process of its own: left to the campaign. ``test_budget.py`` and its neighbours are quick."""
RUN = rows((page for page in PAGES if blocks(page)), SLOW)
pytestmark = pytest.mark.usefixtures("traced_once")
KINDS = {"python", "console", "text", "sh"}
"""Languages of blocks: what is run, what is printed, and how to install, which continuous integration does."""


def named(page: Path) -> str:
    """A page by its path."""
    return str(page.relative_to(ROOT))


@pytest.fixture
def _clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that has what commands read of a clone, and may be written to."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    shutil.copy(ROOT / "symcost.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", WIDTH)


def printed(code: str, page: Path, module: ModuleType) -> str:
    """What a block of Python prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compiled(code, page.name), vars(module))  # noqa: S102 - our own page, to test it
    return out.getvalue()


@pytest.mark.usefixtures("_clone")
@pytest.mark.parametrize("page", RUN, ids=named)
def test_blocks_do_what_is_shown(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = ModuleType("page")  # dataclasses look their module up
    monkeypatch.setitem(sys.modules, "page", module)
    found, skipped = blocks(page), []
    assert {language for language, _ in found} <= KINDS
    for (language, code), (following, shown) in zip(found, [*found[1:], ("", "")], strict=True):
        if language == "python":
            try:
                matches(shown if following == "text" else "", printed(code, page, module))
            except Exception as problem:
                if (absent := absent_package(problem)) is None and not (skipped and isinstance(problem, NameError)):
                    raise
                skipped.append(absent or f"what stands on it: {problem}")
        if language == "console":
            assert re.match(r"\$ symcost ", code), code
        for command, expected in re.findall(r"^\$ symcost (.*)\n((?:(?!\$ ).*\n)*)", code, re.MULTILINE):
            if (absent := absent_target(command)) is not None:
                skipped.append(absent)
                continue
            status = main(shlex.split(command))
            said = capsys.readouterr()
            if (absent := absent_in(said.err)) is not None:
                skipped.append(absent)
                continue
            assert (status == 2) == said.err.startswith("symcost: error: ")
            assert status != 1 or re.search(r"FAIL|refuted|differ|wrong|not fit", said.out)
            matches(expected, said.out + said.err)
    if skipped:
        pytest.skip(f"the other blocks hold; {'; '.join(skipped)}")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_picture_is_there_and_small(page: Path) -> None:
    for name in re.findall(r"^!\[.*?\]\((.*?)\)", page.read_text(), re.MULTILINE):
        assert 1_000 < (page.parent / name).stat().st_size < 200_000
