"""Complex numbers that are put together and taken apart again: nothing is left of either.

A function that XLA writes in real parts (:data:`~symcost.rules.per_element.PART_BY_PART`) ends by putting two of them
together. Who takes a part of that reads the part itself; what only made the other part is gone, and so is the putting
together where nobody reads the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symcost.rules.complex_numbers import is_complex
from symcost.rules.families.elementwise import BOTH, IMAGINARY, REAL, WHOLE, parts_taken
from symcost.rules.per_element import PART_BY_PART
from symcost.tracing.lowering.fold import is_number
from symcost.tracing.lowering.node import Node
from symcost.tracing.program.records import Record

PART = "part"
"""Operation of a node that is one part of what its operand puts together; ``params`` says which."""
NAMES = (REAL, IMAGINARY)
CHOICES = ("max", "min")


def is_joined(node: Node) -> bool:
    """Whether a complex value is put together from two real ones where it is made."""
    return node.op == "complex" or node.op in PART_BY_PART


def mark_parts(complexes: Iterable[Node], nodes: Iterable[Node], roots: Iterable[Node]) -> None:
    """Say in the records of complex functions which parts are read, and what is saved on operands that are put together.

    ``complexes`` are the functions in the order in which they are made.
    """
    alive = {id(node) for node in nodes}
    readers: dict[int, list[Node]] = {}
    for node in nodes:
        for arg in node.args:
            readers.setdefault(id(arg), []).append(node)
    wholes = {id(root) for root in roots}
    read: dict[int, str] = {}
    numbers = [node for node in complexes if id(node) in alive and (node.op == "complex" or _of_complex(node))]
    for node in reversed(numbers):
        parts = {part for reader in readers.get(id(node), ()) for part in _parts(reader, read)}
        whole = id(node) in wholes or WHOLE in parts
        which = WHOLE if whole else BOTH if len(parts) > 1 else next(iter(parts), BOTH)
        read[id(node)] = which
        _say(node, which)


def _parts(reader: Node, read: dict[int, str]) -> Iterator[str]:
    """What a reader takes of its operand."""
    if reader.op == PART:
        yield NAMES[reader.params]
        return
    which = read.get(id(reader), WHOLE)
    if reader.op in CHOICES:
        yield WHOLE  # a choice between the numbers themselves, by their parts
    elif _of_complex(reader) and parts_taken(reader.op, which):
        yield from (which,) if reader.op == "conj" and which in NAMES else NAMES
    else:
        yield WHOLE


def _of_complex(node: Node) -> bool:
    return node.record is not None and any(is_complex(dtype) for dtype, _ in node.record.key.ins)


def _say(node: Node, which: str) -> None:
    """Write it into the record: a number whose parts alone are read is not put together."""
    record: Record | None = node.record
    if record is None:
        return
    if node.op == "complex":
        if which != WHOLE:
            record.sizes = (*record.sizes[:-1], 0)
        return
    saved = sum(is_joined(arg) and _makes_complex(arg) for arg in node.args) * parts_taken(node.op, which)
    if node.op == "conj" and which != REAL and node.args[0].op == "complex" and is_number(node.args[0].args[1].content):
        saved += 1  # a known imaginary part is negated where the program is compiled
    if which != WHOLE or saved:
        record.key = record.key._replace(static=(*record.key.static, which, saved))


def _makes_complex(node: Node) -> bool:
    return node.record is not None and is_complex(node.record.key.outs[0][0])
