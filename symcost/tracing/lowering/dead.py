"""Which operations are left once the program is simplified: the others count nothing under XLA."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from symcost.tracing.lowering.node import Lowering, Node, Shape, moved_back, parts_read
from symcost.tracing.lowering.parts import mark_parts
from symcost.tracing.lowering.results import mark_results
from symcost.tracing.program.records import Record


def mark_dead(low: Lowering, outputs: Iterable[Node], attached: Iterable[Record]) -> None:
    """Set the multiplicity under XLA to zero for every record of ``attached`` whose operation is gone."""
    roots = [*outputs, *low.roots]
    while low.partial and _narrow(low, roots):
        pass
    nodes = reached(roots)
    kept = {id(node.record) for node in nodes if node.record is not None}
    for record in attached:
        if id(record) not in kept:
            record.sizes = (*record.sizes[:-1], 0)
    mark_results(nodes)
    if low.complexes:
        mark_parts(low.complexes, nodes, roots)


def reached(roots: Iterable[Node]) -> list[Node]:
    """Every node that the roots are made of."""
    stack, found, mark = list(roots), [], object()
    while stack:
        node = stack.pop()
        if node.mark is not mark:
            node.mark = mark
            found.append(node)
            stack += node.args
    return found


def _narrow(low: Lowering, roots: list[Node]) -> bool:
    """One round of slices that are the only readers of a concatenation: parts that they do not read are gone."""
    nodes = reached(roots)
    uses = Counter(id(arg) for node in nodes for arg in node.args)
    uses.update(id(root) for root in roots)
    alive = {id(node) for node in nodes}
    low.partial = [piece for piece in low.partial if id(piece) in alive and piece.op == "slice"]
    changed = False
    for piece in low.partial:
        whole = piece.args[0]
        if whole.op != "concatenate":
            continue
        axis = whole.params
        flat = [part for arg in whole.args for part in _flattened(arg, axis, uses)]
        if len(flat) > len(whole.args):
            whole.args, changed = tuple(flat), True
        start, limit, _ = piece.params
        first, last, before = parts_read(whole, start[axis], limit[axis])
        if last - first < len(whole.args) and (last - first == 1 or uses[id(whole)] == 1):
            moved = (moved_back(start, axis, before), moved_back(limit, axis, before))
            _shorten(piece, whole, first, last, moved)
            changed = True
    return changed


def _flattened(node: Node, axis: int, uses: Counter[int]) -> tuple[Node, ...]:
    """The parts of a concatenation along the same axis that nobody else reads."""
    alone = node.op == "concatenate" and node.params == axis and uses[id(node)] == 1
    return node.args if alone else (node,)


def _shorten(piece: Node, whole: Node, first: int, last: int, moved: tuple[Shape, Shape]) -> None:
    """Let a slice read a concatenation of the parts it needs; where it needs all of them, it is that concatenation."""
    axis = whole.params
    parts: tuple[Node, ...] = whole.args[first:last]
    size = sum(part.shape[axis] for part in parts)
    shape = tuple(size if i == axis else d for i, d in enumerate(whole.shape))
    shorter = Node("concatenate", parts, shape, None, axis) if len(parts) > 1 else whole.args[first]
    piece.params = (*moved, piece.params[2])
    if shape == piece.shape:
        piece.op, piece.args, piece.params = "concatenate", parts, axis
    else:
        piece.args = (shorter,)
