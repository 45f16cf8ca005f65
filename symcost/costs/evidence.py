"""What stands behind each symbol of a closed form, in one word and why: proved, guarded, or bounded by what was tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Word = Literal["proved", "guarded", "bounded"]
PROVED: Word = "proved"
GUARDED: Word = "guarded"
BOUNDED: Word = "bounded"
WORDS: tuple[Word, ...] = (BOUNDED, GUARDED, PROVED)
"""From the weakest to the strongest."""
SHOWN = 2
"""Decisions that a summary tells of one word; of the others their number."""


@dataclass(frozen=True)
class Evidence:
    """One word of a symbol, and why it is that one.

    ``proved``: one trace with symbolic sizes stood, and what it decided by them are the domain's conditions. ``guarded``:
    the program's own comparisons and roundings are known, and are the conditions. ``bounded``: as far as it was tried.

    >>> print(Evidence("bounded", "tried up to 28: pick(i) (model.py:41) was not understood", 28))
    bounded: tried up to 28: pick(i) (model.py:41) was not understood
    """

    word: Word
    why: str
    most: int | None = None
    """The largest value that was tried, where nothing says more."""

    def __str__(self) -> str:
        return f"{self.word}: {self.why}"

    def weaker(self, other: Evidence) -> Evidence:
        """The weaker one of two pieces."""
        return min(self, other, key=lambda evidence: WORDS.index(evidence.word))


@dataclass(frozen=True)
class Decision:
    """A condition that a program decided by, in words, its symbols, and the line that decides, as ``net.py:12``, if known."""

    text: str
    symbols: tuple[str, ...]
    place: str

    def __str__(self) -> str:
        return f"{self.text} ({self.place})" if self.place else self.text


def beyond(name: str, value: int, most: int, why: str, cure: str) -> str:
    """The refusal of a value that is larger than those that were tried, with its cure."""
    return f"{name}={value} is beyond what was tried, {name} up to {most}, and nothing says more ({why}): {cure}"


def untold(name: str, value: int, why: str) -> str:
    """The refusal of a value that was not tried, of a symbol of which a program makes texts or keys."""
    return (
        f"{name}={value} was not tried, and the program may be any other there ({why}): compare this point with check=True, "
        f'or trace it with samples={{"{name}": [..., {value}, ...]}}'
    )


def summary(evidence: Mapping[str, Evidence], decisions: Sequence[Decision] = ()) -> str:
    """One line: the symbols by their words, with the decisions that are conditions, or how far was tried.

    >>> words = {"n": Evidence("proved", ""), "d": Evidence("guarded", ""), "L": Evidence("bounded", "", 28)}
    >>> print(summary(words, [Decision("d % 96 == 0", ("d",), "model.py:41")]))
    proved in n; guarded in d: d % 96 == 0 (model.py:41); bounded L <= 28
    """
    parts = []
    for word in reversed(WORDS):
        names = [name for name, each in evidence.items() if each.word == word]
        if not names:
            continue
        conditions = [str(each) for each in decisions if each.symbols and each.symbols[0] in names]
        more = [f"and {len(conditions) - SHOWN} more"] if len(conditions) > SHOWN else []
        behind = f": {', '.join([*conditions[:SHOWN], *more])}" if conditions else ""
        if word == BOUNDED:
            limits = [name if evidence[name].most is None else f"{name} <= {evidence[name].most}" for name in names]
            parts.append(f"bounded {', '.join(limits)}{behind}")
        else:
            parts.append(f"{word} in {', '.join(names)}{behind}")
    return "; ".join(parts)
