"""The screens that README and pages show, made anew::

    python tests/screens.py   # the first screen; with chromium a notebook's cell, and the page at two widths in both themes

The first screen is what the command prints, as text in an SVG that follows the reader's theme.
"""

from __future__ import annotations

import contextlib
import html
import io
import os
import shutil
from pathlib import Path
from unittest import mock

import symcost as sc
from symcost.cli.main import main as symcost
from symcost.report.formats import notebook

EXAMPLES = Path(__file__).parents[1] / "examples"
PICTURES = EXAMPLES / "pictures"
COMMAND = ("table", "alexnet")
COLUMNS, ADVANCE, LINE, MARGIN = 100, 8.4, 18, 14
"""Columns of the screen; points that a character and a line take, and around them."""
STYLE = (
    "rect{fill:#fff}text{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328;white-space:pre}"
    "@media (prefers-color-scheme:dark){rect{fill:#0d1117}text{fill:#e6edf3}}"
)
COLOURS = 48
"""Of a picture: it is a third as large as with all of them."""
SHOTS = {
    "page.png": (1280, "light"), "page_dark.png": (1280, "dark"), "page_phone.png": (390, "light"),
    "page_phone_dark.png": (390, "dark"),
}  # fmt: skip
"""Pictures of the page: widths in pixels, and themes."""


def screen() -> str:
    """The first screen as an SVG."""
    out = io.StringIO()
    with mock.patch.dict(os.environ, COLUMNS=str(COLUMNS)), contextlib.redirect_stdout(out):
        symcost(COMMAND)
    lines = [f"$ symcost {' '.join(COMMAND)}", *out.getvalue().splitlines()]
    width, height = round(max(map(len, lines)) * ADVANCE) + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    texts = "".join(
        f'<text x="{MARGIN}" y="{MARGIN + LINE * (k + 1) - 5}" textLength="{len(line) * ADVANCE:g}">{html.escape(line)}</text>\n'
        for k, line in enumerate(lines)
        if line
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
        f'<style>{STYLE}</style>\n<rect width="100%" height="100%" rx="6"/>\n{texts}</svg>\n'
    )


def cell() -> str:
    """What a notebook shows of the guide's first table, all of its modules opened."""
    n, d, L = sc.symbols("n d L")
    block = sc.Residual(sc.Sequential(norm=sc.LayerNorm(), up=sc.Linear(4 * d), act=sc.GELU(), down=sc.Linear(d)))
    costs = sc.table(sc.Sequential(body=sc.Repeat(block, L), head=sc.Linear(10)), (n, d))
    tree, _, rest = notebook.html(costs).partition("<b>Totals")
    return f'<body style="font:13px sans-serif;margin:8px">{tree.replace("<details style", "<details open style")}<b>Totals{rest}'


def shots(executable: str) -> None:
    """The page in a browser, without a network."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 820, "height": 100})
        page.set_content(cell())
        keep(page.screenshot(full_page=True), "notebook.png")
        for name, (width, theme) in SHOTS.items():
            size = {"width": width, "height": 900}
            context = browser.new_context(offline=True, viewport=size, color_scheme=theme)
            page = context.new_page()
            page.goto((EXAMPLES / "gpt.html").as_uri())
            page.wait_for_selector("[data-drawn]", state="attached")
            keep(page.screenshot(), name)
        browser.close()


def keep(shot: bytes, name: str) -> None:
    """Write a picture, small."""
    from PIL import Image  # comes with matplotlib

    Image.open(io.BytesIO(shot)).convert("RGB").quantize(COLOURS).save(PICTURES / name, optimize=True)


def main() -> None:
    """Write them."""
    (PICTURES / "screen.svg").write_text(screen(), encoding="utf-8")
    if found := shutil.which("chromium") or shutil.which("chromium-browser"):
        shots(found)


if __name__ == "__main__":
    main()
