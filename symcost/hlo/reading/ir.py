"""What a parsed HLO module is made of. Attributes are read from their text when they are first asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from symcost.hlo.reading.shapes import Shape
from symcost.hlo.reading.text import HloError, attributes, integers

# The attributes that name computations, in the order XLA's cost analysis visits them.
_CALLS = (
    "to_apply", "calls", "body", "condition", "select", "scatter",
    "branch_computations", "true_computation", "false_computation", "called_computations",
)  # fmt: skip
_NAME = re.compile(r"[^\s,{}%]+")
_OP_NAME = re.compile(r'op_name="((?:[^"\\]|\\.)*)"')
_METADATA = re.compile(r', metadata=\{op_name="((?:[^"\\]|\\.)*)"')  # the usual place, without reading all attributes
_TRIPS = re.compile(r'"known_trip_count"\s*:\s*\{\s*"n"\s*:\s*"?(\d+)')


@dataclass(frozen=True)
class WindowDim:
    """One dimension of a window, in elements; dilations and stride are 1 when not printed, padding 0."""

    size: int
    stride: int = 1
    pad_low: int = 0
    pad_high: int = 0
    lhs_dilate: int = 1
    rhs_dilate: int = 1


@dataclass(frozen=True)
class DimLabels:
    """`dim_labels` of a convolution: where batch, feature and spatial dimensions are in lhs, rhs, output."""

    lhs: str
    rhs: str
    out: str

    def at(self, side: str, label: str | int) -> int:
        """Position of `label` (`b`, `f`, `i`, `o` or a spatial number) in `side` (`lhs`, `rhs`, `out`)."""
        return {"lhs": self.lhs, "rhs": self.rhs, "out": self.out}[side].index(str(label))


@dataclass(frozen=True)
class Instruction:
    """One line of HLO. `argument` is the raw text in the parentheses, `tail` the attributes after them."""

    name: str
    opcode: str
    shape: Shape
    operands: tuple[str, ...] = ()
    argument: str = field(default="", repr=False)
    tail: str = field(default="", repr=False)
    is_root: bool = False

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """Attributes by name, as written."""
        return attributes(self.tail)

    def integers(self, key: str) -> tuple[int, ...]:
        """A list-of-integers attribute such as `dimensions` or `lhs_contracting_dims`; empty when absent."""
        return integers(self.attributes.get(key, ""))

    def calls(self, role: str) -> tuple[str, ...]:
        """Names of the computations in attribute `role` (`to_apply`, `body`, `branch_computations`, ...)."""
        value = self.attributes.get(role)
        return () if value is None else tuple(_NAME.findall(value))

    @property
    def branches(self) -> tuple[str, ...]:
        """Names of the computations of a conditional, in the order of their numbers."""
        roles = ("branch_computations", "true_computation", "false_computation")
        return tuple(name for role in roles for name in self.calls(role))

    @cached_property
    def called(self) -> tuple[str, ...]:
        """Names of every computation this instruction calls, body before condition."""
        return tuple(name for role in _CALLS if f"{role}=" in self.tail for name in self.calls(role))

    @property
    def control_predecessors(self) -> tuple[str, ...]:
        """Instructions that must run before this one though it does not read them."""
        return self.calls("control-predecessors") if "control-predecessors=" in self.tail else ()

    @cached_property
    def window(self) -> tuple[WindowDim, ...]:
        """The window, one entry per dimension; empty when there is none."""
        text = self.attributes.get("window", "{}").strip("{}")
        raw = {key: value.split("x") for key, _, value in (item.partition("=") for item in text.split())}
        sizes = [int(size) for size in raw.get("size", ())]
        ones = ["1"] * len(sizes)
        pads = [pad.split("_") for pad in raw.get("pad", ["0_0"] * len(sizes))]
        strides, lhs, rhs = (raw.get(key, ones) for key in ("stride", "lhs_dilate", "rhs_dilate"))
        try:
            return tuple(
                WindowDim(size, int(s), int(low), int(high), int(ld), int(rd))
                for size, s, (low, high), ld, rd in zip(sizes, strides, pads, lhs, rhs, strict=True)
            )
        except ValueError:
            raise HloError(f"window {text!r} of {self.name!r} has unequal ranks: give XLA's text") from None

    @property
    def dim_labels(self) -> DimLabels:
        """The dimension labels of a convolution."""
        lhs, _, rest = self.attributes.get("dim_labels", "").partition("_")
        rhs, arrow, out = rest.partition("->")
        if not arrow:
            raise HloError(f"convolution {self.name!r} has no dim_labels: print it with its attributes")
        return DimLabels(lhs, rhs, out)

    @property
    def feature_group_count(self) -> int:
        """Feature groups of a convolution, 1 if not said."""
        return int(self.attributes.get("feature_group_count", "1"))

    @property
    def batch_group_count(self) -> int:
        """Batch groups of a convolution, 1 if not said."""
        return int(self.attributes.get("batch_group_count", "1"))

    @cached_property
    def op_name(self) -> str:
        """`metadata={op_name=...}`: path of the JAX operation it came from; `""` when the text has none."""
        if "op_name" not in self.tail:
            return ""
        match = _METADATA.search(self.tail) or _OP_NAME.search(self.attributes.get("metadata", ""))
        return match[1].replace('\\"', '"').replace("\\'", "'") if match else ""

    @property
    def backend_config(self) -> str:
        """Raw text of the backend configuration, `""` when absent."""
        return self.attributes.get("backend_config", "")

    @property
    def custom_call_target(self) -> str:
        """What a custom call calls."""
        return self.attributes.get("custom_call_target", "").strip('"')

    @property
    def literal(self) -> str | None:
        """Text of a scalar constant (`7`, `-inf`, `true`); None for anything else."""
        return self.argument.strip() if self.opcode == "constant" and not self.shape.dims else None

    @property
    def known_trip_count(self) -> int | None:
        """Trip count that XLA proved and wrote into the backend configuration of a while, else None."""
        match = _TRIPS.search(self.backend_config.replace('\\"', '"'))
        return int(match[1]) if match else None


@dataclass(frozen=True)
class Computation:
    """A named list of instructions, in the order of the text."""

    name: str
    instructions: tuple[Instruction, ...]
    root: Instruction

    @cached_property
    def by_name(self) -> Mapping[str, Instruction]:
        """Instructions by name."""
        return {instruction.name: instruction for instruction in self.instructions}

    @cached_property
    def users(self) -> Mapping[str, Sequence[Instruction]]:
        """Who reads every instruction, each reader once."""
        readers: dict[str, list[Instruction]] = {i.name: [] for i in self.instructions}
        for reader in self.instructions:
            for name in dict.fromkeys(reader.operands):
                readers[name].append(reader)
        return readers


@dataclass(frozen=True)
class Module:
    """A parsed module: the entry computation and every computation by name (the entry included)."""

    name: str
    entry: Computation
    computations: Mapping[str, Computation]
