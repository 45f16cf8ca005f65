"""A row of the zoo: a model, its inputs, and the points at which it is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """A factory with its input specs.

    ``real`` is a point that a user would ask for, ``small`` one at which lowering is cheap; ``also`` are further
    points that must lie inside the domain. ``options`` go to ``trace`` as they are.
    """

    name: str
    factory: Callable[..., Any]
    specs: tuple[Any, ...]
    real: Mapping[str, int]
    small: Mapping[str, int]
    call: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[Mapping[str, int], ...] = ()

    def __str__(self) -> str:
        return self.name
