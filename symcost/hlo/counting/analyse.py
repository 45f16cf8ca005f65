"""HLO text -> exact cost, and beside it the very float32 numbers that XLA's cost analysis prints.

A called computation is counted at every call site, as XLA does, but its own sum is made only once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from symcost.hlo.counting.bytes import Bytes, stored
from symcost.hlo.counting.float32 import NOTHING, Properties, rounded
from symcost.hlo.counting.library import BEHIND, Restored, estimate, restored, taken
from symcost.hlo.counting.rules import ANNOTATIONS, BUFFERS, LEAF, REGION, Count, leaf_rule
from symcost.hlo.counting.tally import Cell, Counts, Tally, accumulate, seen_from
from symcost.hlo.reading.ir import Computation, Instruction, Module
from symcost.hlo.reading.order import post_order
from symcost.hlo.reading.parse import parse
from symcost.hlo.reading.text import HloError
from symcost.hlo.reading.trips import trip_count

POINTER = 8


def pointer_of(jaxlib: str) -> int:
    """Bytes of an entry in a tuple's table, as the XLA of this version of jaxlib counts them.

    >>> pointer_of("0.10.2"), pointer_of("0.12.0.1")
    (8, 4)
    """
    major, minor = (int(part) for part in jaxlib.split(".")[:2])
    return POINTER if (major, minor) < (0, 11) else 4


@dataclass(frozen=True)
class Float32:
    """What XLA prints: float32 values, held as Python floats so that `==` compares bit for bit.

    `lowered.cost_analysis()` leaves a key out when it is zero, so compare with `analysis.get("flops") or 0`.
    Always XLA's convention: loop bodies once, whatever `trips` says; -1 for each custom call, whatever `calls` says,
    unless its author states a cost, or XLA knows one.
    """

    flops: float
    transcendentals: float
    bytes: float


@dataclass(frozen=True)
class HloCost:
    """Exact cost of one HLO module.

    `flops` (a multiply-add is 2; integer and boolean operations included), `transcendentals`, `bytes` (what XLA calls
    bytes accessed): exact ints. `cells`: all three by path (`op_name`) and opcode; rows of zero are left out and the
    rest sums to the totals. What a reduction's region costs belongs to the reduction, the bytes of a fusion to the
    fusion. An instruction without `op_name` takes its caller's; one lowered out of line (a relative name such as
    `max`) is prefixed with its call's; else the path is "".

    `calls`: what XLA takes for the custom calls (see `library.taken`). `restored`: what they
    were found to compute, by path and target. `hidden`: paths and targets of those nobody can count, or not wholly, in
    order of the walk, once per call site: with any of them the exact counts are lower bounds.
    """

    flops: int
    transcendentals: int
    bytes: int
    float32: Float32
    hidden: tuple[Cell, ...] = field(repr=False)
    calls: Counts
    cells: Mapping[Cell, Counts] = field(repr=False)
    restored: Mapping[Cell, Counts] = field(repr=False)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Targets of the custom calls that nobody can count."""
        return tuple(target for _, target in self.hidden)

    @cached_property
    def by_op(self) -> Mapping[str, Count]:
        """(flops, transcendentals) by opcode."""
        return self._by(1)

    @cached_property
    def by_path(self) -> Mapping[str, Count]:
        """(flops, transcendentals) by path."""
        return self._by(0)

    def _by(self, part: int) -> Mapping[str, Count]:
        counts: dict[str, Count] = {}
        for cell, (flops, transcendentals, _) in self.cells.items():
            accumulate(counts, cell[part], (flops, transcendentals))
        return counts


def analyse(text: str | Module, *, trips: bool = False, calls: bool = False, stated: bool = True,
            pointer: int = POINTER) -> HloCost:  # fmt: skip
    """Count an HLO module, given as text or parsed.

    flops = sum over instructions of the opcode's rule (`rules.py`); of a conditional the larger branch, every
    property by itself; of a while body + condition, once like XLA, or with `trips=True` times its trip count (the
    condition's last, failing test is not counted). With `calls=True` library calls count what they compute. `stated`:
    whether XLA takes what a kernel's author states for it, as a compiler of TPUs does, or -1. `pointer`: bytes of an entry
    in a tuple's table.

    Errors: `HloError` for text that cannot be read, an opcode without a rule, an instruction whose operands and
    attributes do not fit its rule, and, with `trips=True`, a while whose trip count the text does not settle.

    >>> cost = analyse('''HloModule m
    ... ENTRY main {
    ...   x = f32[2,3]{1,0} parameter(0)
    ...   w = f32[3,5]{1,0} parameter(1)
    ...   y = f32[2,5]{1,0} dot(x, w), lhs_contracting_dims={1}, rhs_contracting_dims={0}
    ...   ROOT z = f32[2,5]{1,0} tanh(y)
    ... }''')
    >>> cost.flops, cost.transcendentals, cost.bytes, cost.by_op
    (60, 10, 204, {'dot': (60, 0), 'tanh': (0, 10)})
    """
    module = parse(text) if isinstance(text, str) else text
    try:
        total = _Walk(module, trips, calls, stated, pointer).computation(module.entry)
    except RecursionError:
        raise HloError(
            f"computations of {module.name!r} call each other too deeply: give a text as XLA prints it"
        ) from None
    own = total.float32
    floats = Float32(float(own.flops), float(own.transcendentals), float(own.bytes))
    return HloCost(total.flops, total.transcendentals, total.bytes, floats, tuple(total.unknown), total.calls,
                   total.cells, total.restored)  # fmt: skip


class _Walk:
    def __init__(self, module: Module, trips: bool, calls: bool, stated: bool, pointer: int) -> None:
        self.module = module
        self.trips = trips
        self.calls = calls
        self.stated = stated
        self.bytes = Bytes(module, pointer)
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

    def instruction(self, i: Instruction, home: Computation, tally: Tally) -> Properties:
        """Add the exact counts of one instruction to `tally`, return its float32 ones."""
        handler = _HANDLERS.get(i.opcode, _Walk.region if i.opcode in REGION else _Walk.leaf)
        try:
            return handler(self, i, home, tally)
        except HloError:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            raise HloError(
                f"{i.opcode} {i.name!r} of {home.name!r} has operands or attributes that do not fit its rule: "
                f"{i.argument[:40]!r}{i.tail[:80]!r}; give the text as XLA prints it"
            ) from None

    def leaf(self, i: Instruction, home: Computation, tally: Tally) -> Properties:
        sync = _synchronous(i) if i.opcode not in LEAF else None
        counted = i if sync is None else sync
        if counted.opcode in REGION:
            return self.region(counted, home, tally)
        flops, transcendentals = leaf_rule(counted)(counted, [home.by_name[name].shape for name in i.operands])
        sizes = self.bytes(counted, home)
        tally.add(counted.opcode, i.op_name, flops, transcendentals, sum(sizes))
        return Properties(rounded(flops), rounded(transcendentals)).with_bytes(sizes)

    def region(self, i: Instruction, home: Computation, tally: Tally) -> Properties:
        properties = NOTHING
        flops = transcendentals = 0
        for role, times in REGION[i.opcode](i, [home.by_name[name].shape for name in i.operands]):
            sub = self.called(_only(i, role))
            flops += sub.flops * times
            transcendentals += sub.transcendentals * times
            tally.unknown += [(seen_from(i, path), target) for path, target in sub.unknown]
            properties += sub.float32.scaled(times)
        sizes = self.bytes(i, home)
        tally.add(i.opcode, i.op_name, flops, transcendentals, sum(sizes))
        return properties.with_bytes(sizes)

    def call(self, i: Instruction, _: Computation, tally: Tally) -> Properties:
        sub = self.called(_only(i, "to_apply"))
        tally.merge(sub, i)
        return sub.float32

    def custom_call(self, i: Instruction, home: Computation, tally: Tally) -> Properties:
        if i.custom_call_target in BUFFERS:
            return NOTHING
        operands = [home.by_name[name].shape for name in i.operands]
        counts = taken(i, operands, self.stated)
        tally.called(counts)
        own = Properties(*map(rounded, counts))
        if i.custom_call_target in ANNOTATIONS:
            return own
        stated = estimate(i)
        work = restored(i, operands) if self.calls else Restored(unknown=i.custom_call_target)
        if work.unknown:
            tally.unknown.append((i.op_name, work.unknown))
        if work.unknown != i.custom_call_target:
            size = sum(map(stored, (i.shape.first(), *operands))) if stated is None else stated[2]
            tally.add("custom-call", i.op_name, *work.count, size)
            tally.add(BEHIND, i.op_name, *work.behind, 0)
            flops, transcendentals = (sum(both) for both in zip(work.count, work.behind, strict=True))
            accumulate(tally.restored, (i.op_name, i.custom_call_target), (flops, transcendentals, size))
        return own

    def fusion(self, i: Instruction, home: Computation, tally: Tally) -> Properties:
        inner = self.module.computations[_only(i, "calls")]
        if i.attributes.get("kind") == "kCustom":
            # XLA takes a custom fusion with a gather or a scatter for nothing but that instruction.
            for fused in inner.instructions:
                if fused.opcode in ("gather", "scatter"):
                    return self.instruction(fused, inner, tally)
        sub = self.called(inner.name)
        tally.merge(sub, i, with_bytes=False)
        sizes = self.bytes.fusion(i)
        tally.add(i.opcode, i.op_name, 0, 0, sum(sizes))
        return sub.float32.with_bytes(sizes)

    def fusion_start(self, i: Instruction, home: Computation, tally: Tally) -> Properties:
        """The fusion itself; the start's shape holds its operands, its result and a context."""
        return self.fusion(replace(i, shape=i.shape.parts[1]), home, tally)

    def loop(self, i: Instruction, home: Computation, tally: Tally) -> Properties:
        times = trip_count(i, home, self.module) if self.trips else 1
        if times is None:
            raise HloError(
                f"while {i.name!r} of {home.name!r} has no known trip count:"
                " count its body once with trips=False, or make its bounds constants"
            )
        properties = NOTHING
        for role in ("body", "condition"):
            sub = self.called(_only(i, role))
            tally.merge(sub, i, times)
            properties += sub.float32
        return properties

    def conditional(self, i: Instruction, _: Computation, tally: Tally) -> Properties:
        """The larger branch, every property by itself: rows may come from several branches."""
        branches = [self.called(name) for name in i.branches]
        if not branches:
            raise HloError(f"conditional {i.name!r} names no branches: print the module with its attributes")
        chosen = Tally()
        for part, name in enumerate(("flops", "transcendentals", "bytes")):
            largest = max(branches, key=lambda branch: getattr(branch, name))
            if name == "flops":
                chosen.restored, chosen.calls = dict(largest.restored), largest.calls
            setattr(chosen, name, getattr(largest, name))
            for key, counts in largest.cells.items():
                accumulate(chosen.cells, key, (*(0,) * part, counts[part], *(0,) * (2 - part)))  # type: ignore[arg-type]
        chosen.unknown = [call for branch in branches for call in branch.unknown]
        tally.merge(chosen, i)
        properties = branches[0].float32
        for branch in branches[1:]:
            properties = properties.larger(branch.float32)
        return properties


# Opcodes that call computations of their own kind; regions applied element by element are in `rules.REGION`.
_HANDLERS: Mapping[str, Callable[[_Walk, Instruction, Computation, Tally], Properties]] = {
    "call": _Walk.call,
    "call-start": _Walk.call,
    "async-start": _Walk.call,
    "fusion": _Walk.fusion,
    "fusion-start": _Walk.fusion_start,
    "while": _Walk.loop,
    "conditional": _Walk.conditional,
    "custom-call": _Walk.custom_call,
    "custom-call-start": _Walk.custom_call,
}
# Most instructions of real text; known to be free, so not worth a look-up each.
_NOTHING = {"parameter", "constant", "get-tuple-element", "bitcast"}


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
