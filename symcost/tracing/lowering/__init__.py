"""The program as XLA receives it: simplified on its way to HLO, before anything is counted."""

from __future__ import annotations

from symcost.tracing.lowering import moves  # noqa: F401  (registers what primitives become)
from symcost.tracing.lowering.dead import mark_dead
from symcost.tracing.lowering.expand import MAY_EXPAND, expands
from symcost.tracing.lowering.node import Constant, Lowering, Node

__all__ = ["MAY_EXPAND", "Constant", "Lowering", "Node", "expands", "mark_dead"]
