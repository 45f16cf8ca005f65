"""One run at a time in a folder: a lock that the system takes back from a dead process."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from symcost.errors import SpaceError
from symcost.system.extras import needed


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Held while the ``with`` block runs, by one process; a file beside it says by which."""
    filelock, holder = needed("filelock", "a run in a folder", SpaceError), folder / ".holder"
    lock = filelock.FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise SpaceError(f"{folder} is in use by {_known(holder)}: wait for it, or give another folder") from None
    with ExitStack() as stack:
        stack.callback(lock.release)
        stack.callback(holder.unlink, missing_ok=True)
        holder.write_text(f"process {os.getpid()} of {platform.node()}", encoding="utf-8")
        yield


def _known(holder: Path) -> str:
    """Who wrote that it holds the lock; it may not have come to that yet."""
    try:
        return holder.read_text(encoding="utf-8") or "another run"
    except OSError:
        return "another run"
