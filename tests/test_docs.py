"""README and the pages of the site are true: their blocks run in order and print what stands below them."""

from __future__ import annotations

import contextlib
import functools
import io
import re
import shlex
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from effort import absent_in, absent_package, rows
from pages import WIDTH, absent_target, blocks, compiled, cut, matches

import symcost as sc
from symcost.cli.main import main
from symcost.referee.verdicts import verify

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "examples").rglob("*.md"))]
SLOW = {ROOT / "examples" / name for name in (
    "about/compared.md", "conventions.md", "cookbook/command_line.md", "cookbook/compilers.md", "cookbook/gates.md",
    "cookbook/sweeps.md", "cookbook/tracing.md", "pod.md",
)}  # fmt: skip
"""Pages that trace deep models or ask for much, left to the campaign: what they say is tested for itself, on less."""
RUN = rows((page for page in PAGES if blocks(page)), SLOW)
pytestmark = pytest.mark.usefixtures("traced_once")
KINDS = {"python", "console", "text", "sh", "toml"}
"""Languages of blocks: what is run, what is printed, how to install, which continuous integration does, and files of budgets."""


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


@pytest.fixture
def _asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compilers answer a question once, however often the page is printed."""
    asked = verify.verify
    known: dict[str, Any] = {}

    @functools.wraps(asked)
    def once(model: Any, *specs: Any, on_event: Any = None, **options: Any) -> Any:
        key = repr((model.total("xla") if isinstance(model, sc.CostTable) else model, specs, options))
        if key not in known:
            known[key] = asked(model, *specs, **options)
        return known[key]

    monkeypatch.setattr(verify, "verify", once)


def widths(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A command on a narrow, a usual and a wide terminal: no number is cut, and no line is too long where it can break."""
    shown = {}
    for columns in (60, 80, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        main(shlex.split(command))
        shown[columns] = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", WIDTH)
    for columns, report in shown.items():
        assert cut(report, shown[200], columns) == [], f"symcost {command} at {columns} columns"


@pytest.mark.usefixtures("_clone", "_asked_once")
@pytest.mark.parametrize("page", RUN, ids=named)
def test_blocks_do_what_is_shown(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = ModuleType("page")  # dataclasses look their module up
    monkeypatch.setitem(sys.modules, "page", module)
    found, skipped = blocks(page), []
    assert {language for language, _ in found} <= KINDS
    for (language, code), (following, shown) in zip(found, [*found[1:], ("", "")], strict=True):
        if language == "python" and (absent := absent_target(code)) is not None:
            skipped.append(absent)
        elif language == "python":
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
            if status != 2 and "--format" not in command:
                widths(command, monkeypatch, capsys)
    if skipped:
        pytest.skip(f"the other blocks hold; {'; '.join(skipped)}")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_picture_is_there_and_small(page: Path) -> None:
    for name in re.findall(r"^!\[.*?\]\((.*?)\)", page.read_text(), re.MULTILINE):
        assert 1_000 < (page.parent / name).stat().st_size < 200_000
