"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from limits import started

import symcost as sc
from symcost.cli import output as cli_output
from symcost.cli.main import main
from symcost.report import FORMATS
from symcost.sources import texts as cli_input
from symcost.sources import tracing as cli_trace

ROOT = Path(__file__).parents[1]
MODELS = """
import flax.linen as nn
import jax
from flax import nnx

class Net(nn.Module):
    d: int
    classes: int = 10

    @nn.compact
    def __call__(self, x, train=True, scale=None):
        assert not train, "ask for train=false"
        x = nn.Dense(self.d)(x)
        if scale is not None:
            x = x * scale
        return nn.Dense(self.classes)(x)

    def embed(self, x):
        return x

class Linear(nnx.Module):
    def __init__(self, d, e, *, rngs):
        self.layer = nnx.Linear(d, e, rngs=rngs)

    def __call__(self, x):
        return self.layer(x)

class Noisy(nn.Module):
    @nn.compact
    def __call__(self, x):
        print("a word from the model")
        return nn.Dense(3)(x) + jax.random.normal(self.make_rng("noise"), ())

def halves(d):
    return Net(d // 2)

def raises(d):
    raise RuntimeError("the sky\\n is falling")

def number(d):
    return 3

def add(x, y, k=1):
    return x + k * y

def product(x, y):
    return x @ y

module = Net(5)
three = 3
"""


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test in a directory with a module of models, at a known width."""
    (tmp_path / "some_models.py").write_text(MODELS)
    (tmp_path / "broken_model.py").write_text("import math\nmath.nothing\n")
    (tmp_path / "needy_model.py").write_text("import surely_not_installed\n")
    (tmp_path / "leaving_model.py").write_text("raise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("some_models", "broken_model", "needy_model", "leaving_model"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(ROOT), *sys.path])


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """(exit code, standard output, standard error)."""
    code = main(["trace", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


NET = ("some_models:Net", "float32[n,8]", "--call", "train=false")


# -- the job -------------------------------------------------------------------------------------------------------
def test_a_model_is_traced_in_its_own_symbols(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, *NET)
    assert (code, err) == (0, "")
    assert "19*d + 10 params" in out


def test_set_gives_symbols_values(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, *NET, "--set", "d=4", "--format", "json")
    read = json.loads(out)
    assert read["at"] == {"d": 4}
    assert read["totals"]["params"] == "86"
    assert read["totals"]["macs"] == "72*n"


def test_one_option_gives_several_symbols_values(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, *NET, "--at", "n=2,d=4", "--format", "json")
    assert json.loads(out)["at"] == {"n": 2, "d": 4}
    assert run(capsys, *NET, "--at", "n=2,d")[0] == 2


def test_free_frees_and_arg_fixes(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, *NET, "--free", "classes", "--arg", "d=6", "--format", "json")
    assert json.loads(out)["symbols"] == ["n", "classes"]


def test_arg_fixes_parameters_of_nnx_classes(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "some_models:Linear", "float32[n,8]", "--arg", "d=8", "--format", "json")
    assert json.loads(out)["totals"]["params"] == "9*e"


def test_call_takes_array_specs_too(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, *NET, "--call", "scale=float32[n,d]", "--format", "json")
    assert sc.parse(json.loads(out)["totals"]["flops"]) == sc.parse("38*n*d + 10*n")


def test_mode_train_reports_residuals(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *NET, "--mode", "train")
    assert code == 0
    assert "kept for the backward pass" in out


def test_steps_at_least_samples_and_axis_reach_the_tracer(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, "some_models:halves", *NET[1:], "--samples", "d=4,8,12,16,20", "--steps", "n=2", "--axis", "i=2"
    )
    assert code == 0
    assert "at_least" not in out
    code, _, err = run(capsys, *NET, "--at-least", "zz=3")
    assert (code, err) == (2, "symcost: error: at_least names 'zz': the symbols here are n, d\n")


def test_a_module_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert "105" in run(capsys, "some_models:module", *NET[1:])[1]


def test_a_plain_function(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("some_models:add", "float32[n]", "float32[n]", "--function", "--call", "k=2", "--format", "json")
    assert json.loads(run(capsys, *arguments)[1])["totals"]["flops"] == "2*n"


def test_standard_output_holds_the_report_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = run(capsys, "some_models:Noisy", "float32[n,8]", "--rng", "noise", "--format", "json")
    json.loads(out)
    assert "a word from the model" in err


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_asked_for(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *NET, "--format", name, "--depth", "1")
    assert code == 0
    assert "Dense" in out


def test_output_is_a_file_with_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, printed, _ = run(capsys, *NET, "--format", "csv")
    code, out, _ = run(capsys, *NET, "--format", "csv", "--output", "costs.csv")
    assert (code, out) == (0, "")
    assert (tmp_path / "costs.csv").read_text() == printed
    assert not list(tmp_path.glob(".symcost-*"))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old.txt").write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(sc.SymcostError, match=r"--output old.txt cannot be written: No space left on device"):
        cli_output.write("new", Path("old.txt"))
    assert (tmp_path / "old.txt").read_text() == "old"
    assert not list(tmp_path.glob(".symcost-*"))


# -- errors --------------------------------------------------------------------------------------------------------
ERRORS = {
    "nosuch.thing:Net": "there is no module 'nosuch' here or among the installed packages: check its name",
    "some_models.inner:Net": (
        "there is no module 'some_models.inner' here or among the installed packages: check its name"
    ),
    "some_models:Nett": "some_models has no 'Nett': it has Net",
    "some_models": "unknown model 'some_models': use alexnet, alexnet_torchvision, vgg11, vgg13, vgg16 and 28 more (symcost models "
    "lists all); a model to trace is PKG.MOD:NAME, a saved table FILE.json",
    "'some models:Net'": "cannot read 'some models:Net' as a model: write PKG.MOD:NAME, as examples.resnet:resnet50",
    "broken_model:Net": "broken_model cannot be imported: AttributeError: module 'math' has no attribute 'nothing'",
    "needy_model:Net": "needy_model cannot be imported: it needs 'surely_not_installed', which is not installed",
    "leaving_model:Net": "leaving_model cannot be imported: SystemExit: 3",
    "some_models:three": "3 is neither a flax module nor a function that makes one",
    "some_models:Net float32[n": "cannot read the input spec 'float32[n': write a number type and dimensions, as "
    "float32[n,224,224,3]",
    "some_models:Net float33[n]": (
        "unknown number type 'float33' in 'float33[n]': did you mean float32 or float64 or float16?"
    ),
    "some_models:Net float32[__import__('os')]": (
        "cannot read a dimension of \"float32[__import__('os')]\": cannot read "
        "\"__import__('os')\" in \"__import__('os')\": an expression has integers, names, + - * / "
        "// % ** and floor, ceiling, "
        "Max, Min, Mod, clog2, flog2, pow2, isqrt, odd_halves, popcount"
    ),
    "some_models:Net float32[n,8] --set n": "--set 'n' must be NAME=VALUE, as --set n=1",
    "some_models:Net float32[n,8] --set n=1.5": "--at n='1.5' must be an integer",
    "some_models:Net float32[n,8] --set n=1 --set n=2": "--set gives 'n' twice: 1 and 2",
    "some_models:Net float32[n,8] --samples d=2,x": "--samples d='x' must be an integer",
    "some_models:Net float32[n,8] --samples d=2,3": "samples['d'] has 2 values: at least 3 are needed to fit and check",
    "some_models:Net float32[n,8] --call train=false --set q=1": "unknown symbol 'q': the symbols here are n, d",
    "some_models:Net float32[n,8] --call train=false --set d=0": (
        "d=0 is outside the domain: d must be a positive integer"
    ),
    "some_models:Net float32[n,8] --arg depth=2": (
        "--arg depth: some_models:Net has no such parameter; it has d, classes, parent, name"
    ),
    "some_models:module float32[n,8] --arg d=2": (
        "--arg fixes parameters of a factory: some_models:module is a module as it is"
    ),
    "some_models:Net float32[n,8] --free depth": (
        "Net has no parameter 'depth' to set free: it has d, classes, parent, name"
    ),
    "some_models:Net float32[n,8] --mode eval": "unknown mode 'eval': use forward, train",
    "some_models:product float32[n] float32[n]": "product is a function of arrays: sc.trace_function (--function) takes it",
    "some_models:Net float32[n,8] --function": (
        "Net makes modules, and is no function of arrays: sc.trace takes it as it is, without --function"
    ),
    "some_models:add float32[n] --function --mode train": (
        "--function takes none of --arg, --free, --mode, --wrt, --active, --method, --rng: use --call, not --mode"
    ),
    "some_models:Net float32[n,8] --format pdf": ("unknown format 'pdf': use text, markdown, csv, json, latex"),
    "some_models:Net float32[n,8] --output nowhere/file": (
        "--output nowhere/file cannot be written: there is no writable directory nowhere"
    ),
    "some_models:Net float32[n,8] --output .": "--output . is a directory: name a file",
    "some_models:Net float32[n,8] --depth -1": "Invalid value for '--depth': -1 is not a number of levels: use 0 or "
    "more",
    "": "Missing argument 'MODEL'.",
}


def _split(arguments: str) -> list[str]:
    """Arguments; only whole words are quoted."""
    return shlex.split(arguments) if arguments.startswith("'") else arguments.split()


@pytest.mark.parametrize("arguments", ERRORS)
def test_a_users_error_is_one_line_and_exit_code_2(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, *_split(arguments))
    assert (code, out) == (2, "")
    assert err == f"symcost: error: {ERRORS[arguments]}\n"


MODELS_THAT_FAIL = {
    "some_models:raises": "RuntimeError: the sky",
    "some_models:number": "the factory returned int",
    "some_models:Net": "ask for train=false",
}


@pytest.mark.parametrize("target", MODELS_THAT_FAIL)
def test_a_model_that_raises_is_one_line_with_its_reason(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, target, "float32[n,8]")
    assert (code, out) == (2, "")
    assert err.startswith("symcost: error: ")
    assert err.count("\n") == 1
    assert MODELS_THAT_FAIL[target] in err


def test_nothing_is_written_after_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "some_models:raises", "float32[n]", "--output", "costs.txt")[0] == 2
    assert not (tmp_path / "costs.txt").exists()


def test_an_unknown_command_or_option_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, message in (
        (["trase"], "No such command 'trase': did you mean trace or table?"),
        (["latency"], "No such command 'latency': use trace, table, models, audit, sweep and 12 more"),
        (
            ["trace", "some_models.py:raises"],
            "there is no module 'some_models.py' here or among the installed packages: write the "
            "file some_models.py as some_models",
        ),
        (["trace", "./a/net.py:CNN"], "cannot read './a/net.py:CNN' as a model: write PKG.MOD:NAME, as a.net:CNN"),
        (["trace", "--frob"], "No such option: --frob"),
    ):
        assert main(arguments) == 2
        err = capsys.readouterr().err
        assert err.startswith(f"symcost: error: {message}")
        assert err.count("\n") == 1


def test_an_error_of_symcost_itself_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(cli_trace, "load", broken)
    with pytest.raises(ZeroDivisionError):
        main(["trace", *NET])


# -- as a process --------------------------------------------------------------------------------------------------
def test_python_dash_m_is_the_command() -> None:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "symcost", "trace", "some_models:Nett"]
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "symcost: error: some_models has no 'Nett': it has Net\n")


def test_an_interruption_is_one_line_and_exit_code_130(tmp_path: Path) -> None:
    (tmp_path / "slow_model.py").write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    # Tests in the background inherit that interruptions are ignored.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{heed}; from symcost.cli.main import script; script()"
    command = [sys.executable, "-c", program, "trace", "slow_model:Net", "--output", "costs.txt"]
    with started(command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                 cwd=tmp_path) as running:  # fmt: skip
        assert running.stderr is not None
        assert running.stderr.readline() == "ready\n"
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert (running.returncode, err.strip()) == (130, "symcost: interrupted")
    assert not (tmp_path / "costs.txt").exists()


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "symcost", "trace", *NET, "--format", "json"]
    with started(command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                 cwd=tmp_path) as running:  # fmt: skip
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
        assert running.wait(timeout=60) == 141


# -- parts ---------------------------------------------------------------------------------------------------------
def test_values_are_literals_or_text_and_never_run() -> None:
    given = ["a=1", "b=None", "c=TRUE", "d=[1, (2, 3)]", "e=float32[n]", "f=__import__('os')", "g='x=y'", "h="]
    assert cli_input.values("--call", given) == {
        "a": 1, "b": None, "c": True, "d": [1, (2, 3)], "e": "float32[n]", "f": "__import__('os')", "g": "x=y", "h": "",
    }  # fmt: skip


def test_progress_shows_only_after_a_while_and_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_output, "PATIENCE", 0.05)
    shown = []
    with cli_output.Progress() as progress:
        monkeypatch.setattr(progress.bar, "start", lambda: shown.append("started"))
        progress(1)
    assert not shown
    assert progress.bar.disable
    monkeypatch.setenv("FORCE_COLOR", "1")
    progress = cli_output.Progress()
    assert not progress.bar.disable
    with progress:
        progress(7)
        time.sleep(0.3)
        assert progress.bar.live.is_started
        assert re.search(r"7 traces", progress.bar.tasks[0].description)
    assert not progress.bar.live.is_started


def test_no_device_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "platform_model.py").write_text(
        "import os\nimport jax.numpy as jnp\nassert os.environ['JAX_PLATFORMS'] == 'cpu'\nsame = jnp.negative\n"
    )
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {name: value for name, value in os.environ.items() if name != "JAX_PLATFORMS"} | {"PYTHONPATH": path}
    command = [sys.executable, "-m", "symcost", "trace", "platform_model:same", "float32[n]", "--function"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
