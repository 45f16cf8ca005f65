"""Runs a job's parts side by side and joins what they find."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from symcost.sweep.partial import Partial
from symcost.sweep.task import Job, ranges, run_part, search

PARTS_PER_WORKER = 8
SPARE = 1
"""Parts that wait beside those that run, so that no worker does."""
Report = Callable[[int, int, Partial], None]
"""Is told outer steps done, outer steps in all, and what was found so far."""


@dataclass(frozen=True)
class Settings:
    """How a search runs: on threads of this process, or on any executor; and who is told how far it is."""

    workers: int | None = None
    executor: Executor | None = None
    engine: str = "auto"
    on_progress: Report | None = None

    @property
    def width(self) -> int:
        """Parts that run at the same time."""
        return self.workers or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(job: Job, settings: Settings) -> Partial:
    """Everything the job's parts find."""
    found = search(job)
    parts = ranges(found.outer, settings.width * PARTS_PER_WORKER)
    total, done = Partial(job.kind), 0
    for (start, stop), part in submitted(job, parts, settings, found.seeds):
        total, done = total.joined(part, job.keep), done + stop - start
        if settings.on_progress:
            settings.on_progress(done, found.outer, total)
        if total.overflow:
            break
    return total


def submitted(
    job: Job, parts: list[tuple[int, int]], settings: Settings, seeds: Partial | None
) -> Iterator[tuple[tuple[int, int], Partial]]:
    """Parts with their results as they are ready; no more are under way than there are workers for.

    A part is told what all parts before it gave: equal objectives go to the smaller number, so that it may cut what is
    equal too and the result stays the same however the parts are run.
    """
    known, before = seeds, dict[int, tuple[int, Partial]]()
    reached = parts[0][0] if parts else 0
    with ExitStack() as stack:
        executor = settings.executor or stack.enter_context(ThreadPoolExecutor(settings.width))
        waiting, running = list(reversed(parts)), dict[Future[Any], tuple[int, int]]()
        stack.callback(lambda: [future.cancel() for future in running])
        while waiting or running:
            while waiting and len(running) < settings.width + SPARE:
                part = waiting.pop()
                running[executor.submit(run_part, job, *part, known)] = part
            ready, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ready:
                (start, stop), result = running.pop(future), future.result()
                before[start] = stop, result
                while job.kind in ("top", "front") and reached in before:
                    reached, found = before.pop(reached)
                    known = found if known is None else known.joined(found, job.keep)
                yield (start, stop), result
