"""What a shell completes: the values of arguments and options that are names out of a list. Lists are read when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path


def begun(incomplete: str, known: Iterable[str]) -> list[str]:
    """The names that begin so.

    >>> begun("t", ["text", "markdown", "toml"])
    ['text', 'toml']
    """
    return [name for name in known if name.startswith(incomplete)]


def one_of(known: Iterable[str]) -> Callable[[str], list[str]]:
    """Completes the names of a list."""

    def complete(incomplete: str) -> list[str]:
        return begun(incomplete, known)

    return complete


def models(incomplete: str) -> list[str]:
    """Reference networks, saved tables, and the folders that may have some."""
    from symcost.costs.saved.format import SUFFIX
    from symcost.models.catalog import REFERENCES

    folder, slash, begin = incomplete.rpartition("/")
    inside = sorted(Path(folder + slash or ".").glob("*")) if not begin.startswith(".") else []
    files = [
        folder + slash + each.name + "/" * each.is_dir() for each in inside if each.is_dir() or each.suffix == SUFFIX
    ]
    return begun(incomplete, [*REFERENCES, *files])


def devices(incomplete: str) -> list[str]:
    """Devices by all their names."""
    from symcost.devices import names
    from symcost.devices.aliases import SAME

    known = names()
    return begun(incomplete, dict.fromkeys([*known, *(each for group in SAME if group[0] in known for each in group)]))


def targets(incomplete: str) -> list[str]:
    """What can be compiled for."""
    from symcost.referee.compilers.targets import TARGETS

    return begun(incomplete, TARGETS)
