"""Questions about the devices of a plan: they hold where the program of one device does, in each of its forms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from symcost.costs.parts import Conditions
from symcost.estimate.questions.names import Metrics
from symcost.formulas.conditions import condition, has_word, names
from symcost.formulas.symbols import parse


def is_planned(metrics: Metrics, where: Iterable[str], texts: Iterable[str]) -> bool:
    """Whether conditions or formulas ask what a device of a plan does, by themselves or by what they are defined by."""
    table = metrics.table
    if table is None or table.plan is None:
        return False
    told = [condition(text, metrics.dimension) for text in where]
    waiting = {name for each in told for name in names(each)}
    waiting |= {str(s) for text in texts for s in parse(text).free_symbols}
    seen: set[str] = set()
    while waiting - seen:
        seen |= (new := waiting - seen)
        waiting |= {str(s) for name in new if name in metrics.given for s in metrics.given[name].free_symbols}
    asked = (metrics.own[name].planned for name in seen if name in metrics.own and name not in metrics.given)
    return any(map(has_word, told)) or any(asked)


def domain_of(table: Any, planned: bool) -> Conditions | None:
    """Where the numbers of a table hold; where those of its one form on a device do."""
    return table.parts.sharded.table.domain if planned else table.domain
