"""One program on many targets, side by side, each from the cache where it is there."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import Any

from symcost.xla import cache
from symcost.xla.answer import Answer, Failure
from symcost.xla.pool import Worker
from symcost.xla.program import NotExportable, Program, partitions
from symcost.xla.source import Source
from symcost.xla.targets import TPU, Target

TIMEOUT = 600.0
Event = Callable[[str, str], None]
"""Told (target, what happened to it)."""


@dataclass(frozen=True)
class Placement:
    """A mesh of devices, sizes by axis name, and where arrays go: axes of dimensions by a part of the array's name."""

    mesh: Mapping[str, int] = field(default_factory=dict)
    rules: Mapping[str, Sequence[str | None]] = field(default_factory=dict)

    @property
    def devices(self) -> int:
        """Devices of the mesh; 1 without one."""
        return prod(self.mesh.values())


@dataclass
class Job:
    """The program of a source, compiled for targets."""

    source: Source
    program: Program
    placement: Placement = field(default_factory=Placement)
    timeout: float = TIMEOUT
    use_cache: bool = True
    on_event: Event = lambda target, event: None

    def __post_init__(self) -> None:
        self._exports: dict[str, bytes | NotExportable] = {}
        self._lock = threading.Lock()

    def run(self, targets: Sequence[Target]) -> dict[str, Answer | Failure]:
        """Every target's answer, in the order asked."""
        workers = min(len(targets), os.cpu_count() or 1) or 1
        with ThreadPoolExecutor(workers) as pool:
            return dict(zip([t.name for t in targets], pool.map(self._one, targets), strict=True))

    def _one(self, target: Target) -> Answer | Failure:
        found = self._asked(target)
        self.on_event(target.name, "failed" if isinstance(found, Failure) else "cached" if found.cached else "compiled")
        return found

    def _asked(self, target: Target) -> Answer | Failure:
        problem = target.problem()
        if problem is not None:
            return Failure(f"{target.name}: {problem}")
        options: dict[str, Any] = {
            "mesh": dict(self.placement.mesh),
            "topology": target.grid(self.placement.devices) if target.platform == TPU else "",
            "partitions": partitions(self.program, self.placement.rules) if self.placement.mesh else [],
        }
        entry = cache.key(self.program.key, repr((target.name, target.config)), target.versions(), options)
        found = cache.load(entry) if self.use_cache else None
        if found is not None:
            return found
        self.on_event(target.name, "compiling")
        with Worker(target, self.placement.devices) as worker:
            program, reference = self._serialised(target.platform), None
            if isinstance(program, NotExportable):
                reference = self.source.reference()
                if reference is None:
                    return Failure(
                        f"{target.name}: the program cannot be exported ({program}) and its model cannot be imported by "
                        "name: define it at the top level of a module"
                    )
                program = None
            answer = worker.ask(program, reference, options, self.timeout)
            if isinstance(answer, Answer) and self.use_cache:
                cache.keep(worker.directory / "answer", entry)
        return answer

    def _serialised(self, platform: str) -> bytes | NotExportable:
        with self._lock:  # one export serves all targets of a platform
            if platform not in self._exports:
                try:
                    self._exports[platform] = self.program.exported(platform)
                except NotExportable as problem:
                    self._exports[platform] = problem
            return self._exports[platform]


@lru_cache(maxsize=1)
def jax_version() -> str:
    """Version of jax in this process, for reports."""
    import jax

    return jax.__version__
