"""What the page shows of a table: totals, modules, kernels, energy and domain, each number an instruction's number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sympy

from symcost.costs.rows import total
from symcost.costs.saved.facts import Condition
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.estimate.questions.face import PROCESS
from symcost.estimate.time.energy import energy
from symcost.estimate.time.work import kernels
from symcost.formulas.text import written
from symcost.report.page.program import Program
from symcost.report.words import facts
from symcost.report.words.grouping import MODEL, Line, Node, tree

COLUMNS: tuple[facts.Column, ...] = (
    ("params", "full"),
    ("state", "full"),
    ("macs", "full"),
    ("flops", "full"),
    ("activations", "textbook"),
    ("moved", "full"),
)
"""Of each module: the table's columns and the metrics of the bars. ``moved`` is bytes read and written."""
RARE = ("state",)
"""Columns that are left out where no model has any of it."""
LONG = 1500
"""Characters of a formula from which it is shown as text: a browser takes long to lay out more of it."""


def columns(tables: Sequence[CostTable]) -> list[facts.Column]:
    """The columns that these models need."""
    return [
        (metric, of)
        for metric, of in COLUMNS
        if metric not in RARE or any(getattr(costs.total(of), metric) != 0 for costs in tables)
    ]


def contents(costs: CostTable, title: str, wanted: Sequence[facts.Column]) -> dict[str, Any]:
    """One model of the page; ``wanted`` are the columns of its modules."""
    program = Program(costs.point)
    totals, formulas = _totals(costs, program)
    return {
        "title": title,
        "symbols": list(costs.symbols),
        "totals": totals,
        "formulas": formulas,
        "tree": list(_modules(tree(costs.rows), program, wanted)),
        "conditions": _conditions(costs, program),
        "kernels": _or_reason(lambda: _kernels(costs, program)),
        "energy": _or_reason(lambda: _energy(costs, program)),
        "field": _field(costs, program),
        "notes": [list(note) for note in facts.notes(costs)],
        "program": program.instructions,
    }


def _or_reason(ask: Callable[[], Any]) -> Any:
    """What is asked for, or a text that says why there is none."""
    try:
        return ask()
    except SymcostError as problem:
        return str(problem)


def _totals(costs: CostTable, program: Program) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    named = [(f"{facts.TITLES[metric]} ({', '.join(conventions)})", value, "bytes" in metric)
             for metric, conventions, value in facts.metrics_by_convention(costs)]  # fmt: skip
    named += [(f"peak {p.unit} ({p.rule})", p.value, p.unit == "bytes") for p in facts.peaks(costs) if not p.problem]
    saved = facts.residuals(costs)
    if saved is not None:
        named.append(("residual bytes (saved for backward)", saved, True))
    totals = [{"name": name, "value": program.add(value), "bytes": in_bytes} for name, value, in_bytes in named]
    return totals, [{"name": name, **_shown(value)} for name, value, _ in named if getattr(value, "free_symbols", ())]


def _shown(value: Any) -> dict[str, str]:
    text = written(value)
    if len(text) > LONG:
        return {"text": text}
    return {"text": text, "mathml": sympy.mathml(sympy.sympify(value, strict=True), printer="presentation")}


def _modules(
    node: Node, program: Program, wanted: Sequence[facts.Column], parent: int = -1, count: list[int] | None = None
) -> Iterator[dict[str, Any]]:
    """Modules in preorder, each with the cost of its own rows alone; sums over the inside are made in the page."""
    count = count if count is not None else [0]
    index, count[0] = count[0], count[0] + 1
    sums = {convention: total(node.rows, convention) for convention in ("full", "textbook")}
    own = [
        program.add(sums[of].bytes_read + sums[of].bytes_written if metric == "moved" else getattr(sums[of], metric))
        for metric, of in wanted
    ]
    yield {"name": Line(node.name or MODEL, 0, node.number, ()).label, "parent": parent, "own": own}
    for child in node.children.values():
        yield from _modules(child, program, wanted, index, count)


def _conditions(costs: Any, program: Program) -> list[dict[str, Any]]:
    domain = costs.domain
    found = [Condition.read(text) for text in (domain.conditions() if domain is not None else ())]
    return [
        {"text": each.text, "left": program.add(each.left), "relation": each.relation, "right": program.add(each.right)}
        for each in found
    ]


def _kernels(costs: CostTable, program: Program) -> list[dict[str, Any]]:
    return [
        {
            "name": kernel.name, "kind": kernel.kind,
            **{part: program.add(getattr(kernel, part)) for part in ("operations", "weights", "read", "written", "times")},
        }
        for kernel in kernels(costs, "fused")
    ]  # fmt: skip


def _energy(costs: CostTable, program: Program) -> dict[str, int]:
    found = energy(costs, PROCESS, "float32", model="fused")
    return {"compute": program.add(found.compute), "movement": program.add(found.movement)}


def _field(costs: Any, program: Program) -> Any:
    """The receptive field: a number for each axis, ``"all"``, or None where it is not known."""
    if costs.parts.receptive_field is None:
        return None
    found = costs.receptive_field
    return "all" if found is None else [program.add(size) for size in found]
