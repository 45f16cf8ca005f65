"""What stands behind a domain, symbol by symbol: proved, guarded, or bounded by what was tried."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from symcost.costs.evidence import BOUNDED, GUARDED, PROVED, Evidence
from symcost.tracing.evidence.frames.landmark import Landmarks
from symcost.tracing.evidence.normal import side_text
from symcost.tracing.evidence.record import Recording
from symcost.tracing.evidence.told import untold

HALVED = "the program halves it again and again, as often as it has binary digits"


def evidence(
    symbols: Sequence[str],
    seen: Recording,
    depths: Mapping[str, Landmarks],
    tried: Mapping[str, int],
    patterned: Collection[str] = (),
    halved: Collection[str] = (),
    needed: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, Evidence]:
    """The word of every symbol; ``patterned`` are depths with a pattern of layers that no comparison explains.

    ``halved`` are those that the program halves again and again; ``needed`` says how far a depth is to be tried.
    """
    found = {name: _of(name, seen, depths.get(name), tried[name], needed.get(name, 0)) for name in symbols}
    unexplained = "layers follow a pattern, and no comparison was seen that makes it"
    reasons = {**dict.fromkeys(patterned, unexplained), **dict.fromkeys(halved, HALVED)}
    return found | {
        name: Evidence(BOUNDED, f"tried up to {tried[name]:,}: {why}", tried[name]) for name, why in reasons.items()
    }


def _of(name: str, seen: Recording, depth: Landmarks | None, most: int, needed: int) -> Evidence:
    if depth is not None:
        return _of_depth(depth, most, needed)
    if name in seen.proved and (rounding := untold(seen).get(name)) is not None:
        return Evidence(
            BOUNDED,
            f"tried up to {most:,}: {rounding.formula} in a size is no form{rounding.place.shortly_behind}",
            most,
        )
    if name in seen.proved:
        return Evidence(PROVED, "traced as a symbol")
    if name in seen.rounded:
        rounding = next(rounding for rounding in seen.roundings if name in rounding.symbols)
        return Evidence(GUARDED, f"{rounding} is known{rounding.place.shortly_behind}")
    pin = next((pin for pin in seen.pins if name in pin.symbols), None)
    why = seen.reason or "it was not traced as a symbol"
    if pin is not None:
        why = f"{side_text(pin.formula)} as a plain number{pin.place.shortly_behind}"
    return Evidence(BOUNDED, f"tried up to {most:,}: {why}", most)


def _of_depth(depth: Landmarks, most: int, needed: int) -> Evidence:
    if not depth.complete:
        return Evidence(BOUNDED, f"tried up to {most:,}: {depth.unread[0]} is not understood", most)
    values = sorted(depth.thresholds | depth.ends | depth.lengths | depth.moduli)
    compared = f"layers are compared with {', '.join(map(str, values)) or 'one another'}"
    if most < needed:
        numbers = {*values, *depth.shares}
        beyond = f"the depth and its layers are compared with {', '.join(map(str, sorted(numbers)))}"
        return Evidence(BOUNDED, f"tried up to {most:,}: {beyond if depth.shares else compared}{_at(depth)}", most)
    if depth.saw_index or depth.thresholds or depth.moduli:
        return Evidence(GUARDED, f"{compared} alone{_at(depth)}")
    return Evidence(GUARDED, "no comparison of the model's code sees the layer's index")


def _at(depth: Landmarks) -> str:
    """The lines that compare, the first of them."""
    first, *more = sorted(depth.places) or [""]
    return f" ({first}{' and others' if more else ''})" if first else ""
