"""Which equations become several operations on the way to HLO: known operands fold some of those."""

from __future__ import annotations

from typing import Any

import numpy as np

EXPANDED = frozenset({"asin", "acos", "sinh", "asinh", "acosh", "atanh", "erfc", "erf_inv", "lgamma", "digamma", "zeta",
                      "polygamma", "bessel_i0e", "bessel_i1e", "nextafter", "random_seed"})  # fmt: skip
"""Elementwise primitives that become several operations, which no constant folds as a whole."""


MAY_EXPAND = EXPANDED | {"dot_general", "pow", "select_n", "gather", "scatter", "scatter-add", "scatter-sub", "scatter-mul",
                         "scatter-min", "scatter-max"}  # fmt: skip
"""Those, and the primitives that do it depending on number types or modes."""


def expands(name: str, eqn: Any) -> bool:
    """Whether an equation becomes several operations on the way to HLO."""
    if name in EXPANDED:
        return True
    types = [getattr(atom.aval, "dtype", None) for atom in eqn.invars[:2]]
    if name in ("dot_general", "pow"):
        return types[0] != types[1]
    if name == "select_n":
        return types[0] != np.bool_
    mode = getattr(eqn.params.get("mode"), "name", "")
    return (name == "gather" and mode == "FILL_OR_DROP") or (name.startswith("scatter") and mode == "CLIP")
