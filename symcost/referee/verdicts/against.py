"""Other counters of the same program: XLA's raw figure, flax's ``tabulate``, JAX's roofline; and why each differs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from symcost.agreement.written import Written
from symcost.errors import SymcostError, described
from symcost.reading.nearest import choose
from symcost.reading.numerals import short
from symcost.referee.compilers.program import JaxProgram
from symcost.referee.verdicts.verdict import Opinion
from symcost.tracing.program.model import Model
from symcost.tracing.program.modules import linen
from symcost.tracing.program.spec import tree_at

ONCE = "loop bodies counted once"
Answer = tuple[int | None, str]
"""FLOPs, and why they differ; or none, and why not."""


def opinions(
    names: Sequence[str], model: Model, point: Mapping[str, int], program: JaxProgram, written: Written
) -> list[Opinion]:
    """Our own count first, then the named counters' in order."""
    if not names:
        return []
    whole = written.whole
    own = written.once.flops if whole is None else whole.flops
    first = Opinion(counter="symcost, every trip", flops=own, because="the reference: exact integers")
    return [first, *(_opinion(name, model, point, program, written, own) for name in names)]


def _opinion(name: str, *asked: Any) -> Opinion:
    """What a counter says, or why it does not: it is the work of others, and may raise anything."""
    title, counter = COUNTERS[name]
    try:
        flops, because = counter(*asked)
    except Exception as problem:
        flops, because = None, f"it raised {described(problem)}"
    return Opinion(counter=title, flops=flops, because=because)


def named(given: str | Sequence[str]) -> list[str]:
    """The counters of a text, with commas between them, or of several; one that nobody knows is an error.

    >>> named("flax, xla"), named(())
    (['flax', 'xla'], [])
    """
    texts = [given] if isinstance(given, str) else list(given)
    names = [word.strip() for text in texts for word in text.split(",") if word.strip()]
    for name in names:
        if name not in COUNTERS:
            raise SymcostError(f"unknown counter {short(name)}: {choose(name, COUNTERS, 1)}")
    return names


def _by_xla(_m: Model, _p: Mapping[str, int], _: JaxProgram, written: Written, own: int) -> Answer:
    raw = int(written.analysis.get("flops") or 0)
    return raw, _why_xla(raw, written, own)


def _why_xla(raw: int, written: Written, own: int) -> str:
    """The steps between XLA's figure and the exact one, in FLOPs."""
    exact = written.once.flops
    calls = written.once.calls[0] - sum(flops for flops, *_ in written.once.restored.values())
    steps = {ONCE: exact - own, "calls that it cannot cost": calls, "added up in float32": raw - exact - calls}
    return ", ".join(f"{name} {value:+,}" for name, value in steps.items() if value) or "equal"


def _by_flax(model: Model, point: Mapping[str, int], _: JaxProgram, written: Written, own: int) -> Answer:
    module = model.module_at(point)
    if module is None:
        return None, "it counts modules, and this is a function"
    if model.mode != "forward" or model.method != "__call__":
        return None, "it counts the forward pass of __call__ only"
    flops = _tabulated(module, model, point)
    raw = int(written.analysis.get("flops") or 0)
    steps = {"adopts XLA's figure": 0} if flops == raw else {"differs from XLA's figure": flops - raw}
    told = ", ".join(name + (f" {value:+,}" if value else "") for name, value in steps.items())
    return flops, f"{told}; {_why_xla(raw, written, own)}"


def _tabulated(module: Any, model: Model, point: Mapping[str, int]) -> int:
    """The figure in the column ``flops`` of the whole model's row."""
    zeros = jax.tree.map(
        lambda a: jnp.zeros(a.shape, a.dtype), (tree_at(model.specs, point), tree_at(model.arrays, point))
    )
    args, kwargs = model.called(*zeros)
    options: dict[str, Any] = {"compute_flops": True, "depth": 0, "console_kwargs": {"width": 400, "no_color": True}}
    if linen.is_linen(module):
        keys = {name: jax.random.key(0) for name in model.rngs}
        text = module.tabulate(keys, *args, **options, **kwargs)
    else:
        from flax import nnx as flax_nnx

        graph, state = flax_nnx.split(module)  # it lowers the module with its arrays, which must be there
        made = flax_nnx.merge(graph, jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), state))
        text = flax_nnx.tabulate(made, *args, **options, **kwargs)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    heading = next(line for line in plain.splitlines() if "flops" in line)
    column = [cell.strip() for cell in re.split("[┃│]", heading)].index("flops")
    figures = [re.split("[┃│]", line)[column].strip() for line in plain.splitlines() if line.startswith("│")]
    return int(next(cell for cell in figures if cell.isdigit()))


def _by_roofline(_m: Model, _p: Mapping[str, int], program: JaxProgram, written: Written, own: int) -> Answer:
    from jax.experimental import roofline

    flops = int(_roofline(roofline.roofline, program))
    exact = written.once.flops
    steps = {
        ONCE: exact - own,
        "rules of its own (padding, transcendentals, operations it takes for free)": flops - exact,
    }
    told = ", ".join(f"{name} {value:+,}" for name, value in steps.items() if value)
    return flops, told or "equal"


def _roofline(roofline: Callable[..., Any], program: JaxProgram) -> int:
    """FLOPs of all operations, fused or not, on a mesh of one device."""
    function, arrays = program.function
    everywhere = jax.sharding.PartitionSpec()
    mesh = jax.sharding.Mesh([jax.devices()[0]], ("x",))
    kept = {"mesh": mesh, "in_specs": everywhere, "out_specs": everywhere}
    known = inspect.signature(roofline).parameters
    _, found = roofline(function, **{name: value for name, value in kept.items() if name in known})(*arrays)
    return found.unfused_flops


Counter = Callable[[Model, Mapping[str, int], JaxProgram, Written, int], Answer]
COUNTERS: Mapping[str, tuple[str, Counter]] = {
    "flax": ("flax tabulate", _by_flax),
    "roofline": ("JAX roofline, unfused", _by_roofline),
    "xla": ("XLA cost_analysis, lowered", _by_xla),
}
"""The counters by name, and what each is called."""
