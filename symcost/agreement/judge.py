"""The judgement: a closed form's ``xla`` figures at a point are XLA's count of the lowered program, or they are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from symcost.agreement.check import ModuleRow
from symcost.agreement.written import METRICS, Written, modules
from symcost.costs.said import Said
from symcost.costs.table import CostTable

MOST = 3
"""Modules that a reason names; how many more there are is said behind them."""
LONGEST = 4
"""Operations that it names of each side of a module."""
TITLES = {"flops": "FLOPs", "transcendentals": "transcendentals"}


def judged(costs: CostTable, written: Written, at: Mapping[str, int]) -> Said:
    """What XLA's count of the lowered program says of a table at the same point, loop bodies once on both sides.

    Nothing is compared where the program calls what nobody can count.
    """
    if written.once.unknown:
        calls = ", ".join(sorted(set(written.once.unknown)))
        return Said(None, f"nobody can count what is behind the call of {calls} in the lowered program", at)
    rows, operations = modules(costs, written)
    wrong = [row for row in rows if row.difference]
    if not wrong:
        return Said(True, "", at)
    return Said(False, _reason(rows, wrong, operations), at)


def _reason(
    rows: list[ModuleRow], wrong: list[ModuleRow], operations: Mapping[str, Mapping[str, tuple[int, int]]]
) -> str:
    """Both totals, then the modules that differ most, with the operations of both sides that have no counterpart."""
    parts = []
    for metric in METRICS:
        ours, theirs = (sum(getattr(row, side) for row in rows if row.metric == metric) for side in ("ours", "theirs"))
        if ours != theirs:
            parts.append(f"the form has {ours} {TITLES[metric]} and XLA counts {theirs}")
    told = [_module(row, operations) for row in sorted(wrong, key=lambda row: -abs(row.difference))]
    more = f", and {len(told) - MOST} more" if len(told) > MOST else ""
    return f"{'; '.join(parts) or 'the totals are equal, the modules are not'}: {', '.join(told[:MOST])}{more}"


def _module(row: ModuleRow, operations: Mapping[str, Mapping[str, tuple[int, int]]]) -> str:
    """One module: its path, both numbers, and who made them."""
    found = operations[row.place]
    ours = {name: mine for name, (mine, _) in found.items() if mine}
    theirs = {name: other for name, (_, other) in found.items() if other}
    common = Counter(ours.values()) & Counter(theirs.values())
    where = row.path or "the model itself"
    phase = "" if row.phase == "forward" else f" ({row.phase})"
    left, right = f"{row.ours}{_names(ours, common)}", f"{row.theirs}{_names(theirs, common)}"
    return f"{where}{phase} {TITLES[row.metric]} {left} against {right}"


def _names(counts: Mapping[str, int], common: Counter[int]) -> str:
    """In brackets the operations whose counts the other side does not have, each with its count."""
    left, named = Counter(common), []
    for name, count in counts.items():
        if left[count]:
            left[count] -= 1
        else:
            named.append(f"{name} {count}")
    more = f" and {len(named) - LONGEST} more" if len(named) > LONGEST else ""
    return f" ({' + '.join(named[:LONGEST])}{more})" if named else ""
