"""``check``: every limit of a budget on a table, at its point or proved over its ranges, with the modules that weigh most."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any

from symcost.costs.table import CostTable
from symcost.errors import DomainError, SymcostError
from symcost.estimate.bytes.types import types_of
from symcost.estimate.questions.constraint import FITS
from symcost.estimate.questions.constraint import read as constraints
from symcost.estimate.questions.quantities import Setting
from symcost.formulas.prove.search import Proof, prove
from symcost.formulas.symbols import evaluate
from symcost.gates.budgets.limits import BYTES, COUNT, FIT, KINDS, VERDICT, Limit
from symcost.gates.budgets.metrics import formula, parts
from symcost.gates.budgets.options import TYPED
from symcost.gates.budgets.read import Budget, Model, Plan

HEAVIEST = 3


@dataclass(frozen=True)
class Finding:
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


@dataclass(frozen=True)
class Verdict:
    """All findings of a plan: true when every limit holds."""

    file: str
    findings: tuple[Finding, ...]

    def __bool__(self) -> bool:
        return all(self.findings)


Asked = Callable[[Model, Budget], Any]
"""Compiles a model at the point of a budget: the verdict of :func:`symcost.verify`."""


def check(plan: Plan, table_of: Callable[[Model], CostTable], verdict_of: Asked) -> Verdict:
    """Every limit of every model of a plan; ``table_of`` makes or loads the tables, ``verdict_of`` asks the compilers."""
    findings: list[Finding] = []
    for model in plan.models:
        _named(f"models.{model.name}", model.source.check)  # before any of them is traced
    for model in plan.models:
        costs = table_of(model)
        for budget in model.budgets:
            findings += against(budget, costs, model.name)
            if budget.targets:
                findings.append(_compiled(budget, verdict_of(model, budget), model.name))
    return Verdict(_placed(plan.file.resolve()), tuple(findings))


def _placed(file: Path) -> str:
    """The file as annotations name it: from the top of its repository, or else from the working directory."""
    tops = [folder for folder in file.parents if (folder / ".git").exists()]
    top = tops[0] if tops else Path.cwd()
    return (file.relative_to(top) if file.is_relative_to(top) else file).as_posix()


def against(budget: Budget, costs: CostTable, name: str = "model") -> list[Finding]:
    """Every limit of one budget on one table."""
    where = f"{name}, budget {budget.name}"
    _symbols(budget, costs, where)
    found = [_one(each, _formula(each, budget, costs, where), budget, costs, name) for each in budget.limits]
    if budget.fit:
        setting = Setting(
            costs, budget.options["device"], budget.options.get("dtype"),
            budget.options.get("bits", budget.options.get("weights")), rule=budget.options.get("rule", "liveness"),
        )  # fmt: skip
        for memory in _named(f"{where}, {FIT}", lambda: constraints(FITS, setting)):
            size = Fraction(int(memory.right.p), int(memory.right.q))
            level = memory.text.rpartition("(")[2].rstrip(")")
            metric = "params" if memory.text.startswith("weight") else "peak_activations"
            each = Limit("total_bytes", size, f"{budget.options['device']} {level}")
            found.append(_one(each, memory.left, budget, costs, name, f"{FIT} {level}", metric))
    return found


def _formula(each: Limit, budget: Budget, costs: CostTable, where: str) -> Any:
    return _named(f"{where}, {each.metric}", lambda: formula(each.metric, costs, budget.options))


def _named(where: str, ask: Callable[[], Any]) -> Any:
    """What is asked for; an error says of which limit it is."""
    try:
        return ask()
    except SymcostError as problem:
        raise type(problem)(f"{where}: {problem}") from None


def _compiled(budget: Budget, verdict: Any, name: str) -> Finding:
    """The compilers' verdict as a limit: none of its checks may differ."""
    where = f"{name}, budget {budget.name}, {VERDICT}"
    for target, reason in verdict.unanswered.items():
        raise SymcostError(f"{where}: {target} did not answer: {reason}")
    wrong = [check for check in verdict.checks if not check.passed]
    first = f"; {wrong[0].target} {wrong[0].metric}: ours {wrong[0].ours}, theirs {wrong[0].theirs}" if wrong else ""
    at = ", ".join(f"{symbol}={value}" for symbol, value in budget.at.items())
    return Finding(
        model=name, budget=budget.name, metric=f"{VERDICT} {', '.join(budget.targets)}", kind=COUNT, value=Fraction(len(wrong)),
        limit=Fraction(0), text="0 of its checks", holds=bool(verdict), at=dict(budget.at), heaviest=(),
        line=budget.line_of(VERDICT),
        how=f"{len(verdict.checks)} checks at {at}{first}",
    )  # fmt: skip


def _symbols(budget: Budget, costs: CostTable, where: str) -> None:
    for symbol in (*budget.at, *budget.over):
        if symbol not in costs.symbols:
            near = get_close_matches(symbol, costs.symbols, n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(costs.symbols) or 'none'}"
            raise DomainError(f"{where}: unknown symbol {symbol!r}: {hint}")


def _one(each: Limit, expression: Any, budget: Budget, costs: Any, name: str,
         title: str = "", shares: str = "") -> Finding:  # fmt: skip
    where = f"{name}, budget {budget.name}, {title or each.metric}"
    free = {str(s) for s in getattr(expression, "free_symbols", ())}
    missing = sorted(free - {*budget.at, *budget.over})
    if missing:
        raise DomainError(f"{where} has no value for {', '.join(missing)}: give it in at or over")
    proof = _proved(expression, each, budget, costs, where)
    at = proof.at
    weights = () if at is None else _heaviest(shares or each.metric, costs, budget, at)
    bounds = getattr(getattr(costs, "domain", None), "bounds_at_one", frozenset())
    notes = ["an upper bound where a size is 1"] if each.metric in bounds else []
    if title or each.metric in TYPED:
        types = types_of(costs, budget.options.get("dtype"), budget.options.get("weights"))
        notes += [] if types.given or "bits" in budget.options else [str(types)]
    return Finding(
        model=name, budget=budget.name, metric=title or each.metric, kind=BYTES if title else KINDS[each.metric],
        value=Fraction(proof.largest), limit=each.value, text=each.text, holds=bool(proof),
        how=proof.how, at=at, heaviest=weights, line=budget.line_of(FIT if title else each.metric), note="; ".join(notes),
    )  # fmt: skip


def _proved(expression: Any, each: Limit, budget: Budget, costs: Any, where: str) -> Proof:
    domain = getattr(costs, "domain", None)

    def outside(point: Mapping[str, int]) -> str | None:
        return domain.problem(point) if domain is not None else None

    def proved() -> Proof:
        if not budget.over:
            costs.check_point(budget.at)
            problem = outside(budget.at)
            if problem:
                raise DomainError(problem)
            value = evaluate(expression, budget.at)
            at = ", ".join(f"{n}={v}" for n, v in budget.at.items())
            return Proof(
                dict(budget.at) if value > each.value else None, value, dict(budget.at), f"at {at}" if at else "exact"
            )
        ranges = {**{n: range(v, v + 1) for n, v in budget.at.items()}, **budget.over}
        return prove(expression, each.value, ranges, outside)

    return _named(where, proved)


def _heaviest(metric: str, costs: CostTable, budget: Budget, at: Mapping[str, int]) -> tuple[tuple[str, Fraction], ...]:
    """The modules with most of it at a point, each with its share of the parts' sum or, for a peak, of the largest."""
    sums: dict[str, Fraction] = {}
    peak = metric in ("peak_activations", "activation_bytes", "total_bytes")
    for path, expression in parts(metric, costs, budget.options):
        value = Fraction(evaluate(expression, at))
        sums[path] = max(sums.get(path, Fraction(0)), value) if peak else sums.get(path, Fraction(0)) + value
    whole = max(sums.values(), default=Fraction(0)) if peak else sum(sums.values(), start=Fraction(0))
    top: Sequence[tuple[str, Fraction]] = sorted(sums.items(), key=lambda each: (-each[1], each[0]))[:HEAVIEST]
    return tuple((path or "(the model itself)", value / whole) for path, value in top if value) if whole else ()
