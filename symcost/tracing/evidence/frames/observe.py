"""A model's trace at a point, watched: everything of it really runs, nothing is answered from a cache."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

from jax.experimental.xla_metadata import set_xla_metadata

from symcost.tracing.evidence.caches import forgetful
from symcost.tracing.evidence.frames.watch import Observations, watch
from symcost.tracing.program.capture import traced
from symcost.tracing.program.model import Model
from symcost.tracing.program.modules.linen import Initialisers

_numbers = itertools.count()


def observe(model: Model, point: Mapping[str, int]) -> Observations:
    """What a model's lines decide while it is made and traced at a point; a :class:`PointError` where it raises.

    The model is made anew, what its functions remember is computed anew, and jax's caches of traced functions miss: they
    are kept by the metadata around a call, and each watched trace has a number there that no other has.
    """
    fresh = replace(model, initialisers=Initialisers())
    with forgetful(), set_xla_metadata(symcost_watched=str(next(_numbers))):
        return watch(lambda: traced(fresh, point), point)
