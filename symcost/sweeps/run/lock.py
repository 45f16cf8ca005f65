"""One run at a time in a folder: a lock that the system takes back from a dead process."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from types import TracebackType

from symcost.errors import SpaceError
from symcost.system.extras import needed


class Lock:
    """Held while the ``with`` block runs, by one process; a file beside it says by which."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.holder = folder, folder / ".holder"

    def __enter__(self) -> Lock:
        filelock = needed("filelock", "a run in a folder", SpaceError)
        self.lock = filelock.FileLock(self.folder / ".lock")
        try:
            self.lock.acquire(timeout=0)
        except filelock.Timeout:
            raise SpaceError(
                f"{self.folder} is in use by {self._known()}: wait for it, or give another folder"
            ) from None
        try:
            self.holder.write_text(f"process {os.getpid()} of {platform.node()}", encoding="utf-8")
        except OSError:
            self.lock.release()
            raise
        return self

    def _known(self) -> str:
        """Who wrote that it holds the lock; it may not have come to that yet."""
        try:
            return self.holder.read_text(encoding="utf-8") or "another run"
        except OSError:
            return "another run"

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.holder.unlink(missing_ok=True)
        finally:
            self.lock.release()
