"""The command line as a shell finds it: completion, widths, colours, arrays as texts, and errors before the work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from effort import by_turns

import symcost as sc
from symcost.cli.main import app, main
from symcost.cli.output import Progress
from symcost.costs.dtypes import ARRAYS, SHORT, number_type
from symcost.costs.spec import parse_spec

COMMAND = [sys.executable, "-m", "symcost"]
MODULE = """
import flax.linen as nn
import jax.numpy as jnp

class Masked(nn.Module):
    @nn.compact
    def __call__(self, x, mask=None, kind="relu", state=None):
        x = nn.Dense(4)(x["tokens"] if isinstance(x, dict) else x)
        if kind == "linear":
            return x
        x = nn.relu(x) + (0 if state is None else state["h"])
        return x if mask is None else jnp.where(mask[..., None], x, 0)

def masked():
    return Masked()
"""


def shell(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [*COMMAND, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, timeout=300
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, in which the command runs."""
    (tmp_path / "modelled.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "modelled", raising=False)
    return tmp_path


def flops(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a trace says of the FLOPs."""
    assert main(["trace", "modelled:masked", *arguments, "--no-referee", "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)["totals"]["flops"]


COMPLETED: list[tuple[str, str, str, list[str]]] = [
    ("table", "model", "resnet5", ["resnet50"]), ("trace", "target", "net", ["net.json", "nets/"]),
    ("estimate", "device", "h20", ["h200"]), ("devices", "name", "google-tpu-v5", ["google-tpu-v5e", "google-tpu-v5p"]),
    ("verify", "--target", "tpu-v5", ["tpu-v5e", "tpu-v5p"]), ("check", "format_", "git", ["github", "gitlab"]),
    ("table", "convention", "fv", ["fvcore"]),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "name", "begun", "expected"), COMPLETED)
def test_names_out_of_a_list_are_completed(verb: str, name: str, begun: str, expected: list[str], folder: Path) -> None:
    (folder / "net.json").touch()
    (folder / "net.csv").touch()
    (folder / "nets").mkdir()
    group: Any = typer.main.get_command(app)
    command = group.commands[verb]
    with command.make_context(verb, [], resilient_parsing=True) as context:
        asked = next(param for param in command.params if name in (param.name, *param.opts))
        found = asked.shell_complete(context, begun)
    assert [each.value for each in found] == expected


def test_completion_is_installed_for_the_shell_that_asks(tmp_path: Path) -> None:
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # a test may have no shell above it to be found
    found = shell("--install-completion", "bash", HOME=str(tmp_path), **named)
    assert found.returncode == 0, found.stderr
    assert (tmp_path / ".bash_completions" / "symcost.sh").read_text().strip().endswith("symcost")


@pytest.mark.parametrize("arguments", [["table", "resnet50", "--all"], ["trace", "--help"], ["models"]])
def test_a_reader_who_is_gone_is_no_limit_that_does_not_hold(arguments: list[str]) -> None:
    """A pipe whose other end is closed, as ``head`` leaves it: as a shell tells of a program that SIGPIPE has ended."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        ended = subprocess.run([*COMMAND, *arguments], stdout=pipe, stderr=subprocess.PIPE, text=True, timeout=300)
    assert (ended.returncode, ended.stderr) == (141, "")


@pytest.mark.parametrize(
    ("typed", "completed"),
    [("symcost tra", "trace"), ("symcost trace --at-", "--at-least"), ("symcost sweep --pro", "--processes")],
)
def test_verbs_and_options_are_completed(typed: str, completed: str) -> None:
    place = str(len(typed.split()) - 1)
    found = shell(_SYMCOST_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=place)
    assert found.stdout.split() == [completed]


HELP = [
    pytest.param(verb, width, id=f"{verb or 'symcost'}-{width}", marks=by_turns(i, j, 3))
    for i, verb in enumerate(("", "trace", "verify", "sweep"))
    for j, width in enumerate(("60", "100", "250"))
]


@pytest.mark.parametrize(("verb", "width"), HELP)
def test_help_fills_the_terminal_and_no_more_and_pipes_have_no_colour(verb: str, width: str) -> None:
    found = shell(*verb.split(), "-h", COLUMNS=width)
    assert found.returncode == 0
    assert max(map(len, found.stdout.splitlines())) <= int(width)
    assert "\x1b" not in found.stdout


@pytest.mark.parametrize("way", ["-h", "--help", "--version"])
def test_the_first_questions_are_answered(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([way]) == 0
    assert "symcost" in capsys.readouterr().out


WRONG = {
    "number type": (["trace", "m:f", "flot32[n]"], "unknown number type 'flot32' in 'flot32[n]': did you mean float32"),
    "dimension": (["trace", "m:f", "float32[n,]"], "cannot read a dimension of 'float32[n,]'"),
    "form": (["trace", "m:f", "n,224"], "cannot read the input spec 'n,224': write a number type and dimensions"),
    "array by name": (["trace", "m:f", "float32[n]", "--call", "mask=bol[n]"], "unknown number type 'bol' in 'bol[n]'"),
    "array in a literal": (["trace", "m:f", '{"x": "flaot32[n]"}'], "unknown number type 'flaot32'"),
    "literal": (
        ["trace", "m:f", "{x: float32[n]}"],
        "cannot read '{x: float32[n]}' as a tree of inputs: write it as Python",
    ),
    "mode": (["trace", "m:f", "float32[n]", "--mode", "training"], "unknown mode 'training': use forward, train"),
    "verify": (["verify", "m:f", "flot32[n]", "--at", "n=1"], "unknown number type 'flot32'"),
    "solve": (["solve", "m:f", "flot32[n]", "macs <= 1", "--largest", "n"], "unknown number type 'flot32'"),
}


ALL_WRONG = """
import contextlib, io, json, sys
from symcost.cli.main import main

found = {}
for name, arguments in json.loads(sys.argv[1]).items():
    with contextlib.redirect_stderr(io.StringIO()) as said:
        code = main(arguments)
    found[name] = code, said.getvalue(), "jax" in sys.modules
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[int, str, bool]]:
    """Of each wrong input its exit code, what is said, and whether jax is imported by then: in one process of its own."""
    asked = json.dumps({name: arguments for name, (arguments, _) in WRONG.items()})
    found = subprocess.run([sys.executable, "-c", ALL_WRONG, asked], capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_an_input_is_said_before_jax_and_the_model_are_imported(
    name: str, answers: dict[str, tuple[int, str, bool]]
) -> None:
    code, said, jax_was_imported = answers[name]
    assert code == 2
    assert said.startswith(f"symcost: error: {WRONG[name][1]}")
    assert len(said.splitlines()) == 1
    assert not jax_was_imported


INPUTS: dict[str, tuple[list[str], str]] = {
    "array": (["float32[n,8]"], "72*n"),
    "dict": (['{"tokens": "float32[n,8]"}'], "72*n"),
    "array by name": (["float32[n,8]", "--call", "mask=bool[n]"], "76*n + 1"),
    "plain text by name": (["float32[n,8]", "--call", "kind=linear"], "68*n"),
    "array in a dict by name": (["float32[n,8]", "--call", 'state={"h": "float32[n,4]"}'], "76*n"),
}


@pytest.mark.parametrize(("arguments", "right"), INPUTS.values(), ids=INPUTS)
def test_arrays_and_plain_values_are_told_apart(
    arguments: list[str], right: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert flops(capsys, *arguments) == right


def test_a_file_of_budgets_may_have_trees_of_inputs(folder: Path) -> None:
    (folder / "symcost.toml").write_text(
        '[models.masked]\nmodel = "modelled:masked"\nspecs = [{tokens = "float32[n,8]"}]\nreferee = false\n'
        "[[models.masked.budgets]]\nat = {n = 2}\nmacs = 64\n"
    )
    assert main(["check", "symcost.toml"]) == 0


def test_every_name_of_a_number_type_is_one_of_jax() -> None:
    jnp = pytest.importorskip("jax.numpy")
    for name in ARRAYS:
        assert jnp.dtype(name).name == name
    for name in {*SHORT} - {"tf32"}:
        found, _ = number_type(name)
        assert found in ARRAYS
        assert parse_spec(f"{name}[n]").dtype == found


def test_devices_compute_in_the_names_of_types_that_people_write() -> None:
    costs = sc.models.alexnet()
    assert sc.latency(costs, "h100", "bf16").seconds == sc.latency(costs, "nvidia-h100-sxm", "bfloat16").seconds
    assert str(sc.fits(costs, "h100", "fp16")) == str(sc.fits(costs, "nvidia-h100-sxm", "float16"))


def test_progress_says_what_is_being_done_and_how_much_most_models_need() -> None:
    progress = Progress("loading net:Net, with jax and flax")
    told = []

    def update(task: Any, description: str) -> None:
        told.append(description)

    progress.bar.update = update  # type: ignore[method-assign,assignment]
    assert progress.bar.tasks[0].description == "loading net:Net, with jax and flax"
    progress(3)
    progress(161)
    assert told == [
        "tracing: 3 traces, most models need 15 to 160",
        "tracing: 161 traces, more than the 160 that most models need",
    ]
