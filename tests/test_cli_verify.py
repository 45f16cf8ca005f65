"""``symcost verify`` and ``symcost targets``: exit codes, formats, quiet output, a machine that lacks a compiler."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from limits import started

from symcost.cli.main import main
from symcost.referee.compilers import targets
from symcost.referee.compilers.targets import TARGETS, Target

pytestmark = pytest.mark.usefixtures("traced_once")

ROOT = Path(__file__).parents[1]
MLP = ["verify", "referee_cases:MLP", "float32[n,6]", "--at", "n=4", "--at", "d=8", "--at", "L=2"]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "tests")
    monkeypatch.setenv("COLUMNS", "120")


def test_a_true_verdict_ends_with_0_and_prints_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(MLP) == 0
    captured = capfd.readouterr()
    assert captured.out.startswith("TRUE at n=4, d=8, L=2: ")
    assert captured.err == ""


def test_json_is_a_document_and_a_file_is_written_whole(tmp_path: Path) -> None:
    file = tmp_path / "verdict.json"
    assert main([*MLP, "--format", "json", "--output", str(file), "--against", "xla, flax"]) == 0
    told = json.loads(file.read_text())
    assert told["verdict"] is True
    assert [opinion["counter"] for opinion in told["opinions"]][1:] == ["XLA cost_analysis, lowered", "flax tabulate"]
    assert told["targets"][0]["target"] == "cpu"
    assert told["targets"][0]["memory"]["arguments"] == 4 * (6 * 8 + 8 + 8 * 8 + 8 + 8 * 10 + 10 + 4 * 6) + 16


@pytest.mark.campaign
def test_a_reference_network_is_verified_by_its_name(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "resnet18", "--arg", "r=r", "--arg", "n=2", "--at", "r=33"]) == 0
    captured = capfd.readouterr()
    assert captured.out.startswith("TRUE at r=33: ")
    assert "layers    macs (textbook)" in captured.out  # the third witness
    assert captured.err == ""


def test_a_false_verdict_ends_with_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from symcost.agreement.check import Check
    from symcost.referee.verdicts import verify

    wrong = Check(level=1, target="lowered", metric="flops", ours=1, theirs=2, witness="a test")
    monkeypatch.setattr(verify, "totals", lambda costs, written: [wrong])
    assert main(MLP) == 1
    assert capsys.readouterr().out.startswith("FALSE at n=4, d=8, L=2: 1 of ")


def test_a_target_that_does_not_answer_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Target, "problem", lambda self: None if self.name == "cpu" else "not here")
    assert main([*MLP, "--target", "cpu", "--target", "tpu-v4"]) == 2
    out = capsys.readouterr().out
    assert out.startswith("INCOMPLETE at n=4, d=8, L=2: no answer from tpu-v4; ")
    assert "2 explained" in out


def test_a_failed_check_ends_with_1_whoever_did_not_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from symcost.referee.verdicts import verify
    from symcost.referee.verdicts.verdict import Check

    wrong = Check(level=1, target="lowered", metric="flops", ours=1, theirs=2, witness="a test")
    monkeypatch.setattr(verify, "totals", lambda costs, written: [wrong])
    monkeypatch.setattr(Target, "problem", lambda self: "not here")
    assert main([*MLP, "--target", "tpu-v4"]) == 1
    assert capsys.readouterr().out.startswith("FALSE at n=4, d=8, L=2: 1 of ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*MLP, "--target", "tpu"], "unknown target 'tpu': "),
        ([*MLP[:-2]], "no value for L: a compiler needs all of them, give --at L=..."),
        ([*MLP, "--format", "csv"], "unknown format 'csv': use text, markdown, json"),
        ([*MLP, "--against", "flax,nvprof"], "unknown counter 'nvprof': use flax, roofline, xla"),
        ([*MLP, "--shard", "inputs"], "--shard 'inputs' must be PATH=AXIS,..., as --shard '**/up/kernel=-,model'"),
        (
            [*MLP, "--mesh", "data=two"],
            "an axis of the mesh has the size two, which has no value: give it with --at two=4",
        ),
        (["verify", "referee_cases:MPL", "float32[n,6]"], "referee_cases has no 'MPL': it has MLP"),
        (["verify", "referee_cases:MLP", "float32[n"], "cannot read the input spec 'float32[n'"),
        (["verify", "resnet19", "--at", "n=1"], "unknown model 'resnet19': did you mean resnet18"),
        (["targets", "--format", "csv"], "unknown format 'csv': use text, json"),
    ],
)
def test_bad_input_is_one_line_and_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"symcost: error: {message}")
    assert error.count("\n") == 1


def test_sizes_that_no_machine_holds_are_compiled_for_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*MLP[:2], "float32[n,10**12]", *MLP[3:]]) == 0
    assert capsys.readouterr().out.startswith("TRUE at n=4, d=8, L=2: 64,000,000,001,320 FLOPs")


def test_targets_lists_all_of_them_and_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        Target,
        "problem",
        lambda self: None if self.platform != "tpu" else "libtpu not installed: pip install 'symcost[tpu]'",
    )
    assert main(["targets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(TARGETS)
    assert all(("symcost[tpu]" in line) == line.startswith("tpu-") for line in lines)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("cpu", "tpu-v5e", "cuda-h100"), id="one of each platform"),
        pytest.param(tuple(TARGETS), id="all", marks=pytest.mark.campaign),
    ],
)
def test_targets_are_tried_when_asked(
    names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {name: TARGETS[name] for name in names}
    monkeypatch.setattr(targets, "TARGETS", asked)
    assert main(["targets", "--try", "--format", "json"]) == 0
    told = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(told) == list(names)
    assert told["cpu"]["works"] is True
    for name, target in asked.items():
        assert told[name]["works"] is (target.problem() is None), told[name]["problem"]


def test_an_interrupted_verification_leaves_no_compiler_running(tmp_path: Path) -> None:
    # Tests in the background inherit that interruptions are ignored.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{heed}; from symcost.cli.main import script; script()"
    with started(
        [sys.executable, "-c", program, "verify", "test_xla_pool:deep", "float32[n,n]", "--function", "--at", "n=64"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]), "TMPDIR": str(tmp_path)},
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("symcost-*/answer")):
            assert process.poll() is None, process.communicate(timeout=60)
            assert time.monotonic() < deadline, "no compiler was at work within 60 s"
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.splitlines()[-1] == "symcost: interrupted"
    assert list(tmp_path.glob("symcost-*")) == []


def test_plug_ins_without_their_devices_say_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "symcost", "verify", "flax.linen:Dense", "float32[n,c]", "--at", "n=3", "--at", "c=5",
         "--at", "features=7"],
        capture_output=True, text=True, timeout=120, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.stdout.startswith("TRUE at n=3, c=5, features=7: 231 FLOPs")
    assert (done.returncode, done.stderr) == (0, "")
