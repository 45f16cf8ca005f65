"""Pictures as files: the same picture is the same bytes, in every format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNDATED: Mapping[str, Mapping[str, None]] = {
    ".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}  # fmt: skip
"""Formats by the ending of a file's name, and what is left out of each."""


def save(figure: Any, file: Any, ending: str, **options: Any) -> None:
    """A figure of matplotlib in a file, or in the path of one."""
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "symcost"}):
        figure.savefig(file, format=ending[1:], metadata=UNDATED[ending], **options)
