"""The README is true: its Python blocks run in order and print what stands below them, its commands do as shown."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest
from effort import absent_in, absent_package
from pages import WIDTH, absent_target, blocks, compiled, matches

from symcost.cli.main import main

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.usefixtures("traced_once")
BLOCKS = blocks(ROOT / "README.md")


@pytest.fixture
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", WIDTH)


@pytest.mark.usefixtures("_here")
def test_python_blocks_print_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("readme")  # dataclasses look their module up
    monkeypatch.setitem(sys.modules, "readme", module)
    seen, skipped = 0, []
    for (language, code), (following, shown) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if language != "python":
            continue
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(compiled(code, "README.md"), vars(module))  # noqa: S102 - our own page, to test it
        except Exception as problem:
            if (absent := absent_package(problem)) is None and not (skipped and isinstance(problem, NameError)):
                raise
            skipped.append(absent or f"what stands on it: {problem}")
            continue
        assert following == "text", f"no output is shown below:\n{code}"
        matches(shown, printed.getvalue())
        seen += 1
    assert seen > 5
    if skipped:
        pytest.skip(f"{seen} blocks hold; {'; '.join(skipped)}")


COMMANDS = [
    (command.strip(), shown)
    for language, text in BLOCKS
    if language == "console"
    for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)
]


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(("command", "shown"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_console_commands_print_what_is_shown(command: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    if (absent := absent_target(command)) is not None:
        pytest.skip(absent)
    program, *arguments = shlex.split(command)
    assert program == "symcost"
    code = main(arguments)
    captured = capsys.readouterr()
    if (absent := absent_in(captured.err)) is not None:
        pytest.skip(absent)
    assert code == (2 if captured.err else 0)
    matches(shown, captured.out + captured.err)


SETUP = [text.strip() for language, text in BLOCKS if language == "sh"]


@pytest.mark.usefixtures("_here")
def test_the_first_command_runs_the_main_job(capsys: pytest.CaptureFixture[str]) -> None:
    program, *arguments = shlex.split(SETUP[0].rpartition("&& ")[2])
    assert program == ".venv/bin/symcost"
    assert main(arguments) == 0
    assert "2049*classes + 23508032 params" in capsys.readouterr().out


def test_the_second_command_is_what_continuous_integration_runs() -> None:
    command = SETUP[1].rpartition("&& ")[2]
    assert command.removeprefix(".venv/bin/") in (ROOT / ".ci" / "run").read_text().splitlines()


def test_both_set_up_from_nothing() -> None:
    assert {command.rpartition(" && ")[0] for command in SETUP} == {
        f"python3 -m venv .venv && .venv/bin/pip install -q -e '.[{extra}]'" for extra in ("examples", "test")
    }
