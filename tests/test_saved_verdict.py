"""A saved verdict reads back as the same verdict; a file that is cut, edited or newer is a one-line error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import symcost as sc
from symcost.cli.main import main
from symcost.costs.saved.format import VERDICT_FORMAT, digest
from symcost.report.subjects.verdict import FORMATS, document

NET = sc.Sequential(up=sc.Linear(8), act=sc.ReLU(), down=sc.Linear(3))


@pytest.fixture(scope="module")
def verdict() -> sc.Verdict:
    """What this machine's compiler says of a small network, and what another counter says."""
    return sc.verify(sc.table(NET, ("n", 4)), at=dict(n=2), targets=["cpu"], against=["xla"])


@pytest.fixture
def saved(verdict: sc.Verdict, tmp_path: Path) -> Path:
    """Its file."""
    verdict.save(tmp_path / "verdict.json")
    return tmp_path / "verdict.json"


def test_a_loaded_verdict_is_equal_and_prints_the_same(verdict: sc.Verdict, saved: Path) -> None:
    loaded = sc.load_verdict(saved)
    assert loaded == verdict
    assert bool(loaded) is True
    assert loaded.targets[0].causes == verdict.targets[0].causes
    for written in FORMATS.values():
        assert written(loaded) == written(verdict)


def test_a_false_verdict_stays_false(verdict: sc.Verdict, tmp_path: Path) -> None:
    from dataclasses import replace

    wrong = replace(verdict, failures={"tpu-v4": "not here"}, operations={"up": {"dot_general": (1, 2)}})
    wrong.save(tmp_path / "verdict.json")
    loaded = sc.load_verdict(tmp_path / "verdict.json")
    assert loaded == wrong
    assert not loaded


def resigned(found: dict[str, Any]) -> str:
    """The document with a digest that is right again."""
    return json.dumps({**found, "digest": digest(found)})


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], str], str]] = {
    "cut": (lambda d: json.dumps(d)[:-40], "is damaged: no JSON at line 1"),
    "other JSON": (lambda d: "[1, 2]", "is not a saved verdict: save one with verdict.save(...) or symcost verify --format json"),
    "a number changed": (lambda d: json.dumps({**d, "flops": 7}), "is damaged or was edited: its digest"),
    "newer": (lambda d: resigned({**d, "format": VERDICT_FORMAT + 1, "version": "9.9.9"}),
              f"has format {VERDICT_FORMAT + 1}, written by symcost 9.9.9: this symcost reads formats up to {VERDICT_FORMAT}"),
    "a text for a number": (lambda d: resigned({**d, "flops": "7"}), "'7' stands where an integer should"),
    "a key missing": (lambda d: resigned({k: v for k, v in d.items() if k != "modules"}), "is damaged: KeyError 'modules'"),
    "an answer that its checks deny": (
        lambda d: resigned({**d, "verdict": False}), "is damaged: it says False, its checks say True"),
    "a check that does not say its difference": (
        lambda d: resigned({**d, "checks": [{**d["checks"][0], "difference": 1}, *d["checks"][1:]]}), "the difference in"),
    "another count of ours": (lambda d: resigned({**d, "flops": d["flops"] + 1}), "is damaged: our count of flops is"),
    "a module left out": (lambda d: resigned({**d, "modules": d["modules"][1:]}), "is damaged: the sum of"),
    "a recount of its own": (
        lambda d: resigned({**d, "targets": [{**d["targets"][0], "recount": 1}]}), "the figure of cpu with its steps is"),
    "a phase left out": (
        lambda d: resigned({**d, "targets": [{**d["targets"][0], "phases": {}}]}), "the sum over the phases of cpu is"),
    "parts that are none": (
        lambda d: resigned({**d, "targets": [{**d["targets"][0], "parts": [3]}]}), "is damaged: TypeError"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_is_one_line_and_exit_code_two(
    fault: str, verdict: sc.Verdict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, message = FAULTS[fault]
    path = tmp_path / "verdict.json"
    path.write_text(spoil(document(verdict)))
    with pytest.raises(sc.SymcostError) as caught:
        sc.load_verdict(path)
    assert message in str(caught.value)
    assert main(["report", "alexnet", "--verdict", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_tables_and_verdicts_are_told_apart(saved: Path, tmp_path: Path) -> None:
    sc.table(NET, ("n", 4)).save(tmp_path / "costs.json")
    with pytest.raises(sc.SymcostError, match=r"costs.json is not a saved verdict: it is a cost table"):
        sc.load_verdict(tmp_path / "costs.json")
    with pytest.raises(sc.SymcostError, match=r"verdict.json is not a saved cost table: it is a verdict"):
        sc.load(saved)


def test_a_failed_save_leaves_nothing(verdict: sc.Verdict, tmp_path: Path) -> None:
    with pytest.raises(sc.SymcostError, match="cannot be written"):
        verdict.save(tmp_path / "none" / "verdict.json")
    assert not list(tmp_path.iterdir())
