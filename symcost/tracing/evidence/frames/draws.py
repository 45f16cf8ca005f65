"""What layers are drawn from: tables, iterators, lists that are repeated or cut, generators."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Any

from symcost.tracing.evidence.frames.affine import NotRead, Reading
from symcost.tracing.evidence.frames.expressions import Node
from symcost.tracing.evidence.frames.landmark import Landmarks
from symcost.tracing.evidence.frames.roles import compared
from symcost.tracing.evidence.frames.values import DRAWN, PLAIN, Table

NAMES = frozenset(function.__name__ for function in DRAWN)
MAX_CHANGES = 16


def steps(table: Table) -> Landmarks:
    """Where the entries of a table become other ones: each place, or after how many they come again.

    >>> steps(Table("list", 4, (8, 8, 8, 16))).thresholds
    frozenset({3})
    """
    items = table.items
    if table.kind in ("dict", "get", "set", "frozenset") or all(type(item) is float or _made(item) for item in items):
        return Landmarks()  # floats count where they are compared or rounded, layers and arrays where they were made
    if len(table.items) != table.length:
        raise NotRead("a long table")
    places = [k for k in range(1, len(items)) if items[k] != items[k - 1] or type(items[k]) is not type(items[k - 1])]
    if not places:
        return Landmarks()
    period = next(p for p in range(1, len(items) + 1) if items[p:] == items[:-p])
    if 2 * period <= len(items):
        return Landmarks(moduli=frozenset({period}))
    if len(places) > MAX_CHANGES:
        raise NotRead("a table of many kinds")
    return Landmarks(frozenset(places))


def _made(item: Any) -> bool:
    """Whether an entry is no plain value."""
    return type(item) not in PLAIN


def drawn(reading: Reading, symbols: Collection[str]) -> Landmarks | None:
    """Landmarks of a place where something is drawn, for every depth; nothing of other places.

    Raises :class:`NotRead` where what is drawn later on cannot be seen now.
    """
    operation, operands = reading.site.operation, reading.site.operands
    if operation == "yield":
        raise NotRead("a generator of several kinds")
    if operation == "until":
        return _table(reading, operands[0])
    if operation == "pop":
        tables = _tables(reading, operands[0])
        if tables and all(_kept(table) for table in tables):
            return Landmarks()
        if tables and all(table.kind == "list" for table in tables) and _deeper(reading, symbols):
            raise NotRead("a list that is used up")
        return Landmarks()
    if operation != "call":
        return None
    name = reading.known(Node("call", operands))
    if name in NAMES and any(not _kept(table) for arg in operands[1:] for table in _tables(reading, arg)):
        raise NotRead("an iterator")
    if name in NAMES and any(arg.kind not in ("leaf", "const") for arg in operands[1:]):
        raise NotRead("an iterator")
    if name != "next":
        return None
    tables = _tables(reading, operands[1])
    if not tables and _deeper(reading, symbols):
        raise NotRead("an iterator")
    return steps(tables[-1]) if tables else Landmarks()


def _kept(table: Table) -> bool:
    """Whether nothing in a table is a plain value, or all of it is one and the same."""
    plain = [item for item in table.items if not _made(item)]
    return table.kind in ("dict", "get") or (len(table.items) == table.length and not plain)


def _table(reading: Reading, node: Node) -> Landmarks:
    """Where the entries of a table that a loop may leave early become other ones."""
    if node.kind == "call" and reading.known(node) == "range":
        return Landmarks()
    if node.kind == "display" and all(part.kind == "const" for part in node.parts):
        return steps(Table("tuple", len(node.parts), tuple(part.value for part in node.parts)))
    views = _tables(reading, node.parts[0]) if node.kind == "call" and len(node.parts) == 1 else []
    if views and all(table.kind == "view" for table in views):  # of a dictionary, whole: it is told by what is in it
        return functools.reduce(Landmarks.joined, map(steps, views))
    if node.kind != "leaf":
        raise NotRead("a loop that may be left early")
    tables = _tables(reading, node)
    return steps(tables[-1]) if tables else Landmarks()  # an array, an object: layers


def _tables(reading: Reading, node: Node) -> list[Table]:
    """The containers that a name stood for."""
    return [v for v in reading.columns[node.value].known if isinstance(v, Table)] if node.kind == "leaf" else []


def _deeper(reading: Reading, symbols: Collection[str]) -> bool:
    """Whether it is reached more often in deeper programs, for all that is known."""
    reached = [len(values) for values in reading.columns[0].values] if reading.columns else [0]
    return len(reached) < 2 or not compared(reading.columns[0].points, symbols) or len(set(reached)) > 1
