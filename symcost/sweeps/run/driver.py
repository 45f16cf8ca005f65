"""Runs a job's parts side by side and joins what they find."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from symcost.errors import SpaceError, SymcostError
from symcost.reading.given import check
from symcost.reading.numerals import short
from symcost.sweeps.answers.partial import Partial
from symcost.sweeps.question.space import check_count
from symcost.sweeps.run.store import Store
from symcost.sweeps.run.task import SearchJob, ranges, run_part, search
from symcost.sweeps.run.workers import Workers

PARTS_PER_WORKER = 64
"""Parts differ in how much is cut: with many of them nobody waits long for the last one."""
WORDS = {"count": "counting", "top": "ranking", "front": "tracing the front", "all": "listing"}
DEATHS = 2
"""So often a part that was under way when a worker died is tried again."""
SPARE = 1
"""Parts that wait beside those that run, so that no worker does."""
MOST = 4096
"""Threads or processes that may be asked for."""
UNSAID = 64
"""So many parts are sent to an executor that does not say how many it runs at the same time."""
Report = Callable[[int, int, str], None]
"""Is told outer steps done, outer steps in all, and what they are searched for."""


@dataclass(frozen=True)
class Settings:
    """How a search runs: on threads, on processes of this machine, or on any executor; and who is told how far it is.

    ``workers`` says how many threads, or how many parts at the same time an executor takes that does not say so itself.
    """

    workers: int | None = None
    processes: int | None = None
    executor: Executor | None = None
    engine: str = "auto"
    on_progress: Report | None = None

    def __post_init__(self) -> None:
        if self.executor is not None and self.processes is not None:
            raise SpaceError("processes and executor are both given: give one of them")
        if self.workers is not None and self.processes is not None:
            raise SpaceError(
                f"workers={self.workers} (threads) and processes={self.processes} are both given: give one of them"
            )
        check("engine", self.engine, str, "sweep")
        if self.on_progress is not None and not callable(self.on_progress):
            raise SpaceError(
                f"on_progress={short(self.on_progress)} must be a function of steps done, steps in all, and words"
            )
        for name in ("workers", "processes"):
            if (number := getattr(self, name)) is not None:
                check_count(name, number, MOST, f"are more than any machine runs: give at most {MOST}")

    @property
    def width(self) -> int:
        """Parts that run at the same time: on an executor as many as it says, or as ``workers`` says of it."""
        if self.executor is not None:
            return self.workers or getattr(self.executor, "_max_workers", None) or UNSAID
        return self.processes or self.workers or cores()

    @property
    def parts(self) -> int:
        """Parts of a search."""
        return self.width * PARTS_PER_WORKER

    def opened(self) -> AbstractContextManager[Executor]:
        """The executor; one that was given stays open."""
        if self.executor is not None:
            return nullcontext(self.executor)
        return Workers(self.width) if self.processes else ThreadPoolExecutor(self.width)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(job: SearchJob, settings: Settings, executor: Executor, store: Store | None = None) -> Partial:
    """Everything the job's parts find; parts that the store has are not searched again."""
    prepared = search(job)
    parts = ranges(prepared.outer, store.parts if store else settings.parts)
    total, done = Partial(job.kind), 0
    loaded = {part: old for part in parts if store and (old := store.load(job, *part))}
    for (start, stop), part in loaded.items():
        total, done = total.joined(part, job.keep), done + stop - start
    if settings.on_progress and loaded:
        settings.on_progress(done, prepared.outer, WORDS[job.kind])
    if total.overflow:
        return total
    for (start, stop), part in submitted(job, parts, settings.width, executor, prepared.seeds, loaded):
        if store:
            store.save(job, start, stop, part)
        total, done = total.joined(part, job.keep), done + stop - start
        if settings.on_progress:
            settings.on_progress(done, prepared.outer, WORDS[job.kind])
        if total.overflow:
            break
    return total


def submitted(
    job: SearchJob,
    parts: list[tuple[int, int]],
    width: int,
    executor: Executor,
    seeds: Partial | None,
    loaded: dict[tuple[int, int], Partial],
) -> Iterator[tuple[tuple[int, int], Partial]]:
    """Parts with their results as they are ready; no more are under way than there are workers for.

    A part is told what all parts before it gave: equal objectives go to the smaller number, so that it may cut what is
    equal too and the result stays the same however the parts are run.
    """
    known, reached = seeds, 0
    before = {start: (stop, part) for (start, stop), part in loaded.items()}
    waiting = [part for part in reversed(parts) if part not in loaded]
    running: dict[Future[Any], tuple[int, int]] = {}
    deaths: Counter[tuple[int, int]] = Counter()
    try:
        while waiting or running:
            while job.kind in ("top", "front") and reached in before:
                reached, earlier = before.pop(reached)
                known = earlier if known is None else known.joined(earlier, job.keep)
            try:
                while waiting and len(running) < width + SPARE:
                    running[executor.submit(run_part, job, *waiting[-1], known)] = waiting[-1]
                    waiting.pop()
                ready, _ = wait(running, return_when=FIRST_COMPLETED)
                results = {future: future.result() for future in ready}
            except BrokenExecutor:
                lost = sorted(running.values(), reverse=True)
                _replaced(executor, deaths, lost or waiting[-1:])
                waiting.extend(lost)
                running.clear()
                continue
            except SymcostError:
                raise
            except Exception as problem:
                if isinstance(executor, Workers | ThreadPoolExecutor):
                    raise  # no network between here and there: not the executor's fault
                raise SpaceError(
                    f"the executor gave {type(problem).__name__}: {' '.join(str(problem).split()) or 'no more is said'}; "
                    "see to it and run again; with a folder the run goes on where it stopped"
                ) from problem
            for future, result in results.items():
                start, stop = running.pop(future)
                before[start] = stop, result
                yield (start, stop), result
    finally:
        for future in running:
            future.cancel()


def _replaced(executor: Executor, deaths: Counter[tuple[int, int]], lost: list[tuple[int, int]]) -> None:
    """New processes for those that died, unless they never worked or die of the same part again and again."""
    deaths.update(lost)
    if not isinstance(executor, Workers) or not executor.started:
        raise SpaceError(
            "a worker process died, or could not start (a script that uses processes needs its main part behind "
            "if __name__ == '__main__'): run it again; with a folder it goes on where it stopped"
        ) from None
    if max(deaths.values(), default=0) > DEATHS:
        raise SpaceError(
            f"worker processes died {DEATHS + 1} times at the same part, perhaps for want of memory: "
            "use fewer processes; with a folder the run goes on where it stopped"
        ) from None
    executor.renew()
