"""Names that were perhaps meant: only letters and digits matter, in any case."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST = 5
"""As many names are listed where none is near."""


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
    found = [other for other in known if folded(other) == folded(name)]
    return found[0] if len(found) == 1 else None


def near(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The nearest known names: those that begin alike first, in their order.

    >>> near("efficientnet", ["vit", "efficientnet_b0", "efficientnet_b1"])
    ['efficientnet_b0', 'efficientnet_b1']
    """
    wanted, by_fold = folded(name), {folded(other): other for other in known}
    begins = [other for key, other in by_fold.items() if wanted and key and key.startswith(wanted)]
    begins += [other for key, other in by_fold.items() if len(key) > 2 and wanted.startswith(key) and key != wanted]
    close = [by_fold[key] for key in get_close_matches(wanted, list(by_fold), n=most)]
    return list(dict.fromkeys([*begins, *close]))[:most]


def hint(name: str, known: Iterable[str], most: int = 3) -> str:
    """What to do about an unknown name: the nearest ones, or the first few of those there are.

    >>> hint("parms", ["params", "macs"])
    'did you mean params?'
    """
    known = list(known)
    if found := near(name, known, most):
        return f"did you mean {' or '.join(found)}?"
    more = f" and {len(known) - MOST} more" if len(known) > MOST else ""
    return f"use {', '.join(known[:MOST])}{more}"
