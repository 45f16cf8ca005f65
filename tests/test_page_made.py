"""The page's file, and what it is made of: no browser is needed for these."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest

import symcost as sc
from symcost.cli.main import main
from symcost.formulas.symbols import parse
from symcost.report.page.contents import LONG, columns, contents
from symcost.report.page.program import PageProgram
from symcost.report.page.ranges import sliders
from symcost.report.page.render import render


def test_the_verb_writes_one_whole_file_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "page.html"
    sc.models.alexnet(n="n").save(tmp_path / "costs.json")
    assert main(["report", str(tmp_path / "costs.json"), "-o", str(output), "--at", "n=4"]) == 0
    assert len(output.read_bytes()) < 3_000_000
    output.unlink()
    for arguments, message in (
        (["--at", "m=4"], "unknown symbol 'm': the symbols here are n"), (["--at", "n=0"], "no point with n=0 inside"),
        (["--device", "a1000"], "unknown device 'a1000'"), (["-o", str(tmp_path / "page.pdf")], "must end in .html"),
        (["--beside", "nonet"], "unknown model 'nonet'"),
    ):  # fmt: skip
        assert main(["report", str(tmp_path / "costs.json"), "-o", str(output), *arguments]) == 2
        shown = capsys.readouterr().err
        assert message in shown
        assert len(shown.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["costs.json"]


def test_sliders_begin_inside_every_domain() -> None:
    costs = sc.table(sc.Conv2d(c_o="c", k=3, g="g"), ("n", "c", "h", "w"))
    point = {s["name"]: s["start"] for s in sliders([costs], {"g": 12})}
    assert point["g"] == 12
    assert costs.domain.problem(point) is None


def test_programs_hold_every_sub_expression_once() -> None:
    program = PageProgram({"n": 3})
    program.add(parse("n*(d + 1)*floor(d/2) + Max(d, 4)"))
    program.add(parse("n*floor(d/2)"))
    assert len({json.dumps(i) for i in program.instructions}) == len(program.instructions)
    assert ["n", "3", "1"] in program.instructions


@pytest.mark.parametrize(("layers", "laid_out"), [(2, True), pytest.param(120, False, marks=pytest.mark.campaign)])
def test_a_formula_of_any_length_is_shown(layers: int, laid_out: bool) -> None:
    """Beyond a length as text alone, which a browser lays out at once."""
    costs = sc.table(
        sc.Sequential(*(sc.Linear(c_o=parse(f"ceiling(n/{k + 3}) + {k}")) for k in range(layers))), (1, "n")
    )
    formulas = contents(costs, "net", columns([costs]))["formulas"]
    assert {(len(each["text"]) <= LONG, bool(each["mathml"])) for each in formulas} == {(laid_out, laid_out)}
    shown = html.unescape(render([("net", costs)]))
    assert all(f'<code tabindex="0">{each["text"]}</code>' in shown for each in formulas)
