"""What a compiler answered, or why it did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TargetAnswer:
    """One target's answer.

    ``text``: the optimised program. ``analysis``: XLA's own float32 figures (``flops``, ``transcendentals``,
    ``bytes accessed``). ``memory``: bytes by XLA's name. ``memory_text``: the program that the memory figures are of.
    ``unprinted``: why there is no text, from a compiler that cannot print its own program; its figures stand all the same.
    """

    text: str = field(repr=False)
    analysis: Mapping[str, float]
    memory: Mapping[str, int]
    memory_text: str = field(repr=False)
    cached: bool = False
    unprinted: str = ""


@dataclass(frozen=True)
class Failure:
    """Why a target did not answer, in one line with the cure."""

    reason: str
