"""Branch and bound as machine code, by LLVM: the nested loops, their bounds and their tests in one function.

Survivors go to a buffer; when it is full the function calls back, the buffer is boiled down in numpy, and what is
known by then (the worst of the best, or the front so far) cuts the rest of the search.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from llvmlite import binding as llvm

from symcost.formulas.graph.graph import cone
from symcost.sweeps.answers.front import near
from symcost.sweeps.answers.partial import Kind, Partial
from symcost.sweeps.engines import code
from symcost.sweeps.engines.nest import Nest
from symcost.sweeps.numbers.tiers import FLOAT, TWO

BUFFER = {"top": 4096, "front": 1024, "all": 1 << 16, "count": 1}
"""Survivors between two calls back; a front's knowledge should be fresh."""


class Native:
    """A search in machine code; ``keep`` bounds the survivors of kinds "top" and "all"."""

    def __init__(self, nest: Nest, kind: Kind, keep: int) -> None:
        self.nest, self.keep = nest, keep
        self.kind: Kind = kind
        levels, tiers = nest.levels, nest.plan.tiers
        count = len(nest.plan.objectives)
        self.kinds = [max(tiers(level.lows[i]) for level in levels) for i in range(count)]
        self.code = code.Code(nest, kind, self.kinds)
        self.engine = _compiled(str(self.code.module))
        address = self.engine.get_function_address("search")
        self.call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)

    def run(self, start: int, stop: int, known: Partial | None = None) -> Partial:
        """Search the steps ``start`` to ``stop`` of the first level; ``known`` is what steps before them gave."""
        return _NativeCall(self, known).search(start, stop)


class _NativeCall:
    """One call of the function, with the survivors that it hands over."""

    def __init__(self, native: Native, known: Partial | None) -> None:
        self.native, self.keep = native, native.keep
        self.kind: Kind = native.kind
        count, capacity = len(native.kinds), BUFFER[native.kind]
        self.found = Partial.empty(self.kind, count)
        if known is not None and self.kind in ("top", "front"):
            self.found.index, self.found.objectives = known.index, known.objectives
        self.index = np.empty(capacity, dtype=np.int64)
        self.columns = [_buffer(kind, capacity) for kind in native.kinds]
        self.known: list[Any] = []
        self.least: list[Any] = []
        self.state = np.zeros(code.slot(count, 0), dtype=np.int64)
        self.back = ctypes.CFUNCTYPE(None)(self._full)
        self.problem: BaseException | None = None

    def search(self, start: int, stop: int) -> Partial:
        state = self.state
        state[[code.START, code.STOP, code.CAPACITY]] = start, stop, len(self.index)
        state[code.CALLBACK] = ctypes.cast(self.back, ctypes.c_void_p).value or 0
        state[code.SURVIVORS] = self.index.ctypes.data
        for place, column in enumerate(self.columns):
            state[code.slot(place, code.SURVIVOR)] = column.ctypes.data
        self._tell()
        self.native.call(state.ctypes.data)
        self._full()
        if self.problem is not None:
            raise self.problem
        self.found.count, self.found.visited = int(state[code.COUNT]), int(state[code.VISITED])
        return self.found.beyond(start * self.native.nest.levels[0].below)

    def _full(self) -> None:
        """Boil the buffer down; an error must wait until the machine code has returned."""
        try:
            self._empty()
        except BaseException as problem:  # ctypes would print it and go on
            self.problem = problem
            self.state[code.STOP] = self.state[code.START]

    def _empty(self) -> None:
        filled = int(self.state[code.FILLED])
        self.state[code.FILLED] = 0
        if not filled or self.found.overflow:
            return
        index = self.index[:filled].copy()
        columns = [_read(c, k, filled) for c, k in zip(self.columns, self.native.kinds, strict=True)]
        self.found.add(index, columns, self.keep)
        self._tell()

    def _tell(self) -> None:
        """Write what is known where the function reads it."""
        columns, kinds = self.found.objectives, self.native.kinds
        if self.kind == "front" and len(columns) > 2:
            self._tell_blocks(columns)
            return
        if self.kind == "top":
            columns = [column[-1:] if len(column) >= self.keep else column[:0] for column in columns]
        elif self.kind != "front":
            return
        self.state[code.KNOWN] = len(columns[0])
        self.known = [_written(column, kind) for column, kind in zip(columns, kinds, strict=True)]
        self._point(code.ROW, self.known)

    def _tell_blocks(self, columns: list[Any]) -> None:
        """Known points in blocks of near ones, and the least values of each block."""
        order = near(columns)
        order = np.concatenate((order, np.repeat(order[-1:], -len(order) % code.ROWS)))
        self.state[code.KNOWN] = len(order) // code.ROWS
        self.known, self.least = [], []
        for column, kind in zip(columns, self.native.kinds, strict=True):
            rows = column[order]
            self.known.append(_written(rows, kind))
            self.least.append(_written(np.minimum.reduce(rows.reshape(-1, code.ROWS), axis=1), kind))
        self._point(code.ROW, self.known)
        self._point(code.LEAST, self.least)

    def _point(self, column: int, arrays: list[Any]) -> None:
        """Write addresses where the function reads them."""
        for place, array in enumerate(arrays):
            self.state[code.slot(place, column)] = array.ctypes.data


def _buffer(kind: int, length: int) -> Any:
    return np.empty((length, 2) if kind == TWO else length, dtype=np.float64 if kind == FLOAT else np.int64)


def _read(column: Any, kind: int, length: int) -> Any:
    """Exact integers of a buffer; 128 bits lie there as two words, the lower first."""
    part = column[:length]
    if kind == TWO:
        return part[:, 1].astype(object) * 2**64 + part[:, 0].astype(np.uint64).astype(object)
    return part.astype(np.int64)


def _written(column: Any, kind: int) -> Any:
    if kind != TWO:
        return np.ascontiguousarray(column, dtype=np.float64 if kind == FLOAT else np.int64)
    buffer = _buffer(kind, len(column))
    for row, value in enumerate(column.tolist()):
        buffer[row] = (value + 2**63) % 2**64 - 2**63, value >> 64
    return buffer


def _compiled(text: str) -> Any:
    """Machine code for this processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(text)
    module.verify()
    target = llvm.Target.from_default_triple()
    machine_ = target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3
    )
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = True
    builder = llvm.create_pass_builder(machine_, options)
    builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, machine_)
    engine.finalize_object()
    return engine


def can_run(nest: Nest) -> bool:
    """Whether every number fits 128 bits, and no number of 128 bits is divided, for which processors have no instruction."""
    tiers = nest.plan.tiers
    tests = [test for level in nest.levels for test in level.tests]
    kinds = ((tiers.both(node), node.op) for node in cone(tests))
    return all(max(pair) <= TWO and not (pair[1] == TWO and op in ("floordiv", "mod")) for pair, op in kinds)
