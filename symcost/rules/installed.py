"""Rules that installed packages bring: entry points of the group ``symcost.rules``, loaded once when tracing begins.

An entry names a mapping from names to rules, or a function: one without arguments returns such a mapping, one with an
argument is given ``register(name, rule)``::

    [project.entry-points."symcost.rules"]
    my_kernels = "my_kernels.costs:RULES"
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from inspect import signature
from typing import Any

from symcost.errors import RuleError, described
from symcost.rules.base import Rule

GROUP = "symcost.rules"


@cache
def installed() -> Mapping[str, Rule]:
    """The rules of every package by name; a broken package is an error that names it, each time."""
    rules: dict[str, Rule] = {}
    owners: dict[str, str] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (_package(entry), entry.name)):
        for name, function in _loaded(entry).items():
            if name in owners:
                raise RuleError(
                    f"the packages {owners[name]} and {_package(entry)} both bring a rule of {name!r}: uninstall one of them"
                )
            owners[name] = _package(entry)
            rules[name] = function
    return rules


def _loaded(entry: EntryPoint) -> Mapping[str, Rule]:
    try:
        rules: Any = entry.load()
        if callable(rules) and not isinstance(rules, Mapping):
            rules = _registered(rules)
    except Exception as problem:
        raise _broken(entry, f"raises {described(problem)}") from problem
    if not isinstance(rules, Mapping):
        raise _broken(entry, f"gives {rules!r}, which is no mapping of rules by name")
    for name, function in rules.items():
        if not isinstance(name, str) or not name.strip() or not callable(function):
            raise _broken(entry, f"has {name!r}: {function!r}, which is no rule by name")
    return rules


def _registered(function: Any) -> Any:
    """What a function registers, or returns."""
    added: dict[str, Rule] = {}
    returned = function(added.__setitem__) if signature(function).parameters else function()
    return added if returned is None and added else returned


def _broken(entry: EntryPoint, what: str) -> RuleError:
    return RuleError(
        f"the rules of the package {_package(entry)} cannot be used: its entry point {entry.name} = {entry.value} {what}: "
        "mend or uninstall the package"
    )


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "?"
