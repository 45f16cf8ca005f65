"""The lines of a first screen: modules as they run, alike ones folded, operations of the model itself by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symcost.costs.rows import Row, running
from symcost.hlo.reading.scopes import template
from symcost.report.words.grouping import ITSELF, MODEL, ReportLine, deepest, flat_node, tree


@dataclass(frozen=True)
class OutlineLine:
    """A line: its label, how deep it stands, the class of the module, the shape that it returns, and its rows.

    ``out`` is None where nothing is returned; ``rows`` is None for a heading, whose parts follow one level deeper.
    ``several``: it stands for several modules that are alike.
    """

    label: str
    indent: int
    rows: tuple[Row, ...] | None
    kind: str = ""
    out: tuple[Any, ...] | None = None
    several: bool = False


@dataclass
class Outline:
    """The lines of a table: inputs, and whatever has a row that ``tells`` something."""

    rows: Sequence[Row]
    kinds: Mapping[str, str]
    tells: Callable[[Row], bool]
    _order: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self._order = {id(row): order for row, order in zip(self.rows, running(self.rows), strict=True)}
        self._kind = class_of(self.kinds)

    def entries(self, depth: int | None, most: int) -> list[OutlineLine]:
        """Modules down to a depth; unless given, down to the deepest that leaves at most ``most`` lines."""
        if depth is not None:
            return self._entries(depth) if depth else [OutlineLine(MODEL, 0, tuple(self.rows), out=self.out(self.rows))]
        if len(first := self._entries(1)) > most:
            return _summed(first, most)
        return deepest(self._entries, most)

    def _entries(self, depth: int) -> list[OutlineLine]:
        root = tree(self.rows)
        pieces = [*self._operations(root.rows), *((c.first, flat_node(c, 0, depth)) for c in root.children.values())]
        lines = [line for _, piece in sorted(pieces, key=lambda piece: piece[0]) for line in piece]
        kept, below = list[OutlineLine](), -1
        for line in reversed(lines):
            if below > line.indent if line.rows is None else self._tells(line.rows):
                kept.append(self._entry(line, kept))
                below = line.indent
        return _chained(kept[::-1])

    def _operations(self, rows: Sequence[Row]) -> list[tuple[int, list[ReportLine]]]:
        """The operations of the model itself by name, each where it first runs; inputs, then parameters, come first."""
        named: dict[str, list[Row]] = {}
        for row in rows:
            named.setdefault(row.op, []).append(row)
        alone = sum(op.startswith("input") for op in named) == 1
        return [
            (min(map(self._place, own)),
             [ReportLine(_own_name(op, alone), 0, None, tuple(own))])
            for op, own in named.items()
        ]  # fmt: skip

    def _place(self, row: Row) -> int:
        """Where a row of the model itself stands: inputs, then parameters, before everything that runs."""
        ahead = 0 if row.source != "input" else 3 if row.op.startswith("input") else 2
        return self._order[id(row)] - ahead * len(self.rows)

    def _tells(self, rows: Sequence[Row]) -> bool:
        return any((row.source == "input" and row.op.startswith("input")) or self.tells(row) for row in rows)

    def _entry(self, line: ReportLine, below: Sequence[OutlineLine]) -> OutlineLine:
        rows = line.rows if line.rows is not None else next(entry.rows for entry in reversed(below) if entry.rows)
        if line.name == ITSELF:
            return OutlineLine(line.label, line.indent, line.rows)
        kind = self.kind(rows, line.indent + 1)
        return OutlineLine(line.label, line.indent, line.rows, kind, self.out(line.rows or ()), line.label != line.name)

    def kind(self, rows: Sequence[Row], depth: int) -> str:
        """The class of the module at a depth around rows, or the operation that a layer is; nothing where nobody says."""
        if not rows[0].path or not depth:
            return self.kinds.get("", "") if not depth else ""
        path = "/".join(rows[0].path.split("/")[:depth])
        return self._kind(path) or _operation(rows, path)

    def out(self, rows: Sequence[Row]) -> tuple[Any, ...] | None:
        """What the last operation of the forward pass returns; of an input its shape."""
        ran = [row for row in rows if row.source != "input" and row.phase == "forward"]
        if ran:
            return max(ran, key=lambda row: self._order[id(row)]).out
        entered = [row for row in rows if row.source == "input" and row.op.startswith("input")]
        return entered[0].out if len(entered) == 1 else None


def class_of(kinds: Mapping[str, str]) -> Callable[[str], str]:
    """The class of a module by its path, or of another whose path differs in numbers alone; nothing where nobody says.

    >>> class_of({"": "Net", "blocks/0": "Block"})("blocks/#")
    'Block'
    """
    alike = {template(path): kind for path, kind in kinds.items()}
    return lambda path: kinds.get(path) or alike.get(template(path), "")


def _own_name(op: str, alone: bool) -> str:
    """An operation by its name, a parameter by its own; an input that is ``alone`` needs none."""
    kind, _, name = op.partition(" ")
    return name if kind in ("param", "state") and name else kind if kind == "input" and alone else op


def _chained(found: Sequence[OutlineLine]) -> list[OutlineLine]:
    """Headings with one line below them on that line, as paths: ``attention/norm``."""
    chained: list[OutlineLine] = []
    for entry in reversed(found):
        end = next((k for k in range(len(chained), 0, -1) if chained[k - 1].indent <= entry.indent), 0)
        inside = chained[end:]
        direct = [below for below in inside if below.indent == entry.indent + 1]
        if entry.rows is None and len(direct) == 1 and not entry.several and direct[0].label != ITSELF:
            *rest, first = (replace(below, indent=below.indent - 1) for below in inside)
            joined = replace(first, label=f"{entry.label}/{first.label}", kind=first.kind or entry.kind)
            chained[end:] = [*rest, joined]
        else:
            chained.append(entry)
    return chained[::-1]


def _operation(rows: Sequence[Row], path: str) -> str:
    """The operation that a layer is, where it is a single one."""
    names = {row.op for row in rows if row.source == "layer"}
    return names.pop() if len(names) == 1 and all(row.path == path for row in rows) else ""


def _summed(found: Sequence[OutlineLine], most: int) -> list[OutlineLine]:
    """The first lines, and one with the sum of all others."""
    shown, rest = found[: most - 1], found[most - 1 :]
    return [*shown, OutlineLine(f"{len(rest)} more", 0, tuple(row for entry in rest for row in entry.rows or ()))]
