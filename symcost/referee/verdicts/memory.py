"""Level 3: what a compiler's program holds in memory, against what the program must and may hold."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

from symcost.agreement.check import Check
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.hlo import Module, parse
from symcost.hlo.counting.bytes import in_tiles, stored
from symcost.hlo.counting.heap import replay
from symcost.hlo.explaining.attribution import attributed
from symcost.referee.compilers.answer import TargetAnswer
from symcost.referee.compilers.program import JaxProgram
from symcost.referee.compilers.targets import TPU, Target

ALIGNMENT = 256
"""Bytes: the widest alignment of XLA's buffers, on GPUs."""
WITNESS = "the compiler's memory analysis"
OWN_PEAK = "our liveness peak of the activations, none fused"
PEAK = "peak (arguments, results and temporaries)"


def held(answer: TargetAnswer) -> dict[str, int]:
    """The compiler's figures by short names; the peak is their sum, since compilers differ in what theirs leaves out."""
    own = {name.removesuffix("_size_in_bytes").removesuffix("_in_bytes"): size for name, size in answer.memory.items()}
    named = {"arguments": own.get("argument", 0), "results": own.get("output", 0), "temporaries": own.get("temp", 0),
             "aliased": own.get("alias", 0)}  # fmt: skip
    return {**named, "peak": named["arguments"] + named["results"] + named["temporaries"] - named["aliased"]}


def liveness(costs: CostTable) -> dict[str, int]:
    """Our own peak of the activations, to be read beside the compiler's temporaries; nothing where it has no closed form."""
    peak = costs.peak if costs.parts.peak is not None else None
    try:
        size = None if peak is None else peak(unit="bytes")
    except SymcostError:
        return {}
    return {OWN_PEAK: size} if isinstance(size, int) else {}


@lru_cache(maxsize=16)
def live(text: str, paths: tuple[str | None, ...]) -> dict[str, int]:
    """Bytes of the temporaries alive at the peak of a program, by module, from its schedule."""
    return dict(replay(attributed(parse(text), paths)).live)


def checks(
    target: Target, answer: TargetAnswer, program: JaxProgram, intermediates: int | None, read: bool = True
) -> list[Check]:
    """Arguments are known to the byte, in tiles where the target stores tiles; the peak lies between bounds.

    At least the arguments and results are held. At most: those, every intermediate of the program at once, a second
    copy of the arguments (compilers transpose weights), the workspaces of library calls, and ``ALIGNMENT`` bytes more
    for every buffer. Where arrays are stored in tiles, or where nobody
    knows how often a loop runs, there is no upper bound; nor where the program's text
    was not ``read``, which alone tells tiles and workspaces.
    """
    sizes = held(answer)
    text = parse(answer.text) if read else None
    arguments, results = _bytes(program.closed.in_avals), _bytes(program.closed.out_avals)
    tiled = target.platform == TPU
    most = None
    if text is not None and not tiled and intermediates is not None:
        most = 2 * arguments + results + intermediates + overhead(text)
    known = arguments if not tiled else None if text is None else _in_tiles(text)
    exact = [] if known is None else [
        Check(level=3, target=target.name, metric="bytes of arguments" + (" in tiles" if tiled else ""), ours=known,
              theirs=sizes["arguments"], witness=WITNESS)
    ]  # fmt: skip
    return [
        *exact,
        Check(level=3, target=target.name, metric=PEAK, ours=arguments + results, theirs=sizes["peak"], witness=WITNESS,
              limits=(arguments + results, most),
              because="a bound: arguments and results at least, at most every intermediate and the arguments twice"),
    ]  # fmt: skip


def _in_tiles(text: Module) -> int:
    return sum(in_tiles(i.shape) for i in text.entry.instructions if i.opcode == "parameter")


def overhead(text: Module) -> int:
    """Workspaces of library calls, and what alignment may add to every buffer."""
    instructions = [i for home in text.computations.values() for i in home.instructions]
    spaces = [leaf for i in instructions if i.opcode == "custom-call" and i.shape.is_tuple
              for leaf in i.shape.parts[1:] if not leaf.is_tuple and leaf.dtype in ("u8", "s8")]  # fmt: skip
    return sum(map(stored, spaces)) + ALIGNMENT * len(instructions)


def _bytes(avals: Any) -> int:
    """Bytes of arrays as stored without padding."""
    return sum(prod(aval.shape) * aval.dtype.itemsize for aval in avals)
