"""Worker processes that die with their parent, however it dies."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor

PATIENCE = 0.5
"""Seconds between two looks at the parent."""


def processes(number: int) -> ProcessPoolExecutor:
    """A pool of fresh processes: nothing of this one, threads and compilers included, is copied into them."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(number, mp_context=context, initializer=_watch, initargs=(os.getpid(),))


def _watch(parent: int) -> None:
    """Leave at once when the parent is gone: a killed parent cannot say so."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(PATIENCE)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()
