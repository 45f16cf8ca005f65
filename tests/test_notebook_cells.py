"""What results show in a notebook: a sentence and a table, numbers with separators, formulas as mathematics, text escaped."""

from __future__ import annotations

import html.parser
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import symcost as sc
from symcost.gates.audit.claims import read
from symcost.gates.audit.judge import audit
from symcost.gates.diff.compare import compare
from symcost.report.words import markup

A100 = "nvidia-a100-sxm-80gb"
LECTURES = Path(__file__).parents[1] / "examples" / "lectures.csv"
WIDE = 900
"""Places across a notebook's cell."""


@cache
def sweep() -> Any:
    """An answer with a table, and one without."""
    d, L = sc.symbols("d L")
    space = sc.Space(d=range(64, 2048, 64), L=range(1, 20))
    return sc.sweep(
        sc.table(sc.Repeat(sc.Linear(c_o=d), L), (1, d)), space, where="params <= 2_000_000", maximize="params", top=5
    )


RESULTS = {
    "latency": lambda: sc.latency(sc.models.resnet50(), A100),
    "latency, symbolic": lambda: sc.latency(sc.models.resnet50(n="n", r="r"), A100, model="fused"),
    "latency, short": lambda: sc.latency(sc.models.alexnet(n="n"), A100, model="whole"),
    "energy": lambda: sc.energy(sc.models.resnet50()),
    "energy by power": lambda: sc.energy(sc.models.alexnet(), A100),
    "energy, symbolic": lambda: sc.energy(sc.models.alexnet(n="n"), model="whole"),
    "fit": lambda: sc.fits(sc.models.mobilenet_v2(), "stm32f746", "int8"),
    "domain": lambda: sc.models.gpt2(d="d", H="H").domain,
    "solution": lambda: sc.solve(
        sc.models.gpt2(d="d", L="L", H=1), "params <= 25_000_000", largest="d", given={"L": 12}
    ),
    "answer": sweep,
    "difference": lambda: compare(
        sc.models.resnet18(n="n"), sc.models.resnet34(n="n"), [{"n": 8}], ("resnet18", "resnet34")
    ),
    "no difference": lambda: compare(sc.models.resnet18(), sc.models.resnet18()),
    "audit": lambda: audit(read(LECTURES)),
}
MEMORY = {
    "memory": lambda: sc.memory(sc.models.mobilenet_v2(), "int8"),
    "memory, symbolic": lambda: sc.memory(sc.models.gpt2(n="n", d="d", H=1)),
}
"""Tells its fields in a line."""


class Page(html.parser.HTMLParser):
    """Tags of a fragment that are not closed, and all that are there."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        self.found.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", [*RESULTS, *MEMORY])
def test_a_cell_is_whole_html_with_a_sentence_in_front(name: str) -> None:
    page = Page()
    shown = {**RESULTS, **MEMORY}[name]()._repr_html_()
    page.feed(shown)
    assert page.open == []
    assert not page.found & {"script", "style", "link", "img"}
    assert shown.startswith("<p><b>")
    told = re.sub(r"<math>.*?</math>|<code.*?</code>|style=\"[^\"]*\"", "", shown)
    assert not re.search(r"(?<![\d.,_])\d{5,}", told), "no separators"


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_told_in_a_line(name: str) -> None:
    said = repr(RESULTS[name]())
    assert len(said) < 400
    assert "\n" not in said
    assert said.startswith("<")


def test_the_kernels_of_a_latency_are_ranked_and_add_up() -> None:
    shown = RESULTS["latency"]()._repr_html_()
    shares = [float(found) for found in re.findall(r"([\d.]+) %", shown)]
    assert shares[:-1] == sorted(shares[:-1], reverse=True)
    assert sum(shares) == pytest.approx(100, abs=0.5)
    assert "bound by compute" in shown


def test_a_fit_has_every_memory_with_separators() -> None:
    shown = RESULTS["fit"]()._repr_html_()
    assert "does not fit ST STM32F746" in shown
    assert "3,538,984" in shown
    assert "1,048,576" in shown


def test_a_domain_has_its_conditions_and_what_stands_behind_each_symbol() -> None:
    assert "<li><code>d % H == 0</code></li>" in RESULTS["domain"]()._repr_html_()
    saved = sc.models.gpt2(d="d", H="H").domain
    assert repr(saved).startswith("<LayerDomain ")


def test_an_answer_shows_its_configurations() -> None:
    found = sweep()
    shown = found._repr_html_()
    assert shown.count("<tr>") == 1 + len(found)
    assert f"{found[0]['params']:,}" in shown
    assert f"{found.count:,} of {found.size:,} configurations are feasible" in shown


def test_formulas_are_mathematics_and_long_ones_open_by_a_click() -> None:
    n, d = sc.symbols("n d")
    assert markup.formula(12 * n * d**2).startswith("<math>")
    assert markup.formula(sum(k * d**k * n for k in range(1, 60))).startswith("<details>")
    assert markup.table(["<b>"], [["<script>"]]).count("&lt;") == 2


@pytest.mark.usefixtures("traced_once")
def test_a_verdict_folds_its_long_tables() -> None:
    net = sc.Sequential(up=sc.Linear("d"), act=sc.ReLU(), down=sc.Linear(3))
    verdict = sc.verify(sc.table(net, ("n", 4)), at={"n": 2, "d": 8}, targets=[])
    page = Page()
    page.feed(verdict._repr_html_())
    assert page.open == []
    assert "details" in page.found
    assert repr(verdict).startswith("<Verdict TRUE at n=2, d=8")
    assert json.loads(json.dumps(repr(verdict)))


def test_cells_are_no_wider_than_a_notebook(opened: Any) -> None:
    cells = "".join(f"<div class='cell'>{make()._repr_html_()}</div>" for make in RESULTS.values())
    html = (
        f"<!DOCTYPE html><meta charset=utf-8><link rel=icon href='data:,'><body data-ready=yes style='margin:0'>{cells}"
    )
    page = opened(html, width=WIDE)
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDE


def test_a_cell_of_memory_has_every_part_and_their_sum() -> None:
    shown = MEMORY["memory"]()._repr_html_()
    use = MEMORY["memory"]()
    for count in (use.weights, use.state, use.activations, use.total):
        assert f">{count:,}</td>" in shown
    assert "100.0 %" in shown


def test_a_cell_of_a_difference_has_what_the_text_has() -> None:
    shown = RESULTS["difference"]()._repr_html_()
    assert ">params (full)</td>" in shown
    assert "at n=8" in shown
    assert "the costs are equal" in RESULTS["no difference"]()._repr_html_()


def test_a_cell_of_an_audit_says_what_is_wrong_and_why() -> None:
    shown = RESULTS["audit"]()._repr_html_()
    assert shown.startswith("<p><b>11 claims, 9 wrong</b></p>")
    assert "<code>24848</code>" in shown
    assert ">34,848</td>" in shown
    assert repr(RESULTS["audit"]()) == "<Audit of 11 claims, 9 wrong>"
