"""The axes of a mesh around a program: within them it may name them, though none of the devices need exist."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
from jax.sharding import AbstractMesh, AxisType


def abstract_mesh(sizes: Mapping[str, int]) -> AbstractContextManager[Any]:
    """Within it, a program may name the axes of a mesh: constraints inside a model do. One that is around already stays."""
    if not sizes or not jax.sharding.get_abstract_mesh().empty:
        return nullcontext()
    mesh = AbstractMesh(tuple(sizes.values()), tuple(sizes), axis_types=(AxisType.Auto,) * len(sizes))
    return jax.sharding.use_abstract_mesh(mesh)
