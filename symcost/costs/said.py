"""How a closed form was checked: its certificate, and what the referee said in it of the ``xla`` figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symcost.reading.numerals import assigned, so_many

NOT_COMPARED = "not compared with XLA"
ADVICE = "count under full or textbook, or trace with referee=False, which keeps the xla figures unchecked"


@dataclass(frozen=True)
class Said:
    """XLA's own count of the lowered program against the closed form's ``xla`` figures, at one held-out point.

    ``equal``: whether FLOPs and transcendentals are the same integers, in total and module by module, or None where they
    were not compared. ``why``: what differs, or why nothing was compared; empty where nobody asked. ``at``: the point.

    >>> print(Said(True, at={"n": 3, "d": 4}))
    XLA's own count at n=3, d=4: equal
    >>> print(Said(None, "no held-out point was traced"))
    not compared with XLA: no held-out point was traced
    """

    equal: bool | None = None
    why: str = ""
    at: Mapping[str, int] = field(default_factory=dict)

    @property
    def withdrawn(self) -> Mapping[str, str]:
        """Conventions whose figures must not be used, and the error that says so to who asks."""
        if self.equal is not False:
            return {}
        return {"xla": f"the xla figures are withdrawn: {self._where} {self.why}; {ADVICE}"}

    @property
    def _where(self) -> str:
        return f"at {', '.join(f'{name}={value}' for name, value in self.at.items()) or 'its sizes'}"

    def __str__(self) -> str:
        if self.equal is None:
            return f"{NOT_COMPARED}: {self.why}" if self.why else NOT_COMPARED
        verdict = "equal" if self.equal else f"different, so that the xla figures are withdrawn: {self.why}"
        return f"XLA's own count {self._where}: {verdict}"


NOT_ASKED = Said()


@dataclass(frozen=True)
class Certificate:
    """How a closed form was checked: the traces it was fitted to and the held-out points where it was exactly equal.

    ``xla``: what XLA's own count of the lowered program says at one of them. ``words``: what stands behind each symbol.
    """

    traces: int
    fitted: tuple[dict[str, int], ...]
    held_out: tuple[dict[str, int], ...]
    numbers: int
    programs: int
    xla: Said = NOT_ASKED
    words: str = ""

    def __str__(self) -> str:
        return f"{self.words}; {self.checks}" if self.words else self.checks

    @property
    def checks(self) -> str:
        """What was compared, without the words."""
        points = "; ".join(assigned(p) for p in self.held_out) or "no symbols"
        equal = f"{self.numbers} numbers equal to a fresh trace at each held-out point ({points})"
        return f"{equal}; {so_many(self.traces, 'trace')} in all; {self.xla}"
