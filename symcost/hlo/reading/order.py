"""The order in which XLA adds instructions up: it decides the float32 rounding, nothing else.

`HloComputation::Accept` walks depth first in post-order: from the dead roots in the order of the text, then
from the root; operands in order, control predecessors after them.
"""

from __future__ import annotations

from symcost.hlo.reading.ir import Computation, Instruction


def post_order(home: Computation) -> list[Instruction]:
    """The instructions of a computation, each once, in XLA's order."""
    before = {i.name: i.operands + i.control_predecessors for i in home.instructions}
    used = {name for names in before.values() for name in names}
    starts = [i.name for i in home.instructions if i.name not in used and i is not home.root]
    order: list[Instruction] = []
    done: set[str] = set()
    for start in (*starts, home.root.name):
        stack = [start]
        while stack:
            name = stack[-1]
            waiting = [] if name in done else [child for child in before[name] if child not in done]
            if waiting:
                stack.extend(reversed(waiting))
                continue
            stack.pop()
            if name not in done:
                done.add(name)
                order.append(home.by_name[name])
    return order
