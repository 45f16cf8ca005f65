"""A table in pieces on a first screen: the first of its ways to decide whole, of every other what differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symcost.costs.branches import MOST, branches
from symcost.costs.table import CostTable
from symcost.report.words.headline import POINT, headline, totals

MANY = "elsewhere other formulas: values of the symbols decide"


@dataclass(frozen=True)
class FirstScreen:
    """The table that is shown, its headline, and a line for every other way."""

    costs: CostTable
    headline: list[str]
    others: list[str]


def shown(costs: CostTable) -> FirstScreen:
    """What is shown of a table: of one in pieces the first branch of its totals and peak.

    >>> import symcost as sc
    >>> from symcost.costs.cost import Cost
    >>> from symcost.costs.rows import Row
    >>> cost = Cost(params=4, macs=sc.parse("Piecewise((n, n <= 64), (64, True))"))
    >>> first = shown(CostTable([Row(path="fc", op="linear", cost=cost)]))
    >>> first.costs.macs, first.headline, first.others
    (n, ['4 params', 'n MACs', '16 B where n <= 64'], ['where n > 64: 64 MACs'])
    """
    ways = branches(totals(costs))
    if not ways:
        return FirstScreen(costs, headline(costs), [])
    table = ways[0].table(costs)
    first = headline(table)
    several = {str(way): headline(way.table(costs)) for way in ways[1:]} if len(ways) <= MOST else {}
    others = [
        f"where {way}: {POINT.join(part for part in parts if part not in first) or 'the same'}"
        for way, parts in several.items()
    ]
    return FirstScreen(table, [*first[:-1], f"{first[-1]} where {ways[0]}"], others or [MANY])


def each_way(costs: CostTable) -> list[tuple[list[str], CostTable]]:
    """The tables of all ways to decide, each behind a line that says where; the table as it is where there are too many."""
    ways = branches(totals(costs))
    return [([f"where {way}:"], way.table(costs)) for way in ways] if 0 < len(ways) <= MOST else [([], costs)]


def told(value: Any, tell: Callable[[Any], str]) -> str:
    """A formula in words of each of its pieces, with where it holds.

    >>> import symcost as sc
    >>> told(sc.parse("Piecewise((n, n <= 64), (64, True))"), str)
    'n where n <= 64, 64 where n > 64'
    """
    ways = branches([value])
    if not ways:
        return tell(value)
    if len(ways) > MOST:
        return f"{tell(ways[0].value(value))} where {ways[0]}, {MANY}"
    pieces = [tell(way.value(value)) for way in ways]
    alike = len(set(pieces)) == 1
    return pieces[0] if alike else ", ".join(f"{piece} where {way}" for piece, way in zip(pieces, ways, strict=True))


def line(costs: CostTable) -> str:
    """The headline as the ``repr`` of a table."""
    return f"<CostTable {POINT.join(shown(costs).headline)}>"
