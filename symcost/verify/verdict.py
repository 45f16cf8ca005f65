"""The answer: checks with their witnesses, what every target said, and the difference unit by unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from symcost.given import checked
from symcost.hlo.bridge import Part

LOWERED = "lowered"
"""The program before any optimisation, in the table of targets."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One comparison: our number, theirs, who said theirs, and why they may differ.

    ``passed`` is equality unless the check is a bound: then it says whether ``theirs`` lies within ``limits`` (at least,
    at most or None).
    """

    level: int
    target: str
    metric: str
    ours: int
    theirs: int
    witness: str
    because: str = ""
    limits: tuple[int, int | None] | None = None

    @property
    def difference(self) -> int:
        """Theirs minus ours."""
        return self.theirs - self.ours

    @property
    def passed(self) -> bool:
        """Whether it holds, to the last unit."""
        if self.limits is not None:
            least, most = self.limits
            return least <= self.theirs and (most is None or self.theirs <= most)
        return self.ours == self.theirs


@dataclass(frozen=True)
class ModuleRow:
    """One module's FLOPs or transcendentals: ours, theirs, and why they differ where they do."""

    target: str
    path: str
    phase: str
    metric: str
    ours: int
    theirs: int
    because: str = ""

    @property
    def difference(self) -> int:
        """Theirs minus ours."""
        return self.theirs - self.ours


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """What one compiler's program costs, and how its own figure and the program as written lead there.

    ``raw``: FLOPs that XLA prints. ``recount``: exact, every trip and every library call counted. ``steps``: from
    ``raw`` to ``recount``. ``parts``: from the program as written to ``recount``. ``attributed`` and ``total``: FLOPs
    that belong to a module, of all. ``collectives``: bytes by kind. ``memory``: the compiler's figures.
    """

    target: str
    title: str
    cached: bool
    versions: Mapping[str, str]
    raw: int
    raw_transcendentals: int
    recount: int
    transcendentals: int
    bytes_accessed: int
    steps: Mapping[str, int]
    parts: tuple[Part, ...]
    attributed: int
    phases: Mapping[str, int]
    memory: Mapping[str, int] = field(default_factory=dict)
    collectives: Mapping[str, int] = field(default_factory=dict)
    live: Mapping[str, int] = field(default_factory=dict)
    devices: int = 1
    """Of the mesh: every figure is one device's."""

    @cached_property
    def causes(self) -> dict[str, int]:
        """FLOPs by cause, over all modules."""
        found: dict[str, int] = {}
        for part in self.parts:
            found[part.because] = found.get(part.because, 0) + part.flops
        return {because: flops for because, flops in found.items() if flops}


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What another counter says of the same program, and why it differs."""

    counter: str
    flops: int | None
    because: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether our count and the compilers' are the same number. True when every check passed and every target answered."""

    at: Mapping[str, int]
    flops: int
    transcendentals: int
    checks: tuple[Check, ...]
    modules: tuple[ModuleRow, ...]
    targets: tuple[Compiled, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    opinions: tuple[Opinion, ...] = ()
    notes: tuple[str, ...] = ()
    operations: Mapping[str, Mapping[str, tuple[int, int]]] = field(default_factory=dict)
    """Only where level 1 failed: by module, FLOPs by our operations and by their opcodes."""

    def __bool__(self) -> bool:
        return not self.failures and all(check.passed for check in self.checks)

    def __str__(self) -> str:
        from symcost.report import verdict

        return verdict.text(self)

    def _repr_html_(self) -> str:
        from symcost.report import verdict

        return verdict.html(self)

    @checked
    def save(self, path: str | Path) -> None:
        """Write the verdict to a JSON file, whole or not at all; ``sc.load_verdict`` reads it.

        The keys are documented in :mod:`symcost.report.verdict`.
        """
        from symcost.report.verdict import save

        save(self, Path(path))
