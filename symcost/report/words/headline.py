"""What is said of a table before anything else: its totals in one line, where it holds, and how that is known.

Numbers are rounded to three digits here and nowhere else: the exact ones stand in the table below.
"""

from __future__ import annotations

import re
from typing import Any

from symcost.costs.cost import FULL, Cost
from symcost.costs.size import model_size
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.formulas.graph.leading import abbreviated
from symcost.formulas.units import as_number, rounded
from symcost.report.words import facts

SHORT = 28
"""Characters of a formula that a headline shows whole."""
SHOWN = 3
"""Conditions of a domain that a first screen tells; of the others their number."""
POINT = " · "
_MOST = re.compile(r"(\w+) (<=|<|==) (\d+)")


def headline(costs: CostTable) -> list[str]:
    """The name, parameters, MACs (or FLOPs), weights, peak and residuals; with the point, behind the last.

    >>> import symcost as sc
    >>> print(" · ".join(headline(sc.models.resnet50())))
    resnet50 · 25.6 M params · 4.09 GMACs · 102 MB · peak 7.23 MB
    """
    whole, bound = costs.total(FULL), "at most " if is_bound(costs) else ""
    parts = [costs.parts.name, _params(whole)]
    if whole.macs != 0 or whole.flops == 0:
        parts.append(bound + _amount(whole.macs, "MACs"))
    else:
        parts.append(bound + _amount(whole.flops, "FLOPs"))
    for before, known, after in (
        ("", model_size, ""),
        ("peak ", _peak, ""),
        ("", facts.residuals, " for the backward pass"),
    ):
        try:
            value = known(costs)
        except SymcostError:
            continue
        if value is not None and value != 0:
            parts.append(f"{before}{_amount(value, 'B')}{after}")
    at = ", ".join(f"{name}={value}" for name, value in costs.point.items())
    made = [part for part in parts if part]
    return [*made[:-1], f"{made[-1]} at {at}"] if at else made


def line(costs: CostTable) -> str:
    """The headline as the ``repr`` of a table."""
    return f"<CostTable {POINT.join(headline(costs))}>"


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
    ways = abbreviated(value)
    return f"{next((way for way in ways if len(way) <= SHORT), ways[min(1, len(ways) - 1)])} {unit}"


def narrowed(costs: CostTable) -> list[str]:
    """Conditions that leave out large values, with the lines that decide: what people need to know first."""
    domain = costs.domain
    if domain is None:
        return []
    places = {str(each.text): each.place for each in domain.decisions}
    found = []
    for condition in domain.conditions():
        name = _MOST.fullmatch(condition)
        if name and name[1] not in costs.point:
            tried = domain.evidence[name[1]].word == "bounded" if name[1] in domain.evidence else False
            place = f" ({places[condition]})" if places.get(condition) else ""
            found.append(f"{'tried up to' if tried and not place else 'only for'} {condition}{place}")
    return found


def standing(costs: CostTable) -> str:
    """Where the table holds and how that is known, in one sentence."""
    domain, parts = costs.domain, costs.parts
    if costs.point and not costs.symbols:
        return "; ".join(part for part in (_at(costs), _known(costs)) if part)
    if domain is None:
        return _known(costs)
    first, *conditions = str(domain).split("; ")
    known = conditions[:SHOWN]
    more = [f"and {len(conditions) - len(known)} further conditions"] if len(conditions) > len(known) else []
    where = [f"holds for {first}"] if domain.symbols else []
    return "; ".join([*_unknown(parts), *where, *known, *more, *([told] if (told := _known(costs)) else [])])


def _at(costs: CostTable) -> str:
    return costs.parts.compared


def _known(costs: CostTable) -> str:
    """The words of the symbols, and what was compared."""
    certificate, words = costs.certificate, facts.words(costs)
    if certificate is None:
        return words
    points = len(certificate.held_out)
    checked = (
        f"{certificate.numbers:,} numbers equal to fresh traces at {points} held-out point{'' if points == 1 else 's'}"
    )
    return "; ".join(
        [*([words] if words else []), checked if points else f"{certificate.numbers:,} numbers of a trace"]
    )


def _unknown(parts: Any) -> list[str]:
    return [f"{name} = trips of {where or 'a loop in the model'}" for name, where in parts.unknown_trips.items()]
