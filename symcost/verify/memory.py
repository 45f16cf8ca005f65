"""Level 3: what a compiler's program holds in memory, against what the program must and may hold."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

from symcost.hlo import parse
from symcost.hlo.attribution import attributed
from symcost.hlo.heap import replay
from symcost.verify.verdict import Check
from symcost.xla.answer import Answer
from symcost.xla.program import Program
from symcost.xla.targets import TPU, Target

PEAK = "peak (arguments, results and temporaries)"


def held(answer: Answer) -> dict[str, int]:
    """The compiler's figures by short names; the peak counts temporaries, which some compilers leave out of theirs."""
    own = {name.removesuffix("_size_in_bytes").removesuffix("_in_bytes"): size for name, size in answer.memory.items()}
    named = {"arguments": own.get("argument", 0), "results": own.get("output", 0), "temporaries": own.get("temp", 0),
             "aliased": own.get("alias", 0)}  # fmt: skip
    peak = named["arguments"] + named["results"] + named["temporaries"] - named["aliased"]
    return {**named, "peak": max(peak, own.get("peak_memory", 0))}


@lru_cache(maxsize=16)
def live(text: str, paths: tuple[str | None, ...]) -> dict[str, int]:
    """Bytes of the temporaries alive at the peak of a program, by module, from its schedule."""
    return dict(replay(attributed(parse(text), paths)).live)


def checks(target: Target, answer: Answer, program: Program, intermediates: int) -> list[Check]:
    """Arguments and results are known to the byte where nothing is padded; the peak lies between bounds.

    At least the arguments and results are held. At most: those, every intermediate of the program at once, and a
    second copy of the arguments (compilers transpose weights).
    """
    found = held(answer)
    arguments, results = _bytes(program.closed.in_avals), _bytes(program.closed.out_avals)
    made = []
    if target.platform != TPU:  # TPUs store tiles
        made.append(Check(level=3, target=target.name, metric="bytes of arguments", ours=arguments,
                          theirs=found["arguments"], witness="the compiler's memory analysis"))  # fmt: skip
    made.append(Check(
        level=3, target=target.name, metric=PEAK, ours=arguments + results, theirs=found["peak"],
        witness="the compiler's memory analysis", limits=(arguments + results, 2 * arguments + results + intermediates),
        because="a bound: arguments and results at least, at most every intermediate and the arguments twice",
    ))  # fmt: skip
    return made


def _bytes(avals: Any) -> int:
    """Bytes of arrays, as stored without padding."""
    return sum(prod(aval.shape) * aval.dtype.itemsize for aval in avals if hasattr(aval.dtype, "itemsize"))
