"""The verb sweep where it cannot go on: refused before the search, and nothing lost after it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from limits import started
from sweep_case import ARROW, FRONT, NETWORK, SPACE

import symcost as sc
from symcost.cli.main import main
from symcost.cli.search import best as cli_best
from symcost.sweeps.run import asked


@pytest.fixture
def unsearched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever searches fails."""
    monkeypatch.setattr(asked, "run", lambda *given: pytest.fail("it was searched before the options were checked"))


@pytest.mark.usefixtures("unsearched")
@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (FRONT, ["--plot", "{}/x.png", "--colour", "zz"], "no axis or number 'zz' to colour by: there are a, b, f"),
        (
            SPACE,
            ["--plot", "{}/x.png", "--colour", "a"],
            "--colour a is for the picture of a front: there is no two obj",
        ),
        (FRONT, ["--colour", "a"], "--colour a is for the picture of a front: there is no --plot"),
        (
            FRONT,
            ["--histogram", "9"],
            "--histogram 9 is for one objective or none: this space has several, and a front",
        ),
        (SPACE, ["--target", "cpu"], "--target cpu is for --verify K: give how many configurations to compile"),
        (SPACE, ["--workers", "2", "--processes", "2"], "workers=2 (threads) and processes=2 are both given"),
        (SPACE, ["--verify", "1"], "gives formulas only, and no program"),
        (NETWORK, ["--verify", "1", "--target", "zzz"], "unknown target 'zzz'"),
        (SPACE, ["--out", "{}/space.toml"], "space.toml is a file: name a folder"),
        (SPACE, ["--plot", "{}/none/x.png"], "--plot "),
    ],
)
@ARROW
def test_what_cannot_be_done_is_refused_before_the_search(
    text: str, options: list[str], message: str, space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space.write_text(text)
    assert main(["sweep", str(space), *(option.format(space.parent) for option in options)]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_costs_that_were_traced_elsewhere_are_refused_for_verdicts_before_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], unsearched: None
) -> None:
    sc.table(sc.Linear(c_o="d"), (1, "c")).save(tmp_path / "costs.json")
    (tmp_path / "loaded_costs.py").write_text(
        f"import symcost as sc\ncosts = sc.load({str(tmp_path / 'costs.json')!r})\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "space.toml").write_text('network = "loaded_costs:costs"\n[axes]\nd = {to = 4}\nc = {to = 4}\n')
    assert main(["sweep", str(tmp_path / "space.toml"), "--verify", "1"]) == 2
    told = capsys.readouterr().err
    assert "'loaded_costs:costs' gives its costs alone; name it as network = {model = \"PKG.MOD:NAME\", specs" in told


def test_verdicts_have_no_place_in_csv(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", str(space), "--verify", "1", "--format", "csv"]) == 2
    assert "no place for verdicts" in capsys.readouterr().err


def test_an_empty_front_is_an_answer_and_its_picture_a_note(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space.write_text(FRONT.replace("f <= 60", "f <= 0"))
    assert main(["sweep", str(space), "--plot", str(space.parent / "x.png")]) == 0
    told = capsys.readouterr()
    assert "no configuration of 27 is feasible" in told.out
    assert told.err.endswith("x.png is not drawn: no configuration is listed\n")


def test_the_answer_is_told_though_its_picture_cannot_be_drawn(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", str(space), "--plot", str(space.parent / "x.png")]) == 2
    told = capsys.readouterr()
    assert "22 of 27 configurations are feasible" in told.out
    assert "2 of 22 feasible configurations are listed, and a map of two axes shows all" in told.err


def test_the_answer_is_told_though_its_verdicts_fail(
    space: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(*given: object) -> None:
        raise sc.SymcostError("the compiler is gone")

    monkeypatch.setattr(cli_best, "verdicts", failing)
    space.write_text(NETWORK)
    assert main(["sweep", str(space), "--verify", "1"]) == 2
    told = capsys.readouterr()
    assert "8 configurations are feasible" in told.out
    assert told.err == "symcost: error: the compiler is gone\n"


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import matplotlib.pyplot
from symcost.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
sys.exit(main())
"""


@pytest.mark.parametrize("option", ["--out", "--output", "--plot", ""])
@ARROW
def test_a_disk_that_is_full_is_one_line_wherever_it_is_met(option: str, space: Path, tmp_path: Path) -> None:
    space.write_text(FRONT)
    command = [
        sys.executable,
        "-c",
        LIMITED,
        "sweep",
        str(space),
        *([option, str(tmp_path / "x.png")] if option else []),
    ]
    with (tmp_path / "told").open("wb") as file:
        out = subprocess.PIPE if option else file
        done = subprocess.run(command, check=False, stdout=out, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "cannot be written: File too large; make room, or " in done.stderr
    assert option != "--plot" or "configurations are feasible" in done.stdout
    assert not (tmp_path / "x.png").is_file()
    assert not list(tmp_path.glob(".*"))


@ARROW
def test_an_interruption_is_heeded_at_once_and_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    axes = "\n".join(f"{n} = {{to = 400}}" for n in "abcd")
    file.write_text(
        f'where = "f % 1009 == 7"\nmaximize = "g"\n[formulas]\nf = "a*b + c*d"\n'
        f'g = "a*b % 97 + c*d % 89"\n[axes]\n{axes}\n'
    )
    # A shell in the background lets its children ignore interruptions.
    heeding = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    heeding += "from symcost.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", heeding, "sweep", str(file), "--out", str(tmp_path / "run"), "--workers", "2"]
    with started(command, stderr=subprocess.PIPE) as process:
        end = time.monotonic() + 60
        while not list(tmp_path.glob("run/parts/*.parquet")):
            assert process.poll() is None
            assert time.monotonic() < end, "the run did not begin within 60 s"
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.strip().endswith("symcost: interrupted")
    assert list(tmp_path.glob("run/parts/*.parquet"))
