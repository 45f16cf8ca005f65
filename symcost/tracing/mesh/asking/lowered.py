"""A program that was lowered for a mesh, and the same at other sizes: the text whose numbers are closed forms of these.

A model is traced and lowered at a few points alone. Where the texts differ in numbers that have closed forms, the text at any
further point is written, and XLA's partitioner is asked of it. Numbers that are no integers may be those of the first point:
what is cut, and where, does not depend on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from symcost.costs.mesh.plan import Axes
from symcost.formulas.form import Form
from symcost.hlo import Computation, Instruction, Module, Shape, parse
from symcost.tracing.fitting.monomials import Monomials
from symcost.tracing.mesh.asking.asked import asked, read

TOKEN = re.compile(
    r"""(?P<place>^\#loc.*\n?|\#loc\d*)
    |(?P<word>"(?:[^"\\]|\\.)*"|[%\#@^][\w$.]+|[A-Za-z_][\w$.]*|0x[0-9A-Fa-f]+)
    |(?P<real>-?\d+\.\d+(?:[eE][+-]?\d+)?)
    |(?P<dims>(?<=tensor<)\d+(?:x\d+)*(?=x[a-z!]))
    |(?P<whole>-?\d+)""",
    re.VERBOSE | re.MULTILINE,
)
"""What a text is made of beside signs: places in source files, words, real numbers, sizes of an array, other integers."""
MANUAL = "sdy.manual_computation"
"""What is written for one device by hand: how it is, may depend on the mesh."""
MOST_ELEMENTS, ELIDED = 256, "__elided__"
"""Of constants that are written; of larger ones there is no text."""


@dataclass(frozen=True)
class Entering:
    """An array that enters the program: its role and path, its whole shape, and the axes that cut its dimensions."""

    role: str
    path: str
    shape: tuple[int, ...]
    dtype: str
    cut: tuple[Axes, ...]
    frozen: bool = False

    def local(self, mesh: Mapping[str, int]) -> tuple[int, ...]:
        """The shape on one device."""
        parts = (prod(mesh[axis] for axis in axes) for axes in self.cut)
        return tuple(size // part for size, part in zip(self.shape, parts, strict=True))


@dataclass(frozen=True)
class Partitioned:
    """The program of one device, the arrays that enter it, the sizes of the mesh, its results and what it keeps."""

    module: Module
    arguments: tuple[Entering, ...]
    mesh: Mapping[str, int]
    results: tuple[Shape, ...] = ()
    residuals: tuple[Shape, ...] = ()


@dataclass(frozen=True)
class LoweredProgram:
    """A program lowered for a mesh: its module, the arrays that enter it, and how many of its last results are residuals."""

    module: Any
    arguments: tuple[Entering, ...]
    mesh: Mapping[str, int]
    saved: int

    def partitioned(self) -> Partitioned:
        """What XLA's partitioner makes of it. Errors: it cannot be cut."""
        module = parse(asked(self.module, self.mesh))
        *names, _ = module.entry.root.operands  # the last one is of the call that ends it
        instructions = [module.entry.by_name[name] for name in names]
        split = len(instructions) - self.saved
        shapes = tuple(leaf for i in instructions[:split] for leaf in i.shape.leaves())
        return Partitioned(module, self.arguments, self.mesh, shapes, tuple(_kept(module.entry, instructions[split:])))

    def text(self) -> str:
        """The module as text."""
        return self.module.operation.get_asm(enable_debug_info=True, large_elements_limit=MOST_ELEMENTS)


def _kept(home: Computation, saved: Sequence[Instruction]) -> Iterable[Shape]:
    """What one device keeps of each residual; one that a single number fills is made again where it is read."""
    for i in saved:
        if not (i.opcode == "broadcast" and home.by_name[i.operands[0]].opcode == "constant"):
            yield from i.shape.leaves()


@dataclass(frozen=True)
class LoweredText:
    """The text of a program at any sizes: pieces of it, and the forms of the integers between them."""

    pieces: tuple[str, ...]
    slots: tuple[int, ...]
    forms: tuple[Form, ...]
    arrays: frozenset[tuple[int, ...]]
    program: LoweredProgram
    """The one at the first point."""
    shapes: tuple[tuple[Form, ...], ...]

    @classmethod
    def of(cls, programs: Sequence[LoweredProgram], points: Sequence[Mapping[str, int]], symbols: Sequence[str],
           factors: Iterable[Form]) -> LoweredText | None:  # fmt: skip
        """The text that is that of each program at its point, or nothing where the texts differ otherwise."""
        monomials = Monomials(symbols, points, factors)
        texts = [program.text() for program in programs] if monomials.tells else []
        if not texts or any(ELIDED in text or MANUAL in text for text in texts):
            return None
        found = list(map(_split, texts))
        if any(each.words != found[0].words or each.arrays != found[0].arrays for each in found):
            return None
        columns = list(zip(*(each.numbers for each in found), strict=True))
        entering = [[each.shape for each in program.arguments] for program in programs]
        sizes = [list(zip(*shapes, strict=True)) for shapes in zip(*entering, strict=True)]
        forms = {column: monomials.form(column) for column in {*columns, *(c for each in sizes for c in each)}}
        known = {column: form for column, form in forms.items() if form is not None}
        if len(known) < len(forms):
            return None
        order = {column: place for place, column in enumerate(known)}
        return cls(tuple(found[0].pieces), tuple(order[column] for column in columns), tuple(known.values()),
                   frozenset(tuple(order[columns[k]] for k in range(*span)) for span in found[0].arrays), programs[0],
                   tuple(tuple(known[column] for column in each) for each in sizes))  # fmt: skip

    def largest(self, point: Mapping[str, int]) -> int:
        """The number of elements of the largest array at a point."""
        values = Form.values(self.forms, point)
        return max((int(prod(values[k] for k in array)) for array in self.arrays), default=0)

    def at(self, point: Mapping[str, int], mesh: Mapping[str, int]) -> LoweredProgram:
        """The program at a point, on a mesh of these sizes."""
        values = [str(value) for value in Form.values(self.forms, point)]
        text = [self.pieces[0]]
        for slot, piece in zip(self.slots, self.pieces[1:], strict=True):
            text += values[slot], piece
        return LoweredProgram(read("".join(text)), self.entering(point), mesh, self.program.saved)

    def entering(self, point: Mapping[str, int]) -> tuple[Entering, ...]:
        """The arrays that enter the program at a point."""
        shapes = (tuple(int(form.value(point)) for form in shape) for shape in self.shapes)
        return tuple(replace(each, shape=shape) for each, shape in zip(self.program.arguments, shapes, strict=True))


@dataclass
class _Split:
    """A text in pieces: what is between its integers, these, which of them are an array's, and what must be alike."""

    pieces: list[str]
    numbers: list[int]
    arrays: list[tuple[int, int]]
    words: str


def _split(text: str) -> _Split:
    pieces, numbers, arrays, words = [], [], [], []
    start = 0  # of the piece
    word = 0  # of what must be alike
    for token in TOKEN.finditer(text):
        if token.lastgroup == "word":
            continue
        words.append(text[word : token.start()])
        word = token.end()
        if token.lastgroup == "place":
            continue
        words.append("\0")
        if token.lastgroup == "real":
            continue
        if token.lastgroup == "dims":
            arrays.append((len(numbers), len(numbers) + token[0].count("x") + 1))
        place = token.start()
        for number in token[0].split("x"):
            pieces.append(text[start:place])
            numbers.append(int(number))
            start = place + len(number)
            place = start + 1
    return _Split([*pieces, text[start:]], numbers, arrays, "".join([*words, text[word:]]))
