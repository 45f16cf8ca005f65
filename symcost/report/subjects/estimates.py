"""An estimate as text, CSV and JSON: totals of time, energy and memory, and what bounds each kernel."""

from __future__ import annotations

import json as json_
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symcost.errors import SymcostError
from symcost.estimate.questions.estimate import Estimate
from symcost.estimate.time.energy import Energy
from symcost.estimate.time.latency import KernelTime, Latency
from symcost.formulas.text import elided, written
from symcost.formulas.units import as_number, counted, physical
from symcost.report.words import sheet

COLUMNS = ("kernel", "times", "operations", "bytes", "intensity", "computing", "moving", "seconds", "bound")
MAX_LINES = 40


def text(estimate: Estimate) -> str:
    """Totals, then one line per kernel with what it waits for."""
    lines = [f"{title:26} {said}" for title, said in _facts(estimate)]
    chosen = estimate.latencies[estimate.chosen]
    if isinstance(chosen, Latency):
        lines += ["", *_table(chosen)]
    return "\n".join(lines)


def _facts(estimate: Estimate) -> list[tuple[str, str]]:
    found = [("model", estimate.name)]
    point = estimate.costs.point
    if point:
        found.append(("at", ", ".join(f"{name}={value}" for name, value in point.items())))
    found += [("parameters (full)", counted(estimate.costs.params)), ("MACs (full)", counted(estimate.costs.macs))]
    if estimate.types is not None and not estimate.types.given:
        found.append(("number types", str(estimate.types)))
    if isinstance(estimate.memory, SymcostError):
        found.append(("memory", f"none: {estimate.memory}"))
    else:
        found.append(("weights", physical(estimate.memory.weights, "B")))
        if estimate.memory.state != 0:
            found.append(("state", physical(estimate.memory.state, "B")))
        found.append((f"peak activations ({estimate.memory.rule})", physical(estimate.memory.activations, "B")))
    for model, latency in estimate.latencies.items():
        said = f"none: {latency}" if isinstance(latency, SymcostError) else _time(latency)
        found.append((f"latency ({model})", said))
    chosen = estimate.latencies[estimate.chosen]
    rate = None if isinstance(chosen, SymcostError) else estimate.throughput(chosen)
    if rate is not None:
        found.append((f"throughput ({estimate.chosen})", f"{physical(rate, '').strip()} examples/s"))
    for name, energy in estimate.energies.items():
        found.append((f"energy ({name})", f"none: {energy}" if isinstance(energy, SymcostError) else _drawn(energy)))
    if isinstance(estimate.fit, SymcostError):
        found.append(("fits", f"unknown: {estimate.fit}"))
    else:
        fit = estimate.fit
        assumed = "" if estimate.types is None or fit.types == estimate.types else f" as {fit.dtype}"
        found += [(f"{'fits' if limit else 'does not fit'}{assumed}", str(limit)) for limit in fit.limits]
    return found


def _time(latency: Latency) -> str:
    if as_number(latency.seconds) is None:
        return f"{written(latency.seconds)} s"
    return f"{physical(latency.seconds, 's')}, bound by {latency.bound}"


def _drawn(energy: Energy) -> str:
    """Joules, and how much of them computing and moving take where an energy table tells them apart."""
    said = physical(energy.joules, "J")
    if not energy.steps:
        return said
    return f"{said}: computing {physical(energy.compute, 'J')}, moving {physical(energy.movement, 'J')}"


def _table(latency: Latency) -> list[str]:
    """One line per kernel, the slowest where there are too many."""
    steps = _shown(latency.steps)
    made = sheet.columns(COLUMNS, map(_cells, steps), left=(0, len(COLUMNS) - 1))
    left = len(latency.steps) - len(steps)
    more = [f"... and {left} faster kernels (--format csv lists all)"] if left else []
    return [f"kernels ({latency.model}, {latency.dtype})", *made, *more]


def _shown(steps: Sequence[KernelTime]) -> list[KernelTime]:
    if len(steps) <= MAX_LINES:
        return list(steps)
    values = {id(step): as_number(step.seconds) for step in steps}
    if any(value is None for value in values.values()):
        return list(steps[:MAX_LINES])
    slowest = sorted(steps, key=lambda step: -(values[id(step)] or 0))[:MAX_LINES]
    return [step for step in steps if any(step is other for other in slowest)]


def _cells(step: KernelTime) -> tuple[str, ...]:
    kernel = step.kernel
    name = kernel.name if len(kernel.name) <= 48 else "…" + kernel.name[-47:]
    sizes = (physical(kernel.operations, "op"), physical(step.moved, "B"))
    times = tuple(physical(value, "s") for value in (step.compute, step.memory, step.seconds))
    intensity = as_number(step.intensity)
    per_byte = elided(step.intensity, 24) if intensity is None else f"{float(intensity):.3g}"
    return (name, str(kernel.times), *(_short(size) for size in sizes), per_byte, *map(_short, times), step.bound)


def _short(text: str) -> str:
    return text if len(text) <= 28 else text[:27] + "…"


def csv(estimate: Estimate) -> str:
    """One line per kernel, numbers exact: ``a/b`` where they are no integers."""
    chosen = estimate.latencies[estimate.chosen]
    if isinstance(chosen, SymcostError):
        raise chosen
    return sheet.csv(COLUMNS, (
        (step.kernel.name, step.kernel.times, step.kernel.operations, step.moved, step.intensity, step.compute, step.memory,
         step.seconds, step.bound)
        for step in chosen.steps
    ))  # fmt: skip


def json(estimate: Estimate) -> str:
    """``{"model", "at", "totals", "memory", "types", "latency", "energy", "fits", "kernels"}``; numbers are exact texts."""
    chosen = estimate.latencies[estimate.chosen]
    made = {
        "model": estimate.name,
        "at": dict(estimate.costs.point),
        "totals": {name: str(getattr(estimate.costs, name)) for name in ("params", "macs", "flops")},
        "memory": _or_why(estimate.memory, lambda m: {
            "weights": str(m.weights), "activations": str(m.activations), "state": str(m.state), "rule": m.rule}),
        "types": str(estimate.types),
        "latency": {model: _or_why(found, lambda f: {
            "seconds": str(f.seconds), "computing": str(f.compute), "moving": str(f.memory),
            "launching": str(f.overhead), "bound": f.bound, "throughput": _text(estimate.throughput(f))})
            for model, found in estimate.latencies.items()},
        "energy": {name: _or_why(found, _energy) for name, found in estimate.energies.items()},
        "fits": _or_why(estimate.fit, lambda f: [
            {"memory": limit.memory, "holds": list(limit.holds), "needed": str(limit.needed),
             "available": str(limit.available), "margin": str(limit.margin), "layer": limit.layer}
            for limit in f.limits]),
        "kernels": _or_why(chosen, lambda f: [
            {"path": step.kernel.path, "op": step.kernel.op, "times": str(step.kernel.times),
             "operations": str(step.kernel.operations), "bytes": str(step.moved), "intensity": str(step.intensity),
             "computing": str(step.compute), "moving": str(step.memory), "seconds": str(step.seconds),
             "bound": step.bound} for step in f.steps]),
    }  # fmt: skip
    return json_.dumps(made, indent=2, ensure_ascii=False)


def _energy(found: Any) -> dict[str, Any]:
    """Joules, and their parts by kernel where an energy table tells them apart."""
    kernels = [
        {"path": step.kernel.path, "op": step.kernel.op, "times": str(step.kernel.times), "computing": str(step.compute),
         "moving": str(step.movement)} for step in found.steps
    ]  # fmt: skip
    parts = {"computing": str(found.compute), "moving": str(found.movement)} if found.steps else {}
    return {"joules": str(found.joules), **parts, "kernels": kernels}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _or_why(found: Any, document: Callable[[Any], Any]) -> Any:
    """The document, or the reason why there is none."""
    return {"none": str(found)} if isinstance(found, SymcostError) else document(found)


FORMATS: Mapping[str, Callable[[Estimate], str]] = {"text": text, "csv": csv, "json": json}
