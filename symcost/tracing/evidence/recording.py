"""Within it, the symbolic sizes of jax decide at a base point, and each decision is written down."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from jax._src import core
from jax._src.lax import lax
from jax._src.numpy import einsum

from symcost.errors import TraceError
from symcost.tracing.evidence import dimensions
from symcost.tracing.evidence.caches import remembered
from symcost.tracing.evidence.quotients import rest
from symcost.tracing.evidence.recorder import DIMENSION, Recorder
from symcost.tracing.evidence.stand_ins.functions import contract_path, of_math, of_numpy, reshape, stack
from symcost.tracing.evidence.stand_ins.shadows import jax_shadows, shadows

SECONDS = 30.0
"""How long a recording may take of the processor before it is given up: a busy machine changes no answer."""
_entered = threading.Lock()
_MISSING = object()


class Busy(TraceError):
    """Another thread records: it would see what is not its own."""


@contextlib.contextmanager
def recording(base: Mapping[str, int], seconds: float = SECONDS) -> Iterator[Recorder]:
    """Sizes from ``.dimension(name)`` decide at ``base`` inside; what jax, numpy and math were is back afterwards.

    One recording runs at a time, in the thread that entered; sizes of other threads are as jax made them.

    >>> import jax, jax.numpy as jnp
    >>> with recording({"d": 96}) as seen:
    ...     d = seen.dimension("d")
    ...     _ = jax.eval_shape(lambda x: x[:32] if d % 96 == 0 else x, jax.ShapeDtypeStruct((d,), jnp.float32))
    >>> print(*seen.guards, sep="; ")
    d % 96 == 0; d >= 33; d != 32; d >= 32
    """
    if not _entered.acquire(blocking=False):
        raise Busy("another recording is under way in this process: wait until it is done")
    recorder = Recorder(base, seconds)
    replaced: list[tuple[Any, str, Any]] = []

    def put(owner: Any, name: str, value: Any) -> None:
        replaced.append((owner, name, vars(owner).get(name, _MISSING)))
        setattr(owner, name, value)

    handler = einsum._poly_einsum_handlers.get(DIMENSION)
    try:
        for owner, name, function in remembered():
            put(owner, name, function)
        for name, method in dimensions.methods(recorder).items():
            put(DIMENSION, name, method)
        functions = of_math(recorder)
        for module, name, shadow in (*shadows(recorder, functions), *jax_shadows(recorder)):
            put(module, name, shadow)
        for name, wrapped in functions.items():
            put(math, name, wrapped)
        for name, wrapped in of_numpy(recorder).items():
            put(np, name, wrapped)
        put(lax.reshape_p, "bind", reshape(recorder))
        if hasattr(lax, "stack_p"):  # an older jax puts them together of other operations
            put(lax.stack_p, "bind", stack(recorder))
        put(core, "divide_shape_sizes", rest(recorder))
        einsum._poly_einsum_handlers[DIMENSION] = contract_path(recorder)
        yield recorder
    finally:
        einsum._poly_einsum_handlers[DIMENSION] = handler
        for owner, name, value in reversed(replaced):
            delattr(owner, name) if value is _MISSING else setattr(owner, name, value)
        _entered.release()
