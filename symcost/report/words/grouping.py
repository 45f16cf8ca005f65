"""The module tree of a report: rows by path, cut to a depth, with alike modules on one line.

Modules are alike in two ways: tracing already gave them one row whose ``times`` holds their number (a symbolic depth,
``block_#``), or a fixed model repeats them under numbered names with equal rows (``block_0`` to ``block_11``).
Every row of the table is in exactly one line, so the lines sum to the totals.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from symcost.costs.rows import Row, running
from symcost.hlo.reading.scopes import template

Line = TypeVar("Line")
_NUMBER = re.compile(r"\d+")
MAX_LINES = 40
DEEPEST = 100
"""Levels of modules that are told apart: what lies deeper, in no network but in a file, is one name."""
ITSELF = "(itself)"
MODEL = "(model)"


@dataclass
class ModuleGroup:
    """A module, or several alike ones: its own rows, the modules inside, and how many it stands for (None: unsaid)."""

    name: str
    rows: list[Row] = field(default_factory=list)
    children: dict[str, ModuleGroup] = field(default_factory=dict)
    number: Any = None
    first: int = 0

    def all_rows(self) -> Iterator[Row]:
        """Rows of the module and of everything inside it."""
        yield from self.rows
        for child in self.children.values():
            yield from child.all_rows()


@dataclass(frozen=True)
class ReportLine:
    """One line of a report: what to call it, how deep it stands, how many modules it sums, and its rows.

    ``rows`` is None for a heading, whose parts follow one level deeper.
    """

    name: str
    indent: int
    number: Any
    rows: tuple[Row, ...] | None

    @property
    def label(self) -> str:
        """The name, with the number of alike modules.

        >>> ReportLine("block_#", 0, 12, ()).label
        'block_# x 12'
        """
        if self.number is None or self.number == 1:
            return self.name
        plain = isinstance(self.number, int) or self.number.is_Atom or self.number.is_Mul
        return f"{self.name} x {self.number}" if plain else f"{self.name} x ({self.number})"


def only_operation(rows: Sequence[Row]) -> str:
    """What the one operation of a module is called, the name for what it does itself; empty where there are several."""
    operations = {row.op for row in rows if row.source != "input"}
    return operations.pop() if len(operations) == 1 else ""


def tree(rows: Sequence[Row], merged: bool = True) -> ModuleGroup:
    """Modules in execution order, alike ones merged unless all of them are wanted."""
    root = ModuleGroup("")
    for row, order in zip(rows, running(rows), strict=True):
        node = root
        for part in row.path.split("/", DEEPEST - 1) if row.path else ():
            if part not in node.children:
                node.children[part] = ModuleGroup(part, first=order)
            node = node.children[part]
            node.first = min(node.first, order)
        node.rows.append(row)
    if merged:
        _merge(root)
    return root


def _merge(node: ModuleGroup) -> Hashable:
    """Merge alike children, inside out; the result is equal for modules that are alike."""
    digests = {name: _merge(child) for name, child in node.children.items()}
    ordered = sorted(node.children.values(), key=lambda child: child.first)
    by_template: dict[str, list[ModuleGroup]] = {}
    for child in ordered:
        by_template.setdefault(template(child.name), []).append(child)
    merged: dict[str, ModuleGroup] = {}
    for pattern, alike in by_template.items():
        runs = [list(run) for _, run in itertools.groupby(alike, key=lambda child: digests[child.name])]
        for run in runs:
            if len(run) > 1:
                group = _joined(run, pattern if len(runs) == 1 else _range(run[0].name, run[-1].name))
            else:
                (group,) = run
                group.number = _lifted_number(group) if "#" in group.name else group.number
            merged[group.name] = group
    node.children = {child.name: child for child in sorted(merged.values(), key=lambda child: child.first)}
    return tuple(map(_row_digest, node.rows)), tuple((template(child.name), digests[child.name]) for child in ordered)


def _row_digest(row: Row) -> Hashable:
    """All of an operation but where it stands and its shapes."""
    how = row.op, row.phase, row.source, row.bound, row.dtype
    return *how, row.cost, row.textbook, row.xla, row.times, row.xla_times


def _joined(run: Sequence[ModuleGroup], name: str) -> ModuleGroup:
    """Alike modules as one, whose rows are theirs."""
    group = ModuleGroup(name, [row for node in run for row in node.rows], number=len(run), first=run[0].first)
    for inner in run[0].children:
        position = list(run[0].children).index(inner)
        parts = [list(node.children.values())[position] for node in run]
        group.children[inner] = _joined(parts, inner)
        own = parts[0].number
        group.children[inner].number = own * len(run) if own is not None else None
    return group


def _range(first: str, last: str) -> str:
    """``block_1`` to ``block_11`` as ``block_1..11``."""
    a, b = _NUMBER.findall(first), _NUMBER.findall(last)
    differing = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
    if len(differing) != 1:
        return f"{first}..{last}"
    parts, index = _NUMBER.split(first), differing[0]
    numbers = [f"{x}..{y}" if i == index else x for i, (x, y) in enumerate(zip(a, b, strict=True))]
    return parts[0] + "".join(number + part for number, part in zip(numbers, parts[1:], strict=True))


def _lifted_number(node: ModuleGroup) -> Any:
    """How many modules a lifted template stands for: the executions of one parameter's declaration in all of them."""
    sums: dict[str, Any] = {}
    for row in node.rows:
        if row.source == "input" and row.op.startswith("param"):
            sums[row.op] = sums.get(row.op, 0) + row.times
    if sums:
        return next(iter(sums.values())) if len(set(sums.values())) == 1 else None
    for child in node.children.values():
        if "#" not in child.name and (number := _lifted_number(child)) is not None:
            return number
    return _repetitions(node)


def standing(rows: Sequence[Row], path: str) -> Any:
    """How many modules the rows at a lifted path and inside of it stand for; None where that is not known."""
    node = tree(rows, merged=False)
    for part in path.split("/"):
        node = node.children[part]
    return _lifted_number(node)


def _repetitions(node: ModuleGroup) -> Any:
    """How often the layers of a repeated block stand in the network: the times of those that no inner block repeats."""
    rows = [row for row in node.all_rows() if row.source == "layer" and row.cost.params != 0]
    depth = min((row.path.count("#") for row in rows), default=0)
    times = {row.times for row in rows if row.path.count("#") == depth}
    return times.pop() if len(times) == 1 else None


def lines(rows: Sequence[Row], depth: int | None = None, max_lines: int = MAX_LINES) -> list[ReportLine]:
    """Lines of a report, modules deeper than ``depth`` counted in their parents.

    Without a depth the deepest one that needs at most ``max_lines`` lines is taken.
    """
    root = tree(rows)
    return deepest(lambda deep: _flat(root, deep), max_lines) if depth is None else _flat(root, depth)


def deepest(lines_at: Callable[[int], list[Line]], most: int) -> list[Line]:
    """The lines at the deepest depth, from 1 on, that needs at most so many of them."""
    shown = lines_at(1)
    for depth in itertools.count(2):
        deeper = lines_at(depth)
        if deeper == shown or len(deeper) > most:
            break
        shown = deeper
    return shown


def _flat(root: ModuleGroup, depth: int) -> list[ReportLine]:
    if depth < 1:
        return [ReportLine(MODEL, 0, None, tuple(root.all_rows()))]
    own = [ReportLine(ITSELF if root.children else MODEL, 0, None, tuple(root.rows))] if root.rows else []
    return [*own, *(line for child in root.children.values() for line in flat_node(child, 0, depth))]


def flat_node(node: ModuleGroup, indent: int, depth: int) -> list[ReportLine]:
    """Lines of a module and of what is inside, down to a depth."""
    if not node.children or indent + 1 >= depth:
        return [ReportLine(node.name, indent, node.number, tuple(node.all_rows()))]
    inside = [ReportLine(node.name, indent, node.number, None)]
    if node.rows:
        inside.append(ReportLine(ITSELF, indent + 1, None, tuple(node.rows)))
    for child in node.children.values():
        inside.extend(flat_node(child, indent + 1, depth))
    return inside


def paths(rows: Sequence[Row], depth: int | None = None) -> list[tuple[str, Any, tuple[Row, ...]]]:
    """(path, number, rows) of the lines that have rows: for formats without indentation."""
    listed, stack = [], []
    for line in lines(rows, depth):
        del stack[line.indent :]
        if line.rows is None:
            stack.append(line.name)
            continue
        own = [] if line.name in (ITSELF, MODEL) else [line.name]
        listed.append(("/".join([*stack, *own]), line.number, line.rows))
    return listed
