"""Landmarks of depth: the numbers that a program compares a layer's index, or a depth, with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symcost.tracing.evidence.frames.affine import Reading
from symcost.tracing.evidence.frames.collect import Collector
from symcost.tracing.evidence.frames.expressions import Site
from symcost.tracing.evidence.frames.landmark import Landmarks
from symcost.tracing.evidence.frames.roles import Column, compared
from symcost.tracing.evidence.frames.watch import Observations

Span = tuple[Any, ...]


def landmarks(seen: Sequence[Observations], symbols: Collection[str]) -> dict[str, Landmarks]:
    """The landmarks of each depth in ``symbols``, from runs watched at one or more points.

    One run finds the numbers; a second one, at another depth, tells constants that happen to equal the depth, and
    loops that do not grow with it, apart. Where it could not be told, a landmark counts for every depth that it may be of.

    >>> from symcost.tracing.evidence.frames.watch import watch
    >>> def program(L):
    ...     return [i for i in range(L) if i % 8 == 3 or i >= L - 2]
    >>> landmarks([watch(lambda: program(5), {"L": 5})], ["L"])["L"].unread
    ()
    """
    collector = Collector(symbols)
    for site, columns in joined(seen):
        collector.read(Reading(site, columns, symbols))
        if set(symbols) - set(compared([run.point for run in seen], symbols)):
            collector.read(Reading(site, columns, symbols, bound=False))
    missed = [] if all(o.whole for o in seen) else ["code whose text is not there"]
    return {name: replace(found, unread=(*found.unread, *missed)) for name, found in collector.found.items()}


def joined(seen: Sequence[Observations]) -> Iterator[tuple[Site, tuple[Column, ...]]]:
    """Each site with the columns of its leaves over all runs."""
    together: dict[Span, list[tuple[Site, Mapping[str, int], list[tuple[Any, ...]]]]] = {}
    for run in seen:
        for site, visits in run.visits.items():
            together.setdefault((site.place, site.span, site.operation, site.text), []).append(
                (site, run.point, visits)
            )
    for found in together.values():
        site, points = found[0][0], tuple(point for _, point, _ in found)
        yield (
            site,
            tuple(
                Column(leaf.text, points, tuple(tuple(visit[k] for visit in visits) for _, _, visits in found))
                for k, leaf in enumerate(site.leaves)
            ),
        )
