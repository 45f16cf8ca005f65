"""Tables of the models that verbs are given, with a bar while one is traced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symcost.cli.output import Progress
from symcost.sources.source import Source
from symcost.sources.tracing import Expect


def table_of(source: Source, expect: Expect = lambda symbols: None) -> Any:
    """The cost table of a model; ``expect`` is told the symbols of a program before it is traced."""
    if not source.traced:
        return source.table()
    with Progress() as progress:
        return source.table(progress, expect)


def tables_of(sources: Sequence[Source]) -> list[Any]:
    """Tables side by side; what needs no trace comes first, so that its errors do too."""
    made = {index: table_of(sources[index]) for index in sorted(range(len(sources)), key=lambda i: sources[i].traced)}
    return [made[index] for index in range(len(sources))]


def points(sources: Sequence[Source]) -> dict[str, int]:
    """The values that models side by side leave to the verb."""
    return {name: value for source in sources for name, value in source.left.items()}
