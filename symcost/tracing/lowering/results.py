"""Factorisations of which some results are read: of what lowering makes of the others nothing is left."""

from __future__ import annotations

from collections.abc import Iterable

from symcost.rules.families.factorisations import APART
from symcost.tracing.lowering.node import Node


def mark_results(nodes: Iterable[Node]) -> None:
    """Say in the records of such operations which of their results are read; nothing where all of them are."""
    read: dict[int, set[int]] = {}
    made: dict[int, Node] = {}
    for node in nodes:
        if node.op == "result" and node.args[0].op in APART:
            made[id(node.args[0])] = node.args[0]
            read.setdefault(id(node.args[0]), set()).add(node.params)
    for name, node in made.items():
        record = node.record
        if record is not None and len(read[name]) < len(record.key.outs):
            record.key = record.key._replace(static=(*record.key.static, frozenset(read[name])))
