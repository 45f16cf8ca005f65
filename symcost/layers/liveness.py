"""Peaks of activation memory: largest input plus output, or everything alive at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from symcost.layers.sizes.algebra import Size
from symcost.layers.sizes.noted import NotedValue
from symcost.reading.choices import Rule

INPUT = 1
"""The value of the network's input."""


def peak_sizes(events: Sequence[NotedValue], x: tuple[Size, ...], last: int, rule: Rule) -> list[Size]:
    """The sizes whose maximum is the peak, for an input of shape ``x`` and an output ``last``.

    ``textbook``: input and output of each operation whose result is kept. ``liveness``: what is alive while each
    operation runs, the input from the start and the output to the end.
    """
    if rule == "textbook":
        return [event.textbook for event in events if not _zero(event.textbook)] or [0]
    return list(_alive(events, prod(x), last))


def _zero(size: Size) -> bool:
    return isinstance(size, int) and size == 0


def _alive(events: Sequence[NotedValue], entering: Size, last: int) -> Iterator[Size]:
    alias = _aliases(events)
    steps = [(event, tuple(alias[v] for v in event.ins)) for event in events if not event.view]
    until = {value: step for step, (_, ins) in enumerate(steps) for value in ins}
    until[alias[last]] = len(steps)
    held: dict[int, Size] = {INPUT: entering} if INPUT in until else {}
    live: Any = sum(held.values(), start=0)
    yield live
    for step, (event, ins) in enumerate(steps):
        over = [v for v in ins if until[v] == step and v in held and (event.becomes or held[v] == event.size)]
        live = live + event.size - (held.pop(over[0]) if event.in_place and over else 0)
        held[event.out] = event.size
        yield live + event.scratch
        for value in {*ins, event.out}:
            if until.get(value, step) == step and value in held:
                live = live - held.pop(value)


def _aliases(events: Sequence[NotedValue]) -> dict[int, int]:
    """The value whose memory each value is: a view is what it looks at."""
    alias = {INPUT: INPUT}
    for event in events:
        for value in event.ins:
            alias.setdefault(value, value)
        alias[event.out] = alias[event.ins[0]] if event.view else event.out
    return alias
