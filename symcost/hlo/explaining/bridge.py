"""From the program as written to the program as compiled: every unit of the difference, by module and by cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symcost.hlo.counting.analyse import HloCost
from symcost.hlo.counting.rules import PRODUCTS
from symcost.hlo.counting.tally import accumulate, added
from symcost.hlo.explaining.products import Products
from symcost.hlo.reading.scopes import module_of, phase_of

SUMS = frozenset({"multiply", "add", "reduce"})
FORMATS = frozenset({"convert", "bitcast-convert", "reduce-precision"})

PADDING = "padding brought back"
ROUNDED = "results rounded up to tiles"
MOVED = "products merged across modules"
AGAIN = "products computed again"
CHEAPER = "products simplified"
HIDDEN = "products in unknown library calls"
VECTOR = "products as multiply and sum"
DUPLICATED = "duplicated producers"
FOLDED = "folded or simplified"
CONVERTED = "number formats converted"
ADDED = "added by the compiler"

Place = tuple[str, str]  # module path, phase
Pair = tuple[int, int]  # flops, transcendentals


@dataclass(frozen=True)
class Part:
    """Some units of a difference: where, why, how many."""

    path: str
    phase: str
    because: str
    flops: int
    transcendentals: int


def by_module(cost: HloCost) -> dict[Place, dict[str, Pair]]:
    """(flops, transcendentals) by module and phase, then by opcode; "" is the path of what no module owns."""
    by_opcode: dict[Place, dict[str, Pair]] = {}
    for (name, opcode), (flops, transcendentals, _) in cost.cells.items():
        if flops or transcendentals:
            rows = by_opcode.setdefault((module_of(name) or "", phase_of(name)), {})
            accumulate(rows, opcode, (flops, transcendentals))
    return by_opcode


def bridge(
    written: HloCost, compiled: HloCost, had: Mapping[Place, Products], has: Mapping[Place, Products]
) -> list[Part]:
    """The parts that lead from one count to the other; they sum to the difference exactly.

    `had` and `has`: the products of both programs, by module and phase.
    """
    before, after = by_module(written), by_module(compiled)
    hidden = {(module_of(name) or "", phase_of(name)) for name, _ in compiled.hidden}
    named: dict[Place, dict[str, Pair]] = {}
    for place in dict.fromkeys([*before, *after]):
        own, theirs = had.get(place, Products()), has.get(place, Products())
        causes = _named(before.get(place, {}), after.get(place, {}), own.trimmed, theirs.results > own.results)
        if place in hidden and CHEAPER in causes:
            causes[HIDDEN] = causes.pop(CHEAPER)
        named[place] = causes
    _merge(list(named.values()))
    return [Part(*place, because, *counts) for place, causes in named.items() for because, counts in causes.items()
            if any(counts)]  # fmt: skip


def _merge(places: list[dict[str, Pair]]) -> None:
    """Products that one module lost and another gained have moved: one large product in the place of several."""
    gained = sum(causes.get(name, (0, 0))[0] for causes in places for name in (ROUNDED, AGAIN))
    lost = -sum(causes.get(CHEAPER, (0, 0))[0] for causes in places)
    for names, sign in (((ROUNDED, AGAIN), 1), ((CHEAPER,), -1)):
        left = min(gained, lost)
        for causes in places:
            for name in names:
                flops, transcendentals = causes.get(name, (0, 0))
                moved = min(left, abs(flops))
                if moved:
                    left -= moved
                    causes[name] = (flops - sign * moved, transcendentals)
                    accumulate(causes, MOVED, (sign * moved, 0))


def _named(before: Mapping[str, Pair], after: Mapping[str, Pair], padding: int, grown: bool) -> dict[str, Pair]:
    """Causes of one module's difference, and their units."""
    named: dict[str, Pair] = {}

    def give(because: str, flops: int, transcendentals: int = 0) -> None:
        named[because] = added(named.get(because, (0, 0)), (flops, transcendentals))

    delta = {
        opcode: (after.get(opcode, (0, 0))[0] - before.get(opcode, (0, 0))[0],
                 after.get(opcode, (0, 0))[1] - before.get(opcode, (0, 0))[1])
        for opcode in dict.fromkeys([*before, *after])
    }  # fmt: skip
    products = sum(delta[opcode][0] for opcode in delta if opcode in PRODUCTS)
    vector = products < 0 and sum(max(0, delta[opcode][0]) for opcode in delta if opcode in SUMS) >= -products // 2
    if products > 0:
        back = min(products, padding)
        give(PADDING, back)
        give(ROUNDED if grown else AGAIN, products - back)
    elif products < 0:
        give(VECTOR if vector else CHEAPER, products)
    # A division by a constant becomes a multiplication: as many operations, nothing to name.
    swapped = min(-delta.get("divide", (0, 0))[0], delta.get("multiply", (0, 0))[0])
    if swapped > 0 and not vector:
        delta["divide"] = (delta["divide"][0] + swapped, delta["divide"][1])
        delta["multiply"] = (delta["multiply"][0] - swapped, delta["multiply"][1])
    for opcode, (flops, transcendentals) in delta.items():
        if opcode in PRODUCTS:
            give(ADDED if transcendentals > 0 else FOLDED, 0, transcendentals)
        elif vector and opcode in SUMS and flops > 0:
            give(VECTOR, flops, transcendentals)
        else:
            for amount, kind in ((flops, 0), (transcendentals, 1)):
                if amount:
                    known = before.get(opcode, (0, 0))[kind] > 0
                    more = DUPLICATED if known else CONVERTED if opcode in FORMATS else ADDED
                    give(more if amount > 0 else FOLDED, *((amount, 0) if kind == 0 else (0, amount)))
    for kind in (0, 1):
        other = min(named.get(ADDED, (0, 0))[kind], -named.get(FOLDED, (0, 0))[kind])
        if other > 0:  # as many operations of another kind in their place
            give(ADDED, *((-other, 0) if kind == 0 else (0, -other)))
            give(FOLDED, *((other, 0) if kind == 0 else (0, other)))
    return named
