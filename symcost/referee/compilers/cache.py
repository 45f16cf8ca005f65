"""Answers kept on disk, by program and versions. An entry appears whole or not at all; a broken one counts as absent."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from symcost.referee.compilers.answer import TargetAnswer

FORMAT = 3
"""Of an entry: raised when workers write something else or compile differently."""
MAX_ENTRIES = 400
SEAL = "digest"
"""The file of an entry that says what its other files are."""
BROKEN = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error)
"""What reading an entry may raise that is no answer: cut, of other types, or not JSON or gzip at all."""


def folder() -> Path:
    """``$SYMCOST_CACHE``, or ``symcost`` in the user's cache directory."""
    own = os.environ.get("SYMCOST_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(own) if own else base / "symcost"


def key(program: str, target: str, versions: Mapping[str, str], options: Mapping[str, Any]) -> str:
    """Name of the entry of a program (its digest) on a target."""
    told = json.dumps([FORMAT, program, target, sorted(versions.items()), options], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:40]


def read(directory: Path) -> TargetAnswer | None:
    """The answer that a worker left in a directory."""
    try:
        answer = json.loads((directory / "answer.json").read_text())
        if not (are_numbers(answer["analysis"]) and are_numbers(answer["memory"])):
            return None
        if unprinted := answer.get("unprinted", ""):
            return TargetAnswer("", answer["analysis"], answer["memory"], "", unprinted=unprinted)
        text = program_text(directory / "optimised.gz")
        memory_text = program_text(directory / "unfused.gz") if answer["memory_text"] else text
        return TargetAnswer(text, answer["analysis"], answer["memory"], memory_text)
    except BROKEN:
        return None


def program_text(file: Path) -> str:
    """The text of a program; a ``ValueError`` where the file holds another."""
    text = gzip.decompress(file.read_bytes()).decode()
    if not text.startswith("HloModule"):
        raise ValueError(f"{file} holds no program")
    return text


def are_numbers(found: Any) -> bool:
    """Whether these are numbers by name."""
    return isinstance(found, dict) and all(
        isinstance(number, int | float) and not isinstance(number, bool) for number in found.values()
    )


def is_whole(entry: str) -> bool:
    """Whether an entry is as it was kept."""
    try:
        return (folder() / entry / SEAL).read_text() == _digest(folder() / entry)
    except (OSError, ValueError):
        return False


def _digest(directory: Path) -> str:
    """SHA-256 of the files of an entry, by name."""
    digest = hashlib.sha256()
    for file in sorted(each for each in directory.iterdir() if each.name != SEAL):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def load(entry: str) -> TargetAnswer | None:
    """The answer kept under a name, or nothing."""
    answer = read(folder() / entry) if is_whole(entry) else None
    return None if answer is None else replace(answer, cached=True)


def keep(directory: Path, entry: str, reader: Callable[[Path], Any] = read) -> None:
    """Keep what a worker left in a directory, as ``reader`` reads it; a cache that cannot be written is no error."""
    try:
        folder().mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=folder()))
        try:
            shutil.copytree(directory, aside, dirs_exist_ok=True)
            (aside / SEAL).write_text(_digest(aside))
            if not (is_whole(entry) and reader(folder() / entry) is not None):  # another process may have been faster
                _remove(folder() / entry)
                os.replace(aside, folder() / entry)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        _prune()
    except OSError:
        return


def _remove(broken: Path) -> None:
    """Take away what is in the place of an entry, whatever it is."""
    if broken.is_dir() and not broken.is_symlink():
        shutil.rmtree(broken, ignore_errors=True)
    else:
        broken.unlink(missing_ok=True)


def _prune() -> None:
    """Drop the oldest entries beyond the limit."""
    entries = sorted((e for e in folder().iterdir() if e.is_dir()), key=lambda e: e.stat().st_mtime)
    for old in entries[: max(0, len(entries) - MAX_ENTRIES)]:
        shutil.rmtree(old, ignore_errors=True)
