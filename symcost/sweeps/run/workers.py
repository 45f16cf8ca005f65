"""Worker processes that die with their parent, however it dies, and are replaced when one of them dies."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from symcost.system.interrupt import held

PATIENCE = 0.5
"""Seconds between two looks at the parent."""


class Workers(Executor):
    """A pool of fresh processes: nothing of this one, threads and compilers included, is copied into them.

    A pool breaks when one of its processes dies; :meth:`renew` puts another in its place. An interruption is the parent's
    alone: the processes do not heed it, and are ended with what they are at when the ``with`` block is left by an error.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._context = multiprocessing.get_context("spawn")
        with held():
            self._started = self._context.Event()
            self._pool = self._opened()

    def _opened(self) -> ProcessPoolExecutor:
        asked = (os.getpid(), self._started)
        return ProcessPoolExecutor(self.number, mp_context=self._context, initializer=_begin, initargs=asked)

    @property
    def started(self) -> bool:
        """Whether a process ever came to work: where none did, another pool would fare no better."""
        return self._started.is_set()

    @property
    def pids(self) -> list[int]:
        """Numbers of the processes: none while a pool that broke, or was shut down, has let them go."""
        return list(self._pool._processes or {})

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function in one of the processes. Raises ``BrokenProcessPool`` where one of them died."""
        try:
            with held():  # it may start a process
                return self._pool.submit(fn, *args, **kwargs)
        except OSError as problem:  # the pool broke, and closed its pipes, while it was starting a process
            raise BrokenProcessPool(str(problem)) from problem

    def renew(self) -> None:
        """Another pool after one that is broken."""
        with held():
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = self._opened()

    def __exit__(self, *problem: object) -> None:
        if any(problem):
            self.kill()
        self.shutdown()

    def kill(self) -> None:
        """End the processes at once, whatever they are at."""
        with held():
            for process in list((self._pool._processes or {}).values()):
                process.kill()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the processes go."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


def _begin(parent: int, started: Any) -> None:
    """Leave at once when the parent is gone: a killed parent cannot say so. Interruptions are the parent's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.enable()  # which the program waits with until its own imports are done

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(PATIENCE)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()
    started.set()
