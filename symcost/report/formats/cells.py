"""What results show in a notebook's cell: a sentence, then a table. The cells of cost tables are in :mod:`.notebook`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from html import escape
from typing import Any

from symcost.costs.exact import number
from symcost.costs.parts import Conditions
from symcost.estimate.bytes.fit import Fit
from symcost.estimate.bytes.memory import MemoryUse
from symcost.estimate.questions.size_search import shown
from symcost.estimate.questions.solve import Solution
from symcost.estimate.time.energy import Energy
from symcost.estimate.time.latency import Latency
from symcost.formulas.among import in_words
from symcost.formulas.units import as_number, physical
from symcost.report.subjects import designs
from symcost.report.words import markup, sheet

MOST = 10
"""Kernels that a cell lists: those that take most."""
CONFIGURATIONS = 40
PERCENT = 100


def latency(timing: Latency) -> str:
    """How long it takes, and the kernels that take most of it, each with what it waits for."""
    where = f"on {timing.device.title or timing.device.name}, {timing.dtype} ({timing.model})"
    assumed = markup.note(f"{timing.types}; {timing.assumed}")
    whole = as_number(timing.seconds)
    if whole is None:
        return markup.said(f"Latency {where}, in seconds") + _scrolled(markup.formula(timing.seconds)) + assumed
    cells = {
        "computing once": lambda step: physical(step.compute, "s"), "moving once": lambda step: physical(step.memory, "s"),
        "waits for": lambda step: step.bound,
    }  # fmt: skip
    kernels = _kernels(timing.steps, "seconds", whole, cells)
    return markup.said(f"{physical(whole, 's')} {where}, bound by {timing.bound}") + kernels + assumed


def energy(drawn: Energy) -> str:
    """What it draws, and the kernels that draw most of it, each by computing and moving."""
    where, types = f"by {drawn.device.title or drawn.device.name}, {drawn.dtype}", markup.note(drawn.types)
    whole = as_number(drawn.joules)
    if whole is None:
        return markup.said(f"Energy {where}, in joules") + _scrolled(markup.formula(drawn.joules)) + types
    cells = {
        "computing once": lambda step: physical(step.compute, "J"), "moving once": lambda step: physical(step.movement, "J"),
    }  # fmt: skip
    kernels = _kernels(drawn.steps, "joules", whole, cells) if drawn.steps else ""
    return markup.said(f"{physical(whole, 'J')} {where}") + kernels + types


def _kernels(steps: Sequence[Any], amount: str, whole: Fraction, cells: Mapping[str, Callable[[Any], str]]) -> str:
    """The kernels that take most of the ``amount``, each with further cells by their heads, and what the others take."""
    unit = {"seconds": "s", "joules": "J"}[amount]
    taken = [(step, number(getattr(step, amount), "a kernel")) for step in steps]
    ranked = sorted(taken, key=lambda each: -each[1])
    rows = [
        (step.kernel.name, str(step.kernel.times), physical(took, unit), _share(took, whole), *(of(step) for of in cells.values()))
        for step, took in ranked[:MOST]
    ]  # fmt: skip
    table = markup.table(("kernel", "times", amount, "share", *cells), rows, right=range(1, 6))
    rest = [took for _, took in ranked[MOST:]]
    if not rest:
        return table
    together: Fraction = sum(rest, Fraction(0))
    return table + markup.note(f"and {len(rest):,} others: {physical(together, unit)}, {_share(together, whole)}")


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


def fit(fitted: Fit) -> str:
    """Whether it fits, and every memory with what it has to hold."""
    rows = [
        (limit.memory, " and ".join(limit.holds), markup.formula(limit.needed), markup.formula(limit.available),
         _share(limit.needed, limit.available), "fits" if limit else "does not fit", f"{limit.why} {limit.layer}")
        for limit in fitted.limits
    ]  # fmt: skip
    verdict = "fits" if fitted else "does not fit"
    heads = ("memory", "holds", "bytes needed", "bytes there", "filled", "verdict", "layer")
    return "".join((
        markup.said(f"{verdict} {fitted.device.title or fitted.device.name} as {fitted.dtype}"),
        markup.table(heads, rows, right=(2, 3, 4)), markup.note(str(fitted.types)),
    ))  # fmt: skip


def domain(held: Conditions) -> str:
    """Where the formulas hold: the conditions, and what stands behind each symbol."""
    names = ", ".join(held.symbols)
    said = markup.said(f"{names} positive integers" if names else "no symbols: one program")
    conditions = held.conditions()
    listed = "".join(f"<li><code>{escape(in_words(text))}</code></li>" for text in conditions)
    evidence = [(name, each.word, each.why) for name, each in held.evidence.items()]
    parts = [
        said,
        f"<ul>{listed}</ul>" if listed else "",
        markup.table(("symbol", "known", "why"), evidence) if evidence else "",
    ]
    return "".join([*parts, *map(markup.note, held.notes)])


def solution(solved: Solution) -> str:
    """The size that was found, and what each constraint comes to there."""
    given = ", ".join(f"{name}={value}" for name, value in solved.at.items() if name != solved.symbol)
    rows = [(text, shown(left), shown(right)) for text, left, right in solved.constraints]
    return "".join((
        markup.said(f"{solved.symbol} = {solved.value:,}" + (f" at {given}" if given else "")),
        markup.table(("constraint", "comes to", "against"), rows, right=(1, 2)), markup.note(f"Found by {solved.method}."),
    ))  # fmt: skip


def answer(answered: Any) -> str:
    """The configurations with their exact costs, and how many there are."""
    names = list(answered.columns)
    rows = [
        [sheet.number(answered.columns[name][i], answered.units.get(name, "")) for name in names]
        for i in range(min(len(answered), CONFIGURATIONS))
    ]
    table = markup.table(names, rows, right=range(len(names))) if rows else ""
    more = markup.note(f"and {len(answered) - len(rows):,} more") if len(answered) > len(rows) else ""
    first, *others = designs.facts(answered).splitlines()
    return "".join([markup.said(first), table, more, *map(markup.note, others)])


def _share(part: Fraction, whole: Fraction) -> str:
    return f"{float(PERCENT * part / whole):.1f} %" if whole else ""


def _scrolled(inner: str) -> str:
    return f'<div style="max-width:100%;overflow-x:auto">{inner}</div>'
