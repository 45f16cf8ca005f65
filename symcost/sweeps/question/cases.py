"""The problems of a question: one, or one for each network that its space chooses from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symcost.errors import SpaceError
from symcost.estimate.questions.names import Metrics
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
        return [Case({}, make_problem(costs, space, objectives=objectives, **asked))]
    if len(choices) > 1:
        raise SpaceError(f"the axes {', '.join(choices)} are all choices: a space has one axis of networks")
    ((axis, names),) = choices.items()
    if not isinstance(costs, Mapping) or not all(name in costs for name in names):
        missing = [n for n in names if not isinstance(costs, Mapping) or n not in costs]
        raise SpaceError(f"the axis {axis} chooses {missing[0]!r}: give costs as a mapping that has it")
    rest = Space(space.numbers, where=space.where)
    return [Case({axis: n}, make_problem(costs[n], rest, objectives=objectives, **asked)) for n in names]


def check_define(costs: Any, asked: Sequence[Case], define: Mapping[str, Any] | None) -> None:
    """Refuse a definition that nothing uses: a name that is mistyped changes nothing, and nobody would see it."""
    used = {name for case in asked for name in case.problem.formulas}
    sources = [costs[name] for case in asked for name in case.choice.values()] or [costs]
    for name in define or {}:
        if name not in used and all(name not in Metrics(source, define).symbols for source in sources):
            raise SpaceError(
                f"define gives {name} = {(define or {})[name]}, which nothing uses: leave it out, or correct it"
            )
