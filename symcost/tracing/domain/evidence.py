"""What stands behind a domain, symbol by symbol: proved, guarded, or bounded by what was tried."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from symcost.tracing.evidence.frames.landmark import Landmarks
from symcost.tracing.evidence.record import Recording

Word = Literal["proved", "guarded", "bounded"]
WORDS: tuple[Word, ...] = ("bounded", "guarded", "proved")
"""From the weakest to the strongest."""


@dataclass(frozen=True)
class Evidence:
    """One word of a symbol, and why it is that one.

    ``proved``: one trace with symbolic sizes stood, and what it decided by them are the domain's conditions. ``guarded``:
    the program's own comparisons and roundings are known, and are the conditions. ``bounded``: as far as it was tried.
    """

    word: Word
    why: str

    def __str__(self) -> str:
        return f"{self.word}: {self.why}"

    def weaker(self, other: Evidence) -> Evidence:
        """The weaker one of two pieces."""
        return min(self, other, key=lambda evidence: WORDS.index(evidence.word))


def evidence(
    symbols: Sequence[str],
    seen: Recording,
    depths: Mapping[str, Landmarks],
    tried: Mapping[str, int],
    patterned: Collection[str] = (),
) -> dict[str, Evidence]:
    """The word of every symbol; ``patterned`` are depths with a pattern of layers that no comparison explains."""
    found = {name: _of(name, seen, depths.get(name), tried[name]) for name in symbols}
    unexplained = "layers follow a pattern, and no comparison was seen that makes it"
    return found | {name: Evidence("bounded", f"tried up to {tried[name]:,}: {unexplained}") for name in patterned}


def _of(name: str, seen: Recording, depth: Landmarks | None, most: int) -> Evidence:
    if depth is not None:
        return _of_depth(depth, most)
    if name in seen.proved:
        return Evidence("proved", "traced as a symbol")
    if name in seen.rounded:
        made = next(made for made in seen.roundings if name in made.symbols)
        return Evidence("guarded", f"{made} is known ({made.place})")
    pin = next((pin for pin in seen.pins if name in pin.symbols), None)
    why = str(pin) if pin is not None else seen.reason or "it was not traced as a symbol"
    return Evidence("bounded", f"tried up to {most:,}: {why}")


def _of_depth(depth: Landmarks, most: int) -> Evidence:
    if not depth.complete:
        return Evidence("bounded", f"tried up to {most:,}: {depth.unread[0]} is not understood")
    if depth.saw_index or depth.thresholds or depth.moduli:
        values = sorted(depth.thresholds | depth.ends | depth.lengths | depth.moduli)
        return Evidence("guarded", f"layers are compared with {', '.join(map(str, values)) or 'one another'} alone")
    return Evidence("guarded", "no comparison of the model's code sees the layer's index")
