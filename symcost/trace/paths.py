"""Module paths and phases from the name stacks of equations.

While a model is traced, each module method runs inside ``jax.named_scope("@" + path)`` with the module's absolute
path. The innermost such scope of an equation names its module; the transformations on the stack name its phase.
"""

from __future__ import annotations

import re
from typing import Any

MARK = "@"
FORWARD, BACKWARD, RECOMPUTE = "forward", "backward", "recompute"
_NUMBER = re.compile(r"\d+")


class Stacks:
    """Reads name stacks, each distinct one once."""

    def __init__(self) -> None:
        self._seen: dict[Any, tuple[str | None, bool, bool]] = {}

    def read(self, stack: Any) -> tuple[str | None, bool, bool]:
        """(module path or nothing, under a transposition, recomputed) of one equation's own stack."""
        found = self._seen.get(stack)
        if found is None:
            names = [element.name for element in stack.stack]
            paths = [name[1:] for name in names if name.startswith(MARK)]
            found = self._seen[stack] = (
                paths[-1] if paths else None,
                "transpose" in names,
                any("rematted_computation" in name for name in names),
            )
        return found


def template(path: str) -> str:
    """The path with numbers replaced, so that repeated blocks share it.

    >>> template("encoder/block_11/attn")
    'encoder/block_#/attn'
    """
    return _NUMBER.sub("#", path)
