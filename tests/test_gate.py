"""The outputs of ``symcost check``, to the letter: a network of 178 parameters and 160 MACs an example, two limits broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import symcost as sc
from symcost.cli.main import main
from symcost.report.subjects.gate import FORMATS

BUDGET = """[models.net]
model = "net.json"

[[models.net.budgets]]
name = "on the board"
at = { n = 2 }
params = 100
macs = "1 k"

[[models.net.budgets]]
over = { n = "1..64" }
macs = "2 k"
"""
TEXT = """\
      model  budget        metric  value  limit  margin
──────────────────────────────────────────────────────────────
FAIL  net    on the board  params  178    100    -78 (78.0 %)
      at n=2
      most in up 80.9 %, down 19.1 %
ok    net    on the board  macs    320    1 k    +680 (68.0 %)
      at n=2
FAIL  net    2             macs    2,080  2 k    -80 (4.0 %)
      refuted by n=13
      most in up 80.0 %, down 20.0 %

3 limits, 2 exceeded
"""
MARKDOWN = """\
### Budgets are exceeded

|  | model | budget | metric | value | limit | margin | known by | most in |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
| FAIL | net | on the board | params | 178 | 100 | -78 (78.0 %) | at n=2 | up 80.9 %, down 19.1 % |
| ok | net | on the board | macs | 320 | 1 k | +680 (68.0 %) | at n=2 | up 80.0 %, down 20.0 % |
| FAIL | net | 2 | macs | 2,080 | 2 k | -80 (4.0 %) | refuted by n=13 | up 80.0 %, down 20.0 % |

3 limits, 2 exceeded
"""
PARAMS = "net: params 178 exceeds its limit 100, margin -78 (78.0 %); at n=2; most in up 80.9 %, down 19.1 %"
WITHIN = "net: macs 320 is within its limit 1 k, margin +680 (68.0 %); at n=2; most in up 80.0 %, down 20.0 %"
MACS = "net: macs 2,080 exceeds its limit 2 k, margin -80 (4.0 %); refuted by n=13; most in up 80.0 %, down 20.0 %"
JUNIT = f"""\
<?xml version="1.0" encoding="utf-8"?>
<testsuite name="symcost check" tests="3" failures="2">
  <testcase classname="net" name="budget on the board: params">
    <failure message="{PARAMS}" />
  </testcase>
  <testcase classname="net" name="budget on the board: macs">
    <system-out>{WITHIN}</system-out>
  </testcase>
  <testcase classname="net" name="budget 2: macs">
    <failure message="{MACS}" />
  </testcase>
</testsuite>
"""
GITHUB = "".join(
    f"::error file=symcost.toml,line={line},title=net%3A {metric} exceeds its budget::{told.replace('%', '%25')}\n"
    for metric, told, line in (("params", PARAMS, 7), ("macs", MACS, 12))
)
EXACT = {"text": TEXT, "markdown": MARKDOWN, "junit": JUNIT, "github": GITHUB}


@pytest.fixture(autouse=True)
def _budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "symcost.toml").write_text(BUDGET)
    net = sc.Sequential(up=sc.Linear(16), act=sc.ReLU(), down=sc.Linear(2))
    sc.table(net, ("n", 8)).save(tmp_path / "net.json")


@pytest.mark.parametrize("name", EXACT)
def test_a_broken_budget_to_the_letter(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--format", name]) == 1
    assert capsys.readouterr().out == EXACT[name]


def test_gitlab_reads_an_issue_for_each_broken_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--format", "gitlab"]) == 1
    found = json.loads(capsys.readouterr().out)
    fingerprints = {issue.pop("fingerprint") for issue in found}
    assert len(fingerprints) == 2
    assert found == [
        {"description": told, "check_name": f"symcost.{metric}", "severity": "major",
         "location": {"path": "symcost.toml", "lines": {"begin": line}}}
        for metric, told, line in (("params", PARAMS, 7), ("macs", MACS, 12))
    ]  # fmt: skip


def test_json_has_every_finding_exactly(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["holds"], found["file"], len(found["findings"])) == (False, "symcost.toml", 3)
    assert found["findings"][2] == {
        "model": "net", "budget": "2", "metric": "macs", "kind": "count", "holds": False, "value": "2080", "exact": True,
        "limit": "2000", "text": "2 k", "margin": "-80", "how": "refuted by n=13", "at": {"n": 13}, "note": "",
        "heaviest": [{"path": "up", "share": "4/5"}, {"path": "down", "share": "1/5"}],
    }  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_an_output_in_a_folder_that_is_not_there(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--format", name, "-o", "none/out"]) == 2
    assert capsys.readouterr().err == (
        "symcost: error: --output none/out cannot be written: there is no writable directory none\n"
    )
    assert sorted(path.name for path in Path().iterdir()) == ["net.json", "symcost.toml"]
