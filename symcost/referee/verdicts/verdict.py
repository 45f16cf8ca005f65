"""The answer: checks with their witnesses, what every target said, and the difference unit by unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from symcost.agreement.check import Check, ModuleRow
from symcost.costs.cost import Count
from symcost.hlo.explaining.bridge import Part
from symcost.reading.given import checked
from symcost.views import view

TRUE, FALSE, INCOMPLETE = "TRUE", "FALSE", "INCOMPLETE"


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """What one compiler's program costs, and how its own figure and the program as written lead there.

    ``raw``: FLOPs that XLA prints. ``recount``: exact, every trip and every library call counted. ``steps``: from
    ``raw`` to ``recount``. ``parts``: from the program as written to ``recount``. ``attributed`` and ``total``: FLOPs
    that belong to a module, of all. ``collectives``: bytes by kind; ``widened``: those of them that are there only
    because the compiler made the numbers wider, by kind and types. ``memory``: the compiler's figures. ``missing``: why
    its program was not read, where only its own figures are known; counts of the program are then None.
    """

    target: str
    title: str
    cached: bool
    versions: Mapping[str, str]
    raw: int
    raw_transcendentals: int
    recount: int | None = None
    transcendentals: int | None = None
    bytes_accessed: int | None = None
    steps: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    attributed: int | None = None
    phases: Mapping[str, int] = field(default_factory=dict)
    memory: Mapping[str, int] = field(default_factory=dict)
    collectives: Mapping[str, int] = field(default_factory=dict)
    widened: Mapping[str, int] = field(default_factory=dict)
    live: Mapping[str, int] = field(default_factory=dict)
    devices: int = 1
    """Of the mesh: every figure is one device's."""
    missing: str = ""

    @cached_property
    def causes(self) -> dict[str, int]:
        """FLOPs by cause, over all modules."""
        by_cause: dict[str, int] = {}
        for part in self.parts:
            by_cause[part.because] = by_cause.get(part.because, 0) + part.flops
        return {because: flops for because, flops in by_cause.items() if flops}


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What another counter says of the same program, and why it differs."""

    counter: str
    flops: int | None
    because: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Verdict:
    """Whether our count and the compilers' are the same number. True when every check passed and every target answered.

    ``outcome`` tells the two kinds of no apart: ``"FALSE"`` when a check failed, ``"INCOMPLETE"`` when none did and a target
    did not answer, or not wholly: nothing is known to be wrong, and something is not known.

    >>> verdict = Verdict(at={}, flops=12, transcendentals=0, checks=(), modules=(), failures={"tpu-v5e": "no libtpu"})
    >>> bool(verdict), verdict.outcome
    (False, 'INCOMPLETE')
    """

    at: Mapping[str, int]
    flops: Count
    transcendentals: Count
    checks: tuple[Check, ...]
    modules: tuple[ModuleRow, ...]
    targets: tuple[Compiled, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    opinions: tuple[Opinion, ...] = ()
    notes: tuple[str, ...] = ()
    operations: Mapping[str, Mapping[str, tuple[int, int]]] = field(default_factory=dict)
    """Only where level 1 failed: by module, FLOPs by our operations and by their opcodes."""

    @property
    def outcome(self) -> str:
        """``"TRUE"``, ``"FALSE"`` or ``"INCOMPLETE"``."""
        if not all(check.passed for check in self.checks):
            return FALSE
        return INCOMPLETE if self.unanswered else TRUE

    @property
    def unanswered(self) -> dict[str, str]:
        """By target, why it did not answer, or what is missing in its answer."""
        return {**self.failures, **{made.target: made.missing for made in self.targets if made.missing}}

    def __bool__(self) -> bool:
        return self.outcome == TRUE

    def __str__(self) -> str:
        return view("verdict as text")(self)

    def __repr__(self) -> str:
        return f"<Verdict {str(self).splitlines()[0]}>"

    def _repr_html_(self) -> str:
        return view("verdict as html")(self)

    @checked
    def save(self, path: str | Path) -> None:
        """Write the verdict to a JSON file, whole or not at all; ``sc.load_verdict`` reads it.

        The keys are documented in :mod:`symcost.report.subjects.verdict`.
        """
        view("verdict as file")(self, Path(path))
