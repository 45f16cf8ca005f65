"""The bubble of a pipeline: the share of a step in which a stage waits for the first and the last microbatch."""

from __future__ import annotations

from typing import Any

import sympy

from symcost.estimate.amounts import many
from symcost.reading.given import checked_but


@checked_but("stages", "microbatches", "chunks")
def pipeline_bubble(stages: Any, microbatches: Any, chunks: Any = 1) -> Any:
    """``(p - 1)/(v m + p - 1)``: the idle share of ``p`` stages that take ``m`` microbatches, in ``v`` chunks each.

    Huang et al.: GPipe, arXiv:1811.06965, section 2.3; with ``v`` interleaved chunks a stage, Narayanan et al.: Efficient
    Large-Scale Language Model Training on GPU Clusters, arXiv:2104.04473, section 2.2 (who tell it relative to the rest of the
    step, ``(p - 1)/(v m)``). Forward and backward passes are as long in every stage.

    Raises:
        SymcostError: where a number is below 1.

    >>> pipeline_bubble(4, 8), pipeline_bubble("p", "m")
    (3/11, (p - 1)/(m + p - 1))
    """
    p, m, v = (many(each, what) for each, what in
               ((stages, "stages"), (microbatches, "microbatches"), (chunks, "chunks")))  # fmt: skip
    return sympy.cancel((p - 1) / (v * m + p - 1))
