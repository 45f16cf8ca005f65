"""Budgets from ``pyproject.toml`` or ``symcost.toml``: which models, at which points or over which ranges, what limits.

In ``pyproject.toml`` every table begins with ``tool.symcost.``; in ``symcost.toml`` it does not::

    [models.gpt]
    model = "examples.gpt:GPT"        # or a reference network, or the file of a saved table
    specs = ["int32[n,N]"]            # as for symcost trace, with: at, arg, call, free, steps, at_least, samples, axes,
                                      # mode, wrt, active, upto, max_pieces, method, rngs, referee, function; at and
                                      # arg also give the parameters of a reference network

    [[models.gpt.budgets]]
    at = { H = 12, L = 12, d = 768, V = 50257 }
    over = { n = "1..8", N = "128..1024 step 128" }    # proved for every point of the ranges
    params = "125 M"
    latency = "20 ms"                 # needs a device; so do energy and fit
    device = "nvidia-a100-sxm-80gb"
    where = ["throughput >= 100 and macs <= 20*params"]     # any conditions, over ranges those by <= and >=
    # verdict = ["cpu", "cuda-h100"]  # without over: the compilers count what the formulas say
    dtype = "float16"                 # also the other options: symcost/estimate/questions/setting.py
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from symcost.costs.cost import DETAIL
from symcost.errors import ExpressionError, SymcostError
from symcost.estimate.questions.quantities import QUANTITIES
from symcost.formulas.conditions import condition, has_word, names
from symcost.gates.budgets.limits import FIT, KINDS, VERDICT, WHERE, Limit, limit
from symcost.gates.budgets.lines import lines_of
from symcost.gates.budgets.options import LIMITS, options
from symcost.reading import toml
from symcost.reading.nearest import choose, near, offered
from symcost.reading.numerals import short, whole
from symcost.sources import written
from symcost.sources.source import Source
from symcost.sources.written import KEYS, check

FILES = ("symcost.toml", "pyproject.toml")
_MODEL: Mapping[str, Any] = {**KEYS, "budgets": list}
_RANGE = re.compile(r"\s*(\d+)\s*\.\.\s*(\d+)\s*(?:step\s+(\d+)\s*)?")


@dataclass(frozen=True)
class Budget:
    """Limits of one model at a point, or over ranges of some symbols."""

    name: str
    at: Mapping[str, int] = field(default_factory=dict)
    over: Mapping[str, range] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    fit: bool = False
    targets: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    compared: bool = False
    """Whether the numbers at its point are those of a fresh trace there."""

    def line_of(self, key: str) -> int:
        """Where a limit stands in the file, or else its budget: where an annotation points."""
        return self.lines.get(key, self.lines.get("", 1))


@dataclass(frozen=True)
class BudgetedModel:
    """A model with its budgets."""

    name: str
    source: Source
    budgets: tuple[Budget, ...]


@dataclass(frozen=True)
class BudgetPlan:
    """What a file asks for."""

    file: Path
    models: tuple[BudgetedModel, ...]


def find(folder: Path) -> Path:
    """The nearest file of budgets, in the folder or above it."""
    for place in (folder, *folder.parents):
        for name in FILES:
            if (place / name).is_file() and _section(place / name):
                return place / name
    raise SymcostError(
        f"no budgets in {folder} or above it: write symcost.toml, or [tool.symcost.models.NAME] in pyproject.toml"
    )


def read(path: Path) -> BudgetPlan:
    """The plan of a file; every mistake is one line with its place."""
    section = _section(path)
    models = section.get("models")
    if not isinstance(models, dict) or not models:
        raise SymcostError(f"{path} has no budgets: write a table [{_prefix(path)}models.NAME]")
    _known(section, ("models",), f"{path}")
    text = path.read_text(encoding="utf-8")
    return BudgetPlan(path, tuple(_model(name, given, path, text) for name, given in models.items()))


def chosen(plan: BudgetPlan, names: Sequence[str]) -> BudgetPlan:
    """The plan of some models alone; of all where none is named."""
    known = [model.name for model in plan.models]
    for name in names:
        if name not in known:
            raise SymcostError(f"{plan.file} has no model {short(name)}: {choose(name, known, start='there are')}")
    return replace(plan, models=tuple(m for m in plan.models if not names or m.name in names))


def _prefix(path: Path) -> str:
    return "tool.symcost." if path.name == "pyproject.toml" else ""


def _section(path: Path) -> dict[str, Any]:
    tables = toml.read(path, f"{path}", SymcostError)
    if path.name == "pyproject.toml":
        tables = tables.get("tool", {}).get("symcost", {})
    return tables if isinstance(tables, dict) else {}


def _model(name: str, given: Any, path: Path, text: str) -> BudgetedModel:
    where = f"{path}: models.{name}"
    if not isinstance(given, dict):
        raise SymcostError(f"{where} must be a table: write [{_prefix(path)}models.{name}]")
    budgets = given.get("budgets") or []
    if not isinstance(budgets, list) or not all(isinstance(budget, dict) for budget in budgets):
        raise SymcostError(
            f"{where}.budgets must be tables: write [[{_prefix(path)}models.{name}.budgets]] with limits below it, as "
            f"params = '1 M' or where = 'macs <= 300 M'"
        )
    check(given, where, _MODEL)
    source = written.source({key: value for key, value in given.items() if key != "budgets"}, where, path.parent)
    if not budgets:
        raise SymcostError(f"{where} has no budgets: write [[{_prefix(path)}models.{name}.budgets]] with limits")
    places = lines_of(name, text, len(budgets))
    parsed = [replace(_budget(entry, f"{where}.budgets[{i}]", i), lines=lines)
               for i, (entry, lines) in enumerate(zip(budgets, places, strict=True), start=1)]  # fmt: skip
    names = [budget.name for budget in parsed]
    twice = next((each for each in names if names.count(each) > 1), None)
    if twice is not None:
        raise SymcostError(f"{where} has two budgets of the name {twice!r}: give one of them another")
    return BudgetedModel(name, source, tuple(parsed))


def _budget(given: Mapping[str, Any], where: str, number: int) -> Budget:
    _known(given, ("name", "at", "over", FIT, VERDICT, WHERE, *LIMITS, *KINDS), where)
    if not isinstance(given.get("name", ""), str):
        raise SymcostError(f"{where}.name = {short(given['name'])} must be a text")
    at = given.get("at", {})
    for name, value in at.items() if isinstance(at, dict) else [("at", at)]:
        if isinstance(value, bool) or not isinstance(value, int) or not isinstance(at, dict):
            raise SymcostError(
                f"{where}: {name} = {short(value)} must be an integer: a range stands in over, as n = '1..8'"
            )
    over = given.get("over", {})
    if not isinstance(over, dict):
        raise SymcostError(f"{where}: over = {over!r} must be a table of ranges, as {{ n = '1..8' }}")
    both = sorted(set(at) & set(over))
    if both:
        raise SymcostError(f"{where}: {both[0]} stands in at and in over: leave one")
    limits = tuple(limit(metric, given[metric], where) for metric in KINDS if metric in given)
    fit = given.get(FIT, False)
    if not isinstance(fit, bool):
        raise SymcostError(f"{where}: fit = {short(fit)} must be true or false")
    targets = given.get(VERDICT, [])
    if not isinstance(targets, list) or not all(isinstance(target, str) for target in targets):
        raise SymcostError(
            f"{where}: verdict = {targets!r} must be a list of targets, as ['cpu']: symcost targets lists them"
        )
    if targets and over:
        raise SymcostError(f"{where}: verdict asks compilers at one point: put it in a budget without over")
    stated, about = _conditions(given.get(WHERE, ()), where)
    if not limits and not fit and not targets and not stated:
        raise SymcostError(
            f"{where} has no limit: give one of {', '.join(_plain_names(KINDS))}, fit = true, or verdict = ['cpu']"
        )
    asked = [*(each.metric for each in limits), *([FIT] if fit else []), *about]
    needing = next((m for m in asked if m in LIMITS["device"]), None)
    if needing and "device" not in given:
        raise SymcostError(f"{where}: {needing} needs a device: symcost devices lists them")
    return Budget(
        name=given.get("name", str(number)), at=at,
        over={name: span(text, f"{where}: {name}") for name, text in over.items()},
        limits=limits, fit=fit, targets=tuple(targets), where=stated, options=options(given, asked, where),
    )  # fmt: skip


def _conditions(given: Any, where: str) -> tuple[tuple[str, ...], list[str]]:
    """The conditions of a budget, and what they are about: quantities, or ``fit``."""
    texts = tuple(given) if isinstance(given, list | tuple) else (given,)
    about: list[str] = []
    for text in texts:
        if not isinstance(text, str):
            raise SymcostError(
                f"{where}: where = {short(given)} must be a condition or a list of them, as 'latency <= 5 ms'"
            )
        try:
            stated = condition(text)
        except ExpressionError as problem:
            raise SymcostError(f"{where}: {problem}") from None
        about += [*sorted(names(stated) & {*QUANTITIES}), *([FIT] if has_word(stated) else [])]
    return texts, about


def span(given: Any, where: str) -> range:
    """A range of positive integers, ends included.

    >>> span("1..8", "n"), span("96..256 step 32", "r")[-1]
    (range(1, 9), 256)
    """
    ends = _RANGE.fullmatch(given) if isinstance(given, str) else None
    if ends is None:
        raise SymcostError(f"{where} = {short(given)} is no range: write '1..8', or '96..256 step 32'")
    try:
        low, high, step = whole(ends.group(1)), whole(ends.group(2)), whole(ends.group(3) or "1")
    except ValueError as problem:
        raise SymcostError(f"{where} is no range: {problem}") from None
    if low < 1 or high < low or step < 1:
        raise SymcostError(
            f"{where} = {short(given)} must be positive and ascending: write '1..8', or '96..256 step 32'"
        )
    return range(low, high + 1, step)


def _known(given: Mapping[str, Any], known: Any, where: str) -> None:
    for key in given:
        if key not in known:
            hint = offered(near(key, known), f"use {', '.join(_plain_names(known))}")
            raise SymcostError(f"{where} has an unknown entry {short(key)}: {hint}")


def _plain_names(known: Any) -> list[str]:
    """Entries without the quantities that are details, or others under one convention or rule."""
    return [name for name in known if name not in QUANTITIES or QUANTITIES[name].place < DETAIL]
