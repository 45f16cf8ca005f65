"""Level 2: what a compiler made of the program, recounted, and every step between its figure and ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from symcost.agreement.check import Check, ModuleRow
from symcost.agreement.written import Written, emulation, uncounted
from symcost.hlo import HloCost, analyse, parse, pointer_of
from symcost.hlo.counting.collectives import exchanged
from symcost.hlo.explaining.attribution import attributed
from symcost.hlo.explaining.bridge import bridge, by_module
from symcost.hlo.explaining.products import products
from symcost.hlo.reading.ir import Module
from symcost.hlo.reading.scopes import module_of
from symcost.hlo.reading.text import HloError
from symcost.referee.compilers.answer import TargetAnswer
from symcost.referee.compilers.targets import TPU, Target
from symcost.referee.verdicts.verdict import Compiled

ROUNDING = "rounding to float32"
CALLS = "library calls restored"
TRIPS = "loop trips"


@dataclass(frozen=True)
class Recount:
    """A program's text, counted: as XLA does, with library calls, and with every trip too."""

    module: Module
    once: HloCost
    restored: HloCost
    whole: HloCost


@lru_cache(maxsize=16)
def recount(text: str, paths: tuple[str | None, ...], pointer: int) -> Recount:
    """Read, attribute and count a program; the same text is read once."""
    module = attributed(parse(text), paths)
    restored = analyse(module, calls=True, pointer=pointer)
    try:
        whole = analyse(module, trips=True, calls=True, pointer=pointer)
    except HloError:
        whole = restored
    return Recount(module, analyse(module, pointer=pointer), restored, whole)


def read(target: Target, answer: TargetAnswer, paths: tuple[str | None, ...]) -> Recount:
    """A target's program, counted as the XLA of its version does."""
    return recount(answer.text, paths, pointer_of(target.versions()["jaxlib"]))


def compiled(
    target: Target, answer: TargetAnswer, written: Written, paths: tuple[str | None, ...], devices: int
) -> tuple[Compiled, list[Check], list[ModuleRow]]:
    """A target's program against the one that was written; one device's share of it has no such counterpart."""
    sharded = devices > 1
    recounted = read(target, answer, paths)
    module, once, restored, whole = recounted.module, recounted.once, recounted.restored, recounted.whole
    own = unread(target, answer, devices, "")
    steps = {
        ROUNDING: once.flops + once.calls[0] - own.raw,
        CALLS: restored.flops - once.flops - once.calls[0],
        TRIPS: whole.flops - restored.flops,
    }
    base = written.whole or written.once
    exchange = exchanged(module)
    parts = () if sharded else tuple(bridge(base, whole, written.products, products(module)))
    metrics = ["flops", "transcendentals", *(["bytes accessed"] if target.platform != TPU else [])]
    checks = emulation(target.name, once, answer.analysis, metrics)
    if not sharded:
        checks += _bridged(target.name, base, whole, parts)
    checks.append(uncounted(target.name, whole))
    made = replace(
        own, recount=whole.flops, transcendentals=whole.transcendentals, bytes_accessed=whole.bytes,
        steps={name: value for name, value in steps.items() if value}, parts=parts,
        attributed=sum(flops for (name, _), (flops, *_) in whole.cells.items() if module_of(name) is not None),
        phases=_phases(whole), collectives={kind: one.bytes for kind, one in exchange.items()},
        widened={f"{kind} {name}": size for kind, one in exchange.items() for name, size in one.widened.items()},
    )  # fmt: skip
    rows = [] if sharded else _rows(target.name, base, whole, made)
    return made, checks, rows


def unread(target: Target, answer: TargetAnswer, devices: int, why: str) -> Compiled:
    """What is known of a target's program that cannot be read: the compiler's own figures."""
    raw, raw_transcendentals = (int(answer.analysis.get(name) or 0) for name in ("flops", "transcendentals"))
    return Compiled(
        target=target.name, title=target.title, cached=answer.cached, versions=target.versions(), raw=raw,
        raw_transcendentals=raw_transcendentals, devices=devices, missing=why,
    )  # fmt: skip


def _bridged(target: str, base: HloCost, whole: HloCost, parts: tuple) -> list[Check]:
    """The named parts lead from the program as written to the recount: an identity that a lost row would break."""
    return [
        Check(level=2, target=target, metric=f"{metric} by named parts",
              ours=getattr(base, metric) + sum(getattr(part, metric) for part in parts), theirs=getattr(whole, metric),
              witness="the optimised program, recounted") for metric in ("flops", "transcendentals")
    ]  # fmt: skip


def _phases(cost: HloCost) -> Mapping[str, int]:
    by_phase: dict[str, int] = {}
    for (_, phase), opcodes in by_module(cost).items():
        by_phase[phase] = by_phase.get(phase, 0) + sum(pair[0] for pair in opcodes.values())
    return {phase: flops for phase, flops in by_phase.items() if flops}


def _rows(target: str, base: HloCost, whole: HloCost, made: Compiled) -> list[ModuleRow]:
    before, after = by_module(base), by_module(whole)
    causes: dict[tuple[str, str], dict[str, int]] = {}
    for part in made.parts:
        if part.flops:
            shares = causes.setdefault((part.path, part.phase), {})
            shares[part.because] = shares.get(part.because, 0) + part.flops
    rows = []
    for place in dict.fromkeys([*before, *after]):
        left, right = (sum(pair[0] for pair in side.get(place, {}).values()) for side in (before, after))
        why = sorted(causes.get(place, {}).items(), key=lambda item: -abs(item[1]))
        because = "; ".join(f"{name} {flops:+,}" for name, flops in why)
        rows.append(ModuleRow(target, *place, "flops", left, right, because))
    return rows
