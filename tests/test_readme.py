"""The README's two commands are true: the first does what it says, the second is what continuous integration runs."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import screens
from pages import WIDTH, blocks

from symcost.cli.main import main

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.usefixtures("traced_once")
SETUP = [text.strip() for language, text in blocks(ROOT / "README.md") if language == "sh"]


@pytest.mark.campaign
def test_the_first_command_runs_the_main_job(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", WIDTH)
    program, *arguments = shlex.split(SETUP[0].rpartition("&& ")[2])
    assert program == ".venv/bin/symcost"
    assert main(arguments) == 0
    assert "2049*classes + 23508032 params" in capsys.readouterr().out


def test_the_budget_it_shows_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (budget,) = [text for language, text in blocks(ROOT / "README.md") if language == "toml"]
    monkeypatch.chdir(ROOT)
    (file := tmp_path / "symcost.toml").write_text(budget)
    assert main(["check", str(file)]) == 0
    assert "123,653,376" in capsys.readouterr().out
    file.write_text(budget.replace("125 M", "120 M"))
    assert main(["check", str(file)]) == 1


def test_the_second_command_is_what_continuous_integration_runs() -> None:
    command = SETUP[1].rpartition("&& ")[2]
    assert command.removeprefix(".venv/bin/") in (ROOT / ".ci" / "run").read_text().splitlines()


def test_both_set_up_from_nothing() -> None:
    assert {command.rpartition(" && ")[0] for command in SETUP} == {
        f"python3 -m venv .venv && .venv/bin/pip install -q -e '.[{extra}]'" for extra in ("examples", "test")
    }


def test_it_is_read_in_minutes() -> None:
    """What is longer has a page of its own under ``examples/``."""
    assert len((ROOT / "README.md").read_text().split()) < 850


def test_the_first_screen_is_what_the_command_prints() -> None:
    """Made anew by ``python tests/screens.py``."""
    assert (screens.PICTURES / "screen.svg").read_text(encoding="utf-8") == screens.screen()


def test_the_page_is_shown_in_both_themes_and_on_a_phone() -> None:
    for name, (width, _) in screens.SHOTS.items():
        head = (screens.PICTURES / name).read_bytes()[:24]
        assert int.from_bytes(head[16:20]) == width
