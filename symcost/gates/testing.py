"""Assertions on costs for tests: closed forms shown term by term where they differ, budgets, and golden files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sympy

from symcost.costs.cost import FULL, TEXTBOOK
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.formulas.compared.equality import equal
from symcost.formulas.symbols import parse
from symcost.reading.choices import Convention
from symcost.reading.given import checked
from symcost.views import view

Expected = Any
"""A formula as text, an integer, or a sympy expression."""


@checked
def assert_cost(
    costs: CostTable, *, params: Expected = None, trainable: Expected = None, active_params: Expected = None,
    macs: Expected = None, flops: Expected = None, transcendentals: Expected = None, activations: Expected = None,
    peak_activations: Expected = None, convention: Convention | None = None,
) -> None:  # fmt: skip
    """Every total that is given is the formula expected; otherwise the terms that differ are shown.

    ``convention``: ``full`` unless given, ``textbook`` for the activations, as the attributes of the same names.

    >>> import symcost as sc
    >>> n, d = sc.symbols("n d")
    >>> assert_cost(sc.table(sc.Linear(c_o=3 * d), (n, d)), params="3*d**2 + 3*d", macs="3*n*d**2")
    >>> assert_cost(sc.table(sc.Linear(c_o=3 * d), (n, d)), params="4*d**2 + n")
    Traceback (most recent call last):
    AssertionError: params (full) is not the formula expected
      expected  4*d**2 + n
      found     3*d**2 + 3*d
      term by term:
        d: 3, expected none
        d**2: 3, expected 4
        n: none, expected 1
    """
    counted = {
        "params": params,
        "trainable": trainable,
        "active_params": active_params,
        "macs": macs,
        "flops": flops,
        "transcendentals": transcendentals,
        "activations": activations,
    }
    asked = {name: value for name, value in counted.items() if value is not None}
    if not asked and peak_activations is None:
        raise SymcostError(f"assert_cost has nothing to compare: give {', '.join(counted)} or peak_activations")
    problems = []
    for name, expected in asked.items():
        used = convention or (TEXTBOOK if name == "activations" else FULL)
        problems += _difference(f"{name} ({used})", getattr(costs.total(used), name), _read(expected))
    if peak_activations is not None:
        problems += _difference("peak_activations (liveness)", costs.peak(), _read(peak_activations))
    if problems:
        raise AssertionError("\n".join(problems))


def _read(expected: Expected) -> Any:
    return parse(expected) if isinstance(expected, str) else sympy.sympify(expected, strict=True)


def _difference(name: str, formula: Any, expected: Any) -> list[str]:
    """Lines that say how two formulas differ; none where they are equal."""
    ours, theirs = (sympy.expand(sympy.sympify(form, strict=True)) for form in (formula, expected))
    if equal(ours, theirs):
        return []
    terms = [form.as_coefficients_dict() for form in (ours, theirs)]
    each = sorted({*terms[0], *terms[1]}, key=str)
    lines = [
        f"    {term}: {_coefficient(terms[0], term)}, expected {_coefficient(terms[1], term)}"
        for term in each
        if terms[0].get(term, 0) != terms[1].get(term, 0)
    ]
    return [
        f"{name} is not the formula expected",
        f"  expected  {theirs}",
        f"  found     {ours}",
        "  term by term:",
        *lines,
    ]


def _coefficient(terms: Any, term: Any) -> str:
    return str(terms[term]) if terms.get(term, 0) != 0 else "none"


@checked
def assert_budget(costs: CostTable, name: str, file: str | Path | None = None) -> None:
    """Every limit that the budgets of ``name`` set holds; otherwise each that is exceeded, and by which modules.

    ``file``: ``symcost.toml`` or ``pyproject.toml``; the nearest above the working directory unless given. The model
    of the file is not made: the limits are for the table given, and a budget that asks compilers is an error.
    """
    from symcost.gates.budgets.check import against
    from symcost.gates.budgets.read import chosen, find, read

    sentence = view("limit in words")

    (model,) = chosen(read(Path(file) if file is not None else find(Path.cwd())), [name]).models
    asking = next((budget for budget in model.budgets if budget.targets), None)
    if asking is not None:
        raise SymcostError(
            f"{name}, budget {asking.name}: verdict = {list(asking.targets)} asks compilers, for which assert_budget has "
            "no program: run symcost check, or put it under a model of its own"
        )
    failed = [finding for budget in model.budgets for finding in against(budget, costs, name) if not finding]
    if failed:
        raise AssertionError("\n".join(map(sentence, failed)))


@checked
def assert_golden(costs: CostTable, path: Path, update: bool = False) -> None:
    """The table is the one that was saved at ``path``; otherwise what the change costs, in formulas.

    With ``update`` the file is written anew.
    """
    from symcost.gates.diff.compare import compare

    text = view("difference as text")
    from symcost.costs.saved.load import load

    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        costs.save(path)
        return
    if not path.exists():
        raise AssertionError(f"there is no golden file {path}: run pytest with --symcost-update to write it")
    change = compare(load(path), costs, names=(str(path), "now"))
    if change:
        raise AssertionError(f"{text(change)}\n\nif this is meant, run pytest with --symcost-update")
