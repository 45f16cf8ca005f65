"""Twins of composition."""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any

import jax.numpy as jnp

from symcost.layers.kinds.combine import Branch, Identity, Repeat, Residual, Sequential
from symcost.layers.kinds.shape import Dropout
from symcost.layers.twins.base import inner, number, twin


@twin(Sequential)
def sequential(layer: Sequential, x: Any) -> Any:
    """One after the other."""
    for name, part in layer.layers:
        x = inner(part, x, name)
    return x


@twin(Residual)
def residual(layer: Residual, x: Any) -> Any:
    """The sum of both ways."""
    out = inner(layer.body, x, "body")
    if layer.where_it_fits and out.shape != x.shape:
        return out
    return (x if layer.shortcut is None else inner(layer.shortcut, x, "shortcut")) + out


@twin(Branch)
def branch(layer: Branch, x: Any) -> Any:
    """Side by side, then joined."""
    outs = [inner(part, x, name) for name, part in layer.layers]
    if layer.join == "concat":
        return jnp.concatenate(outs, axis=-1)
    return reduce(operator.add if layer.join == "add" else operator.mul, outs)


@twin(Identity, Dropout)
def identity(layer: Identity | Dropout, x: Any) -> Any:
    """Nothing; of dropout at inference."""
    return x


@twin(Repeat)
def repeat(layer: Repeat, x: Any) -> Any:
    """A Python loop, so that every block has parameters of its own."""
    for index in range(number(layer.times)):
        x = inner(layer.block, x, f"block_{index}")
    return x
