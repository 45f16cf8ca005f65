"""What a change costs: two tables, two files, two revisions of a real repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import symcost as sc
from symcost.cli.main import main
from symcost.formulas.symbols import parse
from symcost.gates.diff.compare import compare
from symcost.report.subjects import difference

MODEL = """
import flax.linen as nn


class Net(nn.Module):
    d: int

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(WIDTH * self.d, name="up")(x))
        return nn.Dense(self.d, name="down")(x)
"""
BUDGET = """
[models.net]
model = "net:Net"
specs = ["float32[n,c]"]

[[models.net.budgets]]
at = { n = 1, c = 32, d = 32 }
params = 9_000
"""


def tables() -> tuple[Any, Any]:
    """A network before and after: one layer wider, one renamed."""
    n, d = sc.symbols("n d")
    old = sc.table(sc.Sequential(a=sc.Linear(d), b=sc.Linear(10)), (n, d))
    new = sc.table(sc.Sequential(a=sc.Linear(2 * d), c=sc.Linear(10)), (n, d))
    return old, new


def test_a_module_says_what_it_costs_more_at_each_point_and_an_equal_number_needs_no_formula() -> None:
    old, new = tables()
    lines = [line.strip() for line in difference.text(compare(old, new, [{"n": 2, "d": 8}]), 120).splitlines()]
    place = lines.index("~ a (changed)")
    assert lines[place + 1 : place + 3] == ["params: +d**2 + d", "at n=2, d=8: 72 -> 144 (+72, +100.0 %)"]
    assert (
        "at n=2, d=8"
        in difference.markdown(compare(old, new, [{"n": 2, "d": 8}])).split("| module |")[1].splitlines()[0]
    )
    n, d = sc.symbols("n d")
    other = compare(sc.table(sc.Linear(d), (n, 8)), sc.table(sc.Linear(8), (n, d)), [{"n": 1, "d": 8}])
    assert "params (full): another formula, as before at the points" in difference.text(other, 120)
    assert "d**2" not in difference.text(other, 120)


def test_totals_and_modules_differ_by_formulas() -> None:
    old, new = tables()
    found = compare(old, new, [{"n": 2, "d": 8}])
    totals = {change.name: change for change in found.totals}
    assert totals["params (full)"].difference == parse("d**2 + 11*d")
    assert totals["params (full)"].values == ((8 * 8 + 8 + 90, 16 * 8 + 16 + 170),)
    assert {(module.path, module.state) for module in found.modules} >= {
        ("a", "changed"),
        ("c", "added"),
        ("b", "removed"),
    }
    moved = sum(c.difference for m in found.modules for c in m.changes if c.name == "macs")
    assert moved == new.macs - old.macs


def test_equal_tables_have_no_difference() -> None:
    old, _ = tables()
    found = compare(old, old)
    assert not found
    assert "the costs are equal" in difference.text(found)
    assert "equal" in difference.markdown(found)
    assert json.loads(difference.json(found))["equal"] is True


@pytest.mark.parametrize("name", difference.FORMATS)
def test_every_format_says_the_difference(name: str) -> None:
    old, new = tables()
    shown = difference.FORMATS[name](compare(old, new, [{"n": 2, "d": 8}], ("old.json", "new.json")))
    for part in ("d**2", "314" if name == "json" else "+152", "old.json", "new.json"):
        assert part in shown


@pytest.mark.parametrize(
    ("point", "message"),
    [({"m": 1}, "unknown symbol 'm': the two tables have d, n"), ({"n": 1}, "the point has no value for d"),
     ({"n": 0, "d": 1}, "n=0 is outside the domain")],
)  # fmt: skip
def test_points_that_cannot_be_meant(point: dict[str, int], message: str) -> None:
    with pytest.raises(sc.DomainError, match=message):
        compare(*tables(), [point])


def test_the_verb_on_saved_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(tmp_path / name) for name in ("old.json", "new.json")]
    for costs, path in zip(tables(), paths, strict=True):
        costs.save(path)
    assert main(["diff", *paths, "--at", "n=2", "--at", "d=8", "--format", "markdown"]) == 0
    assert "`+d**2 + 11*d`" in capsys.readouterr().out.replace("d*(d + 11)", "d**2 + 11*d")
    assert main(["diff", paths[0], str(tmp_path / "none.json")]) == 2
    assert "cannot be read: No such file" in capsys.readouterr().err
    assert main(["diff", paths[0], paths[1], "--format", "html"]) == 2
    assert "unknown format 'html'" in capsys.readouterr().err


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose last commit doubles a layer; a file that git does not know lies in it too."""

    def git(*arguments: str) -> None:
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments], cwd=tmp_path, check=True,
                       capture_output=True)  # fmt: skip

    git("init", "-q", "-b", "main")
    (tmp_path / "symcost.toml").write_text(BUDGET)
    for width, message in ((4, "narrow"), (8, "wide")):
        (tmp_path / "net.py").write_text(MODEL.replace("WIDTH", str(width)))
        git("add", "net.py", "symcost.toml")
        git("commit", "-q", "-m", message)
    (tmp_path / "notes.txt").write_text("not for git")
    return tmp_path


def symcost(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a folder."""
    return subprocess.run([sys.executable, "-P", "-m", "symcost", *arguments], cwd=folder, capture_output=True, text=True,
                          check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})  # fmt: skip


def state(folder: Path) -> tuple[str, str]:
    """What git says of the working tree and its worktrees."""
    return tuple(
        subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout
        for arguments in (("status", "--porcelain=v1"), ("worktree", "list"))
    )  # type: ignore[return-value]


@pytest.mark.campaign  # as two processes; of every run are revisions and their budgets in this one
def test_two_revisions_and_the_budget_that_the_change_breaks(repository: Path) -> None:
    before = state(repository)
    done = symcost(repository, "diff", "HEAD~1", "HEAD", "float32[n,c]", "--model", "net:Net", "--budgets", "net",
                   "--format", "json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["points"] == [{"n": 1, "c": 32, "d": 32}]
    assert parse(found["totals"][0]["difference"]) == parse("4*c*d + 4*d + 4*d**2")
    assert found["totals"][0]["values"] == [{"old": "8352", "new": "16672"}]
    assert state(repository) == before
    checked = symcost(repository, "check", "--format", "github")
    assert checked.returncode == 1
    assert "::error file=symcost.toml,line=8," in checked.stdout
    assert "params 16,672 exceeds its limit 9000" in checked.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nonesuch", "."), "there is no revision 'nonesuch' in"),
        (("--", "--help", "."), "there is no revision '--help' in"),
    ],
)
def test_a_revision_that_is_not_there(
    repository: Path, arguments: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(repository)
    before = state(repository)
    assert main(["diff", "--model", "net:Net", *arguments]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert len(shown.splitlines()) == 1
    assert state(repository) == before


def test_outside_of_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert main(["diff", "a", "b", "--model", "net:Net"]) == 2
    assert "is in no git repository" in capsys.readouterr().err


def test_the_budgets_name_the_model_its_inputs_and_its_options(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    assert main(["diff", "HEAD~1", ".", "--budgets", "net", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["totals"][0]["values"] == [{"old": "8352", "new": "16672"}]


@pytest.mark.campaign
def test_revisions_are_traced_with_every_option_of_trace(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    assert main(["diff", "HEAD~1", "HEAD", "float32[n,c]", "--model", "net:Net", "--steps", "d=2", "--mode", "train",
                 "--at-least", "n=2", "--format", "json"]) == 0  # fmt: skip
    macs = next(t for t in json.loads(capsys.readouterr().out)["totals"] if t["name"] == "macs (full)")
    # forward c*4d + 4d*d; backward both for the weights, and the second one for its input
    assert sc.equal(parse(macs["old"]), parse("n*(8*c*d + 12*d**2)"))


def test_a_model_that_was_not_there_yet(repository: Path, monkeypatch: pytest.MonkeyPatch,
                                        capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    (repository / "newer.py").write_text(MODEL.replace("WIDTH", "2"))
    monkeypatch.chdir(repository)
    assert main(["diff", "HEAD", ".", "float32[n,c]", "--model", "newer:Net"]) == 2
    shown = capsys.readouterr().err
    assert "there is no module 'newer' here" in shown
    assert len(shown.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("alexnet", "vgg16", "float32[n,d]"),
            "specs is for a model to trace, not alexnet: give PKG.MOD:NAME, or leave it out",
        ),
        (("alexnet", "vgg16", "--call", "train=false"), "call is for a model to trace, not alexnet"),
        (("alexnet", "vgg16", "--steps", "d=2"), "steps is for a model to trace, not alexnet"),
        (("alexnet", "vgg16", "--at", "n=1", "--budgets", "net"), "--at and --budgets net both say where"),
        (("HEAD~1", ".", "float32[n,c]", "--budgets", "net"), "--budgets net has the inputs and options of its model"),
    ],
)
def test_arguments_that_would_be_ignored(
    repository: Path, arguments: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(repository)
    assert main(["diff", *arguments]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert len(shown.splitlines()) == 1
