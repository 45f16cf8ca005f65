"""``render``: the page of one model, or of two side by side on common symbols."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from symcost.costs.dtypes import BITS
from symcost.costs.table import CostTable
from symcost.devices import device
from symcost.devices.catalog import names
from symcost.errors import DeviceError, SymcostError
from symcost.report.page.contents import columns, contents, heading
from symcost.report.page.ranges import sliders
from symcost.report.page.verdicts import shown
from symcost.system.extras import look

FOLDER = Path(__file__).parent
MOST = 2
FIRST = "nvidia-a100-sxm-80gb"


def check() -> None:
    """Say which package the page lacks: before models are traced for it."""
    look("the page", "jinja2", "bokeh")


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
    check()
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from symcost.report.page.charts import charts

    wanted = columns([costs for _, costs in tables])
    data = {
        "columns": [metric for metric, _ in wanted],
        "headings": [heading(column) for column in wanted],
        "symbols": [
            {**each, "start": str(each["start"])} for each in sliders([costs for _, costs in tables], at or {})
        ],
        "models": [contents(costs, title, wanted) for title, costs in tables],
        "devices": _devices(on),
        "device": chosen,
        "bits": BITS,
    }
    library, bars, roofline, script = charts([title for title, _ in tables])
    page = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                       lstrip_blocks=True).get_template("page.html")  # fmt: skip
    return page.render(
        titles=[title for title, _ in tables], models=data["models"], data=_embedded(data), library=library, bars=bars,
        verdicts=said,
        roofline=roofline, script=script, style=_file("page.css"), exact=_file("exact.js"), program=_file("page.js"),
    )  # fmt: skip


def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _embedded(data: Any) -> str:
    """JSON that cannot end the element around it, whatever the names in it are."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _devices(on: str) -> list[dict[str, Any]]:
    """Devices whose peaks and bandwidths are published, in exact fractions; the chosen one first."""
    found = []
    for name in dict.fromkeys([on, *names()]):
        made = device(name)
        try:
            bandwidths = {what: str(made.bandwidth(what)) for what in ("weights", "activations")}
        except DeviceError:
            continue
        if made.peak:
            found.append({
                "name": made.name, "title": made.title or made.name, "source": made.source,
                "peak": {dtype: str(peak) for dtype, peak in made.peak.items()}, "bandwidth": bandwidths,
                "overhead": str(made.overhead or Fraction(0)),
                "measured": {
                    kind: {part: str(rate) for part, rate in asdict(rates).items() if rate is not None}
                    for kind, rates in made.measured.items()
                },
            })  # fmt: skip
    return found
