"""``render``: the page of one model, or of two side by side on common symbols."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from symcost.costs.dtypes import BITS
from symcost.costs.table import CostTable
from symcost.devices import device
from symcost.errors import SymcostError
from symcost.report.page.contents import columns, contents, heading
from symcost.report.page.devices import devices, number_types
from symcost.report.page.ranges import sliders
from symcost.report.page.verdicts import shown
from symcost.system.extras import look

FOLDER = Path(__file__).parent / "browser"
SCRIPTS = (
    "exact.js",
    "dom.js",
    "domain.js",
    "symbols.js",
    "modules.js",
    "device.js",
    "mesh.js",
    "bars.js",
    "roofline.js",
    "page.js",
)
"""Of the page, each using those before it."""
MOST = 2
FIRST = "nvidia-a100-sxm-80gb"


def check() -> None:
    """Say which package the page lacks: before models are traced for it."""
    look("the page", "jinja2")


def render(
    tables: Sequence[tuple[str, CostTable]], *, at: Mapping[str, int] | None = None, on: str = FIRST,
    verdicts: Mapping[str, Any] | None = None,
) -> str:  # fmt: skip
    """The page as HTML.

    ``tables``: one or two, each with its title; ``at``: where the sliders start; ``on``: the device chosen at first;
    ``verdicts``: what compilers said, by the names that errors call them by.
    """
    if not 1 <= len(tables) <= MOST:
        raise SymcostError(f"the page shows one model or two: {len(tables)} were given")
    chosen, said = device(on).name, shown(tables, verdicts or {})
    tables = [(title, costs.side_at(at or {}).sides[0]) for title, costs in tables]
    check()
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    offered = devices(on)
    if chosen not in [each["name"] for each in offered]:
        raise SymcostError(f"device {chosen} has no memories, which the page asks it about: name another")
    dtypes = number_types(offered)
    wanted = columns([costs for _, costs in tables])
    data = {
        "columns": [metric for metric, _ in wanted],
        "headings": [heading(column) for column in wanted],
        "units": ["B" if "bytes" in heading(column) else "" for column in wanted],
        "symbols": [
            {**each, "start": str(each["start"])} for each in sliders([costs for _, costs in tables], at or {})
        ],
        "models": [
            contents(costs, title, wanted, dtypes, [each["name"] for each in offered]) for title, costs in tables
        ],
        "devices": offered,
        "device": chosen,
        "bits": {dtype: BITS[dtype] for dtype in dtypes},
    }
    page = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                       lstrip_blocks=True).get_template("page.html")  # fmt: skip
    return page.render(
        titles=[title for title, _ in tables], models=data["models"], data=_embedded(data), verdicts=said,
        style=_file("page.css"), script="\n".join(map(_file, SCRIPTS)),
    )  # fmt: skip


def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _embedded(data: Any) -> str:
    """JSON that cannot end the element around it, whatever the names in it are."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
