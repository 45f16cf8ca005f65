"""What a verdict derives by itself, kept beside the compilers' answers: a second process lifts and lowers nothing again."""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import symcost.costs.saved.load as saved
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.referee.compilers import cache

PACKAGE = Path(__file__).parents[2]
PACKAGES = ("symcost", "jax", "jaxlib", "flax")


@dataclass(frozen=True)
class Derived:
    """The closed form at the point, the text of the lowered program, and XLA's own figures of it."""

    costs: CostTable
    text: str
    analysis: Mapping[str, float]


def key(program: str, told: Any) -> str:
    """Name of the entry of a program at the point, whose closed form was asked for with these options."""
    versions = {**{name: version(name) for name in PACKAGES}, "source": _source()}
    return cache.key(program, "derived", versions, {"told": repr(told)})


def load(entry: str) -> Derived | None:
    """What is kept under a name; nothing where any of it is damaged."""
    return _read(cache.folder() / entry) if cache.is_whole(entry) else None


def keep(found: Derived, entry: str) -> None:
    """Keep it, whole or not at all; what cannot be saved, or not here, is derived again next time."""
    try:
        with tempfile.TemporaryDirectory(prefix="symcost-") as name:
            directory = Path(name)
            found.costs.save(directory / "costs.json")
            (directory / "lowered.gz").write_bytes(gzip.compress(found.text.encode(), compresslevel=1))
            (directory / "analysis.json").write_text(json.dumps(found.analysis))
            cache.keep(directory, entry, _read)
    except (SymcostError, OSError):
        return


def _read(directory: Path) -> Derived | None:
    try:
        text = cache.program_text(directory / "lowered.gz")
        analysis = json.loads((directory / "analysis.json").read_text())
        whole = cache.are_numbers(analysis)
        return Derived(saved.load(directory / "costs.json"), text, analysis) if whole else None
    except cache.BROKEN:  # errors of symcost and of decoding are among them
        return None


@lru_cache(maxsize=1)
def _source() -> str:
    """A digest of our own source: an edited rule must not be answered from before the edit."""
    digest = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
