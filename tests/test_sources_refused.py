"""What is wrong with a model, its options or its values is one line, said before anything is traced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from source_case import VERBS, at, here, told

from symcost.cli.main import main
from symcost.tracing import face


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here(tmp_path, monkeypatch)


LONG = "x" * 100_000
EARLY: dict[str, tuple[list[str], str]] = {
    "format": (["--format", "pdf"], "unknown format 'pdf': use "),
    "format of any length": (["--format", LONG], f"unknown format '{'x' * 57}...': use "),
    "output": (["--output", "nowhere/x.html"], "there is no writable directory nowhere"),
    "value": (["--at", "n"], "--at 'n' must be NAME=VALUE, as --at n=1"),
    "value of no name": (["--at", "3=n"], "--at '3=n' must be NAME=VALUE"),
    "value twice": (["--at", "n=1", "--at", "n=2"], "--at gives 'n' twice: 1 and 2"),
    "no integer": (["--at", "n=1.5"], "--at n='1.5' must be an integer"),
    "both names": (["--at", "n=1", "--given", "n=2"], "--at and --given both give 'n': '1' and '2'"),
    "unknown symbol": (["--at", "q=1"], "unknown symbol 'q': the symbols here are n, d"),
    "call": (["--call", "train"], "--call 'train' must be NAME=VALUE"),
    "samples": (["--samples", "n=1,x"], "--samples n='x' must be an integer"),
    "parameter": (["--arg", "e=1"], "--arg e: own_models:Net has no such parameter; it has d, parent, name"),
    "function": (["--function", "--mode", "train"], "--function takes none of --arg, --free, --mode,"),
    "axis": (["--axis", "i=x"], "--axis i='x' must be an integer"),
}
OWN: list[tuple[str, list[str], str]] = [
    ("estimate", ["--device", "a101"], "unknown device 'a101'"),
    ("estimate", ["--device", "none.toml"], "the device file none.toml cannot be read"),
    ("estimate", ["--dtype", "int7"], "unknown number type 'int7'"),
    ("estimate", ["--weights", "int7"], "unknown number type 'int7'"),
    ("estimate", ["--weights", "int8", "--bits", "4"], "both say how wide the weights are"),
    ("estimate", ["--rule", "best"], "unknown rule of activations 'best'"),
    ("estimate", ["--model", "best"], "unknown model of latency 'best'"),
    ("estimate", ["--efficiency", "2"], "efficiency=2 must be a share"),
    ("fits", ["--device", "a101"], "unknown device 'a101'"),
    ("fits", ["--dtype", "int7"], "unknown number type 'int7'"),
    ("plot", ["--device", "a101"], "unknown device 'a101'"),
    ("plot", ["--dtype", "int7"], "unknown number type 'int7'"),
    ("report", ["--device", "a101"], "unknown device 'a101'"),
    ("report", ["--beside", "none.json"], "none.json cannot be read"),
    ("report", ["--beside", "alexnett"], "unknown model 'alexnett': did you mean alexnet"),
    ("report", ["--verdict", "none.json"], "none.json cannot be read"),
    ("solve", ["--device", "a101"], "unknown device 'a101'"),
    ("solve", [], "unknown symbol 'q': the symbols here are n, d"),
    ("diff", ["--budgets", "net"], "no budgets in"),
    ("verify", ["--target", "tpu"], "unknown target 'tpu'"),
    ("verify", ["--shard", "x"], "--shard 'x' must be PATH=AXIS"),
    ("table", ["--convention", "best"], "unknown convention 'best': use textbook, full, xla, torchvision, fvcore"),
]


@pytest.fixture
def no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where anything is traced."""

    def traced(*_: Any, **__: Any) -> None:
        raise AssertionError("this was traced first")

    monkeypatch.setattr(face, "derive", traced)


@pytest.mark.usefixtures("no_trace")
@pytest.mark.parametrize("case", EARLY)
@pytest.mark.parametrize("verb", VERBS)
def test_what_needs_no_trace_is_said_before(verb: str, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    given, message = EARLY[case]
    if "--format" in given and verb in ("plot", "report"):
        pytest.skip("it has one format")
    if verb == "plot" and case == "output":
        message = "a picture is written as .png, .svg or .pdf: nowhere/x.html is none of them"
    if verb == "solve" and case == "unknown symbol":
        given = ["--at", "e=1"]
        message = message.replace("'q'", "'e'")
    arguments = VERBS[verb](["own_models:Net", "float32[n,8]", *given])
    if verb == "verify" and case == "unknown symbol":
        arguments += at("n=1", "d=1")
    if verb == "plot" and case == "output":
        arguments = ["plot", "own_models:Net", "memory", "float32[n,8]", *given]
    assert message in told(capsys, arguments)


@pytest.mark.usefixtures("no_trace")
@pytest.mark.parametrize(("verb", "given", "message"), OWN)
def test_what_a_verb_needs_no_trace_for_is_said_before(
    verb: str, given: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in told(capsys, VERBS[verb](["own_models:Net", "float32[n,8]", *given]))


@pytest.mark.usefixtures("no_trace")
@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("parms <= 3", "unknown name 'parms' in 'parms <= 3': did you mean params or "),
        ("params", "'params' is no constraint, as 'params <= 25 M' is"),
        ("params <= 3 <=", "cannot read 'params <= 3 <=' as a condition"),
        ("params <= 3 and parms <= 4", "unknown name 'parms' in 'params <= 3 and parms <= 4': did you mean params or "),
        ("params <= 3 KiB", "'params <= 3 KiB' compares "),
    ],
)
def test_constraints_are_read_before_the_trace(
    constraint: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["solve", "own_models:Net", "float32[n,8]", "params <= 3", constraint, "--largest", "d"]
    assert message in told(capsys, asked if "<=" in constraint else [*asked, "int8[n]"])


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("verify", "diff")])
@pytest.mark.parametrize("model", ["costs.json", "alexnet"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["float32[n]"], "specs is for a model to trace, not {}: give PKG.MOD:NAME, or leave it out"),
        (
            ["--mode", "train", "--free", "d"],
            "free and mode are for a model to trace, not {}: give PKG.MOD:NAME, or leave them out",
        ),
        (["--no-referee"], "referee is for a model to trace, not {}"),
    ],
)
def test_what_only_a_program_has_is_refused_elsewhere(
    verb: str, model: str, given: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message.format(model) in told(capsys, VERBS[verb]([model, *given]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('network = "alexnett"', "network: unknown model 'alexnett': did you mean alexnet"),
        ('network = "none.json"', "none.json cannot be read"),
        ('network = {model = "alexnet", mode = "train"}', "network: mode is for a model to trace, not alexnet"),
        (
            'network = {model = "own_models:Net", spec = ["x"]}',
            "network has an unknown entry 'spec': did you mean specs?",
        ),
        ("network = 3", "network = 3 is not understood: write "),
    ],
)
def test_a_network_of_a_sweep_that_is_none_is_one_line(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "space.toml").write_text(f"{text}\n[axes]\nn = [1]\n")
    assert message in told(capsys, ["sweep", "space.toml"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["estimate", "alexnet", "--device", LONG],
        ["estimate", "alexnet", "--dtype", LONG],
        ["table", LONG],
        ["table", f"{LONG}.json"],
        ["trace", f"{LONG}:y"],
        ["trace", f"own_models:{LONG}"],
        ["trace", "own_models:Net", "--arg", f"{LONG}=1"],
        ["trace", "own_models:Net", "--mode", LONG],
        ["table", "alexnet", f"--{LONG}"],
        ["table", "alexnet", "--output", f"{LONG}/x"],
        ["verify", "alexnet", "--target", LONG],
        ["report", "alexnet", "--verdict", LONG],
        ["diff", LONG, "alexnet"],
        ["check", LONG],
        ["audit", LONG],
        ["sweep", LONG],
        [LONG],
    ],
    ids=lambda arguments: " ".join(part[:12] for part in arguments),
)
def test_an_error_is_short_however_long_what_is_given(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert len(told(capsys, arguments)) < 500


def test_values_of_two_programs_may_be_of_symbols_that_one_of_them_has(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["diff", "own_models:Plain", "own_models:Wide", "float32[n,k]", *at("n=2", "k=4", "d=3", "e=5")]
    assert main(asked) == 0
    capsys.readouterr()
    assert "unknown symbol 'f': the symbols here are n, k, d, e" in told(capsys, [*asked, *at("f=5")])
