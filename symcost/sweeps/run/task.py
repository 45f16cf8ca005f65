"""One part of a search as something to be sent: to a thread, a process or another machine."""

from __future__ import annotations

import itertools
import pickle
from dataclasses import dataclass
from functools import cached_property, lru_cache
from threading import Lock
from typing import Any

import numpy as np

from symcost.errors import SpaceError
from symcost.reading.nearest import one_of
from symcost.sweeps.answers.partial import Kind, Partial
from symcost.sweeps.engines.nest import Nest
from symcost.sweeps.engines.points import evaluated, places_of
from symcost.sweeps.engines.seeds import seeds
from symcost.sweeps.numbers.program import GraphProgram
from symcost.sweeps.numbers.tiers import TWO
from symcost.sweeps.question.problem import Problem, SearchPlan
from symcost.sweeps.run.packed import packed
from symcost.system.extras import absent, installed, look

ENGINES = ("auto", "native", "jax", "numpy")
"""``auto`` takes machine code, or numpy where that is done before a compiler is.

JAX visits every configuration: over 10^9 of the benchmark's networks it takes 3 to 5 times as long on two cores, whether
bounds cut anything or not (``tests/bench_sweep.py``), and a small grid is done before it has compiled. So it is
there to be asked for, as on an accelerator. It counts, ranks and lists, exactly by the same kinds of numbers as the others;
fronts, and numbers beyond two words, go to the other engines. ``engine`` of an answer says which it was.
"""
SMALL = 10_000_000
"""Up to so many configurations numpy is done before a compiler is."""


@dataclass(frozen=True)
class SearchJob:
    """A problem, the kind of answer, how many survivors are kept, and by which engine."""

    problem: Problem
    kind: Kind
    keep: int
    engine: str = "auto"

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What tells jobs apart."""
        return self.problem.digest, self.kind, self.keep, self.engine

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SearchJob) and self.key == other.key

    @cached_property
    def _packed(self) -> bytes:
        return packed((self.problem, self.kind, self.keep, self.engine))

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (self._packed,)


@lru_cache(maxsize=8)
def _received(sent: bytes) -> SearchJob:
    """The job that was sent with a part; with the next part it is known."""
    return SearchJob(*pickle.loads(sent))


class Search:
    """A job made ready: the number of outer steps, the engine that was taken, the widest kind of its numbers, seeds.

    The engine itself is made by the first run: a process that only hands out parts compiles nothing.
    """

    def __init__(self, job: SearchJob) -> None:
        self.job, self.plan = job, SearchPlan(job.problem)
        self.nest = Nest(self.plan)
        widest = self.plan.tiers.largest([self.plan.feasible, *self.plan.objectives])
        self.outer, self.widest = self.nest.outer, widest
        self.engine = _engine(job, self.nest, widest)
        bounded = self.engine != "jax" and job.problem.size > SMALL
        self.seeds = seeds(self.plan, job.kind, job.keep) if bounded else None
        self._made: Any = None
        self._making = Lock()

    def run(self, start: int, stop: int, known: Partial | None = None) -> Partial:
        """Search some outer steps; ``known`` is what the steps before them gave, and seeds."""
        with self._making:
            if self._made is None:
                self._made = _made(self.engine)(self.nest, self.job.kind, self.job.keep)
        return self._made.run(start, stop, known)


def _made(engine: str) -> Any:
    """The class of an engine, imported when it is taken."""
    if engine == "jax":
        from symcost.sweeps.engines.mesh import Mesh as Engine
    elif engine == "native":
        from symcost.sweeps.engines.native import Native as Engine
    else:
        from symcost.sweeps.engines.frontier import Frontier as Engine
    return Engine


@lru_cache(maxsize=64)
def search(job: SearchJob) -> Search:
    """The search of a job; made once in every process."""
    one_of(job.engine, ENGINES, "engine", SpaceError)
    return Search(job)


def _engine(job: SearchJob, nest: Nest, widest: int) -> str:
    """The engine that is asked for, or a slower one that can hold the numbers, or has what it needs."""
    if job.engine == "jax" and job.kind != "front" and widest <= TWO:
        return "jax"
    large = job.engine == "native" or (job.engine == "auto" and job.problem.size > SMALL)
    if large and installed("llvmlite"):
        from symcost.sweeps.engines.native import can_run

        if can_run(nest):
            return "native"
    return "numpy"


def search_note(size: int, engine: str) -> str | None:
    """What a large search without a compiler is told before it begins; asked for by name, the engine has to be there."""
    if engine == "native":
        look('engine="native"', "llvmlite", error=SpaceError)
    if engine != "auto" or size <= SMALL or installed("llvmlite"):
        return None
    return (
        absent("llvmlite", f"a fast search of {size:,} configurations")
        + "; numpy searches, and takes many times as long"
    )


def run_part(job: SearchJob, start: int, stop: int, known: Partial | None = None) -> Partial:
    """Search some outer steps of a job; ``known`` is what the steps before them gave, and seeds."""
    return search(job).run(start, stop, known)


def values_of(job: SearchJob, index: Any) -> list[Any]:
    """Objectives of configurations by their numbers."""
    plan = search(job).plan
    if not plan.objectives or not len(index):
        return [np.empty(0, dtype=np.int64) for _ in plan.objectives]
    program = GraphProgram(plan.tiers, (plan.feasible, *plan.objectives))
    return evaluated(plan, program, places_of(plan, index))[1]


def ranges(outer: int, parts: int) -> list[tuple[int, int]]:
    """The outer steps in at most so many nearly equal ranges.

    >>> ranges(10, 3)
    [(0, 4), (4, 7), (7, 10)]
    """
    parts = min(parts, outer)
    edges = [outer * i // parts + (1 if outer * i % parts else 0) for i in range(parts + 1)]
    return list(itertools.pairwise(edges))
