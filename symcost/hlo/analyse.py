"""HLO text -> exact cost, and beside it the very float32 numbers that XLA's cost analysis prints.

The walk is XLA's: per computation a depth-first post-order from dead roots, then the root, operands in order,
control predecessors last (`HloInstruction::Accept` and `HloCostAnalysis` in XLA's sources). A called
computation is counted anew at every call site; its own sum is made once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from .float32 import Pair, rounded
from .ir import Computation, Instruction, Module
from .parse import parse
from .rules import ANNOTATIONS, LEAF, REGION, Count, leaf_rule
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
    return HloCost(
        total.flops, total.transcendentals, floats, tuple(total.unknown), total.by_op, total.by_path
    )


@dataclass
class _Tally:
    """Running sum over one computation."""

    flops: int = 0
    transcendentals: int = 0
    float32: Pair = Pair()
    by_op: dict[str, Count] = field(default_factory=dict)
    by_path: dict[str, Count] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def add(self, op: str, path: str, count: Count) -> None:
        """One instruction's exact count."""
        if any(count):
            self.flops += count[0]
            self.transcendentals += count[1]
            _accumulate(self.by_op, op, count)
            _accumulate(self.by_path, path, count)

    def merge(self, other: _Tally, caller: Instruction, times: int = 1) -> None:
        """A called computation's exact counts, `times` over, its paths seen from the caller."""
        self.flops += other.flops * times
        self.transcendentals += other.transcendentals * times
        if times:
            for op, (flops, trans) in other.by_op.items():
                _accumulate(self.by_op, op, (flops * times, trans * times))
            for path, (flops, trans) in other.by_path.items():
                _accumulate(self.by_path, _seen_from(caller, path), (flops * times, trans * times))
        self.unknown += other.unknown


def _accumulate(counts: dict[str, Count], key: str, count: Count) -> None:
    before = counts.get(key, (0, 0))
    counts[key] = before[0] + count[0], before[1] + count[1]


def _seen_from(caller: Instruction, path: str) -> str:
    """A callee's path: absolute ones share the caller's first segment, relative ones sit behind a `call`."""
    outer = caller.op_name
    if not path or not outer:
        return path or outer
    if caller.opcode != "call" or path.partition("/")[0] == outer.partition("/")[0]:
        return path
    return f"{outer}/{path}"


class _Walk:
    def __init__(self, module: Module, trips: bool) -> None:
        self.module = module
        self.trips = trips
        self.done: dict[str, _Tally] = {}

    def called(self, name: str) -> _Tally:
        if name not in self.done:
            self.done[name] = self.computation(self.module.computations[name])
        return self.done[name]

    def computation(self, home: Computation) -> _Tally:
        tally = _Tally()
        for instruction in _post_order(home):
            if instruction.opcode in _NOTHING:
                continue
            tally.float32 += self.instruction(instruction, home, tally)
        return tally

    def instruction(self, i: Instruction, home: Computation, tally: _Tally) -> Pair:
        """Add the exact counts of one instruction to `tally`, return its float32 ones."""
        op = i.opcode
        if op in REGION:
            return self.region(i, home, tally)
        if op in ("call", "async-start", "call-start"):
            return self.call(i, _only(i, "to_apply" if op != "async-start" else "calls"), tally)
        if op in ("fusion", "fusion-start"):
            return self.fusion(i, tally)
        if op == "while":
            return self.loop(i, home, tally)
        if op == "conditional":
            return self.conditional(i, tally)
        if op in ("custom-call", "custom-call-start"):
            if i.custom_call_target not in ANNOTATIONS:
                tally.unknown.append(i.custom_call_target)
            return Pair(rounded(-1))
        if op not in LEAF and (sync := _synchronous(i)) is not None:
            return self.instruction(sync, home, tally)
        count = leaf_rule(i)(i, [home.by_name[name].shape for name in i.operands])
        tally.add(op, i.op_name, count)
        return Pair(rounded(count[0]), rounded(count[1]))

    def region(self, i: Instruction, home: Computation, tally: _Tally) -> Pair:
        pair = Pair()
        for role, times in REGION[i.opcode](i, [home.by_name[name].shape for name in i.operands]):
            sub = self.called(_only(i, role))
            tally.add(i.opcode, i.op_name, (sub.flops * times, sub.transcendentals * times))
            tally.unknown += sub.unknown
            pair += sub.float32.scaled(times)
        return pair

    def call(self, i: Instruction, name: str, tally: _Tally) -> Pair:
        sub = self.called(name)
        tally.merge(sub, i)
        return sub.float32

    def fusion(self, i: Instruction, tally: _Tally) -> Pair:
        name = _only(i, "calls")
        if "kind=kCustom" in i.tail:
            # XLA takes a custom fusion with a gather or a scatter for nothing but that instruction.
            inner = self.module.computations[name]
            for fused in inner.instructions:
                if fused.opcode in ("gather", "scatter"):
                    return self.instruction(fused, inner, tally)
        return self.call(i, name, tally)

    def loop(self, i: Instruction, home: Computation, tally: _Tally) -> Pair:
        times = trip_count(i, home, self.module) if self.trips else 1
        if times is None:
            raise HloError(
                f"while {i.name!r} of {home.name!r} has no known trip count:"
                " count its body once with trips=False, or make its bounds constants"
            )
        pair = Pair()
        for role in ("body", "condition"):
            sub = self.called(_only(i, role))
            tally.merge(sub, i, times)
            pair += sub.float32
        return pair

    def conditional(self, i: Instruction, tally: _Tally) -> Pair:
        """The larger branch, flops and transcendentals each by itself: rows may come from two branches."""
        roles = ("branch_computations", "true_computation", "false_computation")
        branches = [self.called(name) for role in roles for name in i.calls(role)]
        if not branches:
            raise HloError(f"conditional {i.name!r} names no branches: print the module with its attributes")
        by_flops = max(branches, key=lambda branch: branch.flops)
        by_trans = max(branches, key=lambda branch: branch.transcendentals)
        chosen = _Tally(by_flops.flops, by_trans.transcendentals)
        for part, branch in ((0, by_flops), (1, by_trans)):
            for rows, ours in ((branch.by_op, chosen.by_op), (branch.by_path, chosen.by_path)):
                for key, count in rows.items():
                    if count[part]:
                        _accumulate(ours, key, (count[0], 0) if part == 0 else (0, count[1]))
        chosen.unknown = [target for branch in branches for target in branch.unknown]
        tally.merge(chosen, i)
        pair = branches[0].float32
        for branch in branches[1:]:
            pair = pair.larger(branch.float32)
        return pair


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
    if phase in ("update", "done") and (base in LEAF or base in REGION or base in _CALLING):
        return replace(i, opcode="async-done", shape=i.shape)
    if phase == "start" and (base in LEAF or base in REGION) and i.shape.is_tuple and len(i.shape.parts) > 1:
        return replace(i, opcode=base, shape=i.shape.parts[1])
    return None


_CALLING = {"call", "custom-call", "fusion"}


def _post_order(home: Computation) -> Iterable[Instruction]:
    """Instructions in the order in which XLA visits them: it decides the float32 rounding, nothing else."""
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
