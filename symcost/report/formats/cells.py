"""What results show in a notebook's cell: a sentence, then a table. The cells of cost tables are in :mod:`.notebook`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from html import escape
from typing import Any

from symcost.costs.exact import number
from symcost.costs.parts import Conditions
from symcost.estimate.bytes.fit import Fit
from symcost.estimate.bytes.memory import MemoryUse
from symcost.estimate.questions.solve import Solution, shown
from symcost.estimate.time.energy import Energy
from symcost.estimate.time.latency import Latency
from symcost.formulas.units import as_number, physical
from symcost.report.subjects import designs
from symcost.report.words import markup

MOST = 10
"""Kernels that a cell lists: those that take most."""
CONFIGURATIONS = 40
PERCENT = 100


def latency(found: Latency) -> str:
    """How long it takes, and the kernels that take most of it, each with what it waits for."""
    whole = as_number(found.seconds)
    where = f"on {found.device.title or found.device.name}, {found.dtype} ({found.model})"
    if whole is None:
        return markup.said(f"Latency {where}, in seconds") + _scrolled(markup.formula(found.seconds)) + _assumed(found)
    steps, rest = _most(found.steps, [number(step.seconds, "a kernel") for step in found.steps])
    rows = [
        (step.kernel.name, str(step.kernel.times), physical(seconds, "s"), _share(seconds, whole), physical(step.compute, "s"),
         physical(step.memory, "s"), step.bound)
        for step, seconds in steps
    ]  # fmt: skip
    heads = ("kernel", "times", "seconds", "share", "computing once", "moving once", "waits for")
    return "".join((
        markup.said(f"{physical(whole, 's')} {where}, bound by {found.bound}"),
        markup.table(heads, rows, right=range(1, len(heads) - 1)), _others(rest, whole, "s"), _assumed(found),
    ))  # fmt: skip


def _assumed(found: Latency) -> str:
    """Number types and what is taken of the device, in words."""
    return markup.note(f"{found.types}; {found.assumed}")


def energy(found: Energy) -> str:
    """What it draws, and the kernels that draw most of it, each by computing and moving."""
    whole = as_number(found.joules)
    where = f"by {found.device.title or found.device.name}, {found.dtype}"
    if whole is None:
        return (
            markup.said(f"Energy {where}, in joules")
            + _scrolled(markup.formula(found.joules))
            + markup.note(found.types)
        )
    steps, rest = _most(found.steps, [number(step.joules, "a kernel") for step in found.steps])
    rows = [
        (step.kernel.name, str(step.kernel.times), physical(joules, "J"), _share(joules, whole), physical(step.compute, "J"),
         physical(step.movement, "J"))
        for step, joules in steps
    ]  # fmt: skip
    heads = ("kernel", "times", "joules", "share", "computing once", "moving once")
    table = markup.table(heads, rows, right=range(1, len(heads))) if rows else ""
    return "".join(
        (markup.said(f"{physical(whole, 'J')} {where}"), table, _others(rest, whole, "J"), markup.note(found.types))
    )


def memory(found: MemoryUse) -> str:
    """Bytes of weights, of state and of activations at their peak, and all together."""
    parts = [
        ("weights", found.weights),
        ("state", found.state),
        (f"activations at their peak ({found.rule})", found.activations),
    ]
    whole = as_number(found.total)
    rows = [(name, markup.formula(count), "" if whole is None else _share(as_number(count) or Fraction(0), whole))
            for name, count in [*parts, ("together", found.total)] if count != 0]  # fmt: skip
    said = (
        "Bytes of weights, state and activations"
        if whole is None
        else f"{markup.formula(found.total)} bytes at the peak"
    )
    return markup.said(said) + markup.table(("part", "bytes", "share"), rows, right=(1, 2)) + markup.note(found.types)


def fit(found: Fit) -> str:
    """Whether it fits, and every memory with what it has to hold."""
    rows = [
        (limit.memory, " and ".join(limit.holds), markup.formula(limit.needed), markup.formula(limit.available),
         _share(limit.needed, limit.available), "fits" if limit else "does not fit", f"{limit.why} {limit.layer}")
        for limit in found.limits
    ]  # fmt: skip
    verdict = "fits" if found else "does not fit"
    heads = ("memory", "holds", "bytes needed", "bytes there", "filled", "verdict", "layer")
    return "".join((
        markup.said(f"{verdict} {found.device.title or found.device.name} as {found.dtype}"),
        markup.table(heads, rows, right=(2, 3, 4)), markup.note(str(found.types)),
    ))  # fmt: skip


def domain(found: Conditions) -> str:
    """Where the formulas hold: the conditions, and what stands behind each symbol."""
    names = ", ".join(found.symbols)
    said = markup.said(f"{names} positive integers" if names else "no symbols: one program")
    conditions = found.conditions()
    listed = "".join(f"<li><code>{escape(text)}</code></li>" for text in conditions)
    evidence = [(name, each.word, each.why) for name, each in found.evidence.items()]
    parts = [
        said,
        f"<ul>{listed}</ul>" if listed else "",
        markup.table(("symbol", "known", "why"), evidence) if evidence else "",
    ]
    return "".join([*parts, *map(markup.note, found.notes)])


def solution(found: Solution) -> str:
    """The size that was found, and what each constraint comes to there."""
    given = ", ".join(f"{name}={value}" for name, value in found.at.items() if name != found.symbol)
    rows = [(text, shown(left), shown(right)) for text, left, right in found.constraints]
    return "".join((
        markup.said(f"{found.symbol} = {found.value:,}" + (f" at {given}" if given else "")),
        markup.table(("constraint", "comes to", "against"), rows, right=(1, 2)), markup.note(f"Found by {found.method}."),
    ))  # fmt: skip


def answer(found: Any) -> str:
    """The configurations with their exact costs, and how many there are."""
    names = list(found.columns)
    rows = [[designs.shown(found.columns[name][i]) for name in names] for i in range(min(len(found), CONFIGURATIONS))]
    table = markup.table(names, rows, right=range(len(names))) if rows else ""
    more = markup.note(f"and {len(found) - len(rows):,} more") if len(found) > len(rows) else ""
    first, *others = designs.facts(found).splitlines()
    return "".join([markup.said(first), table, more, *map(markup.note, others)])


def _most(steps: Sequence[Any], amounts: Sequence[Fraction]) -> tuple[list[tuple[Any, Fraction]], list[Fraction]]:
    """The steps that take most with what they take, and what the others do."""
    ranked = sorted(zip(steps, amounts, strict=True), key=lambda each: -each[1])
    return ranked[:MOST], [amount for _, amount in ranked[MOST:]]


def _others(rest: Sequence[Fraction], whole: Fraction, unit: str) -> str:
    together: Fraction = sum(rest, Fraction(0))
    return (
        markup.note(f"and {len(rest):,} others: {physical(together, unit)}, {_share(together, whole)}") if rest else ""
    )


def _share(part: Fraction, whole: Fraction) -> str:
    return f"{float(PERCENT * part / whole):.1f} %" if whole else ""


def _scrolled(inner: str) -> str:
    return f'<div style="max-width:100%;overflow-x:auto">{inner}</div>'
