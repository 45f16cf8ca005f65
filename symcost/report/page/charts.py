"""The page's pictures: empty Bokeh figures, which the page fills and redraws as the sliders move.

Names of modules reach them in the page alone, as data: none of them is part of a script.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bokeh.embed import components
from bokeh.models import ColumnDataSource, CustomJSTickFormatter, DataRange1d, FactorRange, HoverTool
from bokeh.plotting import figure
from bokeh.resources import Resources

BLUE, ORANGE, GREY = "#4477aa", "#ee6677", "#888888"
HEIGHT = 300
_PREFIXED = (
    "const found = [[1e15, 'P'], [1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']].find(([size]) => tick >= size);"
    "return found ? `${Number((tick / found[0]).toPrecision(6))} ${found[1]}` : String(tick);"
)
"""Ticks with the prefixes of the page's other numbers."""


def charts(titles: Sequence[str]) -> tuple[str, list[str], str, str]:
    """(Bokeh's own script, one bar chart for each model, the roofline, the script that makes them)."""
    figures = [_bars(index) for index in range(len(titles))]
    script, divs = components([*figures, _roofline(len(titles))])
    return Resources(mode="inline", components=["bokeh"]).render_js(), list(divs[:-1]), divs[-1], script


def _quiet(made: Any) -> Any:
    """Colours that are readable on a dark page and on a light one."""
    made.background_fill_alpha = made.border_fill_alpha = 0
    made.outline_line_color = None
    made.toolbar.logo = None
    made.toolbar.autohide = True
    for axis in made.axis:
        axis.major_label_text_color = axis.axis_label_text_color = GREY
        axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = GREY
    made.grid.grid_line_color = GREY
    made.grid.grid_line_alpha = 0.25
    return made


def _bars(index: int) -> Any:
    made = figure(
        x_range=FactorRange(name=f"names-{index}"), y_range=DataRange1d(start=0), height=HEIGHT + 80,
        sizing_mode="stretch_width", tools="save,reset", name=f"bars-figure-{index}",
    )  # fmt: skip
    source = ColumnDataSource({"name": [], "value": [], "shown": []}, name=f"bars-{index}")
    made.vbar(x="name", top="value", width=0.8, source=source, color=(BLUE, ORANGE)[index], line_alpha=0)
    made.add_tools(HoverTool(tooltips=[("module", "@name"), ("", "@shown")]))
    made.xaxis.major_label_orientation = 0.9
    made.yaxis.formatter = CustomJSTickFormatter(code=_PREFIXED)
    return _quiet(made)


def _roofline(count: int) -> Any:
    made = figure(x_axis_type="log", y_axis_type="log", height=HEIGHT + 40, sizing_mode="stretch_width",
                  tools="pan,wheel_zoom,save,reset", x_axis_label="operations per byte", y_axis_label="operations per second",
                  name="roofline-figure")  # fmt: skip
    made.line("x", "y", source=ColumnDataSource({"x": [1, 10], "y": [1, 10]}, name="roof"), color=GREY, line_width=2)
    for index in range(count):
        source = ColumnDataSource({"x": [], "y": [], "size": [], "name": [], "share": []}, name=f"kernels-{index}")
        made.scatter("x", "y", size="size", source=source, color=(BLUE, ORANGE)[index], alpha=0.6, line_alpha=0)
    made.add_tools(HoverTool(tooltips=[("kernel", "@name"), ("of the time", "@share")]))
    return _quiet(made)
