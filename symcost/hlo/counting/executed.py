"""Every instruction that a module runs, once, with how often: calls opened, loops times their trips."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from symcost.hlo.reading.ir import Computation, Instruction, Module
from symcost.hlo.reading.order import post_order
from symcost.hlo.reading.text import HloError
from symcost.hlo.reading.trips import trip_count


@dataclass(frozen=True)
class Executed:
    """An instruction, the computation that it stands in, how often it runs, and whether only at most so often.

    ``inside``: the name of the operation that calls its computation, for those that have none of their own.
    """

    instruction: Instruction
    home: Computation
    times: int
    bound: bool = False
    inside: str = ""

    @property
    def op_name(self) -> str:
        """The path of the operation that it came from."""
        return self.instruction.op_name or self.inside


def executed(module: Module, weight: Callable[[Computation], int]) -> Iterator[Executed]:
    """The instructions in the order in which they run; of a conditional those of the branch that weighs most.

    Errors: :class:`HloError` for a loop whose trips the text does not settle.

    >>> from symcost.hlo import parse
    >>> text = '''HloModule m
    ... double {
    ...   x = f32[4]{0} parameter(0)
    ...   ROOT y = f32[4]{0} add(x, x)
    ... }
    ... ENTRY main {
    ...   a = f32[4]{0} parameter(0)
    ...   ROOT b = f32[4]{0} call(a), to_apply=double
    ... }'''
    >>> [run.instruction.name for run in executed(parse(text), lambda branch: 0)]
    ['a', 'x', 'y']
    """
    yield from _inside(module, module.entry, 1, False, "", weight)


def _inside(module: Module, home: Computation, times: int, bound: bool, inside: str,
            weight: Callable[[Computation], int]) -> Iterator[Executed]:  # fmt: skip
    for i in post_order(home):
        name = i.op_name or inside
        if i.opcode == "while":
            trips = trip_count(i, home, module)
            if trips is None:
                raise HloError(f"while {i.name!r} of {home.name!r} has no known trip count: make its bounds constants")
            for role in ("body", "condition"):
                yield from _inside(module, module.computations[i.calls(role)[0]], times * trips, bound, name, weight)
        elif i.opcode == "conditional":
            most = max((module.computations[branch] for branch in i.branches), key=weight)
            yield from _inside(module, most, times, True, name, weight)
        elif i.opcode == "call":
            yield from _inside(module, module.computations[i.calls("to_apply")[0]], times, bound, name, weight)
        else:
            yield Executed(i, home, times, bound, inside)
