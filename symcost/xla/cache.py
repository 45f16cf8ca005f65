"""Answers kept on disk, by program and versions. An entry appears whole or not at all; a broken one counts as absent."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from symcost.xla.answer import Answer

FORMAT = 1
"""Of an entry: raised when workers write something else or compile differently."""
MAX_ENTRIES = 400


def folder() -> Path:
    """``$SYMCOST_CACHE``, or ``symcost`` in the user's cache directory."""
    own = os.environ.get("SYMCOST_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(own) if own else base / "symcost"


def key(program: str, target: str, versions: Mapping[str, str], options: Mapping[str, Any]) -> str:
    """Name of the entry of a program (its digest) on a target."""
    told = json.dumps([FORMAT, program, target, sorted(versions.items()), options], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:40]


def read(directory: Path) -> Answer | None:
    """The answer that a worker left in a directory."""
    try:
        found = json.loads((directory / "answer.json").read_text())
        if unprinted := found.get("unprinted", ""):
            return Answer("", found["analysis"], found["memory"], "", unprinted=unprinted)
        text = gzip.decompress((directory / "optimised.gz").read_bytes()).decode()
        memory_text = text
        if found["memory_text"]:
            memory_text = gzip.decompress((directory / "unfused.gz").read_bytes()).decode()
        if not (text.startswith("HloModule") and memory_text.startswith("HloModule")):
            return None
        return Answer(text, found["analysis"], found["memory"], memory_text)
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None


def load(entry: str) -> Answer | None:
    """The answer kept under a name, or nothing."""
    found = read(folder() / entry)
    return None if found is None else replace(found, cached=True)


def keep(directory: Path, entry: str, reader: Callable[[Path], Any] = read) -> None:
    """Keep what a worker left in a directory, as ``reader`` reads it; a cache that cannot be written is no error."""
    try:
        folder().mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=folder()))
        shutil.copytree(directory, aside, dirs_exist_ok=True)
        try:
            os.replace(aside, folder() / entry)
        except OSError:  # another process was faster, or an unreadable entry is in the way
            if reader(folder() / entry) is None:
                shutil.rmtree(folder() / entry, ignore_errors=True)
                os.replace(aside, folder() / entry)
            else:
                shutil.rmtree(aside, ignore_errors=True)
        _prune()
    except OSError:
        return


def _prune() -> None:
    """Drop the oldest entries beyond the limit."""
    entries = sorted((e for e in folder().iterdir() if e.is_dir()), key=lambda e: e.stat().st_mtime)
    for old in entries[: max(0, len(entries) - MAX_ENTRIES)]:
        shutil.rmtree(old, ignore_errors=True)
