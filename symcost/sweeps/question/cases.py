"""The problems of a question: one, or one for each network that its space chooses from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symcost.costs.table import CostTable
from symcost.errors import SpaceError
from symcost.estimate.questions.names import Metrics
from symcost.estimate.questions.planned import is_planned
from symcost.reading.numerals import short
from symcost.sweeps.question.problem import Problem, make_problem
from symcost.sweeps.question.space import Space


@dataclass(frozen=True)
class Case:
    """One combination of the choices of networks, and the problem it leaves."""

    choice: dict[str, str]
    problem: Problem


def cases(costs: Any, space: Space, objectives: Iterable[tuple[str, bool]] = (), **asked: Any) -> list[Case]:
    """The problem, or one for each network that the space chooses from."""
    if not isinstance(space, Space):
        raise SpaceError(f"{short(space)} is not a space: give sc.Space(d=range(64, 1025, 64), ...)")
    choices = space.choices
    if not choices:
        return _forms({}, costs, space, objectives, asked)
    if len(choices) > 1:
        raise SpaceError(f"the axes {', '.join(choices)} are all choices: a space has one axis of networks")
    ((axis, names),) = choices.items()
    if not isinstance(costs, Mapping) or not all(name in costs for name in names):
        missing = [n for n in names if not isinstance(costs, Mapping) or n not in costs]
        raise SpaceError(f"the axis {axis} chooses {missing[0]!r}: give costs as a mapping that has it")
    rest = Space(space.numbers, where=space.where)
    return [case for n in names for case in _forms({axis: n}, costs[n], rest, objectives, asked)]


def _forms(choice: dict[str, str], costs: Any, space: Space, objectives: Iterable[tuple[str, bool]],
           asked: Mapping[str, Any]) -> list[Case]:  # fmt: skip
    """The problem; where it asks of a device whose program has several forms, one for each, which hold at no point together."""
    objectives = list(objectives)
    sides = costs.sides if isinstance(costs, CostTable) else [costs]
    texts = [*(asked.get("shown") or ()), *(text for text, _ in objectives)]
    if len(sides) > 1:
        metrics = Metrics(sides[0], asked.get("define"), asked.get("options") or {})
        sides = sides if is_planned(metrics, (*space.where, *asked.get("where", ())), texts) else [costs]
    return [Case(choice, make_problem(each, space, objectives=objectives, **asked)) for each in sides]


def check_define(costs: Any, asked: Sequence[Case], define: Mapping[str, Any] | None) -> None:
    """Refuse a definition that nothing uses: a name that is mistyped changes nothing, and nobody would see it."""
    used = {name for case in asked for name in case.problem.formulas}
    sources = [costs[name] for case in asked for name in case.choice.values()] or [costs]
    for name in define or {}:
        if name not in used and all(name not in Metrics(source, define).symbols for source in sources):
            raise SpaceError(
                f"define gives {name} = {(define or {})[name]}, which nothing uses: leave it out, or correct it"
            )
