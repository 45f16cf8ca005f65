"""``check``: every limit of a budget on a table, at its point or proved over its ranges, with the modules that weigh most."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from symcost.costs.fresh import compared
from symcost.costs.table import CostTable
from symcost.errors import DomainError, SymcostError
from symcost.estimate.bytes.types import types_of
from symcost.estimate.questions.constraint import memories
from symcost.estimate.questions.quantities import QUANTITIES
from symcost.estimate.questions.setting import setting
from symcost.formulas.measures import BYTES, COUNT
from symcost.formulas.symbols import evaluate
from symcost.gates.budgets.limits import FIT, KINDS, VERDICT, Limit
from symcost.gates.budgets.proofs import LimitFinding, given, named, proved
from symcost.gates.budgets.read import Budget, BudgetedModel, BudgetPlan
from symcost.gates.budgets.stated import stated
from symcost.reading.nearest import choose
from symcost.reading.numerals import assigned

HEAVIEST = 3


@dataclass(frozen=True)
class BudgetVerdict:
    """All findings of a plan: true when every limit holds."""

    file: str
    findings: tuple[LimitFinding, ...]

    def __bool__(self) -> bool:
        return all(self.findings)


Asked = Callable[[BudgetedModel, Budget], Any]
"""Compiles a model at the point of a budget: the verdict of :func:`symcost.verify`."""


def check(plan: BudgetPlan, table_of: Callable[[BudgetedModel], CostTable], verdict_of: Asked) -> BudgetVerdict:
    """Every limit of every model of a plan; ``table_of`` makes or loads the tables, ``verdict_of`` asks the compilers."""
    findings: list[LimitFinding] = []
    for model in plan.models:
        named(f"models.{model.name}", model.source.check)  # before any of them is traced
    for model in plan.models:
        costs = table_of(model)
        for budget in model.budgets:
            findings += against(budget, costs, model.name)
            if budget.targets:
                findings.append(_compiled(budget, verdict_of(model, budget), model.name))
    return BudgetVerdict(_placed(plan.file.resolve()), tuple(findings))


def _placed(file: Path) -> str:
    """The file as annotations name it: from the top of its repository, or else from the working directory."""
    tops = [folder for folder in file.parents if (folder / ".git").exists()]
    top = tops[0] if tops else Path.cwd()
    return (file.relative_to(top) if file.is_relative_to(top) else file).as_posix()


def against(budget: Budget, costs: CostTable, name: str = "model") -> list[LimitFinding]:
    """Every limit of one budget on one table."""
    where = f"{name}, budget {budget.name}"
    _symbols(budget, costs, where)
    budget = replace(budget, compared=not budget.over and named(where, lambda: compared(costs, budget.at)))
    costs = costs.side_at(budget.at)
    findings = [_one(limit, _formula(limit, budget, costs, where), budget, costs, name) for limit in budget.limits]
    if budget.fit:
        asked = setting(costs, budget.options, checked=True)
        for memory in named(f"{where}, {FIT}", lambda: memories(asked)):
            limit = Limit("total_bytes", memory.size, f"{budget.options['device']} {memory.memory}")
            metric = "params" if memory.holds[0] == "weights" else "peak_activations"
            findings.append(_one(limit, memory.needed, budget, costs, name, f"{FIT} {memory.memory}", metric))
    return [*findings, *stated(budget, costs, name)]


def _formula(limit: Limit, budget: Budget, costs: CostTable, where: str) -> Any:
    asked = setting(costs, budget.options, checked=True)
    return named(f"{where}, {limit.metric}", lambda: QUANTITIES[limit.metric](asked))


def _compiled(budget: Budget, verdict: Any, name: str) -> LimitFinding:
    """The compilers' verdict as a limit: none of its checks may differ."""
    where = f"{name}, budget {budget.name}, {VERDICT}"
    for target, reason in verdict.unanswered.items():
        raise SymcostError(f"{where}: {target} did not answer: {reason}")
    wrong = [check for check in verdict.checks if not check.passed]
    first = f"; {wrong[0].target} {wrong[0].metric}: ours {wrong[0].ours}, theirs {wrong[0].theirs}" if wrong else ""
    at = assigned(budget.at)
    return LimitFinding(
        model=name, budget=budget.name, metric=f"{VERDICT} {', '.join(budget.targets)}", kind=COUNT, value=Fraction(len(wrong)),
        limit=Fraction(0), text="0 of its checks", holds=bool(verdict), at=dict(budget.at), heaviest=(),
        line=budget.line_of(VERDICT),
        how=f"{len(verdict.checks)} checks at {at}{first}",
    )  # fmt: skip


def _symbols(budget: Budget, costs: CostTable, where: str) -> None:
    for symbol in (*budget.at, *budget.over):
        if symbol not in costs.symbols:
            raise DomainError(f"{where}: unknown symbol {symbol!r}: {choose(symbol, costs.symbols, 2, 'there are')}")


def _one(limit: Limit, expression: Any, budget: Budget, costs: Any, name: str,
         title: str = "", shares: str = "") -> LimitFinding:  # fmt: skip
    where = f"{name}, budget {budget.name}, {title or limit.metric}"
    given(expression, budget, where)
    planned = QUANTITIES[limit.metric].planned or (bool(title) and costs.plan is not None)
    proof = proved(expression, limit.value, budget, costs, where, planned)
    at = proof.at
    weights = () if at is None else _heaviest(shares or limit.metric, costs, budget, at)
    bounds = costs.domain.bounds_at_one if costs.domain is not None else ()
    notes = ["an upper bound where a size is 1"] if limit.metric in bounds else []
    if title or QUANTITIES[limit.metric].typed:
        types = types_of(costs, budget.options.get("dtype"), budget.options.get("weights"))
        notes += [] if types.given or "bits" in budget.options else [str(types)]
    return LimitFinding(
        model=name, budget=budget.name, metric=title or limit.metric, kind=BYTES.kind if title else KINDS[limit.metric],
        value=Fraction(proof.largest), limit=limit.value, text=limit.text, holds=bool(proof),
        how=proof.how, at=at, heaviest=weights, line=budget.line_of(FIT if title else limit.metric), note="; ".join(notes),
    )  # fmt: skip


def _heaviest(metric: str, costs: CostTable, budget: Budget, at: Mapping[str, int]) -> tuple[tuple[str, Fraction], ...]:
    """The modules with most of it at a point, each with its share of the parts' sum or, for a peak, of the largest."""
    sums: dict[str, Fraction] = {}
    quantity = QUANTITIES[metric]
    peak = quantity.peak
    for path, expression in quantity.parts(setting(costs, budget.options, checked=True)):
        value = Fraction(evaluate(expression, at))
        sums[path] = max(sums.get(path, Fraction(0)), value) if peak else sums.get(path, Fraction(0)) + value
    whole = max(sums.values(), default=Fraction(0)) if peak else sum(sums.values(), start=Fraction(0))
    top: Sequence[tuple[str, Fraction]] = sorted(sums.items(), key=lambda each: (-each[1], each[0]))[:HEAVIEST]
    return tuple((path or "(the model itself)", value / whole) for path, value in top if value) if whole else ()
