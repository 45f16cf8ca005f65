"""A model as a TOML file writes it: ``model``, ``specs``, ``at``, and the options of tracing by the names of ``symcost.trace``."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from symcost.errors import SymcostError
from symcost.reading.nearest import choose
from symcost.reading.numerals import short
from symcost.reading.toml import WrittenDecimal
from symcost.sources.source import Source, is_traced
from symcost.sources.tracing import TracingOptions

OPTIONS: Mapping[str, Any] = {
    "arg": dict, "call": dict, "free": list, "steps": dict, "at_least": dict, "samples": dict, "axes": dict, "mode": str,
    "wrt": (str, list), "active": dict, "upto": dict, "max_pieces": int,
    "method": str, "rngs": list, "referee": bool, "function": bool,
}  # fmt: skip
"""Options of tracing, and what each is written as."""
KEYS: Mapping[str, Any] = {"model": str, "specs": list, "at": dict, **OPTIONS}
"""All that says which model is meant."""
FIRST = {"table": {"set": "at"}, "trace": {"inputs": "specs"}, "json": {}}
"""What ``model`` was called in sweeps, and other keys beside it: still understood."""
_WORDS = {
    (str, list): "text or a list of them",
    str: "text",
    list: "list",
    dict: "table",
    bool: "truth value",
    int: "whole number",
}


def source(given: Mapping[str, Any], where: str, folder: Path) -> Source:
    """The model of a table of a TOML file, whose place ``where`` errors name; what it names lies in ``folder``.

    >>> source({"model": "resnet18", "at": {"n": "n"}}, "network", Path()).table().symbols
    ('n',)
    """
    given, written = _today(given), given
    check(given, where, KEYS)
    if "model" not in given:
        raise SymcostError(f'{where} has no model: write model = "PKG.MOD:NAME", a reference network or a saved file')
    file = "json" in written
    own = given if not is_traced(given["model"]) else {**_floats(given), "active": given.get("active", {})}
    how = TracingOptions(**{name: _exact(value) for name, value in own.items() if name in OPTIONS})
    at = {name: str(value) for name, value in _exact(given.get("at", {})).items()}
    return Source(given["model"], given.get("specs", ()), how, at, folder=folder, file=file)


def check(given: Mapping[str, Any], where: str, known: Mapping[str, Any]) -> None:
    """Raise for an entry that is not known, or is not written as it should be."""
    for key, value in given.items():
        if key not in known:
            raise SymcostError(f"{where} has an unknown entry {short(key)}: {choose(key, known)}")
        if not isinstance(value, known[key]):
            raise SymcostError(f"{where}.{key} = {short(str(value))} must be a {_WORDS[known[key]]}")


def _floats(given: Any) -> Any:
    """A value for a program, to which a decimal is a float."""
    if isinstance(given, dict):
        return {key: _floats(value) for key, value in given.items()}
    if isinstance(given, list):
        return [_floats(value) for value in given]
    return float(given) if isinstance(given, Decimal) else given


def _exact(given: Any) -> Any:
    """A value, or a table of them, with decimals as their digits: what is counted with them stays exact."""
    if isinstance(given, dict):
        return {key: _exact(value) for key, value in given.items()}
    return given.digits() if isinstance(given, WrittenDecimal) else given


def _today(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the keys of today."""
    first = next((key for key in FIRST if key in given and "model" not in given), None)
    if first is None:
        return dict(given)
    return {"model" if key == first else FIRST[first].get(key, key): value for key, value in given.items()}
