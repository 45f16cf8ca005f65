"""Where the costs of a sweep come from: a model as every verb takes it, written in the file of the space."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symcost.errors import SpaceError, SymcostError
from symcost.reading.numerals import bare
from symcost.sources import written
from symcost.sources.source import Source


def source_of(key: str, given: Any, folder: Path) -> Source:
    """The model that a file names: a reference network, a file beside it, or a table with ``model``, ``specs`` and options.

    >>> source_of("network", {"model": "gpt2", "at": {"L": "L"}}, Path()).table().symbols
    ('L',)
    """
    if isinstance(given, str):
        given = {"model": given}
    if not isinstance(given, Mapping) or not {"model", *written.FIRST} & given.keys():
        raise SpaceError(
            f'{key} = {bare(str(given))} is not understood: write "PKG.MOD:NAME" of costs, "resnet50", "costs.json", or '
            '{model = "resnet50", at = {n = "n"}} or {model = "PKG.MOD:NAME", specs = ["float32[n,d]"]}'
        )
    try:
        return written.source(given, key, folder).check()
    except SymcostError as problem:
        raise problem if str(problem).startswith(key) else type(problem)(f"{key}: {problem}") from None


def traces(given: Any) -> bool:
    """Whether a model is traced.

    >>> traces("costs.json"), traces({"model": "some.module:Net"})
    (False, True)
    """
    return isinstance(given, Mapping) and source_of("network", given, Path()).traced
