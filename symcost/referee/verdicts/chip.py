"""Level 3 of a plan: what one chip of the mesh holds, against the memory analysis of the compiled program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import prod

from symcost.agreement.check import Check
from symcost.costs.dtypes import item_bytes
from symcost.hlo import Module, Shape
from symcost.hlo.counting.bytes import in_tiles
from symcost.referee.compilers.answer import TargetAnswer
from symcost.referee.compilers.targets import CPU, TPU, Target
from symcost.referee.verdicts.exchange import Exchange
from symcost.referee.verdicts.memory import WITNESS, held, overhead
from symcost.tracing.mesh.instructions import DTYPES

POINTER = 8
"""Bytes of an entry in the table of several results; on TPUs half as many."""
NARROW = ("bfloat16", "float16")
"""Number types that CPUs compute with as float32."""
Array = tuple[str, tuple[int, ...]]
"""The number type and the shape of an array on one device."""


def checks(target: Target, answer: TargetAnswer, sent: Exchange, text: Module | None) -> list[Check]:
    """Arguments and results of one chip to the byte, in tiles where the target stores tiles; temporaries within a bound.

    The arguments are those of the closed form at the point, the results those of the program that XLA's partitioner cuts, with
    the table of pointers where there are several. Temporaries are at most every array that one device of our program makes or
    receives, another copy of its arguments, workspaces and alignment; where arrays are stored in tiles, every array of the
    compiled program. Where there is no ``text`` of it, nobody knows its tiles: then less than our bytes would be wrong.
    """
    sizes = held(answer)
    inputs = [row for row in sent.device.rows if row.source == "input"]  # of modules that repeat, one for all of them
    entering = [array for row in inputs for array in [(row.dtype, tuple(map(int, row.out)))] * int(row.times)]
    made = _Holds(target, text, sizes)
    found = [made.exact("arguments", entering, [] if text is None else _parameters(text))]
    if not isinstance(sent.cut, str):
        results = [_array(each) for each in sent.cut.results]
        found.append(made.exact("results", results, [] if text is None else list(text.entry.root.shape.leaves())))
    return [*found, *made.temporaries(sent, sum(map(_bytes, entering)))]


class _Holds:
    """What a compiler says that one device holds, beside what we say."""

    def __init__(self, target: Target, text: Module | None, sizes: dict[str, int]) -> None:
        self.target, self.text, self.sizes = target, text, sizes
        self.tiled = target.platform == TPU

    def exact(self, what: str, ours: Sequence[Array], theirs: Sequence[Shape]) -> Check:
        """Arguments or results; laid as in the compiled text, if its arrays are the same ones."""
        size = sum(map(_bytes, ours))
        if self.tiled and Counter(map(_array, theirs)) == Counter(ours):
            size = sum(map(in_tiles, theirs))
        if what == "results" and len(ours) > 1:
            size += self._table(len(ours))
        limits = (size, None) if self.tiled and self.text is None else None
        tiles = " in tiles" if self.tiled else ""
        because = "a bound: the program, which tells its tiles, was not read" if limits else ""
        return Check(level=3, target=self.target.name, metric=f"bytes of {what} on a device{tiles}", ours=size,
                     theirs=self.sizes[what], witness=WITNESS, limits=limits, because=because)  # fmt: skip

    def _table(self, results: int) -> int:
        """Bytes of the table of pointers to so many results."""
        if not self.tiled:
            return POINTER * results
        return -(-POINTER // 2 * results // self.target.granule) * self.target.granule

    def temporaries(self, sent: Exchange, arguments: int) -> list[Check]:
        """At most so much is made, beside arguments and results."""
        if self.text is None:
            return []
        if self.tiled:
            homes = self.text.computations.values()
            most, what = sum(in_tiles(i.shape) for home in homes for i in home.instructions), "every array compiled"
        else:
            made = int(sent.device.total("full").bytes_written) + sum(sent.predicted.values())
            narrow = any(row.dtype in NARROW for row in sent.device.rows) and self.target.platform == CPU
            most = (2 if narrow else 1) * (made + arguments) + overhead(self.text)
            what = "every array that a device makes or receives, and the arguments once more"
            what += ", as float32" if narrow else ""
        return [
            Check(level=3, target=self.target.name, metric="bytes of temporaries on a device", ours=most,
                  theirs=self.sizes["temporaries"], witness=WITNESS, limits=(0, most), because=f"a bound: at most {what}")
        ]  # fmt: skip


def _array(shape: Shape) -> Array:
    """An array of a compiled program in the number types of jax."""
    return DTYPES.get(shape.dtype, shape.dtype), shape.dims


def _bytes(array: Array) -> int:
    dtype, shape = array
    return prod(shape) * item_bytes(dtype)


def _parameters(text: Module) -> list[Shape]:
    """The arrays that enter a program, in the order of its arguments."""
    found = [i for i in text.entry.instructions if i.opcode == "parameter"]
    return [i.shape for i in sorted(found, key=lambda i: int(i.argument))]
