"""What is seen of a program's decisions: by its sizes, and by the numbers of its layers."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symcost.errors import SymcostError, TraceError
from symcost.formulas.form import Form, as_form
from symcost.tracing.evidence.caches import forgetful
from symcost.tracing.evidence.depths import for_all_depths, moved
from symcost.tracing.evidence.floats.exact import meant as known_form
from symcost.tracing.evidence.floats.meaning import behind, comparisons
from symcost.tracing.evidence.floats.steps import bounds, spans
from symcost.tracing.evidence.frames.conditions import sizes
from symcost.tracing.evidence.frames.landmark import Landmarks
from symcost.tracing.evidence.frames.landmarks import landmarks as read
from symcost.tracing.evidence.frames.observe import observe
from symcost.tracing.evidence.frames.watch import Observations, watch
from symcost.tracing.evidence.guard import Guard, Pin, guard
from symcost.tracing.evidence.normal import is_remainder
from symcost.tracing.evidence.record import Recording, record
from symcost.tracing.fitting.align import same
from symcost.tracing.fitting.lift import Sampler
from symcost.tracing.program.capture import PointError
from symcost.tracing.program.repeated.tables import current, makers
from symcost.tracing.sampling.depth import DEEPEST
from symcost.tracing.sampling.sample import Point, Values
from symcost.tracing.sampling.signals import NoPattern

DEEPER = (3, 5)
"""How many more layers than at the base the watched programs have, where the model takes them."""
GROWN = (1, 2, 4, 8, 16)
"""So many times as many, where only those are other programs: ``range((D - 2) // 6)`` has one layer more with every sixth."""

WATCHED = 3
"""At how many points the lines of a program with plain sizes are watched: as many as tell a line from a product."""
READ = 2
"""Other depths at which decisions are looked at whose numbers may follow the depth."""


def decided(seen: Recording, base: Mapping[str, int] | None = None) -> list[Guard]:
    """What a program decides by its sizes: the conditions that say more than that sizes are not 1.

    The model's own lines may say that too: ``if stride > 1``. Of programs deeper than at a ``base`` libraries' lines say it too:
    of ``r/32`` there was nothing to see in fewer layers.
    """
    deep = base is not None and any(seen.base[name] > base[name] for name in set(base) - set(seen.symbols))
    exact = {comparison.guard: comparison for comparison in comparisons(seen)}
    found: list[Guard | None] = []
    for each in seen.guards:
        if (_about_one(each) and not (deep and _of_quotient(each))) or _of_pin(each, seen):
            continue
        whole = behind(each, seen)
        meant = exact.get(whole)
        found += [meant.exact] if meant else bounds(whole, seen.base) or [whole]
    for made in seen.roundings:
        if not made.symbol and known_form(made) is None:
            found += spans(made, seen.base)
    return list(dict.fromkeys(known for known in found if known is not None))


def _about_one(guard: Guard) -> bool:
    """Whether a library tells sizes of 0 or 1 from all others; a remainder of 0 or 1 is no such size.

    Where the model's own lines ask, ``if q.shape[1] == 1``, each way may be another program, and where one size is larger
    than another one, as costs of orders of a product are.
    """
    if guard.number is None or is_remainder(guard.left) or guard.by_model or guard.of_sizes:
        return False
    return (guard.op == "!=" and guard.number <= 1) or (guard.op == ">=" and guard.number <= 2)


def _of_quotient(guard: Guard) -> bool:
    """Whether it tells a quotient of 1 from others, as maps are that become smaller layer by layer."""
    return guard.number in (1, 2) and isinstance(guard.left, Form) and not guard.left.is_polynomial


def _of_pin(guard: Guard, seen: Recording) -> bool:
    """Whether a plain number that was made of a size stands in it: what it says holds of that number alone."""
    numbers = {str(value) for name, value in seen.base.items() if name in seen.pinned and value > 1}
    return bool(guard.symbols & seen.pinned and numbers & set(re.findall(r"[0-9]+", str(guard))))


NAMES = re.compile(
    r"\bname\s*=|\braise\b|\bprint\(|\.(debug|info|warn|warning|error|log|param|variable|sow|named_scope)\("
)
"""Lines that only name a thing by a text, or tell somebody."""


def unseen(seen: Recording, depths: Mapping[str, Landmarks]) -> frozenset[str]:
    """Symbols by each of whose values the program may do anything.

    It makes a text or a key of them without saying what for, or compares numbers of layers in a way that is not understood.
    Where it takes single numbers of an array that was made of sizes, deeper layers may have other ones: so it is with depths.
    """
    pins = [pin for pin in seen.texts if not NAMES.search(pin.place.text)]
    unread = frozenset(name for name, found in depths.items() if not found.complete)
    layered = frozenset(depths) if any(pin.of_array for pin in pins) else frozenset()
    return unread | layered | seen.behind(frozenset(name for pin in pins for name in pin.symbols))


def untold_by_jax(seen: Recording) -> frozenset[str]:
    """Symbols that are bounded for what jax does with them as plain numbers alone: it knows no single sizes."""
    own = seen.behind(frozenset(name for pin in seen.pins if not pin.by_jax for name in pin.symbols))
    return seen.pinned - own if seen.traced else frozenset()


def recorded(sampler: Sampler, base: Point, structural: Sequence[str], depths: Mapping[str, Landmarks]) -> Recording:
    """One trace with symbolic sizes, of a program so deep that every kind of layer is in it where the model takes that."""
    deep = {name: max(base[name], min(depths[name].reach, DEEPEST)) for name in structural if name in depths}
    point = {**base, **deep}
    recording = record(sampler.model, point if sampler.works(point) else base, structural)
    plain = [guard for guard in recording.guards if _is_plain(guard, recording.base)]
    guards = tuple(guard for guard in recording.guards if guard not in plain)
    return replace(recording, guards=guards, pins=(*recording.pins, *(Pin(guard.left, guard.place) for guard in plain)))


def of_depths(
    sampler: Sampler, seen: Recording, structural: Sequence[str], values: Mapping[str, Values]
) -> tuple[dict[Guard, Guard], list[Guard]]:
    """Decisions by sizes whose numbers follow a depth, each as it is at every depth; and bounds of depths.

    A depth is bounded where deeper programs decide more by their sizes: what they decide is known up to there.

    Raises:
        NoPattern: where such decisions follow no rule.
    """
    told, bounds = dict[Guard, Guard](), list[Guard]()
    own = decided(seen)
    for name in structural if own else ():
        first = seen.base[name]
        nearest = sorted(
            dict.fromkeys(v for v in values[name] if v != first), key=lambda v: (v < first, abs(v - first))
        )
        found: dict[int, Sequence[Guard]] = {first: own}
        for depth in nearest:
            other = record(sampler.model, {**seen.base, name: depth}, structural)
            if other.traced:
                found[depth] = decided(other)
            if len(found) > READ or (len(found) == READ and not any(moved(found, first)[1:])):
                break
        before, *fresh = moved(found, first)
        if not any(fresh):
            continue
        if not before and all(not more for depth, more in zip(list(found)[1:], fresh, strict=True) if depth < first):
            bounds += [each for each in [guard(Form.symbol(name), "<=", as_form(first))] if each is not None]
            continue
        alike = len(found) > READ and all(len(more) == len(before) for more in fresh)
        general = (
            [for_all_depths(name, list(found), each) for each in zip(before, *fresh, strict=True)] if alike else [None]
        )
        if None in general or told.keys() & set(before):
            what = next(each for each in (*before, *itertools.chain(*fresh)))
            raise NoPattern(f"what the program decides by its sizes changes with {name} in no regular way: {what} at "
                            f"{name} = {first} ({what.place})")  # fmt: skip
        told |= {number: each for number, each in zip(before, general, strict=True) if each is not None}
    return told, bounds


def _is_plain(guard: Guard, base: Mapping[str, int]) -> bool:
    """Whether a size is met by its own value as a number: something was made of that number, an array of as many."""
    own = [name for name in guard.symbols if guard.left == Form.symbol(name)]
    return guard.op == "==" and guard.number is not None and [base.get(name) for name in own] == [guard.number]


def framed(sampler: Sampler, seen: Recording, values: Mapping[str, Values], structural: Sequence[str]) -> list[Guard]:
    """What the model's own lines decide by sizes that were plain numbers in the recording, which did not see that."""
    names = [name for name in values if name not in structural]
    plain = set(names) - seen.proved
    if not plain:
        return []
    points = [dict(seen.base), *_beside(dict(seen.base), {name: values[name] for name in names}, sampler.works)]
    if len(points) < 2:
        return []
    try:
        found = sizes([observe(sampler.model, point) for point in points]).guards
    except SymcostError:  # frames are watched elsewhere, say: the symbols stay bounded by what was tried
        return []
    return [guard for guard in found if guard.symbols & plain and not _about_one(guard)]


def _beside(base: Point, values: Mapping[str, Values], works: Callable[[Point], bool]) -> Iterator[Point]:
    """Points at which no two symbols have the same values where the model takes that: those cannot be told apart."""
    for k in range(1, WATCHED):
        apart = {name: v[1 + (k - 1 + shift) % (len(v) - 1)] for shift, (name, v) in enumerate(values.items()) if v[1:]}
        alike = {name: v[k] for name, v in values.items() if v[k:]}
        points = ({**base, **apart}, {**base, **alike})
        yield from itertools.islice((point for point in points if point != base and works(point)), 1)


def landmarks(sampler: Sampler, base: Point, names: Sequence[str]) -> dict[str, Landmarks]:
    """With what the program compares the numbers of its layers, by the symbol that is their number.

    Where its frames cannot be watched, all that is known is that they were not.
    """
    if not names:
        return {}
    times = {name: _growing(sampler, base, name) for name in names}
    points = [{**base, **{name: base[name] + further * k for name, k in times.items()}} for further in DEEPER]
    try:
        found = _without_tables(sampler, points)
        if not found:
            with forgetful():
                found = [seen for point in points if (seen := _watched(sampler, point)) is not None]
                found = found or [watch(lambda: sampler.anew(base), base)]
        return read(found, names)
    except TraceError as problem:
        return dict.fromkeys(names, Landmarks(unread=(f"a depth whose comparisons were not seen ({problem})",)))


def varies(sampler: Sampler, base: Point, name: str) -> bool:
    """Whether the program is another one at larger values of a symbol, as far as numbers of layers are looked for."""
    return any(_unlike(sampler, base, name, [k * DEEPER[0] for k in GROWN]))


def _growing(sampler: Sampler, base: Point, name: str) -> int:
    """How many times as far along a symbol its watched programs lie: the first with which they are others, and unlike."""
    if any(_unlike(sampler, base, name, (1, 2))) or not all(_unlike(sampler, base, name, GROWN[-1:])):
        return 1
    return next((k for k in GROWN[1:] if all(_unlike(sampler, base, name, [k * more for more in DEEPER]))), 1)


def _unlike(sampler: Sampler, base: Point, name: str, further: Iterable[int]) -> Iterator[bool]:
    """Whether each program further along a symbol is another one than the last before it."""
    points = ({**base, name: base[name] + more} for more in (0, *further))
    known = (sampler(point) for point in points if sampler.works(point))
    return (not same(one, other) for one, other in itertools.pairwise(known))


def _without_tables(sampler: Sampler, points: Sequence[Point]) -> list[Observations]:
    """What is seen but for how tables are made number by number, where deeper programs ask for no others.

    Such a table depends on what it is asked for alone, so that its own lines do not see which layer that is.
    """
    called, found, asked = current().called, list[Observations](), list[set[Any]]()
    if not makers():
        return []
    with forgetful(tables=False):
        for point in points:
            called.clear()
            if (seen := _watched(sampler, point)) is not None:
                found.append(seen)
                asked.append(set(called))
    return found if len(found) > 1 and all(each == asked[0] for each in asked) else []


def _watched(sampler: Sampler, point: Point) -> Observations | None:
    """What is seen of the model's trace at a point, where it can be traced there."""
    with contextlib.suppress(PointError):
        return watch(lambda: sampler.anew(point), point)
    return None
