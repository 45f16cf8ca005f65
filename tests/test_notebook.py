"""Tables in notebooks are trees of their modules; the example notebook runs in a kernel of its own and shows them."""

from __future__ import annotations

import html.parser
import json
import re
from pathlib import Path
from typing import Any

import pytest
from effort import needs

import symcost as sc
from examples.gpt import GPT
from symcost.formulas.text import written
from symcost.report.formats import notebook
from symcost.report.page.render import render
from symcost.report.words.headline import headline
from symcost.report.words.markup import mathml

pytestmark = pytest.mark.usefixtures("traced_once")
EXAMPLES = Path(__file__).parents[1] / "examples"


@needs("nbclient", "the example notebook")
@needs("ipykernel", "the example notebook")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's own libraries
def test_the_notebook_runs_and_shows_tables_and_formulas() -> None:
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.read(EXAMPLES / "tour.ipynb", as_version=4)
    NotebookClient(
        book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(EXAMPLES.parent)}}
    ).execute()
    shown = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    data = [output["data"] for output in shown if "data" in output]
    assert any("<details" in each.get("text/html", "") for each in data)
    assert any("text/latex" in each for each in data)
    assert any("image/png" in each for each in data)  # a picture, not its address
    assert sum("<table>" in each.get("text/html", "") for each in data) >= 3
    assert any(each.get("text/plain") == "124439808" for each in data)  # GPT-2 small as published


def test_the_figure_for_a_thesis_is_drawn_by_its_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for cell in json.loads((EXAMPLES / "thesis.ipynb").read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "thesis.ipynb", "exec"), names)  # noqa: S102 - our own notebook
    for figure in (tmp_path / "thesis.pdf", EXAMPLES / "pictures" / "thesis.pdf"):
        assert figure.read_bytes().startswith(b"%PDF")
    assert names["answer"].model == "mobilenet_v2"
    assert max(names["answer"].columns["peak_textbook"]) <= 1_000_000


def test_the_page_among_the_examples_is_todays_page() -> None:
    def data(html: str) -> dict[str, object]:
        found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)
        assert found
        return json.loads(found.group(1))

    costs = sc.trace(GPT, "int32[n,N]")
    made = render([("examples.gpt:GPT", costs)], at={"d": 768, "H": 12, "V": 50257})
    assert data(made) == data((EXAMPLES / "gpt.html").read_text(encoding="utf-8"))


class Tags(html.parser.HTMLParser):
    """The tags of a page, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append(tag)


def test_html_escapes_text() -> None:
    nasty = sc.CostTable([sc.Row(path="a_b<script>|%&$#{}~^\\", op="dot", cost=sc.Cost(macs=1))])
    tags = Tags()
    tags.feed(notebook.html(nasty))
    assert "script" not in tags.found
    assert "a_b&lt;script&gt;" in notebook.html(nasty)


def test_a_notebook_shows_modules_as_a_tree_with_the_sums_of_what_is_inside() -> None:
    costs = sc.models.resnet18(n="n")
    shown = notebook.html(costs)
    tags = Tags()
    tags.feed(shown)
    assert tags.found.count("details") == tags.found.count("summary") > 10
    assert "style" not in tags.found  # pages made of notebooks drop style sheets and scripts
    assert shown.count("<details open") == 1  # the whole model; the rest opens by a click
    whole = re.search(r"<details open[^>]*><summary[^>]*>(.*?)</summary>", shown)
    assert whole
    cells = re.findall(r">([^<>]+)</span>", whole.group(1))
    assert cells == ["resnet18", "[n,1000]", "11,689,512", "100.0 %"]
    assert f'title="{written(costs.macs)}"><math>{mathml(costs.macs)}</math></span>' in whole.group(1)  # as mathematics
    assert shown.startswith(f"<div><b>{' · '.join(headline(costs))}</b></div>")


def test_a_large_tree_leaves_out_its_deepest_modules() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    inner = sc.Sequential(**{letter: sc.Linear(3) for letter in letters})
    costs = sc.table(sc.Sequential(**dict.fromkeys(letters, inner)), (1, 3))
    shown = notebook.html(costs)
    assert shown.count("<div style") + shown.count("<details") < notebook.MOST
    assert f">{costs.params:,}</span>" in shown


def test_a_column_that_says_nothing_is_left_out(tmp_path: Path) -> None:
    def heads(costs: sc.CostTable) -> list[str]:
        return re.findall(r">([^<>]+)</span>", notebook.html(costs).partition("<details open")[0])

    assert heads(sc.models.resnet18(n="n")) == ["module", "type", "output", "params", "MACs", "share"]
    plain = sc.CostTable([sc.Row(path="a", op="dot", cost=sc.Cost(macs=1))])
    assert heads(plain) == ["module", "output", "params", "MACs", "share"]


def test_a_long_formula_is_whole_under_the_pointer() -> None:
    costs = sc.models.resnet18(n="n", r="r", classes="C")
    assert f'title="{written(costs.macs)}">' in notebook.html(costs)
