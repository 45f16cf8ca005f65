"""Reports: one format per file, each a function from a cost table to text.

``FORMATS`` maps a format's name to its function ``(costs, *, depth=None, ...) -> str``. To add a format, write
``report/formats/<name>.py`` with a function ``render``, add its name to ``Format`` in ``reading/choices.py``, and a test of its
totals to ``tests/test_report.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from symcost.reading import choices


def _format(name: str) -> Callable[..., str]:
    """The format's ``render``, imported at its first use: choosing among formats needs none of them."""

    def render(costs: Any, **options: Any) -> str:
        return import_module(f"symcost.report.formats.{name}").render(costs, **options)

    return render


FORMATS: dict[str, Callable[..., str]] = {name: _format(name) for name in choices.FORMATS}

__all__ = ["FORMATS"]
