"""An estimate as text, CSV and JSON: totals of time, energy and memory, and what bounds each kernel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from symcost.costs.exact import value_at
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.estimate.questions.estimate import Estimate
from symcost.estimate.time.energy import Energy
from symcost.estimate.time.latency import KernelTime, Latency
from symcost.formulas.graph.leading import abbreviated, brief
from symcost.formulas.text import wrapped
from symcost.formulas.units import as_number, counted, physical
from symcost.hlo.reading.scopes import template
from symcost.reading.numerals import assigned, so_many
from symcost.report.words import documents, sheet, ways
from symcost.report.words.sheet import SheetColumn

COLUMNS = ("kernel", "times", "operations", "bytes", "intensity", "computing (s)", "moving (s)", "seconds", "bound")
MAX_LINES = 20
NAME, FORMULA = 32, 40
"""Columns of a long name, and of a formula that is told whole."""
SIZES = (256, 128, 64, 32, 16, 8, 4, 2, 1)
"""At which kernels are ranked while symbols are free: the first that the domain allows."""


def text(estimate: Estimate, width: int | None = None) -> str:
    """Totals, then one line per kernel with what it waits for, in at most ``width`` columns (the terminal's by default)."""
    width = width or sheet.terminal()
    lines = sheet.pairs(_facts(estimate), width)
    chosen = estimate.latencies[estimate.chosen]
    if isinstance(chosen, Latency):
        lines += ["", *_table(chosen, width)]
    return "\n".join(lines)


def _facts(estimate: Estimate) -> list[tuple[str, str]]:
    facts = [("model", estimate.name)]
    point = estimate.costs.point
    if point:
        facts.append(("at", assigned(point)))
    facts += [("parameters (full)", _told(estimate.costs.params)), ("MACs (full)", _told(estimate.costs.macs))]
    if estimate.types is not None and not estimate.types.given:
        facts.append(("number types", str(estimate.types)))
    if isinstance(estimate.memory, SymcostError):
        facts.append(("memory", f"none: {estimate.memory}"))
    else:
        facts.append(("weights", _told(estimate.memory.weights, "B")))
        if estimate.memory.state != 0:
            facts.append(("state", _told(estimate.memory.state, "B")))
        facts.append((f"peak activations ({estimate.memory.rule})", _told(estimate.memory.activations, "B")))
    for model, latency in estimate.latencies.items():
        said = f"none: {latency}" if isinstance(latency, SymcostError) else _time(latency)
        facts.append((f"latency ({model})", said))
    chosen = estimate.latencies[estimate.chosen]
    rate = None if isinstance(chosen, SymcostError) else estimate.throughput(chosen)
    if rate is not None:
        said = _told(rate) if as_number(rate) is None else physical(rate, "").strip()
        facts.append((f"throughput ({estimate.chosen})", f"{said} examples/s"))
    for name, energy in estimate.energies.items():
        facts.append((f"energy ({name})", f"none: {energy}" if isinstance(energy, SymcostError) else _drawn(energy)))
    if isinstance(estimate.fit, SymcostError):
        facts.append(("fits", f"unknown: {estimate.fit}"))
    else:
        fit = estimate.fit
        assumed = "" if estimate.types is None or fit.types == estimate.types else f" as {fit.dtype}"
        facts += [(f"{'fits' if limit else 'does not fit'}{assumed}", str(limit)) for limit in fit.limits]
    return facts


def _time(latency: Latency) -> str:
    if as_number(latency.seconds) is None:
        return f"{_told(latency.seconds, 's')} ({latency.assumed})"
    return f"{_told(latency.seconds, 's')}, bound by {latency.bound} ({latency.assumed})"


def _told(value: Any, unit: str = "") -> str:
    """A number with its unit, a short formula whole, the leading terms of a longer one or of its pieces: JSON has all of it."""
    return ways.told(value, lambda piece: _whole_or_leading(piece, unit))


def _whole_or_leading(value: Any, unit: str) -> str:
    if as_number(value) is not None:
        return physical(value, unit) if unit else counted(value)
    return f"{brief(value, FORMULA)} {unit}".strip()


def _drawn(energy: Energy) -> str:
    """Joules, and how much of them computing and moving take where an energy table tells them apart."""
    said = _told(energy.joules, "J")
    if not energy.steps:
        return said
    return f"{said}: computing {_told(energy.compute, 'J')}, moving {_told(energy.movement, 'J')}"


def _table(latency: Latency, width: int) -> list[str]:
    """One line per kernel or several alike ones, the slowest first; the slowest alone where there are too many."""
    groups, order = _slowest(_alike(latency.steps), latency)
    shown = groups[:MAX_LINES]
    lines, left_out = sheet.fitted(_columns(shown), width)
    left = sum(len(group) for group in groups[MAX_LINES:])
    kind = "faster" if order else "further"
    more = [f"... and {so_many(left, f'{kind} kernel')} (--format csv lists all)"] if left else []
    out = wrapped(f"left out at this width: {', '.join(left_out)}", width) if left_out else []
    return [f"kernels ({latency.model}, {latency.dtype}){order}", *lines, *more, *out]


Alike = Sequence[KernelTime]


def _alike(steps: Sequence[KernelTime]) -> list[Alike]:
    """Kernels of repeated blocks that take the same, together."""
    groups: dict[Any, list[KernelTime]] = {}
    for step in steps:
        kernel = step.kernel
        same = kernel.times, kernel.operations, step.moved, step.compute, step.memory, step.overhead
        groups.setdefault((template(kernel.path), kernel.op, *same), []).append(step)
    return list(groups.values())


def _slowest(groups: list[Alike], latency: Latency) -> tuple[list[Alike], str]:
    """The slowest first, and where they are; as they run where no sizes are known that the model takes."""
    point = _sizes(latency.costs)
    if point is None:
        return groups, ""
    took = [
        Fraction(len(group)) * value_at(latency.costs, group[0].seconds, point, "a kernel's time") for group in groups
    ]
    ranked = sorted(range(len(groups)), key=lambda i: -took[i])
    at = assigned(point)
    return [groups[i] for i in ranked], f", slowest first{f' at {at}' if at else ''}"


def _sizes(costs: CostTable) -> dict[str, int] | None:
    """One value for all symbols at which the formulas hold, or a point at which they were checked."""
    domain = costs.domain
    for value in SIZES:
        point = dict.fromkeys(costs.symbols, value)
        if domain is None or domain.problem({**costs.point, **point}) is None:
            return point
    checked = () if costs.certificate is None else costs.certificate.held_out
    return next(({n: at[n] for n in costs.symbols} for at in checked if set(costs.symbols) <= set(at)), None)


def _columns(groups: Sequence[Alike]) -> list[SheetColumn]:
    """What is said of every line; of several alike kernels what one takes, and the seconds of all."""
    firsts = [group[0] for group in groups]
    numbers = [len(group) for group in groups]
    return [
        SheetColumn("kernel", _names(groups), left=True),
        SheetColumn("times", [_plain(step.kernel.times * k) for step, k in zip(firsts, numbers, strict=True)], 6),
        SheetColumn("operations", [_with_unit(step.kernel.operations, "op") for step in firsts], 5),
        SheetColumn("bytes", [_with_unit(step.moved, "B") for step in firsts], 4),
        SheetColumn("intensity", [_ratio(step.intensity) for step in firsts], 3),
        SheetColumn("computing", [_with_unit(step.compute, "s") for step in firsts], 2),
        SheetColumn("moving", [_with_unit(step.memory, "s") for step in firsts], 1),
        SheetColumn("seconds", [_with_unit(step.seconds * k, "s") for step, k in zip(firsts, numbers, strict=True)]),
        SheetColumn("bound", [(step.bound,) for step in firsts], 7, left=True),
    ]


def _names(groups: Sequence[Alike]) -> list[tuple[str, ...]]:
    """Names of kernels, of one name with the sizes that tell them apart; the end of a long one."""
    names, sizes = [_name(group) for group in groups], [""] * len(groups)
    for first in (-1, 0):  # the result alone, or the operand before it too
        counted = Counter(zip(names, sizes, strict=True))
        sizes = [
            _shapes(group[0].kernel.shapes[first:]) if counted[name, size] > 1 else size
            for name, size, group in zip(names, sizes, groups, strict=True)
        ]
    ways = [(name,) if len(name) <= NAME else (name, "…" + name[1 - NAME :]) for name in names]
    return [tuple(f"{way} {size}".strip() for way in several) for several, size in zip(ways, sizes, strict=True)]


def _name(group: Alike) -> str:
    """A kernel's name, of several alike ones their common one."""
    kernel = group[0].kernel
    return kernel.name if len(group) == 1 else f"{template(kernel.path)} {kernel.op} x {len(group)}".strip()


def _shapes(shapes: Sequence[Sequence[Any]]) -> str:
    """Sizes as they stand in a name: ``12x12x16 to 6x6x32``."""
    return " to ".join("x".join(map(str, shape)) for shape in shapes if shape)


def _with_unit(value: Any, unit: str) -> tuple[str, ...]:
    if as_number(value) is not None:
        return (physical(value, unit),)
    *formulas, last = abbreviated(value)
    told = [f"{way} {unit}" for way in formulas]
    return (*told, f"{last} {unit}" if last in formulas else last)  # a number of terms has no unit


def _plain(value: Any) -> tuple[str, ...]:
    return (f"{value:,}",) if isinstance(value, int) else abbreviated(value)


def _ratio(value: Any) -> tuple[str, ...]:
    number = as_number(value)
    return abbreviated(value) if number is None else (f"{float(number):.3g}",)


def csv(estimate: Estimate) -> str:
    """One line per kernel, with decimal numbers where they are no integers: JSON has them exact."""
    chosen = estimate.latencies[estimate.chosen]
    if isinstance(chosen, SymcostError):
        raise chosen
    return sheet.csv(COLUMNS, (
        (step.kernel.name, *map(sheet.decimal, (step.kernel.times, step.kernel.operations, step.moved, step.intensity,
                                                step.compute, step.memory, step.seconds)), step.bound)
        for step in chosen.steps
    ))  # fmt: skip


def json(estimate: Estimate) -> str:
    """``{"model", "at", "totals", "memory", "types", "latency", "energy", "fits", "kernels"}``; numbers are exact texts."""
    chosen = estimate.latencies[estimate.chosen]
    document = {
        "model": estimate.name,
        "at": dict(estimate.costs.point),
        "totals": {name: str(getattr(estimate.costs, name)) for name in ("params", "macs", "flops")},
        "memory": _or_why(estimate.memory, lambda m: {
            "weights": str(m.weights), "activations": str(m.activations), "state": str(m.state), "rule": m.rule}),
        "types": str(estimate.types),
        "latency": {model: _or_why(known, lambda f: {
            "seconds": str(f.seconds), "computing": str(f.compute), "moving": str(f.memory),
            "launching": str(f.overhead), "bound": f.bound, "throughput": documents.text(estimate.throughput(f))})
            for model, known in estimate.latencies.items()},
        "energy": {name: _or_why(known, _energy) for name, known in estimate.energies.items()},
        "fits": _or_why(estimate.fit, documents.limits),
        "kernels": _or_why(chosen, lambda f: [
            {"path": step.kernel.path, "op": step.kernel.op, "times": str(step.kernel.times),
             "operations": str(step.kernel.operations), "bytes": str(step.moved), "intensity": str(step.intensity),
             "computing": str(step.compute), "moving": str(step.memory), "seconds": str(step.seconds),
             "bound": step.bound} for step in f.steps]),
    }  # fmt: skip
    return documents.written(document)


def _energy(energy: Any) -> dict[str, Any]:
    """Joules, and their parts by kernel where an energy table tells them apart."""
    kernels = [
        {"path": step.kernel.path, "op": step.kernel.op, "times": str(step.kernel.times), "computing": str(step.compute),
         "moving": str(step.movement)} for step in energy.steps
    ]  # fmt: skip
    parts = {"computing": str(energy.compute), "moving": str(energy.movement)} if energy.steps else {}
    return {"joules": str(energy.joules), **parts, "kernels": kernels}


def _or_why(known: Any, document: Callable[[Any], Any]) -> Any:
    """The document, or the reason why there is none."""
    return {"none": str(known)} if isinstance(known, SymcostError) else document(known)


FORMATS: Mapping[str, Callable[[Estimate], str]] = {"text": text, "csv": csv, "json": json}
