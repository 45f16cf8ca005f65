"""A real browser for the tests of the page, without a network: fixtures that open it, and what a reader does."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from effort import needed

import symcost as sc
from symcost.report.page.render import render
from symcost.report.words import facts

Page = Any
MODELS: dict[str, Any] = {
    "resnet": cache(lambda: sc.models.resnet50(n="n", r="r", classes="C")),
    "gpt": cache(lambda: sc.models.gpt2(d="d", L="L", N="N", n="n", H="H")),
    "rounded": cache(lambda: sc.models.mobilenet_v2(r="r", n="n")),
}


@cache
def resnet_page() -> str:
    """The page of the first of them, which most tests open."""
    return render([("net", MODELS["resnet"]())])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's chromium; where it is missing the tests are skipped."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("the page is tested in a browser: apt-get install chromium")
    playwright = needed("playwright.sync_api", "the page in a browser")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens a page offline; when the test ends nothing was asked of a network and nothing went wrong in the console."""
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
    problems: list[str] = []

    def open_(html: str, fragment: str = "", width: int = 1200) -> Page:
        path = tmp_path / "page.html"
        path.write_text(html)
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda asked: problems.append(asked.url) if not re.match("file:|data:", asked.url) else None)
        page.goto(f"file://{path}{fragment}")
        page.wait_for_selector("body[data-ready=yes]")
        return page

    yield open_
    context.close()
    assert not problems


def move(page: Page, **point: int) -> None:
    """Type values into the fields and wait for the page to have settled: a field takes what is outside the domain too."""
    _put(page, {f"field-{name}": value for name, value in point.items()})


def drag(page: Page, name: str, value: int) -> int:
    """Put a slider at a value, as a pointer does, and give the one where it stopped."""
    _put(page, {f"slider-{name}": value})
    return int(page.input_value(f"#field-{name}"))


def _put(page: Page, values: dict[str, int]) -> None:
    """Give controls values, one after the other, and wait for the page to have settled."""
    page.evaluate("delete document.body.dataset.settled")
    for control, value in values.items():
        page.evaluate(
            """([control, value]) => {
                const input = document.getElementById(control);
                input.value = value;
                input.dispatchEvent(new Event("input"));
            }""",
            [control, str(value)],
        )
    page.wait_for_selector("body[data-settled]")


def totals(page: Page) -> dict[str, str]:
    """The exact values behind the totals."""
    return page.evaluate("Object.fromEntries([...document.querySelectorAll('[data-total]')].map("
                         "(row) => [row.dataset.total, row.querySelector('td').dataset.value]))")  # fmt: skip


def expected(costs: Any, point: dict[str, int]) -> dict[str, str]:
    """What ``subs`` says of the same totals; conventions that agree in the formula are named together."""
    at = costs.subs(**point)
    found = {
        f"{facts.TITLES[metric]} ({', '.join(conventions)})": str(getattr(at.total(conventions[0]), metric))
        for metric, conventions, _ in facts.metrics_by_convention(costs)
    }
    used = sc.memory(at)
    sizes = {"model size": used.weights, "bytes of state": used.state, "bytes in memory": used.total}
    found |= {title: str(value) for title, value in sizes.items() if value != 0}
    return found | {f"peak {p.unit} ({p.rule})": str(p.value) for p in facts.peaks(at)}
