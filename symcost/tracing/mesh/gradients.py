"""Where the gradients of a program lie on a mesh: as the parameters do that they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from symcost.tracing.program.arguments import Argument


def gradients_laid(
    run: Callable[..., Sequence[Any]], arguments: Sequence[Argument], places: Sequence[Any]
) -> Callable[..., list[Any]]:
    """The program with its gradients laid as its arguments are; ``places``: the sharding of each argument."""
    laid = [place for argument, place in zip(arguments, places, strict=True) if argument.changed]
    if not laid:
        return lambda *values: list(run(*values))

    def program(*values: Any) -> list[Any]:
        results = list(run(*values))
        gradients = slice(1, 1 + len(laid))  # the loss is the first result
        results[gradients] = map(jax.lax.with_sharding_constraint, results[gradients], laid)
        return results

    return program
