"""Shards of what training keeps: over how many devices parameters, gradients, optimizer state and residuals are split."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import sympy

from symcost.errors import SymcostError
from symcost.estimate.amounts import many
from symcost.reading.numerals import bare

Stage = Literal[0, 1, 2, 3]
SPLIT = ("optimizer", "gradients", "params")
"""What each stage of ZeRO splits over the data axis, one more with every stage."""


@dataclass(frozen=True, kw_only=True)
class Shards:
    """How many devices share each part, a number or a formula; 1 where every device keeps all of it.

    Raises:
        SymcostError: where a number of devices is not positive.

    >>> Shards.zero(1, data="X", model=8)
    Shards(params=8, gradients=8, optimizer=8*X, residuals=8*X, state=1)
    """

    params: Any = 1
    gradients: Any = 1
    optimizer: Any = 1
    residuals: Any = 1
    state: Any = 1

    def __post_init__(self) -> None:
        for part in fields(self):
            object.__setattr__(self, part.name, many(getattr(self, part.name), part.name))

    @classmethod
    def zero(cls, stage: Stage, data: Any, model: Any = 1, *, residuals: Any = None) -> Shards:
        """ZeRO on a ``data`` axis, everything split over a ``model`` axis (tensors or stages of a pipeline) too.

        Stage 0 is plain data parallelism; 1 splits the optimizer's state over ``data``, 2 the gradients as well, 3 the
        parameters as well, as FSDP does (Rajbhandari et al.: ZeRO, arXiv:1910.02054, figure 1). ``residuals``: over how many
        devices what the backward pass needs is split; both axes unless given, which needs sequence parallelism along
        ``model``. The model's own state is kept whole.

        Raises:
            SymcostError: where a stage or a number of devices is none.
        """
        if isinstance(stage, bool) or stage not in (0, 1, 2, 3):
            raise SymcostError(f"stage={bare(stage)} of ZeRO must be 0, 1, 2 or 3: 3 is FSDP")
        data, model = many(data, "data"), many(model, "model")
        split = {part: model * (data if part in SPLIT[:stage] else 1) for part in SPLIT}
        return cls(**split, residuals=data * model if residuals is None else residuals)


def of_one(total: Any, devices: sympy.Expr) -> Any:
    """Bytes on the fullest of ``devices`` that share ``total`` bytes in one buffer: ``ceiling(total / devices)``.

    >>> of_one(10, sympy.Integer(4))
    3
    """
    if devices == 1:
        return total
    share = sympy.ceiling(sympy.expand(sympy.sympify(total, strict=True) / devices))
    return int(share) if share.is_Integer else share
