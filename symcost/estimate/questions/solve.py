"""The largest or smallest size under constraints, exact: bisection on integers where it is certified, else enumeration.

A constraint ``f <= c`` whose ``f`` never falls holds up to some size and no further: the size is found by doubling and
halving. What is not certified monotone is tried size by size over a range that must be given. Roots of floats are
never taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

from symcost.costs.exact import at_point
from symcost.costs.size import Bits
from symcost.costs.table import CostTable
from symcost.devices import Device
from symcost.errors import DomainError, SymcostError
from symcost.estimate.questions.constraint import read
from symcost.estimate.questions.names import Metrics
from symcost.estimate.questions.planned import domain_of, is_planned
from symcost.estimate.questions.reach import reach
from symcost.estimate.questions.setting import Setting, setting
from symcost.estimate.questions.size_search import SizeSearch, shown
from symcost.formulas.conditions import Condition, compares, names, rewritten
from symcost.formulas.symbols import Evaluator
from symcost.reading.choices import LatencyModel, Rule
from symcost.reading.given import checked
from symcost.reading.nearest import check_symbols
from symcost.reading.numerals import is_positive
from symcost.views import Viewed


@dataclass(frozen=True, repr=False)
class Solution(Viewed, kind="solution"):
    """The size found, the point where it stands, what each constraint comes to there, and how it was found."""

    symbol: str
    value: int
    at: Mapping[str, int]
    constraints: tuple[tuple[str, Fraction, Fraction], ...]
    method: str
    compared: str = ""
    """What was compared with a fresh trace at the point, in words."""

    def __int__(self) -> int:
        return self.value

    __index__ = __int__

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value}" for name, value in self.at.items() if name != self.symbol)
        lines = [f"{self.symbol} = {self.value}" + (f" at {given}" if given else "") + f" ({self.method})"]
        lines += [f"  {text}: {shown(left)} against {shown(right)}" for text, left, right in self.constraints]
        lines += [f"  {self.compared}"] if self.compared else []
        return "\n".join(lines)


@checked
def solve(
    costs: CostTable,
    where: str | Sequence[str],
    *,
    largest: str | None = None,
    smallest: str | None = None,
    given: Mapping[str, int] | None = None,
    within: range | Sequence[int] | None = None,
    on: str | Device | None = None,
    dtype: str | None = None,
    weights: str | Bits | None = None,
    model: LatencyModel = "roofline",
    rule: Rule = "liveness",
    batch: Any = "n",
    optimizer: str = "sgd",
    zero: int = 0,
    check: bool = False,
) -> Solution:
    """The largest (or smallest) value of one symbol for which every constraint holds.

    ``given`` has a value for every other symbol that a constraint depends on.

    ``where``: conditions such as ``"params <= 25 M"``, ``"latency <= 10 ms"``, ``"throughput >= 100"`` (examples per second, of
    ``batch``), ``"energy <= 1e-3"`` (joules), ``"weight_bytes + activation_bytes <= 8e9 and d % 64 == 0"`` or ``"fits"``
    (every memory of the device), as :mod:`symcost.formulas.conditions` reads them, over the quantities of
    :mod:`symcost.estimate.questions.quantities` and the table's symbols. ``on``, ``dtype``, ``weights``, ``model``
    and ``rule`` are those of the estimates, ``optimizer`` and ``zero`` those of training. ``within``: the candidates, where a
    constraint is not certified monotone.
    ``check``: whether every number at the point is compared with a fresh trace of the model there, as in ``costs.subs``.

    Raises:
        SymcostError: where not one symbol is looked for, another has no value, or no value meets the constraints.
        DomainError: where the symbol is none of the table's.

    >>> from symcost.models import gpt2
    >>> found = solve(gpt2(d="d", L="L", H=1), "params <= 25_000_000", largest="d", given=dict(L=12))
    >>> print(found)
    d = 274 at L=12 (bisection, certified monotone)
      params <= 25_000_000: 24,905,230 against 25,000,000
    """
    name = wanted(costs.symbols, largest, smallest)
    others = dict(given or {})
    texts = [where] if isinstance(where, str) else list(where)
    planned = is_planned(Metrics(costs), [text for text in texts if isinstance(text, str)], ())
    options = {"dtype": dtype, "device": on, "weights": weights, "latency_model": model, "rule": rule, "batch": batch,
               "optimizer": optimizer, "zero": zero}  # fmt: skip
    options = {name: value for name, value in options.items() if value is not None}
    ask = partial(_solved, name, others, texts, within, largest is not None, planned)
    found: list[Solution] = []
    refused: list[SymcostError] = []
    for each in costs.sides if planned else [costs]:  # of which at most one holds at a point
        try:
            found.append(ask(setting(each, options, checked=True)))
        except SymcostError as problem:
            refused.append(problem)
    if not found:
        raise refused[0]
    best = (max if largest else min)(found, key=int)
    return replace(best, compared=costs.subs(check=True, **best.at).parts.compared) if check else best


def _solved(name: str, others: Mapping[str, int], texts: Sequence[str], within: Any, largest: bool, planned: bool,
            asked: Setting) -> Solution:  # fmt: skip
    """The solution of a table, in one form of its program on a mesh where that is asked about."""
    outside = _outside(asked.costs, name, others, planned)
    constraints = read(texts, asked)
    fixed = [_fixed(constraint, others) for constraint in constraints]
    _check_given(fixed, name)
    domain = domain_of(asked.costs, planned)
    beside = {**asked.costs.point, **others}
    problem = SizeSearch(name, others, fixed, outside, reach(domain, name, beside), _tried_to(domain, name))
    for size in within or ():
        if not is_positive(size):
            raise SymcostError(f"within has {size!r}: give positive integers, as range(1, 4097)")
    value, method = problem.largest(within) if largest else problem.smallest(within)
    at = {**others, name: value}
    values = Evaluator(at)
    listed = (each for sides in fixed for each in compares(sides))
    sides = tuple((c.text, Fraction(values(c.left)), Fraction(values(c.right))) for c in listed)
    return Solution(name, value, at, sides, method)


def wanted(symbols: Sequence[str], largest: str | None, smallest: str | None) -> str:
    """The symbol that is looked for, one of these."""
    if (largest is None) == (smallest is None):
        raise SymcostError("solve looks for one symbol: give largest= or smallest=, one of them")
    name = largest or smallest or ""
    check_symbols([name], symbols, DomainError)
    return name


def _outside(
    costs: CostTable, name: str, others: Mapping[str, int], planned: bool
) -> Callable[[Mapping[str, int]], str | None]:
    """Why a point lies outside the domain, as far as its symbols say."""
    costs.check_point(others)
    if name in others:
        raise SymcostError(f"{name} is looked for and given as {others[name]}: give it or look for it")
    domain = domain_of(costs, planned)
    return (lambda point: domain.problem(point)) if domain is not None else (lambda point: None)


def _tried_to(domain: Any, name: str) -> int | None:
    """How far a symbol was tried, where that is a limit of its domain."""
    evidence = None if domain is None else domain.evidence.get(name)
    return None if evidence is None else evidence.most


def _check_given(constraints: Sequence[Condition], name: str) -> None:
    """Every symbol that a constraint depends on has a value."""
    used = {used for constraint in constraints for used in names(constraint)}
    if left := sorted(used - {name}):
        raise SymcostError(f"solve needs a number for {', '.join(left)}: give {', '.join(f'{n}=...' for n in left)}")


def _fixed(constraint: Condition, others: Mapping[str, int]) -> Condition:
    return rewritten(constraint, lambda each: each.map(lambda side: at_point(side, others)), lambda word: word)
