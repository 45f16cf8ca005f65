"""Programs that are known without a trace: one of other sizes, as the decisions of a recording tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from symcost.tracing.evidence.record import Recording, record
from symcost.tracing.fitting.lift import Sampler

GIVE_UP = 2
"""After so many recordings that did not stand no more are tried."""


@dataclass
class KnownPrograms:
    """What a program decides by its sizes at some points, all of which stay symbols: where it decides alike it is the same."""

    sampler: Sampler
    recordings: list[Recording] = field(default_factory=list)
    failed: int = 0

    def look(self, base: Mapping[str, int]) -> None:
        """See what is decided at a point where the model works, unless that is known."""
        if self.failed >= GIVE_UP or self._of(base):
            return
        seen = record(self.sampler.model, base, alone=True)
        if seen.traced and seen.proved:
            self.recordings.append(seen)
        else:
            self.failed += GIVE_UP if seen.slow else 1  # what was given up for its time is not waited for again

    def alike(self, base: Mapping[str, int], point: Mapping[str, int]) -> bool:
        """Whether the programs at two points are known to be one of other sizes."""
        return any(seen.changed(point) is None for seen in self._of(base))

    def seen(self, point: Mapping[str, int]) -> Recording | None:
        """What was seen of the program at a point, if it was."""
        return next(iter(self._of(point)), None)

    def at(self, base: Mapping[str, int], structural: Sequence[str]) -> Recording | None:
        """What was seen with every size a symbol that holds at a point too, as if it had been seen there."""
        found = [] if structural else self._of(base)
        return replace(found[0], base=dict(base)) if found else None

    def _of(self, point: Mapping[str, int]) -> list[Recording]:
        """The recordings of the program at a point."""
        return [seen for seen in self.recordings if seen.changed(point) is None]
