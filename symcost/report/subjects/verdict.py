"""A verdict as text, Markdown, HTML and JSON. The keys of the JSON are stable; numbers are integers.

``verdict.save(path)`` and ``symcost verify --format json --output FILE`` write the JSON, ``symcost.load_verdict`` makes a
verdict of it again.

``format``, ``version``
    number of this format, 1, raised when an older reader would misunderstand a file; and the version of symcost.
``verdict``, ``outcome``
    whether every check passed and every target answered; ``TRUE``, ``FALSE`` when a check failed, ``INCOMPLETE`` when none did
    and a target did not answer, or not wholly.
``at``, ``flops``, ``transcendentals``
    the point, and the closed form there under ``xla``.
``checks``
    ``level``, ``target`` (``lowered`` for the program before optimisation), ``metric``, ``ours``, ``theirs``,
    ``difference``, ``witness``, ``because``, ``limits`` (of a bound, else null) and ``passed``.
``modules``
    ``target``, ``path``, ``phase``, ``metric``, ``ours``, ``theirs``, ``difference``, ``because``.
``targets``
    ``target``, ``title``, ``devices`` (figures are those of one of them), ``cached``, ``versions``, ``raw`` (FLOPs that XLA
    prints), ``steps`` from there to ``recount``, ``transcendentals``, ``bytes_accessed``, ``causes`` of the difference
    between written and compiled in FLOPs, the ``parts`` of that difference by ``path``, ``phase`` and ``because`` in
    ``flops`` and ``transcendentals``, ``attributed`` FLOPs, ``phases``, ``collectives`` and ``memory`` in bytes, ``widened``
    bytes of the collectives, ``live`` bytes by module at the peak. ``missing``: why the program was not read, else empty; its
    counts are null then.
``failures``
    by target, why it did not answer.
``opinions``
    what other counters say: ``counter``, ``flops``, ``because``.
``operations``
    where level 1 failed: by module, FLOPs of our operations and of theirs.
``digest``
    SHA-256 of all the rest as JSON with sorted keys and without spaces: a file that was cut or edited is told.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from symcost.costs.saved.format import VERDICT_FORMAT, digest
from symcost.costs.spec import where
from symcost.report.words import documents, markup, sheet
from symcost.system.files import save_whole
from symcost.version import __version__

Cells = tuple[str, ...]
FEW_MODULES = 4
WORDS = 12
"""Columns that the words of a table have at least."""
SHORT = 8
"""Rows of a table that a notebook shows without a click."""
NUMBERS = {"ours", "theirs", "written", "compiled", "difference", "FLOPs", "bytes"}
LEVELS = {1: "1 exact", 2: "2 explained", 3: "3 memory"}


def sentence(verdict: Any) -> str:
    """The verdict in one line, with the number of checks that failed and the targets that did not answer."""
    wrong = [check for check in verdict.checks if not check.passed]
    asked = [compiled.target for compiled in verdict.targets if not compiled.missing]
    point = where(verdict.at)
    if verdict:
        how = "recounted" if any(compiled.devices > 1 for compiled in verdict.targets) else "explained to the last unit"
        on = f"; what {', '.join(asked)} made of it is {how}" if asked else ""
        return (
            f"TRUE at {point}: {verdict.flops:,} FLOPs, the exact integer of the lowered program{on}; "
            f"{len(verdict.checks)} checks"
        )
    reasons = []
    if wrong:
        first = f"{wrong[0].target}, {wrong[0].metric}: {_limits(wrong[0])} of ours, {wrong[0].theirs:,} of theirs"
        reasons = [f"{len(wrong)} of {len(verdict.checks)} checks failed (first {first})"]
    reasons += [f"no answer from {name}" for name in verdict.failures]
    reasons += [f"no program to count from {compiled.target}" for compiled in verdict.targets if compiled.missing]
    passed = "" if wrong else f"; {len(verdict.checks)} checks passed"
    return f"{verdict.outcome} at {point}: {', '.join(reasons)}{passed}"


def sections(verdict: Any, whole: bool = True) -> Iterable[tuple[str, Cells, Sequence[Cells]]]:
    """(title, headings, rows) of every table that has something to say, the long ones shortened unless ``whole``."""
    yield _checks(verdict, whole)
    if verdict.targets:
        yield "From the compiler's figure to ours (FLOPs)", ("target", "step", "FLOPs"), list(_chains(verdict))
        if any(compiled.memory for compiled in verdict.targets):
            yield "Memory (bytes)", ("target", "what", "bytes"), list(_memory(verdict))
    yield from _modules(verdict, whole)
    if verdict.operations:
        yield "Operations where level 1 failed", ("module", "operation", "ours", "theirs"), [
            (module, name, f"{ours:,}", f"{theirs:,}")
            for module, operations in verdict.operations.items() for name, (ours, theirs) in operations.items()
        ]  # fmt: skip
    if verdict.opinions:
        yield "Other counters (FLOPs)", ("counter", "FLOPs", "because"), [
            (o.counter, "-" if o.flops is None else f"{o.flops:,}", o.because) for o in verdict.opinions
        ]  # fmt: skip
    if verdict.unanswered:
        yield (
            "No answer, or not a whole one",
            ("target", "reason"),
            [(name, reason) for name, reason in verdict.unanswered.items()],
        )


def _checks(verdict: Any, whole: bool) -> tuple[str, Cells, Sequence[Cells]]:
    """A line for every check, and why those that failed did; shortened, those of one target that passed share a line."""
    headings, rows = ("level", "target", "metric", "ours", "theirs", "passed", "because"), []
    passed: dict[tuple[int, str], list[Any]] = {}
    for check in verdict.checks:
        if whole or check.level == 1 or not check.passed:
            mark, why = ("yes", "") if check.passed else ("NO", check.because)
            rows.append(
                (LEVELS[check.level], check.target, check.metric, _limits(check), f"{check.theirs:,}", mark, why)
            )
        else:
            passed.setdefault((check.level, check.target), []).append(check)
    for (level, target), checks in passed.items():
        rows.append((LEVELS[level], target, f"{len(checks)} more: {checks[0].metric}, ...", "", "", "yes", ""))
    if not any(row[-1] for row in rows):
        headings, rows = headings[:-1], [row[:-1] for row in rows]
    return "Checks", headings, rows


def _modules(verdict: Any, whole: bool) -> Iterable[tuple[str, Cells, Sequence[Cells]]]:
    """The modules that differ, the largest differences first; shortened, a few of every target with the main cause."""
    rows = sorted((row for row in verdict.modules if row.difference), key=lambda row: -abs(row.difference))
    shown, seen = [], dict.fromkeys((row.target for row in rows), 0)
    for row in rows:
        seen[row.target] += 1
        if whole or seen[row.target] <= FEW_MODULES:
            first, *others = row.because.split("; ")
            because = f"{first}, {len(others)} more" if others and not whole else row.because
            shown.append((row.target, row.path or "(itself)", row.phase, f"{row.ours:,}", f"{row.theirs:,}",
                          f"{row.difference:+,}", because))  # fmt: skip
    if shown:
        left = len(rows) - len(shown)
        title = "Modules that differ (FLOPs)" + (f", and {left} more in the other formats" if left else "")
        headings = ("target", "module", "phase", "written", "compiled", "difference", "because")
        if not whole and {row[2] for row in shown} == {"forward"}:  # there is nothing to tell apart
            headings, shown = headings[:2] + headings[3:], [row[:2] + row[3:] for row in shown]
        yield title, headings, shown


def _limits(check: Any) -> str:
    if check.limits is None:
        return f"{check.ours:,}"
    least, most = check.limits
    return f"at least {least:,}" if most is None else f"{least:,} to {most:,}"


def _chains(verdict: Any) -> Iterable[Cells]:
    for compiled in verdict.targets:
        share_of = f" (per device, of {compiled.devices})" if compiled.devices > 1 else ""
        yield compiled.target, "XLA prints" + share_of, f"{compiled.raw:,}"
        if compiled.recount is None:
            continue
        for name, value in compiled.steps.items():
            yield "", name, f"{value:+,}"
        yield "", "compiled, recounted", f"{compiled.recount:,}"
        for name, value in compiled.causes.items():
            yield "", f"without: {name}", f"{-value:+,}"
        if compiled.devices == 1:
            yield "", "as written", f"{compiled.recount - sum(compiled.causes.values()):,}"
        share = compiled.attributed * 10_000 // compiled.recount if compiled.recount else 10_000
        yield "", "of it in modules", f"{share // 100}.{share % 100:02} %"
        if len(compiled.phases) > 1:
            for phase, flops in compiled.phases.items():
                yield "", f"of it {phase}", f"{flops:,}"
        for kind, size in compiled.collectives.items():
            yield "", f"{kind} (bytes)", f"{size:,}"
        for name, size in compiled.widened.items():
            yield "", f"without: {name} (bytes)", f"{-size:,}"


def _memory(verdict: Any) -> Iterable[Cells]:
    for compiled in verdict.targets:
        name = compiled.target
        for what, size in compiled.memory.items():
            yield name, what, f"{size:,}"
            name = ""
        for path, size in sorted(compiled.live.items(), key=lambda item: -item[1])[:5]:
            yield "", f"alive at the peak: {path or '(itself)'}", f"{size:,}"


def text(verdict: Any) -> str:
    """Tables for a terminal."""
    width = sheet.terminal()
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(Text(sentence(verdict)))
    for title, headings, rows in sections(verdict, whole=False):
        console.print(Text(f"\n{title}"))
        if _needed(headings, rows) > width:
            for line in sheet.listed(headings, rows, width):
                console.print(Text(line))
            continue
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, len(sheet.GAP), 0, 0), show_edge=False)
        for heading in headings:
            right = heading in NUMBERS
            table.add_column(heading, justify="right" if right else "left", overflow="fold", no_wrap=right)
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)
    for note in verdict.notes:
        console.print(Text(f"\n{note}"))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def _needed(headings: Cells, rows: Sequence[Cells]) -> int:
    """Columns that a table needs: its numbers whole, its words in narrow lines."""
    longest = [max(map(len, cells)) for cells in zip(headings, *rows, strict=True)]
    least = [n if heading in NUMBERS else min(n, WORDS) for heading, n in zip(headings, longest, strict=True)]
    return sum(least) + len(sheet.GAP) * len(headings)


def markdown(verdict: Any) -> str:
    """Tables in Markdown."""
    lines = [f"**{sentence(verdict)}**"]
    for title, headings, rows in sections(verdict):
        cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
        lines += ["", f"### {title}", "", sheet.markdown(headings, cells)]
    return "\n".join([*lines, *(f"\n{note}" for note in verdict.notes)])


def html(verdict: Any) -> str:
    """A sentence and tables for a notebook; long ones open by a click."""
    parts = [markup.said(sentence(verdict))]
    for title, headings, rows in sections(verdict):
        right = [i for i, heading in enumerate(headings) if heading in NUMBERS]
        parts.append(markup.folded(title, markup.table(headings, rows, right), opened=len(rows) <= SHORT))
    return "".join(parts)


def json(verdict: Any) -> str:
    """The JSON document."""
    return documents.written(document(verdict))


def save(verdict: Any, path: Path) -> None:
    """Write the document, so that the file is whole or not there."""
    save_whole(json(verdict), path)


def document(verdict: Any) -> dict[str, Any]:
    """The JSON document as dictionaries and lists."""
    whole = {
        "format": VERDICT_FORMAT,
        "version": __version__,
        "verdict": bool(verdict),
        "outcome": verdict.outcome,
        "at": dict(verdict.at),
        "flops": verdict.flops,
        "transcendentals": verdict.transcendentals,
        "checks": [
            {**asdict(check), "difference": check.difference, "passed": check.passed} for check in verdict.checks
        ],
        "modules": [{**asdict(row), "difference": row.difference} for row in verdict.modules],
        "targets": [{**asdict(compiled), "causes": compiled.causes} for compiled in verdict.targets],
        "failures": dict(verdict.failures),
        "opinions": [asdict(opinion) for opinion in verdict.opinions],
        "notes": list(verdict.notes),
        "operations": {
            module: [{"operation": name, "ours": ours, "theirs": theirs} for name, (ours, theirs) in operations.items()]
            for module, operations in verdict.operations.items()
        },
    }
    return {**whole, "digest": digest(whole)}


FORMATS: Mapping[str, Callable[[Any], str]] = {"text": text, "markdown": markdown, "json": json}
