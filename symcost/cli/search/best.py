"""``symcost sweep --verify k``: the best configurations are traced and compiled, and carry their verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from symcost.cli.tables import verdict_of
from symcost.costs.table import CostTable
from symcost.errors import SpaceError
from symcost.reading.numerals import short
from symcost.referee.compilers.targets import target
from symcost.sweeps.answers.compared import point_of, table_of
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
        source = table_of(asked.networks or asked.network, asked.space, row)
        table = table_of(costs, asked.space, row)
        answers.append(_verdict(source, table, point_of(row, asked.space.numbers, define), targets, on_event))
    return answers


def _verdict(source: Any, table: Any, at: Mapping[str, int], targets: Sequence[str], on_event: Any) -> Any:
    point = {name: at[name] for name in table.symbols if name in at}
    if traces(source):
        return verdict_of(source_of("network", source, Path()), point, targets, on_event=on_event)
    from symcost.referee.verdicts.verify import verify

    return verify(table, at=point, targets=targets, on_event=on_event)
