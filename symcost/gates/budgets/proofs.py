"""What is found of one limit, and how a formula is held below it: at a point, or at every point of some ranges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symcost.errors import DomainError, SymcostError
from symcost.estimate.questions.planned import domain_of
from symcost.formulas.prove.search import Proof, prove
from symcost.formulas.symbols import Exact, evaluate
from symcost.gates.budgets.read import Budget
from symcost.reading.numerals import assigned


@dataclass(frozen=True)
class LimitFinding:
    """One limit of one model, and whether it holds.

    ``value`` is exact at ``at``; without ``at`` it is an upper bound that was proved. ``how`` names the certificate:
    a value at a point, certified monotonicity, interval bounds, or the smallest counterexample. ``line``: of the limit.
    """

    model: str
    budget: str
    metric: str
    kind: str
    value: Fraction
    limit: Fraction
    text: str
    holds: bool
    how: str
    at: Mapping[str, int] | None
    heaviest: tuple[tuple[str, Fraction], ...]
    line: int
    note: str = ""

    def __bool__(self) -> bool:
        return self.holds

    @property
    def margin(self) -> Fraction:
        """What is left below the limit; negative where it is exceeded."""
        return self.limit - self.value


def named(where: str, ask: Callable[[], Any]) -> Any:
    """What is asked for; an error says of which limit it is."""
    try:
        return ask()
    except SymcostError as problem:
        raise type(problem)(f"{where}: {problem}") from None


def given(expression: Any, budget: Budget, where: str) -> None:
    """Raise where a symbol of a formula has no value."""
    free = {str(s) for s in getattr(expression, "free_symbols", ())}
    missing = sorted(free - {*budget.at, *budget.over})
    if missing:
        raise DomainError(f"{where} has no value for {', '.join(missing)}: give it in at or over")


def proved(expression: Any, most: Exact, budget: Budget, costs: Any, where: str, planned: bool = False) -> Proof:
    """Whether a formula is at most so much at the budget's point, or at every point of its ranges.

    ``planned``: whether it is of a device of a plan, and holds where that device's numbers do.
    """
    domain = domain_of(costs, planned)

    def outside(point: Mapping[str, int]) -> str | None:
        return domain.problem(point) if domain is not None else None

    def ask() -> Proof:
        if not budget.over:
            costs.check_point(budget.at)
            if domain is not None:
                domain.check(budget.at, tried=not budget.compared)
            value = evaluate(expression, budget.at)
            at = assigned(budget.at)
            at += ", equal to a fresh trace" if at and budget.compared else ""
            return Proof(
                dict(budget.at) if value > most else None, value, dict(budget.at), f"at {at}" if at else "exact"
            )
        ranges = {**{n: range(v, v + 1) for n, v in budget.at.items()}, **budget.over}
        return prove(expression, most, ranges, outside)

    return named(where, ask)
