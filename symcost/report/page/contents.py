"""What the page shows of a table: totals, modules, kernels, energy and domain, each number an instruction's number."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from symcost.costs.cost import DETAIL, FIRST, FULL, TOLD
from symcost.costs.dtypes import BITS
from symcost.costs.rows import total
from symcost.costs.table import CostTable
from symcost.devices.device import HOLDS
from symcost.errors import SymcostError
from symcost.estimate.bytes.memory import memory
from symcost.estimate.questions.estimate import PROCESS
from symcost.estimate.questions.planned import domain_of
from symcost.estimate.questions.quantities import QUANTITIES, Quantity
from symcost.estimate.questions.setting import Setting
from symcost.estimate.time.energy import energy
from symcost.estimate.time.latency import examples
from symcost.estimate.time.work import kernels
from symcost.formulas.conditions import Combined, Compare, Condition, condition
from symcost.formulas.measures import BYTES
from symcost.formulas.text import written
from symcost.report.page.mesh import mesh
from symcost.report.page.program import PageProgram, or_why
from symcost.report.words import facts, markup
from symcost.report.words.grouping import MODEL, ModuleGroup, ReportLine, only_operation, tree

RARE = ("state",)
"""Columns that are left out where no model has any of it."""
MOVED: facts.Column = ("moved", FULL)
"""Bytes read and written."""
LEADING = ("macs",)
"""What a reader looks for first."""
COLUMNS: tuple[facts.Column, ...] = (
    *((name, TOLD[name].convention) for name in LEADING),
    *((name, told.convention) for name, told in TOLD.items()
      if name not in LEADING and (told.place == FIRST or name in RARE)),
    MOVED,
)  # fmt: skip
"""Of each module: the table's columns and the metrics of the bars."""
HEADLINE = ("macs", "params")
"""Under ``full``; what else stands there is of a device."""
PEAKS = ("peak_activations", "activation_bytes")
"""Told by every rule."""
WIDE = 120
"""Characters of a formula from which paper has it as text alone, which breaks into lines."""
LONG = 1500
"""Characters of a formula from which it is shown as text: a browser takes long to lay out more of it."""


def columns(tables: Sequence[CostTable]) -> list[facts.Column]:
    """The columns that these models need."""
    return [
        (metric, of)
        for metric, of in COLUMNS
        if metric not in RARE or any(getattr(costs.total(of), metric) != 0 for costs in tables)
    ]


def heading(column: facts.Column) -> str:
    """What stands above a column."""
    metric, of = column
    return f"{'bytes moved' if column == MOVED else facts.TITLES[metric]} ({of})"


def contents(
    costs: CostTable,
    title: str,
    wanted: Sequence[facts.Column],
    dtypes: Sequence[str] = (),
    devices: Sequence[str] = (),
) -> dict[str, Any]:
    """One model of the page; ``wanted`` are the columns of its modules, ``dtypes`` what its bytes are told in.

    ``devices``: those whose times of a step on a plan's mesh are told.
    """
    program = PageProgram(costs.point)
    totals, formulas = _totals(costs, program)
    return {
        "title": title,
        "symbols": list(costs.symbols),
        "headline": {name: program.add(getattr(costs, name)) for name in HEADLINE},
        "totals": totals,
        "formulas": formulas,
        "tree": list(_modules(tree(costs.rows), program, wanted)),
        "conditions": _conditions(costs, program),
        "examples": None if (batch := examples(costs)) is None else program.add(batch),
        "held": or_why(lambda: _held(costs, dtypes, program)),
        "kernels": or_why(lambda: _kernels(costs, program)),
        "energy": or_why(lambda: _energy(costs, program)),
        "field": facts.receptive_field(costs, program.add),
        "mesh": mesh(costs, program, devices),
        "notes": [list(note) for note in facts.notes(costs)],
        "program": program.instructions,
    }


def _held(costs: CostTable, dtypes: Sequence[str], program: PageProgram) -> dict[int, dict[str, int]]:
    """By the bits of a number type the bytes in it: what the memories of weights and of activations hold, as ``fits`` has it."""
    by_bits = {BITS[dtype]: dtype for dtype in dtypes}
    used = {bits: memory(costs, dtype) for bits, dtype in by_bits.items()}
    return {bits: {what: program.add(each.held(what)) for what in HOLDS} for bits, each in used.items()}


def _totals(costs: CostTable, program: PageProgram) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    told = sorted(facts.metrics_by_convention(costs), key=lambda each: each[0] not in LEADING)
    named = [(f"{facts.TITLES[metric]} ({', '.join(conventions)})", value, "bytes" in metric)
             for metric, conventions, value in told]  # fmt: skip
    named += [(f"peak {p.unit} ({p.rule})", p.value, p.unit == "bytes") for p in facts.peaks(costs) if not p.problem]
    named += [(known.title, value, known.unit == BYTES) for known, value in _others(costs) if value != 0]
    totals = [{"name": name, "value": program.add(value), "bytes": in_bytes} for name, value, in_bytes in named]
    return totals, [{"name": name, **_shown(value)} for name, value, _ in named if getattr(value, "free_symbols", ())]


def _others(costs: CostTable) -> Iterator[tuple[Quantity, Any]]:
    """What else the vocabulary has of a table without a device, where the table has it."""
    asked = Setting(costs)
    for known in QUANTITIES.values():
        if known.place < DETAIL and "convention" not in known.options and not known.timed and known.name not in PEAKS:
            with suppress(SymcostError):  # what the table has not, as of training
                yield known, known(asked)


def _shown(value: Any) -> dict[str, Any]:
    text = written(value)
    return {"text": text, "wide": len(text) > WIDE, "mathml": markup.mathml(value) if len(text) <= LONG else ""}


def _modules(root: ModuleGroup, program: PageProgram, wanted: Sequence[facts.Column]) -> Iterator[dict[str, Any]]:
    """Modules in preorder, each with the cost of its own rows alone; sums over the inside are made in the page."""
    waiting = [(root, -1)]
    for index in itertools.count():
        if not waiting:
            return
        node, parent = waiting.pop()
        sums = {convention: total(node.rows, convention) for convention in ("full", "textbook")}
        own = [
            program.add(
                sums[of].bytes_read + sums[of].bytes_written if metric == MOVED[0] else getattr(sums[of], metric)
            )
            for metric, of in wanted
        ]
        told = {"name": ReportLine(node.name or MODEL, 0, node.number, ()).label, "parent": parent, "own": own}
        does = only_operation(node.rows) if parent < 0 else ""
        yield {**told, "does": does} if does else told
        waiting += [(child, index) for child in reversed(node.children.values())]


def _conditions(costs: Any, program: PageProgram) -> list[dict[str, Any]]:
    domain = domain_of(costs, costs.plan is not None)
    for decision in domain.uncomputed if domain is not None else ():
        if left := [name for name in decision.symbols if name in costs.symbols]:
            raise SymcostError(
                f"{decision} computes with floats, which the page has no place for: put {' and '.join(left)} in, as --at "
                f"{left[0]}=..., or costs.subs({left[0]}=...)"
            )
    return [_condition(condition(text), program) for text in (domain.conditions() if domain is not None else ())]


def _condition(told: Condition, program: PageProgram) -> dict[str, Any]:
    match told:
        case Compare():
            left, right = program.add(told.left), program.add(told.right)
            return {"text": told.text, "left": left, "relation": told.op, "right": right}
        case Combined():
            return {
                "text": told.text,
                "relation": told.op,
                "parts": [_condition(part, program) for part in told.parts],
            }
    raise SymcostError(f"the domain says {told.text!r}, which is no comparison of sizes: save the table anew")


def _kernels(costs: CostTable, program: PageProgram) -> list[dict[str, Any]]:
    return [
        {
            "name": kernel.name, "kind": kernel.kind,
            **{part: program.add(getattr(kernel, part)) for part in ("operations", "weights", "read", "written", "times")},
        }
        for kernel in kernels(costs, "fused")
    ]  # fmt: skip


def _energy(costs: CostTable, program: PageProgram) -> dict[str, int]:
    joules = energy(costs, PROCESS, "float32", model="fused")
    return {"compute": program.add(joules.compute), "movement": program.add(joules.movement)}
