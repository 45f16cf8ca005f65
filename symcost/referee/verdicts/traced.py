"""A table as the question: the program that it was traced from, as the compilers are asked about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.referee.compilers.source import ProgramSource
from symcost.tracing.derive import Fresh


def source(costs: CostTable, at: Mapping[str, int], options: Sequence[str]) -> ProgramSource:
    """The source of the model of a traced table at a point; ``options`` are names of those that its trace has decided."""
    if options:
        raise SymcostError(
            f"{' and '.join(options)} {'are' if len(options) > 1 else 'is'} for a model: a table is verified as it was "
            "traced, leave them out or give the model itself"
        )
    fresh = costs.parts.fresh
    if not isinstance(fresh, Fresh):
        raise SymcostError(
            "a verdict needs the program, and this table has formulas alone: give the model, or a table of sc.trace as it "
            "was made in this process"
        )
    return ProgramSource.of(fresh.model, at)
