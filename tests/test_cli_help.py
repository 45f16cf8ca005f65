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


COMMANDS = [line.replace("\\[", "[") for line in EPILOGS["trace"].splitlines() if line.startswith("symcost ")]
SLOW = [command for command in COMMANDS if "--mode train" in command or "resnet50" in command]


@pytest.mark.usefixtures("traced_once")
@pytest.mark.parametrize("command", rows(COMMANDS, SLOW))
def test_the_examples_of_the_help_run(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # one of them writes a file
    arguments = shlex.split(command)[1:]
    assert main(arguments) == 0
    assert capsys.readouterr().out or list(tmp_path.glob("*.json"))
