"""The list of reference networks, as text and as JSON."""

from __future__ import annotations

from typing import Any

from symcost.models.catalog import REFERENCES
from symcost.reading.numerals import assigned
from symcost.report.words import documents


def text() -> str:
    """One paragraph per network: its parameters with their defaults, and who published it."""
    lines = []
    for entry in REFERENCES.values():
        parameters = assigned(entry.parameters)
        lines += [f"{entry.name}", f"    {parameters}", f"    {entry.source}"]
    return "\n".join(lines)


def json() -> str:
    """A list of ``{"name", "input", "dtype", "parameters", "source"}``; parameter values are texts."""
    listed: list[dict[str, Any]] = [
        {
            "name": entry.name,
            "input": list(entry.x),
            "dtype": entry.dtype,
            "parameters": {name: str(value) for name, value in entry.parameters.items()},
            "source": entry.source,
        }
        for entry in REFERENCES.values()
    ]
    return documents.written(listed)


FORMATS = {"text": text, "json": json}
