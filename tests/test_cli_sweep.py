"""The verb sweep: the examples, formats, pictures, folders, and mistakes told in one line."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import flax.linen as nn
import pytest
from effort import needs
from matplotlib.image import imread
from sweep_case import ARROW, NETWORK, SPACE

import symcost as sc
from symcost.cli.main import main
from symcost.cli.output import SweepProgress
from symcost.cli.search import best as cli_best
from symcost.formulas.units import physical

ROOT = Path(__file__).parents[1]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def reduced(example: str, tmp_path: Path, **axes: str) -> str:
    """An example's file with some axes made smaller."""
    text = (ROOT / "examples" / example).read_text()
    for name, values in axes.items():
        text, changed = re.subn(rf"^{name} = .*$", f"{name} = {values}", text, flags=re.MULTILINE)
        assert changed == 1
    (tmp_path / example).write_text(text)
    return str(tmp_path / example)


def test_the_best_come_first_in_every_format(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", str(space)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split() for line in shown[2:4]] == [["8", "7", "56"], ["5", "11", "55"]]
    assert shown[5] == "22 of 27 configurations are feasible"
    assert main(["sweep", str(space), "--format", "csv"]) == 0
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [
        ["a", "b", "f"],
        ["8", "7", "56"],
        ["5", "11", "55"],
    ]
    assert main(["sweep", str(space), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["configurations"] == [{"a": 8, "b": 7, "f": 56}, {"a": 5, "b": 11, "f": 55}]
    assert (document["feasible"], document["size"]) == (22, 27)


@pytest.mark.usefixtures("here")
def test_the_microcontroller_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    depths = {f"L{i}": "{to = 4}" for i in range(1, 7)}
    file = reduced("microcontroller.toml", tmp_path, r="[96, 128]", w="[5, 11, 20]", **depths)
    assert main(["sweep", file, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["size"] == 2 * 3 * 8 * 4**6
    best = document["configurations"]
    assert len(best) == 5
    assert all(row["params"] <= 10**6 and row["peak_textbook"] <= 320_000 for row in best)
    assert [row["macs"] for row in best] == sorted((row["macs"] for row in best), reverse=True)


@pytest.mark.usefixtures("here")
def test_the_front_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    depths = {f"L{i}": "{to = 3}" for i in range(1, 7)}
    file = reduced("microcontroller_front.toml", tmp_path, r="[96, 128, 160]", w="{to = 12}", e="[2, 4]", **depths)
    assert main(["sweep", file, "--format", "json", "--plot", str(tmp_path / "front.png"), "--colour", "w"]) == 0
    front = json.loads(capsys.readouterr().out)["configurations"]
    assert len(front) > 20
    params, macs = ([row[name] for row in front] for name in ("params", "macs"))
    assert params == sorted(params)
    assert macs == sorted(macs)
    picture = imread(tmp_path / "front.png")
    assert min(picture.shape[:2]) > 400
    assert picture.std() > 0.01
    assert len({tuple(p) for p in picture.reshape(-1, picture.shape[2])[::7].round(1).tolist()}) > 10, "colours"


@pytest.mark.usefixtures("here")
def test_wide_or_deep_is_drawn_as_maps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "examples/wide_or_deep.toml", "--plot", str(tmp_path / "maps.svg")]) == 0
    assert "configurations are feasible" in capsys.readouterr().out
    drawn = (tmp_path / "maps.svg").read_text()
    assert ElementTree.fromstring(drawn).tag.endswith("svg")
    assert drawn.count("<image") >= 2
    assert main(["sweep", "examples/wide_or_deep.toml", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["configurations"]
    table = sc.models.vit(d="d", d_f="4*d", H="d/64", L="L", classes=10)
    for row in rows[::6]:
        at = table.subs(d=row["d"], L=row["L"])
        assert (row["macs"], row["activations"]) == (at.macs, at.activations)
        assert 20_000_000 <= at.params <= 25_000_000


@pytest.mark.usefixtures("here")
def test_the_gpt_example_stays_in_its_budget(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "examples/gpt_budget.toml", "--format", "json"]) == 0
    best = json.loads(capsys.readouterr().out)["configurations"]
    table = sc.models.gpt2(n=8, N="N", d="d", H="H", L="L", V="V", N_max="N")
    for row in best:
        at = table.subs(N=row["N"], d=row["d"], L=row["L"], V=row["V"], H=row["d"] // 64)
        assert (row["params"], row["macs"]) == (at.params, at.macs)
        assert at.macs <= 10**13


@ARROW
@needs("duckdb", "a reader of folders")
def test_a_run_in_a_folder_is_read_by_duckdb(space: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import duckdb

    for _ in range(2):
        assert main(["sweep", str(space), "--out", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    assert duckdb.sql(f"select a, b, f from '{tmp_path}/run/result.parquet' order by f desc").fetchall() == [
        (8, 7, 56),
        (5, 11, 55),
    ]
    space.write_text(SPACE.replace("60", "61"))
    assert main(["sweep", str(space), "--out", str(tmp_path / "run")]) == 2
    assert "holds another run: where changed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (
            ("a*b", "a*c"),
            [],
            "for it: give it values, as c = [1]; the axis b is no symbol of the costs",
        ),
        (("f <= 60", "g <= 60"), [], "'g' is neither an axis of the space nor a number of the costs"),
        (("[3, 7, 11]", "[]"), [], "the axis b is empty: give it at least one value"),
        (("maximize", "maximise"), [], "unknown key 'maximise': did you mean maximize?"),
        (("f <= 60", "f <="), [], "cannot read 'f <=' as a condition"),
        (("a*b", "a*(b"), [], "cannot read 'a*(b' as an expression"),
        (("", ""), ["--format", "xml"], "unknown format 'xml': use text, csv, json"),
        (("", ""), ["--engine", "gpu"], "unknown engine 'gpu': use auto, native, jax, numpy"),
        (("", ""), ["--plot", "x.jpg"], "the picture x.jpg must end in .png or .svg or .pdf: name it so"),
        (("", ""), ["--output", "nowhere/x"], "there is no writable directory"),
        (("[formulas]\nf = ", "[network]\ntabel = "), [], "network = {'tabel': 'a*b'} is not understood"),
        (("[formulas]\nf = ", "[network]\ntable = "), [], "unknown model 'a*b'"),
        (('[formulas]\nf = "a*b"', 'network = "os.path:join"'), [], "os.path:join cannot be called: TypeError: "),
    ],
)
def test_a_mistake_is_one_line(
    change: tuple[str, str], options: list[str], message: str, space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space.write_text(SPACE.replace(*change, 1))
    assert main(["sweep", str(space), *options]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_sweeping_does_not_import_flax(tmp_path: Path) -> None:
    sweeps = []
    for number, (text, engine) in enumerate(((SPACE, "auto"), (SPACE, "jax"), (NETWORK, "auto"))):
        (tmp_path / f"{number}.toml").write_text(text)
        sweeps.append(["sweep", str(tmp_path / f"{number}.toml"), "--engine", engine])
    code = (
        f"import sys; from symcost.cli.main import main; codes = list(map(main, {sweeps!r})); "
        "sys.exit(any(codes) or 'flax' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_costs_that_a_module_traces_have_the_program_for_verdicts(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text('network = "traced_costs:costs"\n[axes]\nd = {to = 4}\nc = {to = 4}\n')
    asked = sc.load_space(tmp_path / "space.toml")
    costs = sc.trace(lambda d: nn.Dense(d), "float32[1,c]", referee=False)
    cli_best.check(asked, costs, ["cpu"])
    (verdict,) = cli_best.verdicts(asked, costs, {}, [{"d": 3, "c": 4}], [], lambda target, event: None)
    assert verdict
    assert verdict.at == {"d": 3, "c": 4}


def test_the_rate_is_of_what_was_searched_now(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 100.0, 101.0, 102.0, 200.0, 201.0])
    monkeypatch.setattr("symcost.cli.output.time.monotonic", lambda: next(clock))
    progress, rates = SweepProgress(1000), []
    monkeypatch.setattr(progress.bar, "reset", lambda *given, **fields: rates.append("new"))
    monkeypatch.setattr(progress.bar, "update", lambda *given, **fields: rates.append(fields["rate"]))
    for done, what in ((50, "front"), (60, "front"), (80, "front"), (10, "count"), (20, "count")):
        progress(done, 100, what)
    assert rates == ["new", "", "100 configurations/s", "150 configurations/s", "new", "", "100 configurations/s"]


@ARROW
def test_a_saved_table_is_swept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sc.models.gpt2(n=1, N=64, d="d", H=1, L="L").save(tmp_path / "gpt.json")
    space = tmp_path / "space.toml"
    space.write_text(  # the file lies beside the question, wherever the command is run
        'network = {json = "gpt.json"}\nwhere = ["params <= 7_000_000"]\nmaximize = "params"\ntop = 1\n'
        "[axes]\nd = {from = 8, to = 128}\nL = {from = 1, to = 4}\n"
    )
    assert main(["sweep", str(space), "--format", "json"]) == 0
    (best,) = json.loads(capsys.readouterr().out)["configurations"]
    table = sc.models.gpt2(n=1, N=64, d="d", H=1, L="L")
    every = {(d, L): table.subs(d=d, L=L).params for d in range(100, 129) for L in range(1, 5)}
    assert best["params"] == max(value for value in every.values() if value <= 7_000_000)


@pytest.mark.campaign
@pytest.mark.usefixtures("here")
def test_the_best_are_traced_and_compiled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    depths = {f"L{i}": "[1, 2]" for i in range(1, 7)}
    file = reduced("microcontroller.toml", tmp_path, r="[64]", w="[5, 7]", e="[2]", **depths)
    assert main(["sweep", file, "--format", "json", "--verify", "1"]) == 0
    document = json.loads(capsys.readouterr().out)
    (verdict,) = document["verdicts"]
    best = document["configurations"][0]
    assert verdict["verdict"] is True
    assert {name: verdict["at"][name] for name in ("r", "e", "L1")} == {k: best[k] for k in ("r", "e", "L1")}
    (macs,) = [each for each in verdict["checks"] if each["metric"] == "macs (textbook)"]
    assert macs["ours"] == best["macs"]


def test_times_and_energies_have_their_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In few digits with a unit on the screen, as decimal numbers in CSV, exact in JSON."""
    space = tmp_path / "space.toml"
    space.write_text(
        'network = {model = "alexnet", at = {n = "n"}}\nminimize = "latency"\nshow = ["latency", "energy", "macs/params"]\n'
        'device = "nvidia-a100-sxm-80gb"\ndtype = "int8"\n[axes]\nn = [1, 3]\n'
    )
    assert main(["sweep", str(space), "--format", "json"]) == 0
    exact = json.loads(capsys.readouterr().out)["configurations"]
    seconds = sc.latency(sc.models.alexnet(n=1), "nvidia-a100-sxm-80gb", "int8").value()
    assert Fraction(exact[0]["latency"]) == seconds
    assert main(["sweep", str(space), "--format", "csv"]) == 0
    head, first, _ = csv.reader(io.StringIO(capsys.readouterr().out))
    assert head == ["n", "latency (s)", "energy (J)", "macs/params"]
    assert [float(cell) for cell in first] == [
        1,
        *(float(Fraction(exact[0][name])) for name in exact[0] if name != "n"),
    ]
    assert main(["sweep", str(space), "--histogram", "2"]) == 0
    shown = capsys.readouterr().out
    assert physical(seconds, "s") in shown
    last = physical(Fraction(exact[1]["latency"]), "s")
    assert last in shown.partition("latency up to")[2]
    assert "/" not in shown.replace("macs/params", "")
