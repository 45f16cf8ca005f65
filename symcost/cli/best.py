"""``symcost sweep --verify k``: the best configurations are traced and compiled, and carry their verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from symcost.costs.fresh import compared
from symcost.costs.table import CostTable
from symcost.errors import SpaceError
from symcost.formulas.symbols import evaluate, parse
from symcost.reading.numerals import short
from symcost.referee.compilers.targets import target
from symcost.sweeps.question.network import source_of, traces


def check(asked: Any, costs: Any, targets: Sequence[str]) -> None:
    """Refuse targets that do not exist, and costs that no program can be made of, before anything is searched."""
    for name in targets:
        target(name)
    tables = costs if asked.networks else {"": costs}
    for key, table in tables.items():
        source = asked.networks[key] if asked.networks else asked.network
        if not isinstance(table, CostTable):
            raise SpaceError(
                f"--verify needs a network or a model: {short(source)} gives formulas only, and no program"
            )
        if table.parts.network is None and table.parts.fresh is None and not traces(source):
            raise SpaceError(
                f"--verify needs the model itself: {short(source)} gives its costs alone; name it as "
                'network = {model = "PKG.MOD:NAME", specs = ["float32[n,d]"]}'
            )


def verdicts(asked: Any, costs: Any, define: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], targets: Sequence[str],
             on_event: Any) -> list[Any]:  # fmt: skip
    """One verdict per configuration, of the very network that its row is about."""
    answers = []
    for row in rows:
        chosen = next((row[axis] for axis in asked.space.choices), None)
        source = asked.network if chosen is None else asked.networks[chosen]
        table = costs if chosen is None else costs[chosen]
        answers.append(_verdict(source, table, _point(row, asked.space.numbers, define), targets, on_event))
    return answers


def compare(asked: Any, costs: Any, define: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> int:
    """How many of the best configurations have the numbers of a fresh trace: those whose network was traced.

    Raises:
        LiftError: where numbers of one differ.
    """
    found = 0
    for row in rows:
        chosen = next((row[axis] for axis in asked.space.choices), None)
        table = costs if chosen is None else costs[chosen]
        if isinstance(table, CostTable) and table.parts.fresh is not None:
            needed = _needed(table.symbols, define)
            found += compared(table, _point(row, asked.space.numbers, {n: define[n] for n in define if n in needed}))
    return found


def _needed(names: Iterable[str], define: Mapping[str, Any]) -> set[str]:
    """Definitions that the values of symbols follow from."""
    found = {name for name in names if name in define}
    inside = (str(s) for name in found for s in getattr(_formula(define[name]), "free_symbols", ()))
    return found | _needed(inside, define) if found else found


def _point(row: Mapping[str, Any], axes: Mapping[str, Any], define: Mapping[str, Any]) -> dict[str, int]:
    """The values of the axes, and of the symbols that follow from them."""
    at = {name: row[name] for name in axes}
    for name, given in define.items():
        value = given if isinstance(given, int) else evaluate(_formula(given), at)
        if not isinstance(value, int):
            raise SpaceError(f"{name} = {given} is {value} at {at}: a size must be an integer")
        at[name] = value
    return at


def _formula(given: Any) -> Any:
    """A definition as an expression."""
    return parse(given) if isinstance(given, str) else given


def _verdict(source: Any, table: Any, at: Mapping[str, int], targets: Sequence[str], on_event: Any) -> Any:
    from symcost.referee.verdicts.verify import verify

    point = {name: at[name] for name in table.symbols if name in at}
    if traces(source):
        model, specs, options, name = source_of("network", source, Path()).program()
        return verify(model, *specs, at=point, targets=targets, name=name, on_event=on_event, **options)
    return verify(table, at=point, targets=targets, on_event=on_event)
