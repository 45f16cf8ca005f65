"""The site: the pages under ``examples/`` and the public names, each by its own docstring.

Built by ``sphinx-build -W -c .docs examples FOLDER``; nothing in what is built asks another host for a font or a script.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import symcost
from symcost.models.catalog import REFERENCES
from symcost.version import __version__

project = "symcost"
copyright = "The symcost developers, Apache-2.0"  # noqa: A001 - Sphinx calls it so
version = release = __version__
html_title = f"symcost {__version__}"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_copy_source = False
html_extra_path = ["../examples/gpt.html"]  # the page that guide and README speak of, as it is

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True

INDEX = Path(symcost.__file__).with_suffix(".pyi")
PUBLIC = re.compile(r"^\.\. public:: (\w+)$", re.MULTILINE)


def names(room: str) -> list[str]:
    """Public names that a room defines, in the order of the index."""
    lines = (node for node in ast.parse(INDEX.read_text()).body if isinstance(node, ast.ImportFrom))
    return [alias.name for line in lines if (line.module or "").partition(".")[0] == room for alias in line.names]


def entries(room: str) -> Iterator[str]:
    """Directives of a room's public names; of layers and errors the class says all."""
    for name in names(room):
        thing: Any = getattr(symcost, name)
        if inspect.isclass(thing):
            whole = not issubclass(thing, symcost.Layer | Exception)
            yield f".. autoclass:: {name}" + ("\n   :members:" if whole else "")
        else:
            yield f".. {'autofunction' if callable(thing) else 'autodata'}:: {name}"


def networks() -> Iterator[str]:
    """Reference networks as a list: what may be varied, with the published values, and the source."""
    for name, each in REFERENCES.items():
        varied = ", ".join(f"{key}={value!r}" for key, value in each.parameters.items())
        yield f"``sc.models.{name}({varied})``\n    {each.source}"


def expanded(app: object, page: str, source: list[str]) -> None:
    """A page whose lines ``.. public:: ROOM`` are the entries of that room, and ``.. networks::`` the catalogue."""
    source[0] = source[0].replace(".. networks::", "\n".join(networks()))
    source[0] = PUBLIC.sub(
        lambda found: "\n\n".join([".. currentmodule:: symcost", *entries(found[1])]),
        source[0],
    )


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect("source-read", expanded)
    return {"parallel_read_safe": True}
