"""The program of one device as records: what each instruction computes, by the rules of the primitives that it stands for.

An instruction whose cost follows from shapes is a record of its primitive; products and what no primitive stands for carry
their counts as integers, which are fitted as any column; collectives carry the axes of the mesh that they run along. What a
device computes of its own number alone, where its part of an array begins, is none: XLA writes it once or once more by the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from symcost.costs.mesh.collectives import KINDS
from symcost.errors import TraceError
from symcost.hlo import Computation, Module, Shape, analyse
from symcost.hlo.counting.executed import Executed, executed
from symcost.hlo.counting.library import restored
from symcost.hlo.counting.rules import ANNOTATIONS, FREE, REGION, leaf_rule
from symcost.hlo.counting.sent import kind_of
from symcost.hlo.reading.groups import axes_of
from symcost.hlo.reading.order import post_order
from symcost.hlo.reading.scopes import FORWARD, module_of, phase_of
from symcost.rules import ENTRIES, Array, Facts
from symcost.tracing.counting.costing import STATE
from symcost.tracing.mesh.asking.asked import STOP
from symcost.tracing.mesh.asking.lowered import Entering, Partitioned
from symcost.tracing.program.capture import Keys
from symcost.tracing.program.records import FROZEN, Key, Program, Record

NOT_RUN = {*ANNOTATIONS, STOP}
"""Calls that only say something of the program."""
NUMBER = ("partition-id", "replica-id")
"""Of a device."""
COLLECTIVE = "collective"
"""Source of records that exchange and compute nothing."""
DTYPES: Mapping[str, str] = {
    "pred": "bool", "bf16": "bfloat16", "f16": "float16", "f32": "float32", "f64": "float64", "c64": "complex64",
    "c128": "complex128", **{f"s{bits}": f"int{bits}" for bits in (2, 4, 8, 16, 32, 64)},
    **{f"u{bits}": f"uint{bits}" for bits in (2, 4, 8, 16, 32, 64)},
}  # fmt: skip
"""Number types by XLA's names."""
PRIMITIVES: Mapping[str, str] = {
    "abs": "abs", "add": "add", "and": "and", "atan2": "atan2", "cbrt": "cbrt", "ceil": "ceil", "clamp": "clamp",
    "compare": "eq", "convert": "convert_element_type", "cosine": "cos", "divide": "div", "erf": "erf",
    "exponential": "exp", "exponential-minus-one": "expm1", "floor": "floor", "imag": "imag", "is-finite": "is_finite",
    "log": "log", "log-plus-one": "log1p", "logistic": "logistic", "maximum": "max", "minimum": "min",
    "multiply": "mul", "negate": "neg", "not": "not", "or": "or", "popcnt": "population_count", "power": "pow",
    "real": "real", "remainder": "rem", "round-nearest-even": "round", "rsqrt": "rsqrt", "select": "select_n",
    "shift-left": "shift_left", "shift-right-arithmetic": "shift_right_arithmetic",
    "shift-right-logical": "shift_right_logical", "sign": "sign", "sine": "sin", "sqrt": "sqrt", "subtract": "sub",
    "tan": "tan", "tanh": "tanh", "xor": "xor",
}  # fmt: skip
"""The primitive of an opcode, whose rule counts it from shapes."""
REDUCED: Mapping[str, str] = {
    "add": "reduce_sum", "multiply": "reduce_prod", "maximum": "reduce_max", "minimum": "reduce_min",
    "and": "reduce_and", "or": "reduce_or", "xor": "reduce_xor",
}  # fmt: skip
"""The reduction of what joins two elements."""
Typed = tuple[str, tuple[int, ...]]
"""The number type and the shape of an array."""


def records_of(cut: Partitioned, keys: Keys) -> Program:
    """The records of one device's program. Errors: a call whose work is hidden."""
    reader = _Instructions(cut.module, cut.mesh, keys)
    program = Program()
    program.inputs = [reader.entering(argument) for argument in cut.arguments]
    program.records = list(reader.records())
    program.residuals = [reader.kept(array) for array in cut.residuals]
    program.strides |= reader.strides
    return program


class _Instructions:
    def __init__(self, module: Module, mesh: Mapping[str, int], keys: Keys) -> None:
        self.module, self.mesh, self.keys = module, mesh, keys
        self.strides: set[int] = set()
        self._places: dict[str, set[str]] = {}

    def entering(self, argument: Entering) -> Record:
        """An array that enters the program, as large as it is on one device."""
        op = {"params": "param", "inputs": "input", "arrays": "input"}.get(argument.role, argument.role)
        _, *names = argument.path.split("/")
        name = "/".join(names) if op == "input" else "".join(names[-1:])
        static: tuple[str, ...] = (name, *([FROZEN] if argument.frozen else ()))
        path = "/".join(names[:-1]) if op in ("param", STATE, "rngs") else ""
        array = (argument.dtype, argument.local(self.mesh))
        return self._record(path, FORWARD, op, Facts(static), [], [array], "input", 1)

    def kept(self, array: Shape) -> Record:
        """What one device keeps of an array for the backward pass."""
        return self._record("", FORWARD, "residual", Facts(()), [], [_array(array)], "rule", 1)

    def records(self) -> Iterable[Record]:
        """The instructions that cost something or exchange something, as they run."""
        for run in executed(self.module, self._weight):
            i = run.instruction
            if kind_of(i) is not None:
                yield self._collective(run)
            elif i.opcode not in FREE and i.custom_call_target not in NOT_RUN and i.name not in self._own(run.home):
                yield self._computing(run)

    def _own(self, home: Computation) -> set[str]:
        """Names of the single integers that a computation makes of the device's number, and of constants, alone."""
        if home.name not in self._places:
            own, known = set[str](), set[str]()
            for i in post_order(home):
                made = i.opcode in NUMBER or any(name in own for name in i.operands)
                if made and i.opcode not in REGION and all(name in own | known for name in i.operands):
                    known.add(i.name)
                    own |= {i.name} if _is_one_integer(i.shape) else set()
                elif i.opcode == "constant":
                    known.add(i.name)
            self._places[home.name] = own
        return self._places[home.name]

    def _weight(self, branch: Computation) -> int:
        counted = analyse(Module(branch.name, branch, self.module.computations))
        return counted.flops + counted.transcendentals

    def _collective(self, run: Executed) -> Record:
        i = run.instruction
        kind = kind_of(i)
        if kind not in KINDS:
            raise TraceError(f"{kind} of {run.op_name or i.name}: collectives of this kind are not told yet")
        axes, size = axes_of(i, self.mesh)
        operands = [leaf for name in i.operands for leaf in run.home.by_name[name].shape.leaves()]
        larger = max(list(i.shape.leaves()), operands, key=lambda shapes: sum(shape.elements for shape in shapes))
        return self._of(run, kind, (*axes,), [], larger, {"group": size}, COLLECTIVE)

    def _computing(self, run: Executed) -> Record:
        i = run.instruction
        shapes = [run.home.by_name[name].shape for name in i.operands]
        operands = [leaf for shape in shapes for leaf in shape.leaves()]
        results = list(i.shape.leaves())
        if i.opcode == "dot":
            contracted = i.integers("lhs_contracting_dims")
            return self._of(run, "dot_general", (contracted,), operands, results, {}, "rule")
        if i.opcode == "convolution":
            return self._convolution(run, operands, results)
        if i.opcode in PRIMITIVES:
            return self._of(run, PRIMITIVES[i.opcode], (), operands, results, {}, "rule")
        if i.opcode == "reduce" and len(results) == 1 and (name := self._joins(run)) in REDUCED:
            return self._of(run, REDUCED[name], (), operands[:1], results, {}, "rule")
        return self._of(run, i.opcode, (), operands, results, self._counts(run, shapes), "probe")

    def _convolution(self, run: Executed, operands: Sequence[Shape], results: Sequence[Shape]) -> Record:
        """A convolution by the rule of its primitive, whose facts are read from the window."""
        labels, window = run.instruction.dim_labels, run.instruction.window
        self.strides.update(factor for w in window for factor in (w.stride, w.lhs_dilate, w.rhs_dilate))

        def spec(side: str, *first: str) -> tuple[int, ...]:
            return tuple(labels.at(side, label) for label in (*first, *range(len(window))))

        numbers = SimpleNamespace(
            lhs_spec=spec("lhs", "b", "f"), rhs_spec=spec("rhs", "o", "i"), out_spec=spec("out", "b", "f")
        )
        params = {
            "dimension_numbers": numbers, "window_strides": [w.stride for w in window],
            "padding": [(w.pad_low, w.pad_high) for w in window], "lhs_dilation": [w.lhs_dilate for w in window],
            "rhs_dilation": [w.rhs_dilate for w in window],
        }  # fmt: skip
        ins, outs = list(map(_array, operands)), list(map(_array, results))
        arrays = [tuple(Array(shape, dtype) for dtype, shape in side) for side in (ins, outs)]
        facts = ENTRIES["conv_general_dilated"].extract(params, *arrays)
        path, phase = module_of(run.op_name) or "", phase_of(run.op_name)
        return self._record(path, phase, "conv_general_dilated", facts, ins, outs, "rule", run.times)

    def _joins(self, run: Executed) -> str:
        """What joins two elements of a reduction."""
        return self.module.computations[run.instruction.calls("to_apply")[0]].root.opcode

    def _counts(self, run: Executed, shapes: Sequence[Shape]) -> dict[str, int]:
        """What an instruction costs that no rule of a primitive counts from shapes."""
        i = run.instruction
        if i.opcode == "ragged-dot":
            return {"macs": leaf_rule(i)(i, shapes)[0] // 2, "materialises": 1}
        if i.opcode == "custom-call":
            found = restored(i, list(shapes))
            if found.unknown:
                raise TraceError(
                    f"a call of {found.unknown} in {run.op_name or i.name}, whose work is hidden, is not told"
                )
            flops, calls = found.count
        elif i.opcode in REGION:
            flops, calls = self._region(run, shapes)
        else:
            flops, calls = leaf_rule(i)(i, shapes)
        floats = any(leaf.dtype.startswith(("f", "bf", "c")) for leaf in i.shape.leaves())
        return {"flops" if floats else "int_ops": flops, "transcendentals": calls}

    def _region(self, run: Executed, shapes: Sequence[Shape]) -> tuple[int, int]:
        flops = calls = 0
        for role, times in REGION[run.instruction.opcode](run.instruction, shapes):
            inner = self.module.computations[(run.instruction.calls(role) or run.instruction.calls("to_apply"))[0]]
            counted = analyse(Module(inner.name, inner, self.module.computations))
            flops, calls = flops + counted.flops * times, calls + counted.transcendentals * times
        return flops, calls

    def _of(self, run: Executed, op: str, static: tuple[Any, ...], ins: Sequence[Shape], outs: Sequence[Shape],
            facts: Mapping[str, int], source: str) -> Record:  # fmt: skip
        name, counts = run.op_name, Facts(static, {fact: (number,) for fact, number in facts.items()})
        return self._record(module_of(name) or "", phase_of(name), op, counts, list(map(_array, ins)),
                            list(map(_array, outs)), source, run.times)  # fmt: skip

    def _record(self, path: str, phase: str, op: str, facts: Facts, ins: Sequence[Typed], outs: Sequence[Typed],
                source: str, times: int) -> Record:  # fmt: skip
        names = tuple((name, len(numbers)) for name, numbers in facts.sizes.items())
        key = Key(path, phase, op, facts.static, names, _types(ins), _types(outs), (), (), source)
        sizes = [size for _, shape in (*ins, *outs) for size in shape]
        counts = [number for numbers in facts.sizes.values() for number in numbers]
        return Record(
            self.keys.setdefault(key, key), (*sizes, *counts, times, 1), origin=facts.origin, beside=facts.beside
        )


def _is_one_integer(shape: Shape) -> bool:
    return not shape.is_tuple and shape.elements == 1 and shape.dtype.startswith(("s", "u", "pred"))


def _array(shape: Shape) -> Typed:
    return DTYPES.get(shape.dtype, shape.dtype), shape.dims


def _types(arrays: Sequence[Typed]) -> tuple[tuple[str, int], ...]:
    return tuple((dtype, len(shape)) for dtype, shape in arrays)
