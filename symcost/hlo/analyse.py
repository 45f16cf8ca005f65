"""HLO text -> exact cost, and beside it the very float32 numbers that XLA's cost analysis prints.

A called computation is counted at every call site, as XLA does, but its own sum is made only once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from .float32 import NOTHING, Pair, rounded
from .ir import Computation, Instruction, Module
from .order import post_order
from .parse import parse
from .rules import ANNOTATIONS, LEAF, REGION, Count, leaf_rule
from .tally import Tally, accumulate
from .text import HloError
from .trips import trip_count


@dataclass(frozen=True)
class Float32:
    """What XLA prints: float32 values, held as Python floats so that `==` compares bit for bit.

    `lowered.cost_analysis()` leaves a key out when it is zero, so compare with `analysis.get("flops") or 0`.
    Always XLA's convention: loop bodies once, whatever `trips` says; -1 for each custom call.
    """

    flops: float
    transcendentals: float


@dataclass(frozen=True)
class HloCost:
    """Exact cost of one HLO module.

    `flops` (a multiply-add is 2; integer and boolean operations included), `transcendentals`: exact ints.

    `by_op`, `by_path`: (flops, transcendentals) by opcode and by `op_name`; rows of zero are left out; either
    sums to the totals. What a reduction's region costs belongs to the reduction. An instruction without
    `op_name` takes its caller's; one lowered out of line (a relative name such as `max`) is prefixed with its
    call's; else the path is "".

    `unknown`: targets of the custom calls met, in order of the walk, once per call site. They add nothing to
    the exact counts (XLA's float32 takes -1 for each), so with `unknown` non-empty these are lower bounds.
    """

    flops: int
    transcendentals: int
    float32: Float32
    unknown: tuple[str, ...]
    by_op: Mapping[str, Count] = field(repr=False)
    by_path: Mapping[str, Count] = field(repr=False)


def analyse(text: str | Module, *, trips: bool = False) -> HloCost:
    """Count an HLO module, given as text or parsed.

    flops = sum over instructions of the opcode's rule (`rules.py`); of a conditional the larger branch, flops
    and transcendentals each by itself; of a while body + condition, once like XLA, or with `trips=True` times
    its trip count (the condition's last, failing test is not counted).

    Errors: `HloError` for text that cannot be read, an opcode without a rule, and, with `trips=True`, a while
    whose trip count the text does not settle.

    >>> cost = analyse('''HloModule m
    ... ENTRY main {
    ...   x = f32[2,3]{1,0} parameter(0)
    ...   w = f32[3,5]{1,0} parameter(1)
    ...   y = f32[2,5]{1,0} dot(x, w), lhs_contracting_dims={1}, rhs_contracting_dims={0}
    ...   ROOT z = f32[2,5]{1,0} tanh(y)
    ... }''')
    >>> cost.flops, cost.transcendentals, cost.by_op
    (60, 10, {'dot': (60, 0), 'tanh': (0, 10)})
    """
    module = parse(text) if isinstance(text, str) else text
    total = _Walk(module, trips).computation(module.entry)
    floats = Float32(float(total.float32.flops), float(total.float32.transcendentals))
    return HloCost(total.flops, total.transcendentals, floats, tuple(total.unknown), total.by_op, total.by_path)


class _Walk:
    def __init__(self, module: Module, trips: bool) -> None:
        self.module = module
        self.trips = trips
        self.done: dict[str, Tally] = {}

    def called(self, name: str) -> Tally:
        if name not in self.done:
            self.done[name] = self.computation(self.module.computations[name])
        return self.done[name]

    def computation(self, home: Computation) -> Tally:
        tally = Tally()
        for instruction in post_order(home):
            if instruction.opcode in _NOTHING:
                continue
            tally.float32 += self.instruction(instruction, home, tally)
        return tally

    def instruction(self, i: Instruction, home: Computation, tally: Tally) -> Pair:
        """Add the exact counts of one instruction to `tally`, return its float32 ones."""
        handler = _HANDLERS.get(i.opcode, _Walk.region if i.opcode in REGION else _Walk.leaf)
        return handler(self, i, home, tally)

    def leaf(self, i: Instruction, home: Computation, tally: Tally) -> Pair:
        if i.opcode not in LEAF and (sync := _synchronous(i)) is not None:
            return self.instruction(sync, home, tally)
        count = leaf_rule(i)(i, [home.by_name[name].shape for name in i.operands])
        tally.add(i.opcode, i.op_name, count)
        return Pair(rounded(count[0]), rounded(count[1]))

    def region(self, i: Instruction, home: Computation, tally: Tally) -> Pair:
        pair = NOTHING
        for role, times in REGION[i.opcode](i, [home.by_name[name].shape for name in i.operands]):
            sub = self.called(_only(i, role))
            tally.add(i.opcode, i.op_name, (sub.flops * times, sub.transcendentals * times))
            tally.unknown += sub.unknown
            pair += sub.float32.scaled(times)
        return pair

    def call(self, i: Instruction, _: Computation, tally: Tally) -> Pair:
        sub = self.called(_only(i, "to_apply"))
        tally.merge(sub, i)
        return sub.float32

    def custom_call(self, i: Instruction, _: Computation, tally: Tally) -> Pair:
        if i.custom_call_target not in ANNOTATIONS:
            tally.unknown.append(i.custom_call_target)
        return Pair(rounded(-1))

    def fusion(self, i: Instruction, home: Computation, tally: Tally) -> Pair:
        if i.attributes.get("kind") == "kCustom":
            # XLA takes a custom fusion with a gather or a scatter for nothing but that instruction.
            inner = self.module.computations[_only(i, "calls")]
            for fused in inner.instructions:
                if fused.opcode in ("gather", "scatter"):
                    return self.instruction(fused, inner, tally)
        return self.call(i, home, tally)

    def loop(self, i: Instruction, home: Computation, tally: Tally) -> Pair:
        times = trip_count(i, home, self.module) if self.trips else 1
        if times is None:
            raise HloError(
                f"while {i.name!r} of {home.name!r} has no known trip count:"
                " count its body once with trips=False, or make its bounds constants"
            )
        pair = NOTHING
        for role in ("body", "condition"):
            sub = self.called(_only(i, role))
            tally.merge(sub, i, times)
            pair += sub.float32
        return pair

    def conditional(self, i: Instruction, _: Computation, tally: Tally) -> Pair:
        """The larger branch, flops and transcendentals each by itself: rows may come from two branches."""
        roles = ("branch_computations", "true_computation", "false_computation")
        branches = [self.called(name) for role in roles for name in i.calls(role)]
        if not branches:
            raise HloError(f"conditional {i.name!r} names no branches: print the module with its attributes")
        by_flops = max(branches, key=lambda branch: branch.flops)
        by_trans = max(branches, key=lambda branch: branch.transcendentals)
        chosen = Tally(by_flops.flops, by_trans.transcendentals)
        for part, branch in ((0, by_flops), (1, by_trans)):
            for rows, ours in ((branch.by_op, chosen.by_op), (branch.by_path, chosen.by_path)):
                for key, count in rows.items():
                    if count[part]:
                        accumulate(ours, key, (count[0], 0) if part == 0 else (0, count[1]))
        chosen.unknown = [target for branch in branches for target in branch.unknown]
        tally.merge(chosen, i)
        pair = branches[0].float32
        for branch in branches[1:]:
            pair = pair.larger(branch.float32)
        return pair


# Opcodes that call computations of their own kind; regions applied element by element are in `rules.REGION`.
_HANDLERS: Mapping[str, Callable[[_Walk, Instruction, Computation, Tally], Pair]] = {
    "call": _Walk.call,
    "call-start": _Walk.call,
    "async-start": _Walk.call,
    "fusion": _Walk.fusion,
    "fusion-start": _Walk.fusion,
    "while": _Walk.loop,
    "conditional": _Walk.conditional,
    "custom-call": _Walk.custom_call,
    "custom-call-start": _Walk.custom_call,
}
# Most instructions of real text; known to be free, so not worth a look-up each.
_NOTHING = {"parameter", "constant", "get-tuple-element", "tuple", "broadcast", "reshape", "bitcast"}


def _only(i: Instruction, role: str) -> str:
    names = i.calls(role) or i.calls("to_apply") or i.calls("calls")
    if not names:
        raise HloError(f"{i.opcode} {i.name!r} names no {role}: print the module with its attributes")
    return names[0]


def _synchronous(i: Instruction) -> Instruction | None:
    """`add-start` is an asynchronous `add`, its result the second part of its shape; `add-done` is free."""
    base, _, phase = i.opcode.rpartition("-")
    if phase in ("update", "done") and (base in LEAF or base in REGION or base in _HANDLERS):
        return replace(i, opcode="async-done")
    if phase == "start" and (base in LEAF or base in REGION) and i.shape.is_tuple and len(i.shape.parts) > 1:
        return replace(i, opcode=base, shape=i.shape.parts[1])
    return None
