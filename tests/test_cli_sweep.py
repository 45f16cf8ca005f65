"""The verb sweep: the examples, formats, pictures, folders, and mistakes told in one line."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import flax.linen as nn
import pytest
from effort import needs
from limits import started
from matplotlib.image import imread

import symcost as sc
from symcost.cli import best as cli_best
from symcost.cli.main import main
from symcost.cli.output import SweepProgress
from symcost.sweeps.run import asked

ROOT = Path(__file__).parents[1]
ARROW = needs("pyarrow", "what a sweep answers on the command line")
SPACE = """
where = ["f <= 60"]
maximize = "f"
top = 2
[formulas]
f = "a*b"
[axes]
a = {to = 9}
b = [3, 7, 11]
"""


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def space(tmp_path: Path) -> Path:
    (tmp_path / "space.toml").write_text(SPACE)
    return tmp_path / "space.toml"


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
        (("a*b", "a*c"), [], "f depends on the symbol c and the space has no axis for it"),
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


NETWORK = """
where = "params <= 9_999"
maximize = "macs"
[network]
table = "gpt2"
set = {n = 1, N = 4, d = "d", H = 1, L = "L", V = 2}
[axes]
d = {to = 4}
L = [1, 2]
"""


@pytest.mark.parametrize(("text", "engine"), [(SPACE, "auto"), (SPACE, "jax"), (NETWORK, "auto")])
def test_sweeping_does_not_import_flax(text: str, engine: str, space: Path) -> None:
    space.write_text(text)
    code = (
        "import sys; from symcost.cli.main import main; assert main(sys.argv[1:]) == 0; sys.exit('flax' in sys.modules)"
    )
    command = [sys.executable, "-c", code, "sweep", str(space), "--engine", engine]
    done = subprocess.run(command, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def unsearched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever searches fails."""
    monkeypatch.setattr(asked, "run", lambda *given: pytest.fail("it was searched before the options were checked"))


FRONT = SPACE.replace('maximize = "f"', 'minimize = "f"\nmaximize = "a"')


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


def test_costs_that_a_module_traces_have_the_program_for_verdicts(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text('network = "traced_costs:costs"\n[axes]\nd = {to = 4}\nc = {to = 4}\n')
    asked = sc.load_space(tmp_path / "space.toml")
    costs = sc.trace(lambda d: nn.Dense(d), "float32[1,c]", referee=False)
    cli_best.check(asked, costs, ["cpu"])
    (verdict,) = cli_best.verdicts(asked, costs, {}, [{"d": 3, "c": 4}], [], lambda target, event: None)
    assert verdict
    assert verdict.at == {"d": 3, "c": 4}


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


def test_verdicts_have_no_place_in_csv(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", str(space), "--verify", "1", "--format", "csv"]) == 2
    assert "no place for verdicts" in capsys.readouterr().err
