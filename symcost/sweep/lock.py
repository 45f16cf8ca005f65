"""One run at a time in a folder: a lock that the system takes back from a dead process."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from symcost.errors import SpaceError


class Lock:
    """Held while the ``with`` block runs, by one process; the file says by which."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / ".lock"

    def __enter__(self) -> Lock:
        import fcntl

        self.file = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.file.seek(0)
            holder = self.file.read().strip() or "another run"
            self.file.close()
            raise SpaceError(f"{self.folder} is in use by {holder}: wait for it, or give another folder") from None
        self.file.truncate(0)
        self.file.write(f"process {os.getpid()} of {os.uname().nodename}\n")
        self.file.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()
