"""A table in words: what it costs, what grows with what, and where the cost sits."""

from __future__ import annotations

from typing import Any

import sympy

from symcost.costs.exact import at_point, number
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.estimate.questions.sense import elasticity, leading_term
from symcost.formulas.text import written
from symcost.formulas.units import as_number, counted
from symcost.reading.nearest import check_symbols
from symcost.report.words.facts import splits

METRICS = (
    ("params", "parameters"),
    ("trainable", "trainable parameters"),
    ("active_params", "active parameters"),
    ("state", "elements of state"),
    ("macs", "MACs"),
    ("activations", "activations"),
)
TOP = 3


def explain(costs: CostTable, **point: int) -> str:
    """Sentences on parameters, MACs and activations; with a value for every symbol, with numbers and percentages.

    Parameters that are trained, and those that a token uses, have sentences of their own where they are not all.

    >>> from symcost.models import gpt2
    >>> print(explain(gpt2(d="d", L="L", H=1, V=1000, N="N", n=1), d=256, L=4, N=512).splitlines()[0])
    3,677,696 parameters: d*(12*L*d + 13*L + 2026)
    """
    known = [name for name in costs.symbols if name not in costs.point]
    check_symbols(point, known)
    lines: list[str] = []
    for metric, title in ((metric, title) for metric, title in METRICS if splits(costs, metric)):
        value = getattr(costs, metric)
        if value != 0:
            lines += _sentences(value, title, point)
    return "\n".join([*lines, *_places(costs, point)])


def _sentences(value: Any, title: str, point: dict[str, int]) -> list[str]:
    whole = sympy.sympify(value, strict=True)
    at = at_point(whole, point)
    shown = as_number(at)
    if not whole.free_symbols:
        return [f"{counted(int(whole))} {title}"]
    head = f"{counted(int(shown))} {title}: {written(whole)}" if shown is not None else f"{title}: {written(whole)}"
    return [head, *_growth(whole, title, point if shown is not None else {})]


def _growth(whole: Any, title: str, point: dict[str, int]) -> list[str]:
    names = sorted(str(s) for s in whole.free_symbols)
    lines = []
    try:
        lead = leading_term(whole)
        if lead != sympy.expand(whole):
            part = f", {_percent(lead, whole, point)} of all here" if point else ""
            lines.append(f"  rules when everything grows: {written(lead)}{part}")
    except SymcostError:
        pass  # a maximum has no single leading term; the formula above says what decides it
    at = {name: point[name] for name in names if point}
    return [*lines, *(f"  1 % more {name} {_grown(whole, name, title, at)}" for name in names)]


def _grown(whole: Any, name: str, title: str, point: dict[str, int]) -> str:
    try:
        grown = elasticity(whole, name, **point)
    except SymcostError as corner:
        return f"has no one answer: {corner}"
    return f"is {f'{float(grown):.3g}' if point else written(grown)} % more {title}"


def _percent(part: Any, whole: Any, point: dict[str, int]) -> str:
    ratio = number(at_point(part, point), "a term") / number(at_point(whole, point), "the formula")
    return f"{float(100 * ratio):.3g} %"


def _places(costs: CostTable, point: dict[str, int]) -> list[str]:
    """The modules with most MACs, where every symbol has a value."""
    groups = [(group.name or "the model itself", group.total().macs) for group in costs.by_path()]
    values = [(name, as_number(at_point(macs, point))) for name, macs in groups]
    if any(value is None for _, value in values):
        return []
    whole = sum(value for _, value in values if value is not None)
    if not whole:
        return []
    top = sorted(values, key=lambda named: -(named[1] or 0))[:TOP]
    said = ", ".join(f"{name} {float(100 * (value or 0) / whole):.3g} %" for name, value in top if value)
    return [f"most MACs: {said}"]
