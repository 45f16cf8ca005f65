"""A perceptron that is trained on a mesh of data and tensors: its closed form serves every test of plans."""

from __future__ import annotations

import pytest

import symcost as sc

V5P = "google-tpu-v5p"
MESH = {"data": "X", "model": "Y"}
TENSOR = {"inputs/0": ("data",), "**/up/kernel": (None, "model"), "**/down/kernel": ("model",)}
SIZES = {"d": 4096, "F": 4096}


@pytest.fixture(scope="session")
def tensor() -> sc.CostTable:
    """Data along X, tensors along Y, as XLA cuts the step."""
    from traced_once import traces_once

    from examples.pod import perceptron

    with pytest.MonkeyPatch.context() as patch:
        traces_once(patch)
        return sc.trace(perceptron, "bfloat16[B,d]", plan=sc.Plan(MESH, TENSOR), mode="train")
