"""Verdicts on the page: beside the model they are of, never beside another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import symcost as sc
from symcost.cli.main import main
from symcost.report.page.render import render
from symcost.report.page.verdicts import shown

pytestmark = pytest.mark.usefixtures("traced_once")

NET = sc.Sequential(up=sc.Linear("d"), act=sc.ReLU(), down=sc.Linear(3))


@pytest.fixture(scope="module")
def costs() -> sc.CostTable:
    """A network in two symbols."""
    return sc.table(NET, ("n", 4))


@pytest.fixture(scope="module")
def verdict(costs: sc.CostTable) -> sc.Verdict:
    """What this machine's compiler says of it at one point."""
    return sc.verify(costs, at=dict(n=2, d=8), targets=["cpu"])


def test_a_verdict_has_its_checks_its_bridge_and_its_target(costs: sc.CostTable, verdict: sc.Verdict) -> None:
    (found,) = shown([("net", costs)], {"v.json": verdict})
    made = verdict.targets[0]
    checks = [check for check in verdict.checks if check.target == "cpu"]
    assert found.passed
    assert found.title == "net"
    assert found.link == "n=2&d=8"
    assert found.targets[0][0] == "cpu"
    assert found.targets[0][2:] == (f"{len(checks)} of {len(checks)}", f"{made.raw:,}", f"{made.recount:,}")
    titles = [title for title, _, _ in found.tables]
    assert titles[:2] == ["Checks", "From the compiler's figure to ours (FLOPs)"]
    assert len(found.tables[0][2]) == len(verdict.checks)


def test_without_verdicts_there_is_no_section(costs: sc.CostTable, verdict: sc.Verdict) -> None:
    assert "compilers-title" not in render([("net", costs)])
    assert "compilers-title" in render([("net", costs)], verdicts={"v.json": verdict})


def test_of_two_models_it_is_shown_with_its_own(costs: sc.CostTable, verdict: sc.Verdict) -> None:
    other = sc.table(sc.Linear("d"), ("n", 4))
    assert shown([("other", other), ("net", costs)], {"v.json": verdict})[0].title == "net"


def test_a_target_that_did_not_answer_is_told(costs: sc.CostTable, verdict: sc.Verdict) -> None:
    (found,) = shown([("net", costs)], {"v.json": replace(verdict, failures={"tpu-v4": "libtpu is missing"})})
    assert not found.passed
    assert found.targets[1] == ("tpu-v4", "libtpu is missing", "no answer", "", "")


@pytest.mark.parametrize(
    ("layers", "shape", "point", "message"),
    [
        (sc.Linear("d"), ("n", 4), {}, "net counts 144 FLOPs where the verdict has 262"),
        (NET, ("n", "c"), {}, "net has the symbol c, which the verdict gives no value"),
        (NET.subs(d=8), ("n", 4), {}, "net has no symbol d: it has n"),
        (NET, ("n", 4), {"n": 3}, "net is at n=3, the verdict at n=2"),
    ],
)
def test_a_verdict_of_another_model_is_refused(
    verdict: sc.Verdict, layers: sc.Layer, shape: tuple[object, ...], point: dict[str, int], message: str
) -> None:
    table = sc.table(layers, shape)
    with pytest.raises(sc.SymcostError) as caught:
        shown([("net", table.subs(**point) if point else table)], {"v.json": verdict})
    assert str(caught.value).startswith("verdict v.json is of another model: ")
    assert message in str(caught.value)


def test_the_verbs_from_verdict_to_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    model = ["referee_cases:MLP", "float32[n,6]"]
    said, page = tmp_path / "verdict.json", tmp_path / "page.html"
    point = ["--at", "n=4", "--at", "d=8", "--at", "L=2"]
    assert main(["verify", *model, *point, "--format", "json", "-o", str(said)]) == 0
    assert main(["trace", *model, "--format", "json", "-o", str(tmp_path / "costs.json")]) == 0
    assert main(["report", str(tmp_path / "costs.json"), "--verdict", str(said), "-o", str(page)]) == 0
    assert "TRUE at n=4, d=8, L=2: " in page.read_text()
    page.unlink()
    assert main(["report", "alexnet", "--set", "n=n", "--verdict", str(said), "-o", str(page)]) == 2
    shown = capsys.readouterr().err
    assert "verdict.json is of another model: alexnet has no symbol d: it has n" in shown
    assert len(shown.splitlines()) == 1
    assert not page.exists()


def test_models_of_one_file_name_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verdict: sc.Verdict
) -> None:
    for folder, made in (("a", sc.table(sc.Linear("d"), ("n", 4))), ("b", sc.models.alexnet(n="n"))):
        (tmp_path / folder).mkdir()
        made.save(tmp_path / folder / "net.json")
    verdict.save(tmp_path / "v.json")
    paths = [str(tmp_path / folder / "net.json") for folder in ("a", "b")]
    output = tmp_path / "page.html"
    assert main(["report", paths[0], "--beside", paths[1], "-o", str(output)]) == 0
    assert "<title>a/net and b/net: costs</title>" in output.read_text()
    assert main(["report", paths[0], "--beside", paths[0], "-o", str(output)]) == 0
    assert "<title>net and net (2): costs</title>" in output.read_text()
    assert main(["report", *(paths[0], "--beside", paths[1]), "--verdict", str(tmp_path / "v.json")]) == 2
    shown = capsys.readouterr().err
    assert "a/net counts" in shown
    assert "; b/net has no symbol d" in shown
