"""The site: the pages under ``examples/``, the public names, each by its own docstring, and the verbs, each by its own help.

Built by ``sphinx-build -W -c .docs examples FOLDER``; nothing in what is built asks another host for a font or a script.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

import symcost
from symcost.cli.main import app as command_line
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
VERBS = "```{eval-rst}\n.. verbs::\n```"
HEAD = "[bold]Examples[/bold]"
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


def verbs() -> Iterator[str]:
    """Every verb in Markdown: what it does, its arguments and options in words, and its examples."""
    for name, verb in vars(typer.main.get_command(command_line))["commands"].items():
        shown = [each for each in verb.params if not getattr(each, "hidden", False)]
        given = [each for each in shown if not each.opts[0].startswith("-")]
        usage = " ".join(each.metavar if each.required else f"[{each.metavar}]" for each in given)
        yield f"## {name}\n\n{verb.help}\n\n```text\nsymcost {name} {f'{usage} ' if usage else ''}[OPTIONS]\n```\n"
        yield "\n".join(["| | |", "| --- | --- |", *map(line, shown)]) + "\n"
        _, examples, told = (verb.epilog or "").partition(HEAD)
        if examples:
            yield f"```text\n{told.strip().replace(chr(92) + '[', '[')}\n```\n"


def line(parameter: Any) -> str:
    """A row of a verb's table: an argument or option, and its help with the default that it has."""
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    value = (
        "" if getattr(parameter, "is_flag", False) else f" {parameter.metavar or parameter.opts[0].lstrip('-').upper()}"
    )
    shown = names + value if names.startswith("-") else parameter.metavar
    told = (parameter.help or "").replace(chr(92) + "[", "[").replace("|", chr(92) + "|")
    usual = "" if parameter.default in (None, False, True, "") else f" Usually {parameter.default}."
    return f"| `{shown}` | {told}{usual} |"


def expanded(app: object, page: str, source: list[str]) -> None:
    """A page whose lines ``.. public:: ROOM``, ``.. networks::`` and ``.. verbs::`` are what the package has."""
    source[0] = source[0].replace(".. networks::", "\n".join(networks()))
    if VERBS in source[0]:
        source[0] = source[0].replace(VERBS, "\n".join(verbs()))
    source[0] = PUBLIC.sub(
        lambda found: "\n\n".join([".. currentmodule:: symcost", *entries(found[1])]),
        source[0],
    )


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect("source-read", expanded)
    return {"parallel_read_safe": True}
