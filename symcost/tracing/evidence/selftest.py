"""Whether symbolic sizes decide and are written down with the jax at hand: fifteen programs of one line."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symcost.tracing.evidence.recorder import Recorder
from symcost.tracing.evidence.recording import recording

BASE = {"n": 3, "d": 96, "H": 4}
PROGRAMS: dict[str, tuple[Callable[..., Any], str]] = {
    "a comparison": (lambda x, d, H: x if d > 64 else -x, "d >= 65"),
    "an equality": (lambda x, d, H: x if d == 64 else -x, "d != 64"),
    "a difference": (lambda x, d, H: x if d != 64 else -x, "d != 64"),
    "a remainder": (lambda x, d, H: x if d % 96 == 0 else -x, "d % 96 == 0"),
    "a truth value": (lambda x, d, H: x if d % 5 else -x, "d % 5 != 0"),
    "a tuple": (lambda x, d, H: x if (d, H) == (96, 4) else -x, "d == 96; H == 4"),
    "a membership": (lambda x, d, H: x if d in (3, 7) else -x, "d != 3; d != 7"),
    "a maximum": (lambda x, d, H: x * max(8, d // 16), "d <= 143"),
    "two sizes": (lambda x, d, H: x if d > H else -x, "d >= H + 1"),
    "a float": (lambda x, d, H: x if d / 2 > 10 else -x, "d >= 21"),
    "a rounding": (lambda x, d, H: x if math.ceil(d / 10) > 4 else -x, "d >= 41"),
    "a root": (lambda x, d, H: x if np.sqrt(d) > 5.5 else -x, "np.sqrt(d) > 5.5"),
    "a slice": (lambda x, d, H: x[:, :64], "n != 1; d >= 65"),
    "a shape": (lambda x, d, H: x.reshape(x.shape[0], H, d // H), "d % H == 0"),
    "a plain number": (lambda x, d, H: [x for _ in range(H)], "H as a plain number"),
}
"""What each decides at the base point; a number that is pinned is told as one."""


@cache
def problem() -> str:
    """What is not seen here, in words, or nothing; asked once in a process, of which no other thread may record then."""
    with recording(BASE) as seen:  # one for all: to enter it takes longer than the programs do
        return next((why for name in PROGRAMS if (why := _problem(name, seen))), "")


def _problem(name: str, seen: Recorder) -> str:
    program, expected = PROGRAMS[name]
    try:
        found = _seen(program, seen)
    except Exception as raised:
        return f"{name} raised {type(raised).__name__}: {(str(raised) or '-').splitlines()[0]}"
    missing = [part for part in expected.split("; ") if part not in found]
    return f"of {name}, {' and '.join(missing)} was not seen" if missing else ""


def _seen(program: Callable[..., Any], seen: Recorder) -> list[str]:
    seen.guards.clear()
    seen.pins.clear()
    n, d, heads = map(seen.dimension, BASE)
    jax.eval_shape(lambda x: program(x, d, heads), jax.ShapeDtypeStruct((n, d), jnp.float32))
    return [*map(str, seen.guards), *(str(pin).split(" at ")[0] for pin in seen.pins)]
