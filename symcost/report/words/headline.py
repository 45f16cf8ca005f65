"""What is said of a table before anything else: its totals in one line, where it holds, and how that is known.

Numbers are rounded to three digits here and nowhere else: the exact ones stand in the table below.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from symcost.costs.cost import FULL, Cost
from symcost.costs.evidence import BOUNDED, summary
from symcost.costs.said import NOT_COMPARED
from symcost.costs.size import model_size
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.formulas.among import all_in_words, in_words
from symcost.formulas.conditions import condition, holds, names
from symcost.formulas.graph.leading import brief
from symcost.formulas.symbols import Evaluator
from symcost.formulas.units import as_number, rounded
from symcost.reading.numerals import assigned, so_many
from symcost.report.words import facts

SHORT = 28
"""Characters of a formula that a headline shows whole."""
SHOWN = 3
"""Conditions of a domain that a first screen tells; of the others their number."""
LONGEST = 48
"""Characters of such a condition."""
POINT = " · "
NEAR = 1 << 13
"""A condition's largest value is looked for up to here."""
FAR = (1 << 30, 720_720 << 12, (720_720 << 12) + 1, (720_720 << 12) - 1, 10**9 + 7)
"""Large values of many kinds: a condition that none of them meets leaves out all large ones."""


def headline(costs: CostTable) -> list[str]:
    """The name, parameters, state, MACs (or FLOPs), weights, peak and residuals; with the point, behind the last.

    >>> import symcost as sc
    >>> print(" · ".join(headline(sc.models.resnet50())))
    resnet50 · 25.6 M params · 53.1 k state · 4.09 GMACs · 102 MB · peak 7.23 MB
    """
    whole, bound = costs.total(FULL), "at most " if is_bound(costs) else ""
    parts = [costs.parts.name]
    if whole.params != 0 or whole.flops == 0:
        parts.append(_params(whole))
    if whole.state != 0:
        parts.append(_amount(whole.state, "state", " "))
    if whole.macs != 0 or whole.flops == 0:
        parts.append(bound + _amount(whole.macs, "MACs"))
    else:
        parts.append(bound + _amount(whole.flops, "FLOPs"))
    parts += [f"{before}{_amount(value, 'B')}{after}" for before, value, after in _bytes(costs) if value != 0]
    at = assigned(costs.point)
    said = [part for part in parts if part]
    return [*said[:-1], f"{said[-1]} at {at}"] if at else said


def totals(costs: CostTable) -> list[Any]:
    """The numbers of a headline, whole."""
    whole = costs.total(FULL)
    return [whole.macs, whole.flops, whole.params, whole.state, *(value for _, value, _ in _bytes(costs))]


def _bytes(costs: CostTable) -> list[tuple[str, Any, str]]:
    """What is known of its bytes, between the words around each."""
    known_bytes = []
    for before, known, after in (
        ("", model_size, ""),
        ("peak ", _peak, ""),
        ("", facts.residuals, " kept for the backward pass"),
    ):
        try:
            value = known(costs)
        except SymcostError:
            continue
        if value is not None:
            known_bytes.append((before, value, after))
    return known_bytes


def is_bound(costs: CostTable) -> bool:
    """Whether some operation is counted by an upper bound."""
    return any(row.bound for row in costs.rows)


def _peak(costs: CostTable) -> Any:
    return None if costs.parts.peak is None else costs.peak("liveness", "bytes")


def _params(whole: Cost) -> str:
    said = _amount(whole.params, "params", " ")
    parts = [("frozen", whole.trainable, "trained"), ("inactive", whole.active_params, "active")]
    more = [f"{_amount(value, word, ' ')}" for metric, value, word in parts if getattr(whole, metric) != 0]
    return f"{said} ({', '.join(more)})" if more else said


def _amount(value: Any, unit: str, between: str = "") -> str:
    """A number with three digits, a short formula whole, the leading terms of a longer one."""
    if as_number(value) is not None:
        return f"{rounded(value)} {unit}" if between else rounded(value, unit)
    return f"{brief(value, SHORT)} {unit}"


def narrowed(costs: CostTable) -> list[str]:
    """Conditions that leave out large values, with the lines that decide, or why: what people need to know first."""
    return list(_limits(costs).values())


def _limits(costs: CostTable) -> dict[str, str]:
    """What is said of every condition that leaves out all large values of a symbol."""
    domain, limits = costs.domain, dict[str, str]()
    for text in () if domain is None else domain.conditions():
        name, most = largest(text)
        if domain is None or not name or name in costs.point:
            continue
        place = next((each.place for each in domain.decisions if each.text == text), None)
        above = f"above {name} = {most}: "
        why = next((note.removeprefix(above).rstrip(".") for note in domain.notes if note.startswith(above)), "")
        evidence = domain.evidence.get(name)
        tried = evidence is not None and evidence.word == BOUNDED and place is None
        listed = in_words(text)
        limit = f"{name} <= {most}" if most and listed == text else listed
        decides = f"{'' if limit == listed else text} ({place})".strip() if place else why
        limits[text] = (
            f"{'tried up to' if tried and listed == text else 'only for'} {limit}{': ' if decides else ''}{decides}"
        )
    return limits


_AT_MOST = re.compile(r"(\w+) <= (\d+)")


@lru_cache(maxsize=1024)
def largest(text: str) -> tuple[str, int]:
    """The symbol of which a condition leaves out all large values, and the largest that meets it, 0 where none is near.

    >>> largest("r <= 16"), largest("ceiling(r/16) == 1"), largest("r >= 3"), largest("d % 96 == 0")
    (('r', 16), ('r', 16), ('', 0), ('', 0))
    """
    if plain := _AT_MOST.fullmatch(text):
        return (plain[1], int(plain[2])) if int(plain[2]) < min(FAR) else ("", 0)
    read = condition(text)
    symbols = names(read)
    if len(symbols) != 1:
        return "", 0
    (name,) = symbols
    if any(holds(read, Evaluator({name: value})) for value in FAR):
        return "", 0
    return name, next((value for value in range(NEAR, 0, -1) if holds(read, Evaluator({name: value}))), 0)


def withdrawn(costs: CostTable, more: str) -> list[str]:
    """Which figures must not be used, in a line each; ``more``: how to see why.

    >>> from symcost.costs.rows import Row, Withdrawn
    >>> withdrawn(CostTable([Row(path="fc", op="linear", xla=Withdrawn("XLA counts otherwise"))]), "--all")
    ['the xla figures are withdrawn, XLA counts otherwise: --all says where']
    """
    return [
        f"the {name} figures are {facts.WITHDRAWN}, XLA counts otherwise: {more} says where" for name in costs.withdrawn
    ]


def standing(costs: CostTable) -> str:
    """Where the table holds and how that is known, in one sentence."""
    domain = costs.domain
    if costs.point and not costs.symbols:
        return "; ".join(part for part in (costs.parts.compared, _known(costs)) if part)
    where = [f"{name} = trips of {place or 'a loop in the model'}" for name, place in costs.parts.unknown_trips.items()]
    if domain is not None and costs.symbols:
        limits = _limits(costs)
        told = [each for each in (*domain.conditions(), *(d.text for d in domain.uncomputed)) if each not in limits]
        known = [each for each in all_in_words(told) if len(each) <= LONGEST][:SHOWN]
        where.append("; ".join([f"holds for {', '.join(costs.symbols)} positive integers", *known]))
        where += [f"and {so_many(len(told) - len(known), 'further condition')}"] if len(told) > len(known) else []
        if bounds := ", ".join(sorted(domain.bounds_at_one)):
            where.append(f"where sizes are 1, {bounds} are upper bounds")
    return "; ".join([*where, *([checked] if (checked := _known(costs)) else [])])


def _known(costs: CostTable) -> str:
    """The words of the symbols, and what was compared."""
    certificate, domain = costs.certificate, costs.domain
    words = ""
    if domain is not None:
        limits = _limits(costs)
        words = summary(domain.evidence, [each for each in domain.decisions if each.text not in limits])
    if certificate is None:
        return words
    points, asked = len(certificate.held_out), certificate.xla.equal is not None
    checked = f"{certificate.numbers:,} numbers equal to fresh traces at {so_many(points, 'held-out point')}"
    counted = checked if points else f"{certificate.numbers:,} numbers of a trace"
    return "; ".join([*([words] if words else []), counted, *([] if asked else [NOT_COMPARED])])
