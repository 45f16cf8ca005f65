"""The first trace of a process says what every later one says: what happens once is no decision of a model's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LATE = """
def widest(k, limit=3):
    return k if k < limit else limit

WIDTHS = [16 if k > 2 else 8 for k in range(5)]
WIDEST = max(widest(k) for k in range(9) if k != 7)
"""
"""A module that the seventh layer needs, of which a run that is less deep knows nothing."""
MODEL = """
import flax.linen as nn
import jax
import jax.numpy as jnp


class Stack(nn.Module):
    L: int

    @nn.compact
    def __call__(self, x):
        for i in range(self.L):
            width = 8
            if i % 8 == 6:
                import late
                width = late.WIDTHS[3] * late.WIDEST
            x = nn.Dense(8)(nn.Dense(width)(x))
        return x


def made(L):
    return jax.eval_shape(Stack(L).init, jax.random.key(0), jax.ShapeDtypeStruct((2, 8), jnp.float32))
"""
WATCHED = """
from model import made
from symcost.tracing.evidence.frames.landmarks import landmarks
from symcost.tracing.evidence.frames.watch import watch

for _ in range(2):
    seen = [watch(lambda L=L: made(L), {"n": 2, "L": L}) for L in (9, 5)]
    print(landmarks(seen, ["L"]))
"""
TRACED = """
import symcost as sc
from model import Stack

for _ in range(2):
    costs = sc.trace(Stack, "float32[n,8]", referee=False)
    print(costs.domain, costs.domain.evidence["L"], costs.total(), costs.certificate.traces)
"""


def told(folder: Path, text: str) -> list[str]:
    """The lines that a process of its own prints."""
    for name, content in (("late", LATE), ("model", MODEL), ("ask", text)):
        (folder / f"{name}.py").write_text(content)
    done = subprocess.run([sys.executable, "ask.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_imports_and_jaxs_first_look_for_devices_are_no_landmarks(tmp_path: Path) -> None:
    first, second = told(tmp_path, WATCHED)
    assert first == second
    assert "thresholds=frozenset()" in first
    assert "moduli=frozenset({8})" in first


def test_the_first_closed_form_of_a_process_is_that_of_the_second(tmp_path: Path) -> None:
    first, second = told(tmp_path, TRACED)
    assert first == second
    assert "bounded" not in first
