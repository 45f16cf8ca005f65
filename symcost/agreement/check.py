"""One comparison of our number with another's, and one module's share of it."""

from __future__ import annotations

from dataclasses import dataclass

LOWERED = "lowered"
"""The program before any optimisation, in the table of targets."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One comparison: our number, theirs, who said theirs, and why they may differ.

    ``passed`` is equality unless the check is a bound: then it says whether ``theirs`` lies within ``limits`` (at least,
    at most or None).

    >>> check = Check(level=1, target=LOWERED, metric="flops", ours=10, theirs=12, witness="XLA")
    >>> check.difference, check.passed
    (2, False)
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

    @property
    def place(self) -> str:
        """Its module, phase and metric in words."""
        return f"{self.path or '(itself)'}, {self.phase}, {self.metric}"
