"""Paths by pattern: ``**`` is any number of parts, ``*`` a part or a piece of one, everything else is itself.

The one implementation for what is trained and what is active. Patterns are never made regular expressions: a match
takes at most as many steps as the pattern's parts times the path's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symcost.errors import SymcostError
from symcost.reading.nearest import listed, near, offered

ANY = "**"


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern is the whole of a path.

    >>> [matches("**/lora/**", path) for path in ("lora/a", "block_0/mlp/lora/b", "block_0/mlp/kernel")]
    [True, True, False]
    >>> matches("head/*", "head/bias"), matches("head/*", "head/out/bias"), matches("block_*/**/bias", "block_3/bias")
    (True, False, True)
    """
    runs: list[list[str]] = [[]]
    for part in pattern.split("/"):
        if part == ANY:
            runs.append([])
        else:
            runs[-1].append(part)
    parts = path.split("/")
    first, *middle = runs
    if not middle:
        return len(first) == len(parts) and _at(first, parts, 0)
    last = middle.pop()
    start, stop = len(first), len(parts) - len(last)
    if start > stop or not _at(first, parts, 0) or not _at(last, parts, stop):
        return False
    for run in middle:  # the first place is as good as any later one
        start = next((i for i in range(start, stop - len(run) + 1) if _at(run, parts, i)), stop + 1) + len(run)
    return start <= stop


def _at(run: Sequence[str], parts: Sequence[str], start: int) -> bool:
    return all(_part(pattern, parts[start + i]) for i, pattern in enumerate(run))


def _part(pattern: str, part: str) -> bool:
    """One part: what stands between the stars occurs in order, the ends at the ends."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == part
    last = rest.pop()
    if len(part) < len(first) + len(last) or not part.startswith(first) or not part.endswith(last):
        return False
    start, stop = len(first), len(part) - len(last)
    for piece in rest:
        place = part.find(piece, start, stop)
        if place < 0:
            return False
        start = place + len(piece)
    return True


def checked(pattern: object, what: str) -> str:
    """The pattern itself; one that can match nothing by its form is an error, in which ``what`` stands before it."""
    if not isinstance(pattern, str):
        raise SymcostError(f"{what}={pattern!r} is no pattern of paths: give a text such as '**/bias'")
    if not all(pattern.removeprefix("!").split("/")):
        raise SymcostError(
            f"{what}={pattern!r} has an empty part: write it as 'head/*' or '**/bias', without / at its ends"
        )
    return pattern


def no_match(pattern: str, paths: Iterable[str], what: str) -> SymcostError:
    """The error of a pattern that matches nothing, with what was perhaps meant.

    >>> print(no_match("head", ["stem/kernel", "head/kernel"], "wrt"))
    wrt='head' matches no parameter: did you mean 'head/**'?
    """
    known = list(dict.fromkeys(paths))
    plain = pattern.removeprefix("!")
    wider = (f"{plain}/{ANY}", f"{ANY}/{plain}", f"{ANY}/{plain}/{ANY}")
    wide = [f"'{pattern[: -len(plain)]}{w}'" for w in wider if any(matches(w, path) for path in known)][:1]
    hint = offered(wide or near(plain, known, cutoff=0.4), f"they are {listed(known)}")
    return SymcostError(f"{what}={pattern!r} matches no parameter: {hint}")
