"""What every report tells besides the rows: totals by convention, peaks, residuals, where the forms hold, who counted.

Tables that were not traced have no certificate, domain, coverage or peaks; those facts are then absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symcost.costs.cost import COLUMNS, FULL, SPLITS, TOLD, Cost
from symcost.costs.evidence import summary
from symcost.costs.rows import Row, total
from symcost.costs.saved.numbers import ALL
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.estimate.questions.quantities import QUANTITIES
from symcost.formulas.text import written
from symcost.reading.choices import PEAKS, UNITS, Convention, Rule, Unit
from symcost.reading.numerals import assigned

Column = tuple[str, Convention]
"""A metric under a convention."""
TITLES = {name: told.title for name, told in TOLD.items()}
WITHDRAWN = "withdrawn"
"""In the place of figures that XLA's own count contradicts."""


@dataclass(frozen=True)
class Peak:
    """A peak by its rule and unit: a value, or the reason why there is none."""

    rule: Rule
    unit: Unit
    value: Any = None
    problem: str = ""


def metrics_by_convention(costs: CostTable) -> list[tuple[str, tuple[str, ...], Any]]:
    """(metric, conventions, value): conventions that agree on a metric are named together; zeros are left out.

    A part of the parameters that is all of them is left out too.
    """
    metrics = []
    for metric in TOLD:
        values: dict[Any, list[str]] = {}
        for convention in costs.conventions if splits(costs, metric) else ():
            values.setdefault(getattr(costs.total(convention), metric), []).append(convention)
        metrics += [(metric, tuple(names), value) for value, names in values.items() if value != 0]
    return metrics


def splits(costs: CostTable, metric: str) -> bool:
    """Whether a metric says something of its own: a part of the parameters does not where it is all of them."""
    return metric not in SPLITS or getattr(costs.total(FULL), SPLITS[metric]) != 0


def totals(costs: CostTable, number: Callable[[Any], str] = written) -> list[tuple[str, str]]:
    """(title, text) of every total, and in words which convention has none because its figures are withdrawn."""
    totals = [(f"{TITLES[m]} ({', '.join(c)})", number(value)) for m, c, value in metrics_by_convention(costs)]
    return totals + [
        (f"all numbers ({convention})", f"{WITHDRAWN}: see the certificate") for convention in costs.withdrawn
    ]


def columns(costs: CostTable) -> list[Column]:
    """The module table's columns that are not zero throughout."""
    return [
        (metric, convention)
        for metric, convention in COLUMNS
        if splits(costs, metric) and getattr(costs.total(convention), metric) != 0
    ]


def values_of(rows: Sequence[Row], wanted: Sequence[Column]) -> list[Any]:
    """Sums of rows for the columns wanted."""
    conventions: set[Convention] = {convention for _, convention in wanted}
    sums = {convention: total(rows, convention) for convention in conventions}
    return [getattr(sums[convention], metric) for metric, convention in wanted]


def peaks(costs: Any) -> list[Peak]:
    """All peaks of a traced table."""
    known: list[Peak] = []
    if costs.parts.peak is None:
        return known
    for rule in PEAKS:
        for unit in UNITS:
            try:
                known.append(Peak(rule, unit, costs.peak(rule, unit)))
            except SymcostError as problem:
                known.append(Peak(rule, unit, problem=str(problem)))
    return known


def residuals(costs: Any) -> Any:
    """Bytes saved for the backward pass, or None where the table is not of training."""
    return None if costs.parts.residuals is None else costs.residuals


def beside(costs: Any, number: Callable[[Any], str] = written) -> list[tuple[str, str]]:
    """(title, text) of what does not add over modules: peaks, or why there is none, and residuals."""
    titled = [(f"peak {peak.unit} ({peak.rule})", peak.problem or number(peak.value)) for peak in peaks(costs)]
    saved = residuals(costs)
    return titled if saved is None else [*titled, (QUANTITIES["residuals"].title, number(saved))]


def on_mesh(costs: CostTable, number: Callable[[Any], str] = written) -> list[tuple[str, str]]:
    """(title, text) of what each device of a plan's mesh computes, holds and sends; nothing where there is no plan."""
    if costs.plan is None:
        return []
    mesh = assigned(costs.plan.mesh)
    device = costs.per_device
    held = [(TITLES[metric], number(getattr(device, metric))) for metric in ("params", "macs")]
    sent = [
        (f"{kind} along {' and '.join(axes)}, bytes", number(size))
        for (kind, axes), size in costs.communication.items()
    ]
    where = [] if costs.point and not costs.symbols else [("there", str(device.domain))]
    return [("each device of the mesh", mesh), *held, *(sent or [("exchanged", "nothing")]), *where]


OWN = {"own": "rules of one's own", "replaced": "rules of one's own in the place of built-in ones"}
"""Sources of rows that the user's rules counted, in words."""


def words(costs: Any) -> str:
    """What stands behind each symbol, in one line; nothing where nothing was derived."""
    domain = costs.domain
    return summary(domain.evidence, domain.decisions) if domain is not None else ""


def notes(costs: Any) -> list[tuple[str, str]]:
    """(title, sentence) for the point, domain, each symbol, certificate, coverage, loops and kernels that are not known."""
    sentences = []
    if at := costs.point:
        compared = f" ({costs.parts.compared})" if costs.parts.compared else ""
        sentences.append(("at", assigned(at) + compared))
    domain, certificate = costs.domain, costs.certificate
    if domain is not None:
        sentences.append(("domain", str(domain)))
        sentences += [(name, str(each)) for name, each in domain.evidence.items()]
    if certificate is not None:
        sentences.append(("certificate", certificate.checks))
    if coverage := costs.coverage:
        counted = ", ".join(f"{number} by {OWN.get(name, name)}" for name, number in coverage.items()
                            if number and name != "bounds")  # fmt: skip
        bounds = coverage.get("bounds", 0)
        told = f"operations counted: {counted or 'none'}" + (f"; {bounds} upper bounds" if bounds else "")
        sentences.append(("coverage", "; ".join([told, *_others(costs)])))
    sentences += [
        ("loop", f"{name} = trips of {where or 'a loop in the model'}") for name, where in costs.unknown_trips.items()
    ]
    return [
        *sentences,
        *(("kernel", f"{name} = MACs of one execution of {why}") for name, why in costs.unknown_macs.items()),
    ]


def _others(costs: Any) -> list[str]:
    """What no rule counted: the FLOPs of each other source; and what authors of kernels say beside the rules."""
    sources = {"probe": "probes of the compiler", "estimate": "users' estimates"}
    sums = {s: sum(row.under(FULL).flops for row in costs.rows if row.source == s) for s in sources}
    told = [f"of the FLOPs {written(value)} by {sources[source]}" for source, value in sums.items() if value != 0]
    return [*told, *_by_own_rules(costs), *_stated(costs)]


def _by_own_rules(costs: Any) -> list[str]:
    """What every rule of the user's own counted, by name, with its share where that is a number."""
    names = dict.fromkeys((row.source, row.op) for row in costs.rows if row.source in OWN)
    whole, told = costs.total(FULL).flops, []
    for source, name in names:
        value = total([row for row in costs.rows if (row.source, row.op) == (source, name)]).flops
        of = value * 10_000 // whole if isinstance(value, int) and isinstance(whole, int) and whole else None
        share = "" if of is None else f" ({of // 100}.{of % 100:02} %)"
        place = " in the place of the built-in one" if source == "replaced" else ""
        told.append(f"of the FLOPs {written(value)}{share} by one's own rule of {name}{place}")
    return told


def _stated(costs: Any) -> list[str]:
    """What kernels state of themselves, and what their bodies count."""
    rows = [row for row in costs.rows if row.source == "stated kernel"]
    told = Counter(_comparison(row, row.xla) for row in rows if isinstance(row.xla, Cost))
    return [text if number == 1 else f"{number} times {text}" for text, number in told.items()]


def _comparison(row: Row, xla: Cost) -> str:
    """One kernel: under xla is what it states, under full what its body counts."""
    stated, counted = (
        f"{written(cost.flops)} FLOPs and {written(cost.transcendentals)} transcendentals" for cost in (xla, row.cost)
    )
    if stated == counted:
        return f"{row.op} states {stated}, as its body counts"
    return f"{row.op} states {stated}, its body counts {'at most ' if row.bound else ''}{counted}"


def receptive_field(costs: Any, told: Callable[[Any], Any]) -> Any:
    """The receptive field where layers say it, each side as it is told: ``"all"`` of the input, None where it is not known."""
    if costs.parts.receptive_field is None:
        return None
    sides = costs.receptive_field
    return ALL if sides is None else [told(side) for side in sides]


def moved(rows: Sequence[Row]) -> Any:
    """Elements of the first operation's operands and the last one's result; the input alone has none before it."""
    ran = [row for row in rows if row.source != "input"]
    return sum((_elements(shape) for shape in ran[0].ins), start=_elements(ran[-1].out)) if ran else 0


def _elements(shape: Sequence[Any]) -> Any:
    size: Any = 1
    for length in shape:
        size = size * length
    return size


def field(rows: Sequence[Row], fields: Mapping[str, Any]) -> str:
    """What one output of the last layer sees of the input, one side where all are equal; nothing where it is not known.

    >>> rows = [Row(path="a", op="conv2d"), Row(path="b", op="pool")]
    >>> field(rows, {"b": (11, 11)}), field(rows, {"b": (3, 5)}), field(rows, {"b": None}), field(rows, {})
    ('11', '3 x 5', 'all', '')
    """
    known = [fields[row.path] for row in rows if row.path in fields]
    if not known:
        return ""
    if known[-1] is None:
        return ALL
    return str(known[-1][0]) if len(set(known[-1])) == 1 else " x ".join(map(str, known[-1]))
