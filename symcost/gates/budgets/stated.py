"""Conditions of a budget, in the one language of conditions: ``where = ["latency <= 5 ms and throughput >= 100"]``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.estimate.questions.constraint import measured, put
from symcost.estimate.questions.names import Metrics
from symcost.estimate.questions.planned import is_planned
from symcost.estimate.questions.setting import setting
from symcost.formulas.conditions import Compare, Condition, condition, conjuncts, holds, names
from symcost.formulas.measures import BYTES, COUNT, dimension, kind_of
from symcost.formulas.symbols import Evaluator, symbol
from symcost.gates.budgets.limits import WHERE
from symcost.gates.budgets.proofs import LimitFinding, given, named, proved
from symcost.gates.budgets.read import Budget


def stated(budget: Budget, costs: CostTable, name: str) -> Iterator[LimitFinding]:
    """A finding for each condition of a budget, and for each side of an ``and``."""
    for text in budget.where:
        yield from _Stated(budget, costs, name, text).findings()


@dataclass(frozen=True)
class _Stated:
    """One condition of a budget."""

    budget: Budget
    costs: Any
    model: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.model}, budget {self.budget.name}, {WHERE}"

    def findings(self) -> list[LimitFinding]:
        asked = setting(self.costs, self.budget.options, checked=True)
        told = named(self.place, lambda: conjuncts(condition(self.text, measured)))
        stated = [(_kind(each), named(self.place, lambda each=each: put(each, self.text, asked))) for each in told]
        return [self.finding(one, kind) for kind, several in stated for one in several]

    def finding(self, condition: Condition, kind: str) -> LimitFinding:
        for used in sorted(names(condition)):
            given(symbol(used), self.budget, self.place)
        ordered = isinstance(condition, Compare) and condition.op in ("<=", ">=")
        return self.ordered(condition, kind) if ordered else self.decided(condition)

    @property
    def planned(self) -> bool:
        """Whether it asks what a device of a plan does."""
        return is_planned(Metrics(self.costs), [self.text], ())

    def ordered(self, compare: Any, kind: str) -> LimitFinding:
        """The smaller side is at most the larger one: both at the point that was looked at, or how far apart they are."""
        small, large = (compare.left, compare.right) if compare.op == "<=" else (compare.right, compare.left)
        proof = proved(small - large, 0, self.budget, self.costs, self.place, self.planned)
        if proof.at is None:
            return self.made(compare, kind, proof, Fraction(proof.largest), Fraction(0))
        at = Evaluator(proof.at)
        return self.made(compare, kind, proof, Fraction(at(small)), Fraction(at(large)))

    def decided(self, condition: Condition) -> LimitFinding:
        """Any other condition holds at a point, or does not."""
        if self.budget.over:
            raise SymcostError(
                f"{self.place}: {condition.text} is decided at a point: put it in a budget without over, or compare by <= or >="
            )
        false = not holds(condition, Evaluator(self.budget.at))
        proof = proved(int(false), 0, self.budget, self.costs, self.place, self.planned)
        return self.made(condition, COUNT, proof, Fraction(false), Fraction(0))

    def made(self, condition: Condition, kind: str, proof: Any, value: Fraction, limit: Fraction) -> LimitFinding:
        return LimitFinding(
            model=self.model, budget=self.budget.name, metric=condition.text, kind=kind, value=value, limit=limit,
            text=WHERE, holds=bool(proof), how=proof.how, at=proof.at, heaviest=(), line=self.budget.line_of(WHERE),
        )  # fmt: skip


def _kind(told: Condition) -> str:
    """What both sides are measured in: memories, which a word stands for, in bytes."""
    if isinstance(told, Compare):
        return kind_of(dimension(told.left, measured))
    return COUNT if names(told) else BYTES.kind
