"""One program on many targets, side by side, each from the cache where it is there."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from math import prod
from typing import Any

from symcost.costs.mesh.plan import Entry, Plan
from symcost.errors import SymcostError
from symcost.reading.numerals import is_positive
from symcost.referee.compilers import cache
from symcost.referee.compilers.answer import Failure, TargetAnswer
from symcost.referee.compilers.pool import Worker
from symcost.referee.compilers.program import JaxProgram, NotExportable, by_rules
from symcost.referee.compilers.source import NotImportable, ProgramSource
from symcost.referee.compilers.targets import TPU, Target
from symcost.tracing.mesh.asking.laid import Laid

TIMEOUT = 600.0
Event = Callable[[str, str], None]
"""Told (target, what happened to it)."""


@dataclass(frozen=True)
class Placement:
    """A mesh of devices, sizes by axis name, and where arrays go: axes of dimensions by a part of the array's name."""

    mesh: Mapping[str, int] = field(default_factory=dict)
    rules: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    plan: Plan | None = None
    """In the place of rules, a plan: gradients lie as the parameters that they change; the compiler lays them otherwise."""

    def __post_init__(self) -> None:
        axes = {text: (given,) if isinstance(given, str) else tuple(given) for text, given in self.rules.items()}
        object.__setattr__(self, "rules", axes)
        for name, size in self.mesh.items():
            if not is_positive(size):
                raise SymcostError(f"the mesh axis {name} has {size!r} devices: it must be a positive integer")

    @property
    def devices(self) -> int:
        """Devices of the mesh; 1 without one."""
        return prod(self.mesh.values())


@dataclass
class CompileJob:
    """The program of a source, compiled for targets."""

    source: ProgramSource
    program: JaxProgram
    placement: Placement = field(default_factory=Placement)
    timeout: float = TIMEOUT
    use_cache: bool = True
    on_event: Event = lambda target, event: None

    def __post_init__(self) -> None:
        self._exports: dict[str, bytes | NotExportable] = {}
        mesh, rules = self.placement.mesh, self.placement.rules
        if rules and not mesh:
            raise SymcostError("shard needs a mesh of devices: give mesh={'data': 8}, for example")
        plan = self.placement.plan or (by_rules(self.program, rules, mesh) if mesh else None)
        shapes = [aval.shape for aval in self.program.closed.in_avals]
        self._laid = None if plan is None else Laid.of(plan, mesh, self.program.arguments, shapes)
        self._stopped = threading.Event()

    def start(self, targets: Sequence[Target]) -> dict[str, Future[TargetAnswer | Failure]]:
        """Begin with every target; the program is serialised here and now, the compilers run in the background."""
        pool = ThreadPoolExecutor(min(len(targets), os.cpu_count() or 1) or 1, thread_name_prefix="compile")
        slowest_first = sorted(targets, key=lambda target: target.platform != TPU)
        try:
            begun = {target.name: pool.submit(*self._prepared(target)) for target in slowest_first}
            return {target.name: begun[target.name] for target in targets}
        finally:
            pool.shutdown(wait=False)

    def stop(self) -> None:
        """End what still runs and begin no more."""
        self._stopped.set()

    def _prepared(self, target: Target) -> tuple[Any, ...]:
        """What is left to do for a target, as a call."""
        problem = target.problem()
        if problem is not None:
            return self._told, target, Failure(f"{target.name}: {problem}")
        options: dict[str, Any] = {
            "mesh": dict(self.placement.mesh),
            "topology": target.grid(self.placement.devices) if target.platform == TPU else "",
            "partitions": [] if self._laid is None else self._laid.cuts,
            "gradients": self.placement.plan is not None,
            "x64": self.program.x64,
        }
        entry = cache.key(self.program.key, repr((target.name, target.config)), target.versions(), options)
        answer = cache.load(entry) if self.use_cache else None
        if answer is not None:
            return self._told, target, answer
        program, reference = self._serialised(target.platform), None
        if isinstance(program, NotExportable):
            try:
                reference = self.source.reference()
            except NotImportable as problem:
                reason = f"{target.name}: the program cannot be exported ({program}) and {problem}"
                return self._told, target, Failure(reason)
            program = None
        return self._compiled, target, entry, program, reference, options

    def _told(self, target: Target, answer: TargetAnswer | Failure) -> TargetAnswer | Failure:
        self.on_event(
            target.name, "failed" if isinstance(answer, Failure) else "cached" if answer.cached else "compiled"
        )
        return answer

    def _compiled(self, target: Target, entry: str, program: bytes | None, reference: Mapping[str, Any] | None,
                  options: Mapping[str, Any]) -> TargetAnswer | Failure:  # fmt: skip
        if self._stopped.is_set():
            return Failure(f"{target.name} was not asked: another step failed first")
        self.on_event(target.name, "compiling")
        with Worker(target, self.placement.devices, self._stopped) as worker:
            answer = worker.ask(program, reference, options, self.timeout)
            if isinstance(answer, TargetAnswer) and self.use_cache:
                cache.keep(worker.directory / "answer", entry)
        return self._told(target, answer)

    def _serialised(self, platform: str) -> bytes | NotExportable:
        if platform not in self._exports:  # one export serves all targets of a platform
            try:
                self._exports[platform] = self.program.exported(
                    platform, self._laid if self.placement.plan is not None else None
                )
            except NotExportable as problem:
                self._exports[platform] = problem
        return self._exports[platform]
