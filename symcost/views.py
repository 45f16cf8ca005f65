"""Where a result learns how it shows itself: the one place in which a room names rooms above it.

A result (a table, a verdict, an answer) is made far below the reports that show it. Its ``print``, its notebook cell and
its file are looked up here by name, when they are first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, ClassVar

VIEWS: Mapping[str, str] = {
    "table as text": "symcost.report.formats.text:render",
    "table in full": "symcost.report.formats.details:render",
    "table in a line": "symcost.report.words.ways:line",
    "table as html": "symcost.report.formats.notebook:html",
    "table as latex": "symcost.report.formats.latex:totals",
    "table as file": "symcost.report.formats.json:save",
    "table in words": "symcost.report.subjects.explain:explain",
    "table as picture": "symcost.report.pictures.plots:plot",
    "table as function": "symcost.sweeps.question.columns:columns_of",
    "verdict as text": "symcost.report.subjects.verdict:text",
    "verdict as html": "symcost.report.subjects.verdict:html",
    "verdict as file": "symcost.report.subjects.verdict:save",
    "latency as html": "symcost.report.formats.cells:latency",
    "energy as html": "symcost.report.formats.cells:energy",
    "memory as html": "symcost.report.formats.cells:memory",
    "fit as html": "symcost.report.formats.cells:fit",
    "domain as html": "symcost.report.formats.cells:domain",
    "solution as html": "symcost.report.formats.cells:solution",
    "answer as html": "symcost.report.formats.cells:answer",
    "answer as text": "symcost.report.subjects.designs:text",
    "plans as text": "symcost.report.subjects.plans:text",
    "plans as html": "symcost.report.subjects.plans:html",
    "limit in words": "symcost.report.subjects.gate:sentence",
    "difference as text": "symcost.report.subjects.difference:text",
    "difference as html": "symcost.report.subjects.difference:html",
    "audit as text": "symcost.report.subjects.findings:text",
    "audit as html": "symcost.report.subjects.findings:html",
}
"""View -> ``module:function``."""


def view(name: str) -> Callable[..., Any]:
    """The function of a view, imported now."""
    module, _, function = VIEWS[name].partition(":")
    return getattr(import_module(module), function)


class Viewed:
    """A result that prints, and stands in a notebook's cell, as its views say: those of the ``kind`` given to its class."""

    _kind: ClassVar[str]

    def __init_subclass__(cls, kind: str = "") -> None:
        if kind:
            cls._kind = kind

    def __str__(self) -> str:
        return view(f"{self._kind} as text")(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self).partition(chr(10))[0]}>"

    def _repr_html_(self) -> str:
        return view(f"{self._kind} as html")(self)
