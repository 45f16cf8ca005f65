"""Writes the nested loops of a search as one function in LLVM's language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir

from symcost.formulas.graph.graph import LOGICAL, Node, cone
from symcost.sweeps.answers.partial import Kind
from symcost.sweeps.engines import machine
from symcost.sweeps.engines.machine import BIT, TYPES, WORD
from symcost.sweeps.engines.nest import Level, Nest
from symcost.sweeps.numbers.program import logical

TABLE = 4096
START, STOP, COUNT, VISITED, FILLED, CAPACITY, CALLBACK, KNOWN, SURVIVORS, FIRST_COLUMN = range(10)
"""Words of the state that function and caller share; columns follow, three for each objective."""
SURVIVOR, ROW, LEAST = range(3)
"""Columns of an objective: of survivors, of known points, and the least of each block of known points."""
ROWS = 16
"""Known points in a block, where there are three objectives and more."""


def slot(place: int, column: int) -> int:
    """The word that has the address of an objective's column."""
    return FIRST_COLUMN + 3 * place + column


class Code:
    """Writes the function."""

    def __init__(self, nest: Nest, kind: Kind, kinds: list[int]) -> None:
        self.nest, self.plan, self.kind, self.kinds = nest, nest.plan, kind, kinds
        self.kept: list[Any] = []
        """Arrays that the code points to."""
        self.module = ir.Module("symcost")
        function = ir.Function(self.module, ir.FunctionType(ir.VoidType(), [WORD.as_pointer()]), "search")
        self.state = function.args[0]
        self.builder = ir.IRBuilder(function.append_basic_block("entry"))
        self.counters = {slot: self._variable() for slot in (COUNT, VISITED)}
        self.recent = self._variable()
        self.last = len(self.nest.levels) - 1
        self._level(0, {}, ir.Constant(WORD, 0))
        for slot, variable in self.counters.items():
            self.builder.store(self.builder.load(variable), self._slot(slot))
        self.builder.ret_void()

    def _variable(self) -> Any:
        variable = self.builder.alloca(WORD)
        self.builder.store(ir.Constant(WORD, 0), variable)
        return variable

    def _slot(self, place: int) -> Any:
        return self.builder.gep(self.state, [ir.Constant(WORD, place)])

    def _word(self, place: int) -> Any:
        return self.builder.load(self._slot(place))

    def _add(self, slot: int, value: Any) -> None:
        variable = self.counters[slot]
        self.builder.store(self.builder.add(self.builder.load(variable), value), variable)

    # -- loops -------------------------------------------------------------------------------------------------
    def _level(self, depth: int, known: dict[int, Any], base: Any) -> None:
        """One loop, and those inside it; afterwards the builder stands behind it."""
        if depth == self.last and self.kind == "count" and self.nest.turning is not None:
            self._bisected(self.nest.levels[depth], known, self.nest.turning > 0)
            return
        builder, level = self.builder, self.nest.levels[depth]
        function = builder.function
        head, body, next_, done = (function.append_basic_block(f"{n}{depth}") for n in ("head", "body", "next", "done"))
        first, end = (
            (self._word(START), None) if depth == 0 else (ir.Constant(WORD, 0), ir.Constant(WORD, level.length))
        )
        before = builder.block
        builder.branch(head)
        builder.position_at_end(head)
        step = builder.phi(WORD)
        step.add_incoming(first, before)
        stop = end if end is not None else self._word(STOP)
        builder.cbranch(builder.icmp_signed("<", step, stop), body, done)
        builder.position_at_end(body)
        inside = dict(known)
        self._axes(level, step, inside)
        index = builder.add(base, builder.mul(step, ir.Constant(WORD, level.below)))
        self._add(VISITED, ir.Constant(WORD, 1))
        if depth == self.last:
            self._leaf(level, inside, index, next_)
        else:
            self._inner(depth, level, inside, index, next_)
        builder.position_at_end(next_)
        step.add_incoming(builder.add(step, ir.Constant(WORD, 1)), next_)
        builder.branch(head)
        builder.position_at_end(done)

    def _bisected(self, level: Level, known: dict[int, Any], rises: bool) -> None:
        """Count along the last axis where feasibility turns once, by seeking the place."""
        builder, length = self.builder, ir.Constant(WORD, level.length)

        def before(place: Any) -> Any:
            inside = dict(known)
            self._axes(level, place, inside)
            self._add(VISITED, ir.Constant(WORD, 1))
            feasible = self._value(level.possible, inside)
            return builder.not_(feasible) if rises else feasible

        turned = self._sought(length, before)
        self._add(COUNT, builder.sub(length, turned) if rises else turned)

    def _sought(self, length: Any, before: Callable[[Any], Any]) -> Any:
        """The number of places that lie before the one sought, by halving; afterwards the builder stands behind it."""
        builder, zero, one = self.builder, ir.Constant(WORD, 0), ir.Constant(WORD, 1)
        head, body, done = (builder.function.append_basic_block(name) for name in ("seek", "look", "sought"))
        entered = builder.block
        builder.branch(head)
        builder.position_at_end(head)
        low, high = builder.phi(WORD), builder.phi(WORD)
        low.add_incoming(zero, entered)
        high.add_incoming(length, entered)
        builder.cbranch(builder.icmp_signed("<", low, high), body, done)
        builder.position_at_end(body)
        middle = builder.ashr(builder.add(low, high), one)
        further = before(middle)
        low.add_incoming(builder.select(further, builder.add(middle, one), low), builder.block)
        high.add_incoming(builder.select(further, high, middle), builder.block)
        builder.branch(head)
        builder.position_at_end(done)
        return low

    def _inner(self, depth: int, level: Level, known: dict[int, Any], index: Any, next_: Any) -> None:
        builder = self.builder
        self._only_if(self._value(level.possible, known), next_)
        if self.kind == "count" and level.certain.op != "constant":
            certain = self._value(level.certain, known)
            whole, rest = (builder.function.append_basic_block(n) for n in ("whole", "rest"))
            builder.cbranch(certain, whole, rest)
            builder.position_at_end(whole)
            self._add(COUNT, ir.Constant(WORD, level.below))
            builder.branch(next_)
            builder.position_at_end(rest)
        elif self.kind == "count" and level.certain.value:
            self._add(COUNT, ir.Constant(WORD, level.below))
            builder.branch(next_)
            return
        self._cut(level, known, next_)
        for node in level.carried:
            self._value(node, known)
        self._level(depth + 1, known, index)
        builder.branch(next_)

    def _leaf(self, level: Level, known: dict[int, Any], index: Any, next_: Any) -> None:
        builder, kind = self.builder, self.kind
        feasible = self._value(level.possible, known)
        if kind == "count":  # without a branch, so that the loop becomes vector instructions
            self._add(COUNT, builder.zext(feasible, WORD))
            builder.branch(next_)
            return
        self._only_if(feasible, next_)
        self._add(COUNT, ir.Constant(WORD, 1))
        values = self._cut(level, known, next_)
        filled = self._word(FILLED)
        self._store(SURVIVORS, WORD, filled, index)
        for place, (value, number) in enumerate(zip(values, self.kinds, strict=True)):
            self._store(slot(place, SURVIVOR), TYPES[number], filled, value)
        more = builder.add(filled, ir.Constant(WORD, 1))
        builder.store(more, self._slot(FILLED))
        with builder.if_then(builder.icmp_signed("==", more, self._word(CAPACITY)), likely=False):
            back = builder.inttoptr(self._word(CALLBACK), ir.FunctionType(ir.VoidType(), []).as_pointer())
            builder.call(back, [])
        builder.branch(next_)

    def _only_if(self, condition: Any, otherwise: Any) -> None:
        going = self.builder.function.append_basic_block("going")
        self.builder.cbranch(condition, going, otherwise)
        self.builder.position_at_end(going)

    def _store(self, slot: int, type_: Any, place: Any, value: Any) -> None:
        column = self.builder.inttoptr(self._word(slot), type_.as_pointer())
        self.builder.store(value, self.builder.gep(column, [place]), align=8)

    # -- nodes -------------------------------------------------------------------------------------------------
    def _axes(self, level: Level, step: Any, known: dict[int, Any]) -> None:
        """Values of a level's axes; the first level's step is a number whose digits are their places."""
        weight = level.length
        for position in level.axes:
            length = self.plan.graph.lengths[position]
            weight //= length
            place = self.builder.udiv(step, ir.Constant(WORD, weight)) if weight > 1 else step
            place = self.builder.urem(place, ir.Constant(WORD, length)) if len(level.axes) > 1 else place
            axis = self.plan.graph.axis(position)
            known[axis.index] = self._axis_value(position, place, self.plan.tiers(axis))

    def _axis_value(self, position: int, place: Any, kind: int) -> Any:
        values = self.plan.values[position]
        if isinstance(values, range):
            scaled = self.builder.mul(place, ir.Constant(WORD, values.step))
            return machine.cast(self.builder, self.builder.add(scaled, ir.Constant(WORD, values.start)), 1, kind)
        if len(values) <= TABLE:
            type_ = ir.ArrayType(TYPES[kind], len(values))
            name = f"axis{position}"
            if name not in self.module.globals:
                table: Any = ir.GlobalVariable(self.module, type_, name)
                table.initializer = ir.Constant(type_, [machine.constant(v, kind) for v in values])
                table.global_constant = True
            address = self.builder.gep(self.module.globals[name], [ir.Constant(WORD, 0), place])
            return self.builder.load(address)
        column = np.asarray(values, dtype=np.int64)
        self.kept.append(column)
        pointer = self.builder.inttoptr(ir.Constant(WORD, column.ctypes.data), WORD.as_pointer())
        return machine.cast(self.builder, self.builder.load(self.builder.gep(pointer, [place])), 1, kind)

    def _value(self, node: Node, known: dict[int, Any]) -> Any:
        """A node's value, computed where the builder stands unless it is there."""
        tiers = self.plan.tiers
        for part in cone([node], set(known)):
            if part.index in known:
                continue
            held, kind = tiers.both(part)
            if part.op == "constant":
                known[part.index] = machine.constant(part.value, held)
                continue
            args = [
                known[a.index] if logical(a) else machine.cast(self.builder, known[a.index], tiers(a), kind)
                for a in part.args
            ]
            result = machine.operate(self.builder, part.op, kind, args)
            known[part.index] = result if part.op in LOGICAL else machine.cast(self.builder, result, kind, held)
        return known[node.index]

    # -- what is known already ---------------------------------------------------------------------------------
    def _cut(self, level: Level, known: dict[int, Any], next_: Any) -> list[Any]:
        """Go on only where survivors may be; the bounds of the objectives, which on the last level are exact."""
        lows = [
            machine.cast(self.builder, self._value(low, known), self.plan.tiers(low), kind)
            for low, kind in zip(level.lows, self.kinds, strict=True)
        ]
        if lows and self.kind in ("top", "front"):
            self._only_if(self.builder.not_(self._covered(lows)), next_)
        return lows

    def _known_value(self, place: int, row: Any, column: int = ROW) -> Any:
        type_ = TYPES[self.kinds[place]]
        start = self.builder.inttoptr(self._word(slot(place, column)), type_.as_pointer())
        return self.builder.load(self.builder.gep(start, [row]), align=8)

    def _covered(self, lows: list[Any]) -> Any:
        """Whether a known point is nowhere larger. Up to two objectives: by bisection along the front; else by blocks."""
        if len(lows) > 2:
            return self._covered_by_blocks(lows)
        builder, zero, one = self.builder, ir.Constant(WORD, 0), ir.Constant(WORD, 1)

        def not_larger(row: Any) -> Any:
            return machine.compare(builder, "<=", self.kinds[0], self._known_value(0, row), lows[0])

        rows = self._sought(self._word(KNOWN), not_larger)
        some, sought = builder.icmp_signed(">", rows, zero), builder.block
        if len(lows) == 1:
            return some
        # the last row whose first objective is not larger has the smallest second one of these
        covered, end = (builder.append_basic_block(name) for name in ("found", "covered"))
        builder.cbranch(some, covered, end)
        builder.position_at_end(covered)
        second = self._known_value(1, builder.sub(rows, one))
        covers = machine.compare(builder, "<=", self.kinds[1], second, lows[1])
        builder.branch(end)
        builder.position_at_end(end)
        result = builder.phi(BIT)
        result.add_incoming(ir.Constant(BIT, 0), sought)
        result.add_incoming(covers, covered)
        return result

    def _covered_by_blocks(self, lows: list[Any]) -> Any:
        """The same for three objectives and more: only blocks whose least values allow it are looked into.

        The search begins with the block that covered the last point: neighbours are often covered by the same one.
        """
        builder, blocks = self.builder, self._word(KNOWN)
        zero, one, rows = (ir.Constant(WORD, value) for value in (0, 1, ROWS))
        names = ("seek", "look", "into", "compare", "row", "hit", "next", "sought")
        head, look, into, compare, row, hit, next_, done = map(builder.function.append_basic_block, names)
        before, recent = builder.block, builder.load(self.recent)
        builder.branch(head)
        builder.position_at_end(head)
        turn = builder.phi(WORD)
        turn.add_incoming(zero, before)
        builder.cbranch(builder.icmp_signed("<", turn, blocks), look, done)
        builder.position_at_end(look)
        block = builder.add(recent, turn)
        block = builder.select(builder.icmp_signed("<", block, blocks), block, builder.sub(block, blocks))
        builder.cbranch(self._nowhere_larger(lows, LEAST, block), into, next_)
        builder.position_at_end(into)
        first = builder.mul(block, rows)
        end = builder.add(first, rows)
        builder.branch(compare)
        builder.position_at_end(compare)
        place = builder.phi(WORD)
        place.add_incoming(first, into)
        builder.cbranch(self._nowhere_larger(lows, ROW, place), hit, row)
        builder.position_at_end(row)
        following = builder.add(place, one)
        place.add_incoming(following, row)
        builder.cbranch(builder.icmp_signed("<", following, end), compare, next_)
        builder.position_at_end(hit)
        builder.store(block, self.recent)
        builder.branch(done)
        builder.position_at_end(next_)
        turn.add_incoming(builder.add(turn, one), next_)
        builder.branch(head)
        builder.position_at_end(done)
        result = builder.phi(BIT)
        result.add_incoming(ir.Constant(BIT, 0), head)
        result.add_incoming(ir.Constant(BIT, 1), hit)
        return result

    def _nowhere_larger(self, lows: list[Any], column: int, row: Any) -> Any:
        """Whether the values in a row of what is known are all at most these."""
        covers: Any = ir.Constant(BIT, 1)
        for place, value in enumerate(lows):
            known = self._known_value(place, row, column)
            covers = self.builder.and_(covers, machine.compare(self.builder, "<=", self.kinds[place], known, value))
        return covers
