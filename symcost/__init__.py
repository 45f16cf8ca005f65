"""symcost: exact, symbolic cost formulas of JAX and Flax models, certified against fresh traces.

>>> import symcost as sc
>>> n, d = sc.symbols("n d")
>>> sc.table(sc.Repeat(sc.Linear(c_o=d), "L"), (n, d)).macs
L*d**2*n

``table`` counts a network written as layers; ``trace`` and ``trace_function`` derive the formulas of real models,
``build`` makes a Flax module of layers and ``verify`` asks the compilers: these import jax on first use, everything else
works without it. ``count``, ``sweep`` and ``pareto`` answer over whole spaces of configurations.
"""

from __future__ import annotations

import gc as _gc

from symcost.system import interrupt as _interrupt

if _interrupt.is_program():
    _interrupt.watch()  # before anything else is imported
    _gc.disable()  # all that the imports make stays: symcost.cli.main collects when they are done

import lazy_loader as _lazy_loader

from symcost.version import __version__ as __version__

_get, __dir__, __all__ = _lazy_loader.attach_stub(__name__, __file__)  # of the index, symcost/__init__.pyi

_ELSEWHERE = {
    "dense": ["Linear"], "fullyconnected": ["Linear"], "embed": ["Embedding"], "swish": ["SiLU"],
    "multiheadattention": ["Attention"], "multiheaddotproductattention": ["Attention"], "selfattention": ["Attention"],
    "conv": ["Conv2d", "Conv1d", "Conv3d"], "maxpool": ["MaxPool2d"], "avgpool": ["AvgPool2d"], "concat": ["Branch"],
}  # fmt: skip
"""What layers are called in other libraries."""


def __getattr__(name: str) -> object:
    """A public name, imported when it is first asked for."""
    if name in __all__:
        return _get(name)
    raise AttributeError(f"module 'symcost' has no attribute {name!r}{_nearest(name)}")


def _nearest(name: str) -> str:
    """The public names that were perhaps meant; none begins with an underscore."""
    from symcost.reading.nearest import folded, near, offered

    found = None if name.startswith("_") else _ELSEWHERE.get(folded(name)) or near(name, __all__)
    return f": {offered(found, '')}" if found else ""
