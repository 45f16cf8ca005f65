"""Names that were perhaps meant: only letters and digits matter, in any case."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from symcost.errors import SymcostError
from symcost.reading.numerals import short

FEW, MOST = 9, 5
"""So many names are all listed where none is near; of more, the first ones."""


def folded(name: str) -> str:
    """A name as it is compared.

    >>> folded("ViT-B/16") == folded("vit_b_16")
    True
    """
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def same(name: str, known: Iterable[str]) -> str | None:
    """The known name that is written another way; None where there is none, or more than one.

    >>> same("GPT-2", ["gpt2", "vit"])
    'gpt2'
    """
    alike = [other for other in known if folded(other) == folded(name)]
    return alike[0] if len(alike) == 1 else None


def near(name: str, known: Iterable[str], most: int = 3, cutoff: float = 0.6) -> list[str]:
    """The nearest known names: those that begin alike first, in their order.

    >>> near("efficientnet", ["vit", "efficientnet_b0", "efficientnet_b1"])
    ['efficientnet_b0', 'efficientnet_b1']
    """
    wanted, by_fold = folded(name), {folded(other): other for other in known}
    begins = [other for key, other in by_fold.items() if wanted and key and key.startswith(wanted)]
    begins += [other for key, other in by_fold.items() if len(key) > 2 and wanted.startswith(key) and key != wanted]
    close = [by_fold[key] for key in get_close_matches(wanted, list(by_fold), most, cutoff)]
    return list(dict.fromkeys([*begins, *close]))[:most]


def choose(name: str, known: Iterable[str], most: int = 3, start: str = "use") -> str:
    """What to do about an unknown name: the nearest ones, or those there are, of many the first few.

    >>> choose("parms", ["params", "macs"]), choose("zzz", ["params", "macs"], start="known are")
    ('did you mean params?', 'known are params, macs')
    """
    known = list(known)
    return offered(near(name, known, most), f"{start} {listed(known)}")


def offered(names: Iterable[str], otherwise: str) -> str:
    """The question whether one of these was meant; where there is none, what else to say."""
    return f"did you mean {' or '.join(names)}?" if (names := list(names)) else otherwise


def listed(known: Sequence[str]) -> str:
    """Names in a row, of many the first few: ``none`` of none."""
    if len(known) > FEW:
        return f"{', '.join(known[:MOST])} and {len(known) - MOST} more"
    return ", ".join(known) or "none"


def check_symbols(names: Iterable[str], known: Collection[str], error: type[SymcostError] = SymcostError,
                  having: str = "the symbols here are") -> None:  # fmt: skip
    """Raise for a name that is none of the symbols; ``having`` stands before those that there are.

    >>> check_symbols(["m"], ["n", "d"])
    Traceback (most recent call last):
    symcost.errors.SymcostError: unknown symbol 'm': the symbols here are n, d
    """
    for name in names:
        if name not in known:
            raise error(f"unknown symbol {short(name)}: {having} {', '.join(known) or 'none'}")


def one_of(name: Any, known: Collection[str], what: str, error: type[SymcostError] = SymcostError) -> Any:
    """The word itself, which is one of those there are to choose among; ``what`` says of what it is one.

    >>> one_of("jsn", ("text", "json"), "format")
    Traceback (most recent call last):
    symcost.errors.SymcostError: unknown format 'jsn': use text, json
    """
    if not isinstance(name, str) or name not in known:
        raise error(f"unknown {what} {short(name)}: use {', '.join(known)}")
    return name
