"""Files that appear whole or not at all: written aside, then moved into place."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from symcost.errors import SymcostError


def write_whole(text: str, path: Path) -> None:
    """Write a text so that a reader, or a crash, finds the old file or the new one and never a part.

    Raises ``OSError`` where the directory cannot be written.
    """
    whole(path, lambda file: Path(file).write_text(text, encoding="utf-8"))


def save_whole(text: str, path: Path, option: str = "") -> None:
    """Write a text with its last line ended; what hinders that is an error, which names the ``option`` that gave the path."""
    try:
        write_whole(f"{text}\n", path)
    except OSError as problem:
        place = f"{option} {path}".strip()
        raise SymcostError(f"{place} cannot be written: {problem.strerror}; make room, or name another") from None


def whole(path: Path, write: Callable[[str], Any]) -> None:
    """Let ``write`` fill a file of another name, and move it into place once it is on the disk.

    A link stays one: the file behind it is replaced. What is no file (a device, a pipe) is written in place.
    """
    if path.exists() and not path.is_file():
        write(str(path))
        return
    path = path.resolve()
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".symcost-", suffix=".tmp")
    try:
        write(aside)
        os.fsync(handle)
        os.chmod(aside, 0o666 & ~_umask())
        os.replace(aside, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):  # interrupted when it was in its place already
            os.unlink(aside)
        raise
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
