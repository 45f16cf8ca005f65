"""Tables of the models that verbs are given, with a bar while one is traced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symcost.cli.output import Progress
from symcost.referee.compilers.start import start_jax
from symcost.sources.source import Source, check_names


def table_of(source: Source) -> Any:
    """The cost table of a model."""
    if not source.traced:
        return source.table()
    with Progress(f"loading {source.model}, with jax and flax") as progress:
        return source.table(progress)


def tables_of(sources: Sequence[Source]) -> list[Any]:
    """Tables side by side; what needs no trace comes first, so that its errors do too."""
    tables = {index: table_of(source) for index, source in enumerate(sources) if not source.traced}
    if at := points(sources):
        known = [list(tables[i].symbols) if i in tables else source.symbols() for i, source in enumerate(sources)]
        check_names(at, dict.fromkeys(name for each in known for name in each))
    return [tables[index] if index in tables else table_of(source) for index, source in enumerate(sources)]


def verdict_of(source: Source, at: Mapping[str, int], targets: Sequence[str], table: Any = None, **options: Any) -> Any:
    """What compilers say of a model's program at a point, or of a ``table`` that was traced from it."""
    start_jax()
    program, specs, how, name = source.program() if table is None else (table, (), {}, source.model)
    from symcost.referee.verdicts import verify  # needs jax, which was started without a word

    return verify.verify(program, *specs, at=at, targets=targets, name=name, **how, **options)


def points(sources: Sequence[Source]) -> dict[str, int]:
    """The values that models side by side leave to the verb."""
    return {name: value for source in sources for name, value in source.left.items()}
