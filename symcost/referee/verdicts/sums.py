"""Whether a saved verdict adds up: what follows from other numbers in it is what it says, whatever its digest says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from symcost.agreement.check import LOWERED
from symcost.errors import SymcostError
from symcost.referee.verdicts.verdict import Compiled, Verdict

Claim = tuple[str, Any, Any]
"""What is claimed, as the file has it and as it follows from the rest."""


def check(verdict: Verdict, document: Mapping[str, Any]) -> None:
    """Raise at the first number that does not follow from the others."""
    for what, told, right in _claims(verdict, document):
        if told != right:
            raise SymcostError(f"{what} is {told} and follows from the rest as {right}, save the verdict again")


def _claims(verdict: Verdict, document: Mapping[str, Any]) -> Iterator[Claim]:
    for check_, entry in zip(verdict.checks, document["checks"], strict=True):
        place = f"{check_.metric} of {check_.target}"
        yield f"the difference in {place}", entry["difference"], check_.difference
        yield f"whether {place} passed", entry["passed"], check_.passed
    for row, entry in zip(verdict.modules, document["modules"], strict=True):
        yield f"the difference in {row.metric} of {row.path or '(itself)'}", entry["difference"], row.difference
    totals = {"flops": verdict.flops, "transcendentals": verdict.transcendentals}
    for check_ in verdict.checks:
        if check_.target == LOWERED and check_.metric in totals:
            yield f"our count of {check_.metric}", check_.ours, totals[check_.metric]
    if verdict.modules:
        for metric, total in totals.items():
            yield f"the sum of {metric} over modules", _sum(verdict, "ours", LOWERED, metric), total
    for answer, entry in zip(verdict.targets, document["targets"], strict=True):
        yield from _compiled(verdict, answer, entry)


def _sum(verdict: Verdict, side: str, target: str, metric: str) -> int:
    """The sum of our numbers of a target's modules, or of theirs."""
    return sum(getattr(row, side) for row in verdict.modules if row.target == target and row.metric == metric)


def _compiled(verdict: Verdict, made: Compiled, given: Mapping[str, Any]) -> Iterator[Claim]:
    """One target: from XLA's figure to the recount, by steps, by phases and, where it is one device's, by modules."""
    name = made.target
    if made.recount is None:  # its program was not read: nothing of it was counted
        return
    yield f"the figure of {name} with its steps", made.raw + sum(made.steps.values()), made.recount
    yield f"the sum over the phases of {name}", sum(made.phases.values()), made.recount
    yield f"the causes of {name}", given["causes"], made.causes
    for row in (check for check in verdict.checks if check.target == name):
        if row.metric == "flops by named parts":
            yield f"the recount of {name}", row.theirs, made.recount
            yield f"the sum over the modules of {name}", _sum(verdict, "theirs", name, "flops"), made.recount
            parts = sum(part.flops for part in made.parts)
            yield f"the parts of {name}", row.ours - parts, _sum(verdict, "ours", name, "flops")
        if row.metric == "transcendentals by named parts":
            yield f"the transcendentals of {name}", row.theirs, made.transcendentals
