"""What an array is made of, read backwards through fusions and layouts: the operations of a sum, the parts of a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symcost.hlo.counting.sent import PICKED, Sent
from symcost.hlo.reading.ir import Computation, Instruction, Module
from symcost.hlo.reading.shapes import Shape

SAME = (PICKED | {"convert"}) - {"get-tuple-element"}
SUMMED = PICKED | {"add", "convert", "dynamic-update-slice", "concatenate", "copy-start", "copy-done"}
"""What a sum, or one made part by part, passes through."""


@dataclass(frozen=True)
class Standing:
    """An instruction, the computation that it stands in, and the fusion around it with its own place."""

    i: Instruction
    home: Computation
    around: Standing | None = None

    def operand(self, name: str) -> Standing:
        """The place of an operand."""
        return Standing(self.home.by_name[name], self.home, self.around)


def terms(module: Module, one: Sent, name: str) -> frozenset[str]:
    """Names of the operations whose results are added in an operand of a collective.

    >>> from symcost.hlo import parse
    >>> from symcost.hlo.counting.sent import sent
    >>> module = parse('''HloModule m
    ... ENTRY main {
    ...   x = f32[8]{0} parameter(0)
    ...   a = f32[8]{0} sine(x), metadata={op_name="a"}
    ...   b = f32[8]{0} cosine(x), metadata={op_name="b"}
    ...   c = f32[8]{0} add(a, b)
    ...   ROOT y = f32[8]{0} all-reduce(c), channel_id=1
    ... }''')
    >>> sorted(terms(module, sent(module)[0], "c"))
    ['a', 'b']
    """
    return frozenset(name for name in _terms(module, _start(module, one, name), None, set()) if name)


def parts(module: Module, one: Sent, name: str) -> tuple[Shape, ...]:
    """The arrays that are laid end to end in an operand of a collective; none where it is one."""
    at = _made(module, _start(module, one, name))
    return tuple(at.operand(name).i.shape for name in at.i.operands) if at.i.opcode == "concatenate" else ()


def placed(module: Module, one: Sent, name: str) -> bool:
    """Whether an operand of a collective is a slice in the place of its device, and one number everywhere else."""
    at = _made(module, _start(module, one, name))
    if at.i.opcode != "dynamic-update-slice":
        return False
    whole = _made(module, at.operand(at.i.operands[0]))
    return whole.i.opcode == "broadcast" and not whole.operand(whole.i.operands[0]).i.shape.dims


def _made(module: Module, at: Standing) -> Standing:
    """Where an array is made, read through fusions and what only changes its place or type."""
    while True:
        i = at.i
        if i.opcode == "fusion" and not i.shape.is_tuple:
            inner = module.computations[i.calls("calls")[0]]
            at = Standing(inner.root, inner, at)
        elif i.opcode == "parameter" and at.around is not None:
            at = at.around.operand(at.around.i.operands[int(i.argument)])
        elif i.opcode in SAME:
            at = at.operand(i.operands[0])
        else:
            return at


def _start(module: Module, one: Sent, name: str) -> Standing:
    around = None
    if one.around is not None:
        homes = (home for home in module.computations.values() if home.by_name.get(one.around.name) is one.around)
        home = next(homes, None)
        around = None if home is None else Standing(one.around, home)
    return Standing(one.home.by_name[name], one.home, around)


def _terms(module: Module, at: Standing, index: int | None, seen: set[tuple[str, str, int | None]]) -> Iterator[str]:
    key = (at.home.name, at.i.name, index)
    if key in seen:
        return
    seen.add(key)
    i = at.i
    if i.opcode == "get-tuple-element":
        yield from _terms(module, at.operand(i.operands[0]), i.integers("index")[0], seen)
    elif i.opcode in SUMMED:
        for name in i.operands[:2] if i.opcode == "dynamic-update-slice" else i.operands:
            yield from _terms(module, at.operand(name), index, seen)
    elif i.opcode == "while":
        body = module.computations[i.calls("body")[0]]
        yield from _terms(module, Standing(body.root, body), index, seen)
    elif i.opcode == "tuple" and index is not None:
        yield from _terms(module, at.operand(i.operands[index]), None, seen)
    elif i.opcode == "fusion":
        inner = module.computations[i.calls("calls")[0]]
        yield from _terms(module, Standing(inner.root, inner, at), index, seen)
    elif i.opcode == "parameter" and at.around is not None:
        outer = at.around
        yield from _terms(module, outer.operand(outer.i.operands[int(i.argument)]), index, seen)
    else:
        yield i.op_name
