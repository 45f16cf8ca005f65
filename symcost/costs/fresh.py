"""A closed form at one point beside a fresh trace of the program at that very point: every number of both, equal or told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from symcost.costs.cost import CONVENTIONS, METRICS
from symcost.errors import LiftError, SymcostError
from symcost.reading.choices import PEAKS, UNITS
from symcost.reading.numerals import assigned

PEAK = "peak"
SHOWN = 3
"""Differences that are told; of the others their number."""
WITHOUT = "check=True needs the model, and this table has formulas alone"


class Untraceable(LiftError):
    """A point at which the model cannot be traced: the machine has no room for it there, or it raises."""


def numbers(costs: Any) -> Iterator[tuple[str, str, Any]]:
    """(metric, its name in words, value) of everything that a table has: sums by convention, peaks, residuals."""
    for convention in (each for each in CONVENTIONS if each in costs.conventions):
        for metric in METRICS:
            yield metric, f"{metric} ({convention})", getattr(costs.total(convention), metric)
    for rule in PEAKS if costs.parts.peak is not None else ():
        for unit in UNITS:
            try:
                yield PEAK, f"peak {unit} ({rule})", costs.peak(rule, unit)
            except LiftError:  # which has no closed form
                continue
    if costs.parts.residuals is not None:
        yield "residuals", "residuals", costs.residuals


def compared(costs: Any, at: Mapping[str, int]) -> bool:
    """Whether every number at a point was compared with a fresh trace there: a table without a model has none.

    A point that lies outside of the domain, leaves symbols open, or at which the model cannot be traced is not compared.

    Raises:
        LiftError: where numbers differ.
    """
    domain = costs.domain
    if costs.parts.fresh is None or set(costs.symbols) - set(at):
        return False
    if domain is not None and domain.problem(at) not in (None, domain.untried(at)):
        return False
    try:
        costs.subs(check=True, **{name: at[name] for name in costs.symbols})
    except Untraceable:
        return False
    return True


def check(costs: Any) -> int:
    """How many numbers of a table at a point are those of a fresh trace there; a difference is an error that shows both.

    What the table calls an upper bound at the point may be larger.

    Raises:
        SymcostError: where a symbol has no value, or the table has no model that could be traced.
        LiftError: where numbers differ, or the model cannot be traced there.
    """
    parts, at = costs.parts, costs.point
    if parts.fresh is None:
        cure = "sc.verify(costs, at=...) compares it with its Flax twin" if parts.receptive_fields is not None else (
            "trace the model with sc.trace and check there, or leave check out")  # fmt: skip
        raise SymcostError(f"{WITHOUT}: {cure}")
    if costs.symbols:
        raise SymcostError(
            f"check=True compares one point: give values for {', '.join(f'{name}=...' for name in costs.symbols)} too"
        )
    where = assigned(at) or "its sizes"
    try:
        theirs = {name: value for _, name, value in numbers(parts.fresh(at))}
    except SymcostError as problem:
        raise Untraceable(f"no fresh trace can be compared at {where}: {problem}") from None
    bounds = parts.domain.bounds_at(at) if parts.domain is not None else frozenset()
    ours = {name: (metric, value) for metric, name, value in numbers(costs)}
    wrong = [
        f"{name} is {value} by the closed form and {theirs[name]} by the trace"
        for name, (metric, value) in ours.items()
        if name in theirs and value != theirs[name] and not (metric in bounds and value > theirs[name])
    ]
    if wrong:
        more = f"; {len(wrong) - SHOWN} further numbers differ" if len(wrong) > SHOWN else ""
        further = ", ".join(f'"{name}": {value}' for name, value in at.items())
        cure = f"trace further with upto={{{further}}}" if parts.domain is not None and parts.domain.untried(at) else (
            "trace the model with these numbers in the place of symbols, and report this")  # fmt: skip
        raise LiftError(f"at {where} a fresh trace is another one: {'; '.join(wrong[:SHOWN])}{more}; {cure}")
    return sum(name in theirs for name in ours)
