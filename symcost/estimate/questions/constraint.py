"""Conditions on quantities: what stands for them is put in, and ``fits`` becomes every memory of a device."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sympy

from symcost.costs.exact import rational
from symcost.devices import device
from symcost.errors import ExpressionError, SpaceError, SymcostError
from symcost.estimate.bytes.fit import MemoryContents, kept, needs_of
from symcost.estimate.bytes.training import room
from symcost.estimate.questions.names import Metrics
from symcost.estimate.questions.quantities import ALONG, QUANTITIES, Quantity, vocabulary
from symcost.estimate.questions.setting import Setting
from symcost.formulas.conditions import (
    Combined,
    Compare,
    Condition,
    Word,
    compares,
    condition,
    conjuncts,
    names,
    rewritten,
)
from symcost.formulas.measures import BYTES, Dimension
from symcost.formulas.symbols import symbol
from symcost.reading.nearest import listed, near, offered
from symcost.reading.numerals import fraction, short

_COMPARED = re.compile(r"[<>]|[=!]=")
_NONE = "there is no constraint: give one such as 'params <= 25_000_000'"


def asked(text: str, metrics: Metrics) -> Condition:
    """A condition in the names of a table, its units checked; ``fits`` stands for every memory of the device."""

    def fits(word: Word) -> Condition:
        if metrics.table is None:
            raise SpaceError(f"{text!r}: {word.text} asks for the memories of a device: give a table of costs")
        return fitting(word, metrics.setting)

    return rewritten(condition(text, metrics.dimension), lambda compare: compare, fits)


def read(texts: str | Sequence[str], setting: Setting) -> list[Condition]:
    """Conditions that all must hold, in symbols of the table: formulas stand for the quantities that they name."""
    given = [texts] if isinstance(texts, str) else list(texts)
    if not given:
        raise SymcostError(_NONE)
    conditions: list[Condition] = []
    for text in given:
        if not isinstance(text, str):
            raise SymcostError(f"the constraint {short(text)} is no text: give one such as 'params <= 25_000_000'")
        named = condition(text, lambda name: _measured(name, setting.costs.symbols, setting.costs.point))
        conditions += [each for part in conjuncts(named) for each in put(part, text, setting)]
    return conditions


def is_one(text: str) -> bool:
    """Whether a text is a constraint, rather than the spec of an input.

    >>> is_one("params <= 3"), is_one("fits"), is_one("float32[n,8]")
    (True, True, False)
    """
    if _COMPARED.search(text):  # one that cannot be read is still no spec
        return True
    try:
        condition(text)
    except ExpressionError:
        return False
    return True


def check(texts: Sequence[str], symbols: Sequence[str]) -> None:
    """Raise for constraints that cannot be read, or name what is no quantity and none of the symbols."""
    if not texts:
        raise SymcostError(_NONE)
    for text in texts:
        for compare in compares(condition(text, lambda name: _measured(name, symbols))):
            for side in (compare.left, compare.right):
                along = {name: QUANTITIES["communication"] for name in names(compare) if name.startswith(ALONG)}
                check_names(_named(side), text, symbols, (), {**QUANTITIES, **along})


def put(told: Condition, text: str, setting: Setting) -> list[Condition]:
    """Conditions in symbols of the table for one in names of quantities, which stands in ``text``."""
    conditions = rewritten(
        told,
        lambda compare: compare.map(lambda side: _put(side, text, setting)),
        lambda word: fitting(word, setting),
    )
    return conjuncts(conditions)


def measured(name: str) -> Dimension | None:
    """What a quantity is measured in; nothing of another name."""
    if name.startswith(ALONG):
        return BYTES.dimension
    return QUANTITIES[name].unit.dimension if name in QUANTITIES else None


def _measured(name: str, *sizes: Collection[str]) -> Dimension | None:
    """What a name is measured in, a size in a number: what is unknown is told by its name, and not by its unit."""
    return {} if any(name in known for known in sizes) else measured(name)


def _put(side: Any, text: str, setting: Setting) -> Any:
    quantities = vocabulary(setting.costs)
    check_names(_named(side), text, setting.costs.symbols, setting.costs.point, quantities)
    used = sorted({str(s) for s in side.free_symbols} & quantities.keys())
    formulas = {symbol(name): sympy.sympify(quantities[name](setting), strict=True) for name in used}
    return side.xreplace(formulas) if formulas else side


def _named(side: Any) -> set[str]:
    return {str(s) for s in side.free_symbols}


def check_names(
    used: Iterable[str], text: str, symbols: Sequence[str], fixed: Collection[str], quantities: Mapping[str, Quantity]
) -> None:
    """Raise for a name that is no quantity and none of the symbols, or both."""
    for name in sorted(used):
        known = name in symbols or name in fixed
        if known and name in quantities:
            raise SymcostError(
                f"{short(name)} in {short(text)} is a symbol of the table and a quantity: rename the symbol"
            )
        if not known and name not in quantities:
            plain = [*symbols, *(q.name for q in quantities.values() if not q.base)]
            hint = offered(near(name, [*symbols, *quantities]), f"there are {listed(plain)}")
            raise SymcostError(f"unknown name {short(name)} in {short(text)}: {hint}")


def memories(setting: Setting) -> list[MemoryContents]:
    """Each memory of the device that holds weights or activations, and what it must hold, in the types of :func:`sc.fits`.

    Of a table with a plan that is the memory of one device, which holds all that training keeps there.
    """
    where = device(setting.device)
    if setting.costs.plan is not None:
        needed, level, size = (
            QUANTITIES["device_bytes"](setting),
            where.memory_of("activations"),
            fraction(str(room(where))),
        )
        text = f"device_bytes <= {size} ({level.name})"
        return [MemoryContents(level.name, level.holds, sympy.sympify(needed, strict=True), size, text)]
    _, used = needs_of(setting.costs, where, setting.dtype, weights=setting.weights, rule=setting.rule)
    return kept(where, used)


def fitting(word: Word, setting: Setting) -> Condition:
    """What ``fits`` stands for: every memory has room."""
    held = memories(setting)
    return Combined(
        "and", tuple(Compare("<=", each.needed, rational(each.size), each.text) for each in held), word.text
    )
