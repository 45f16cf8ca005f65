"""The example notebook runs from top to bottom in a kernel of its own, and its tables show themselves."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import symcost as sc
from examples.gpt import GPT
from symcost.report.page.render import render

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's own libraries
def test_the_notebook_runs_and_shows_tables_and_formulas() -> None:
    notebook = nbformat.read(EXAMPLES / "tour.ipynb", as_version=4)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(EXAMPLES.parent)}}
    ).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    data = [output["data"] for output in shown if "data" in output]
    assert any("<details" in each.get("text/html", "") for each in data)
    assert any("text/latex" in each for each in data)
    assert any(each.get("text/plain") == "124439808" for each in data)  # GPT-2 small as published


def test_the_page_among_the_examples_is_todays_page() -> None:
    def data(html: str) -> dict[str, object]:
        found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)
        assert found
        return json.loads(found.group(1))

    costs = sc.trace(GPT, "int32[n,N]")
    made = render([("examples.gpt:GPT", costs)], at={"d": 768, "H": 12, "V": 50257})
    assert data(made) == data((EXAMPLES / "gpt.html").read_text(encoding="utf-8"))
