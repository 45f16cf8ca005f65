"""The site: it builds without a warning, has every public name, and asks no other host for anything."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from effort import needed

import symcost as sc
from symcost.cli.main import app

ROOT = Path(__file__).parents[1]
REFERENCE = (ROOT / "examples" / "reference" / "index.md").read_text()
LOADS = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["'](?:https?:)?//"""
    r"""|<link\b[^>]*\bhref=["'](?:https?:)?//|@import|url\(["']?https?:"""
)
"""What a browser would fetch from another host when it opens a page."""


def test_every_room_with_public_names_is_in_the_reference() -> None:
    index = ast.parse(Path(sc.__file__).with_suffix(".pyi").read_text())
    rooms = {line.module.partition(".")[0] for line in index.body if isinstance(line, ast.ImportFrom) and line.module}
    assert rooms == set(re.findall(r"^\.\. public:: (\w+)$", REFERENCE, re.MULTILINE))


def test_every_page_is_on_the_home_page() -> None:
    home = (ROOT / "examples" / "index.md").read_text().splitlines()
    pages = {str(page.relative_to(ROOT / "examples").with_suffix("")) for page in (ROOT / "examples").rglob("*.md")}
    assert pages - {"index"} == {line for line in home if line in pages}


@pytest.mark.parametrize(
    "page", sorted([ROOT / "README.md", *(ROOT / "examples").rglob("*.md")]), ids=lambda page: page.stem
)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+?)(?:#[^)]*)?\)", page.read_text())
    assert not [link for link in links if "//" not in link and not (page.parent / link).exists()]


def test_the_reference_of_the_command_line_has_every_verb_and_option() -> None:
    needed("sphinx", "the site")
    page = "\n".join(runpy.run_path(str(ROOT / ".docs" / "conf.py"))["verbs"]())
    for name, verb in vars(typer.main.get_command(app))["commands"].items():
        section = page.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert verb.help in section
        for parameter in verb.params:
            hidden = getattr(parameter, "hidden", False)
            shown = parameter.opts[0] if parameter.opts[0].startswith("-") else parameter.metavar
            assert bool(re.search(rf"^\| `{re.escape(shown)}(?![\w-])[^`]*` \| \S", section, re.MULTILINE)) != hidden, (
                shown
            )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as continuous integration builds it."""
    for package in ("sphinx", "myst_parser", "furo"):
        needed(package, "the site")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-c", ".docs", "examples", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.campaign
def test_every_public_name_has_an_anchor(site: Path) -> None:
    page = (site / "reference" / "index.html").read_text()
    held = set(re.findall(r'id="symcost\.(\w+)"', page))
    assert set(sc.__all__) - {"models", "__version__"} <= held


@pytest.mark.campaign
def test_nothing_is_fetched_from_another_host(site: Path) -> None:
    ours = [file for file in site.rglob("*") if file.suffix in {".html", ".css"} and file.name != "gpt.html"]
    assert len(ours) > 15
    found = {str(file.relative_to(site)): LOADS.findall(file.read_text()) for file in ours}
    assert not {name: loads for name, loads in found.items() if loads}
