"""Activations of a transformer in training as Megatron keeps them: the published formula, by technique.

Korthikanti et al.: Reducing Activation Recomputation in Large Transformer Models, arXiv:2205.05198, table 2 and section
4.2.3. Their kernels are those of Megatron-LM in 16 bits with masks of dropout in a byte; what a traced model keeps is
``costs.residuals``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import sympy

from symcost.errors import SymcostError
from symcost.estimate.amounts import many
from symcost.reading.given import checked_but
from symcost.reading.nearest import choose

Technique = Literal["none", "sequence", "selective", "both", "full"]
TECHNIQUES: tuple[Technique, ...] = get_args(Technique)
Ratio = Any
"""``a s / h``: what the scores of attention are beside the rest."""

_BYTES: Mapping[str, Callable[[Any, Ratio], Any]] = {
    "none": lambda t, scores: 10 + 24 / t + 5 * scores / t,
    "sequence": lambda t, scores: (34 + 5 * scores) / t,
    "selective": lambda t, scores: 10 + 24 / t,
    "both": lambda t, scores: 34 / t,
    "full": lambda t, scores: sympy.Integer(2),
}
"""Bytes a layer keeps for each of ``s b h`` features, by the number of devices ``t`` that split its tensors."""


@checked_but("s", "b", "h", "a", "L", "t", "p", "chunks")
def transformer_activations(
    technique: Technique = "none", *, s: Any, b: Any, h: Any, a: Any, L: Any = 1, t: Any = 1, p: Any = 1, chunks: Any = 1
) -> Any:  # fmt: skip
    """Bytes that one device keeps of ``L`` layers for the backward pass; of a pipeline its first stage, the fullest.

    ``s`` tokens of a sequence, ``b`` sequences of a microbatch, ``h`` features, ``a`` heads; ``t`` devices split the tensors
    of a layer. With ``r = a s/h`` a layer keeps ``s b h`` times

    - ``none``: ``10 + 24/t + 5 r/t``; ``sequence`` parallelism as well: ``(34 + 5 r)/t``
    - ``selective`` recomputation of attention: ``10 + 24/t``; ``both`` of these: ``34/t``
    - ``full`` recomputation: ``2``, the layer's input

    With ``p`` stages of a pipeline the first one keeps ``L`` layers' worth, as many microbatches being under way as there are
    stages, and ``1 + (p - 1)/(p m)`` of it with ``m`` interleaved ``chunks`` of more than one. Embeddings and the output are
    not counted.

    Raises:
        SymcostError: where the technique is another, or a number is not positive.

    >>> transformer_activations("both", s="s", b="b", h="h", a="a", L="L", t=8)
    17*L*b*h*s/4
    >>> transformer_activations("none", s=2048, b=1, h=12288, a=96, L=96, t=8, p=8, chunks=3) / 2**30  # 175 B, figure 1
    2139/32
    """
    if technique not in TECHNIQUES:
        raise SymcostError(f"unknown technique {technique!r}: {choose(technique, TECHNIQUES)}")
    given = {"s": s, "b": b, "h": h, "a": a, "L": L, "t": t, "p": p, "chunks": chunks}
    size = {name: many(value, name) for name, value in given.items()}
    kept = _BYTES[technique](size["t"], size["a"] * size["s"] / size["h"])
    held = 1 + (size["p"] - 1) / (size["p"] * size["chunks"]) if size["chunks"] != 1 else sympy.S.One
    return sympy.expand(size["s"] * size["b"] * size["h"] * size["L"] * kept * held)
