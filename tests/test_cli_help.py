"""What the command line says of itself: help, examples that run, formats, version; options are the same in every verb."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from effort import rows

import symcost as sc
from symcost.cli.main import VERBS, app, main
from symcost.cli.output import EPILOGS
from symcost.report import FORMATS
from symcost.report.subjects import (
    answers,
    catalog,
    designs,
    devices,
    difference,
    estimates,
    findings,
    gate,
    plans,
    targets,
    verdict,
)  # fmt: skip

ROOT = Path(__file__).parents[1]


def test_without_arguments_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "Usage: symcost" in capsys.readouterr().out


def test_an_option_is_the_same_and_checked_before_the_work_in_every_verb() -> None:
    verbs: Any = typer.main.get_command(app)
    options = [(verb, p) for verb, command in verbs.commands.items() for p in command.params if "--" in p.opts[0]]
    for name in ("--output", "--format", "--device", "--dtype", "--weights", "--rule", "--at", "--arg", "--call"):
        # a measured entry, which calibrate reads, is a file and nothing else
        same = [p for verb, p in options if name in p.opts and (verb, name) != ("calibrate", "--device")]
        assert len(same) > 1
        assert len({(tuple(p.opts), p.multiple) for p in same}) == 1, name
        early = name not in ("--at", "--arg", "--call")  # these are read together, once the verb is known
        assert all((p.callback is not None) == early for p in same), name


OFFERED = {
    "trace": FORMATS, "table": FORMATS, "models": catalog.FORMATS, "audit": findings.FORMATS, "sweep": designs.FORMATS,
    "plans": plans.FORMATS, "devices": devices.FORMATS, "estimate": estimates.FORMATS, "fits": answers.FITS,
    "solve": answers.SOLUTIONS, "verify": verdict.FORMATS, "targets": targets.FORMATS, "check": gate.FORMATS,
    "diff": difference.FORMATS,
}  # fmt: skip
"""Verbs that report in several formats, and what makes each."""


def test_the_formats_that_verbs_offer_are_those_that_there_are() -> None:
    verbs: Any = typer.main.get_command(app)
    formats = {verb: p for verb, command in verbs.commands.items() for p in command.params if "--format" in p.opts}
    assert {verb: option.help.split(" | ") for verb, option in formats.items()} == {v: [*f] for v, f in OFFERED.items()}


@pytest.mark.parametrize("verb", [verb.__name__ for verb in VERBS])
def test_every_verb_has_a_short_help_without_a_cut_word(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert main([verb, "-h"]) == 0
    printed = capsys.readouterr().out
    assert f"Usage: symcost {verb} " in printed
    assert "…" not in printed
    assert max(map(len, printed.splitlines())) <= 60


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"symcost {sc.__version__}\n"


def test_the_help_shows_the_examples_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "--help"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "'float32[n,r,r,3]' --call train=false" in printed


COMMANDS = [
    (verb, example.replace("\\[", "[").replace("\n", " ").partition("  ")[0])
    for verb, text in EPILOGS.items()
    for example in text.split("\n\n")
    if example.startswith("symcost ")
]
OWN = ("host.toml", "budgets/", "before.json", "mine.", "my-board", "costs.json", "claims.csv", "space.toml", "HEAD~1", "main .",
       "verdict.json", "--model gpt", "calibrate --output")  # fmt: skip
"""What stands for files, commits and devices of who reads it."""
ELSEWHERE = ("symcost check",)
"""What ``.ci/run`` runs by itself."""
RUN = {
    command: verb for verb, command in COMMANDS if not any(word in command for word in OWN) and command not in ELSEWHERE
}
QUICK = ("table", "models", "devices", "fits", "audit", "targets")
SLOW = [command for command, verb in RUN.items() if verb not in (*QUICK, "trace") or "--try" in command
        or (verb == "trace" and ("--mode train" in command or "resnet50" in command))]  # fmt: skip
REFUTED = ("audit examples/lectures.csv", "fits mobilenet_v2")
"""What they show does not hold: the exit code says so."""


def test_every_verb_shows_what_it_does() -> None:
    assert EPILOGS.keys() == {verb.__name__ for verb in VERBS}


@pytest.mark.usefixtures("traced_once")
@pytest.mark.parametrize("command", rows(RUN, SLOW))
def test_the_examples_of_the_help_run(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("examples", "symcost.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)  # some of them write a file
    arguments = shlex.split(command)[1:]
    assert main(arguments) == any(shown in command for shown in REFUTED)
    assert capsys.readouterr().out or [path for path in tmp_path.iterdir() if not path.is_symlink()]
