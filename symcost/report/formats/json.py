"""The report as JSON, for programs. The keys are stable; formulas are strings that ``symcost.parse`` reads back.

``costs.save(path)`` and ``--format json --output FILE`` write it, ``symcost.load`` makes a table of it again.

``format``
    number of this format, 2 (1 had neither ``state`` nor number types); raised when an older reader would misunderstand a file.
``version``
    of symcost.
``symbols``
    names of the symbols in the formulas.
``at``
    the values substituted for symbols (``--at``), empty for a closed form.
``compared``
    what was compared with a fresh trace there, empty for nothing.
``totals``
    ``params``, ``trainable``, ``active_params``, ``state``, ``macs``, ``flops``, ``transcendentals`` under ``full`` and
    ``activations`` under ``textbook``: what the attributes of the same names give.
``conventions``
    for each of ``textbook``, ``full`` and ``xla`` every metric of a Cost; null, in rows and modules too, where the figures
    are withdrawn.
``withdrawn``
    by convention why: XLA's own count of the lowered program is another one.
``peaks``
    for each rule (``liveness``, ``textbook``) the peak in ``elements`` and in ``bytes``; null where there is none, with
    the reason as ``problem``.
``residuals``
    bytes saved for the backward pass; null unless traced for training.
``rows``
    one object per operation: ``path``, ``op``, ``phase``, ``source``, ``bound``, ``ins``, ``out`` (shapes), ``times``
    and ``xla_times`` (executions), ``dtype`` and ``in_dtypes`` (number types of the result and of the operands) where
    they are known, ``written`` for state that the program changes, and the cost of one execution under each
    convention, zeros left out. Times times cost, summed, is the total.
``modules``
    only with a depth: ``path``, ``number`` of alike modules (null if unsaid), and their whole cost by convention.
``certificate``, ``domain``, ``coverage``
    how the forms were checked, where they hold and who counted; null for tables that were not traced. ``xla`` of a
    certificate: whether XLA's own count is ``equal`` (null: not compared), ``why`` not, and ``at`` which point. ``words``: what
    stands behind each symbol, in one line; ``evidence`` of a domain: by symbol its ``word`` (``proved``, ``guarded`` or
    ``bounded``), ``why``, and for what is bounded the ``most`` that was tried; ``decisions``: conditions that the program
    decided by, with their lines; ``uncomputed``: those that no condition can say, such as roundings of floats.
``loops``
    symbols of loops whose trip count nobody knows, and where the loops stand.
``kernels``
    symbols of the MACs of kernels that nobody knows, with the kernel and the reason.
``receptive_field``
    places of the input that one output sees along each spatial axis, ``"all"``, or null where it is not known.
``mesh``
    only with a plan: ``axes`` (the size of each), ``shard`` (axes of the dimensions by path), ``per_device`` (a document of the
    table of one device, as this one), ``collectives`` (``kind``, ``axes``, ``size``, ``bytes``, ``times``, ``path``, ``phase``,
    ``dtype`` of each), ``communication`` (their bytes by kind and axes), and ``others``: ``per_device`` and ``collectives`` where
    sizes stand in other orders, of which XLA's partitioner makes another program. Files of earlier versions have of one
    device the ``totals`` and ``domain`` alone, and are read without the plan.
``types``
    the class of a module by its path, where the program says; files of earlier versions have none.
``digest``
    SHA-256 of all the rest as JSON with sorted keys and without spaces: a file that was cut or edited is told.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from symcost.costs.cost import COLUMNS, CONVENTIONS, Cost
from symcost.costs.rows import Row, total
from symcost.costs.saved.format import FORMAT, SUFFIX, digest
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.formulas.text import written
from symcost.report.words import facts
from symcost.report.words.grouping import paths
from symcost.report.words.outline import class_of
from symcost.system.files import save_whole
from symcost.version import __version__


def render(costs: CostTable, *, depth: int | None = None, indent: int | None = 2) -> str:
    """The table as a JSON document."""
    return json.dumps(document(costs, depth), indent=indent, ensure_ascii=False)


def save(costs: CostTable, path: Path) -> None:
    """Write the document, so that the file is whole or not there."""
    if path.suffix != SUFFIX:
        raise SymcostError(f"{path} must end in {SUFFIX}: by that commands know the file of a saved table")
    save_whole(render(costs), path)


def document(costs: CostTable, depth: int | None = None) -> dict[str, Any]:
    """The JSON document as dictionaries, lists and strings."""
    whole = {**_whole(costs, depth), **_mesh(costs)}
    return {**whole, "digest": digest(whole)}


def _whole(costs: CostTable, depth: int | None = None) -> dict[str, Any]:
    head: dict[str, Any] = {
        "format": FORMAT,
        "version": __version__,
        "symbols": list(costs.symbols),
        "at": dict(costs.point),
        "compared": costs.parts.compared,
        "totals": {metric: str(getattr(costs.total(convention), metric)) for metric, convention in COLUMNS},
        "conventions": {c: _metrics(costs.total(c)) if c in costs.conventions else None for c in CONVENTIONS},
        "withdrawn": dict(costs.withdrawn),
        "peaks": _peaks(costs),
        "residuals": None if (saved := facts.residuals(costs)) is None else str(saved),
        "rows": [_row(row, costs.conventions) for row in costs.rows],
    }
    if depth is not None:
        head["modules"] = [
            {
                "path": path,
                "number": None if number is None else str(number),
                **{c: _nonzero(total(rows, c)) if c in costs.conventions else None for c in CONVENTIONS},
            }
            for path, number, rows in paths(costs.rows, depth)
        ]
    return {
        **head,
        **_checks(costs),
        "loops": dict(costs.unknown_trips),
        "kernels": dict(costs.unknown_macs),
        "types": _types(costs),
        "receptive_field": facts.receptive_field(costs, str),
    }


def _types(costs: CostTable) -> dict[str, str]:
    """The class of every module that rows are in, where the program says."""
    known = class_of(costs.parts.kinds)
    parts = [path.split("/") for path in dict.fromkeys(row.path for row in costs.rows)]
    deepest = max((path.count("/") + 1 for path in costs.parts.kinds), default=0)
    inside = dict.fromkeys("/".join(each[:depth]) for each in parts for depth in range(min(len(each), deepest) + 1))
    return {path: kind for path in inside if (kind := known(path))}


def _metrics(cost: Cost) -> dict[str, str]:
    return {metric: str(value) for metric, value in cost.items()}


def _nonzero(cost: Cost) -> dict[str, str]:
    return {metric: str(value) for metric, value in cost.items() if value != 0}


def _row(row: Row, known: tuple[str, ...]) -> dict[str, Any]:
    return {
        "path": row.path, "op": row.op, "phase": row.phase, "source": row.source, "bound": row.bound,
        "ins": [[str(size) for size in shape] for shape in row.ins], "out": [str(size) for size in row.out],
        "times": str(row.times), "xla_times": str(row.xla_times),
        **({"dtype": row.dtype, "in_dtypes": list(row.in_dtypes)} if row.dtype else {}),
        **({"written": True} if row.written else {}),
        **{c: _nonzero(row.per_execution(c)[0]) if c in known else None for c in CONVENTIONS},
    }  # fmt: skip


def _peaks(costs: CostTable) -> dict[str, dict[str, str | None]]:
    by_rule: dict[str, dict[str, str | None]] = {}
    for peak in facts.peaks(costs):
        by_unit = by_rule.setdefault(peak.rule, {})
        by_unit[peak.unit] = None if peak.problem else written(peak.value)
        if peak.problem:
            by_unit["problem"] = peak.problem
    return by_rule


def _mesh(costs: CostTable) -> dict[str, Any]:
    if costs.plan is None:
        return {}
    laid = {
        name: {
            path: [list(axes) if isinstance(axes, tuple) else axes for axes in entries]
            for path, entries in given.items()
        }
        for name, given in (("shard", costs.plan.shard), ("constraint", costs.plan.constraint))
        if given or name == "shard"
    }
    first, *others = map(_side, costs.sides)
    sent = [
        {"kind": kind, "axes": list(axes), "bytes": str(size)} for (kind, axes), size in costs.communication.items()
    ]
    plan = {"axes": dict(costs.plan.mesh), **laid, **first, "communication": sent}
    return {"mesh": {**plan, "others": others} if others else plan}


def _side(costs: CostTable) -> dict[str, Any]:
    """One form of the program of a device: its table, and its collectives."""
    numbers = ("size", "bytes", "times")
    rows = [
        {**vars(row), "axes": list(row.axes), **{name: str(getattr(row, name)) for name in numbers}}
        for row in costs.collectives
    ]
    alone = [vars(each) for each in costs.parts.sharded.alone]
    return {"per_device": _whole(costs.per_device), "collectives": rows, **({"alone": alone} if alone else {})}


def _checks(costs: Any) -> dict[str, Any]:
    certificate, domain = costs.certificate, costs.domain
    return {
        "certificate": certificate
        and {
            "text": str(certificate),
            "words": facts.words(costs),
            "traces": certificate.traces,
            "numbers": certificate.numbers,
            "programs": certificate.programs,
            "fitted": [dict(point) for point in certificate.fitted],
            "held_out": [dict(point) for point in certificate.held_out],
            "xla": {"equal": certificate.xla.equal, "why": certificate.xla.why, "at": dict(certificate.xla.at)},
        },
        "domain": domain
        and {
            "text": str(domain),
            "symbols": list(domain.symbols),
            "conditions": domain.conditions(),
            "notes": list(domain.notes),
            "bounds_at_one": sorted(domain.bounds_at_one),
            "spans": dict(domain.spans),
            "evidence": {name: {"word": e.word, "why": e.why, "most": e.most} for name, e in domain.evidence.items()},
            "decisions": [{"text": d.text, "symbols": list(d.symbols), "place": d.place} for d in domain.decisions],
            "uncomputed": [{"text": d.text, "symbols": list(d.symbols), "place": d.place} for d in domain.uncomputed],
        },
        "coverage": costs.coverage,
    }
