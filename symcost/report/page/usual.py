"""What symbols usually stand for, and the values that people give them: the ticks of the sliders, and where these begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symcost.costs.table import CostTable


@dataclass(frozen=True)
class Usual:
    """What a symbol means, where its slider begins, and its usual values."""

    meaning: str
    start: int
    values: tuple[int, ...]


_SIDE = (32, 96, 128, 160, 192, 224, 256, 384, 512)
_KNOWN: Mapping[tuple[str, ...], Usual] = {
    ("n", "batch", "batch_size"): Usual("batch", 1, (1, 8, 16, 32, 64)),
    ("N", "tokens", "seq", "seq_len", "sequence", "length"): Usual("tokens", 128, (128, 512, 1024, 2048, 4096)),
    ("r", "resolution", "image_size"): Usual("resolution", 224, _SIDE),
    ("height", "h_i"): Usual("height", 224, _SIDE),
    ("w_i",): Usual("width of the image", 224, _SIDE),
    ("width", "d_model", "hidden", "embed_dim"): Usual("width", 256, (192, 256, 384, 512, 768, 1024, 2048, 4096)),
    ("L", "depth", "layers", "num_layers"): Usual("layers", 12, (6, 12, 24, 32, 48)),
    ("H", "heads", "num_heads"): Usual("heads", 8, (4, 8, 12, 16, 32)),
    ("C", "classes", "num_classes"): Usual("classes", 1000, (10, 100, 1000)),
    ("V", "vocab", "vocab_size"): Usual("vocabulary", 32000, (32000, 50257, 128256)),
    ("k", "k_h", "k_w"): Usual("kernel", 3, (1, 3, 5, 7)),
    ("g", "groups"): Usual("groups", 1, (1, 2, 4, 8, 32)),
    ("c_i",): Usual("input channels", 64, (3, 16, 32, 64, 128, 256, 512)),
    ("c_o",): Usual("output channels", 64, (16, 32, 64, 128, 256, 512)),
    ("patch", "patch_size"): Usual("patch", 16, (8, 14, 16, 32)),
}
AXIS = (2, 4, 8, 16, 32, 64, 128, 256)
"""Of the axes of a mesh."""
NAMES: Mapping[str, Usual] = {name: what for names, what in _KNOWN.items() for name in names}
"""What names mean by themselves: the notation of the field, and words."""
ANY = Usual("", 64, (16, 32, 64, 128, 256))
"""Of a name that says nothing."""


def usual(name: str, tables: Sequence[CostTable]) -> Usual:
    """What a symbol of tables usually is.

    ``d`` is the width where parameters grow with it; ``h`` and ``w`` together are the sides of an image, each alone may be
    anything.

    >>> import symcost as sc
    >>> usual("d", [sc.models.gpt2(d="d")]).meaning, usual("h", [sc.models.gpt2(H="h")]).meaning
    ('width', '')
    """
    axis = next(
        (axis for costs in tables if costs.plan for axis, size in costs.plan.mesh.items() if size == name), None
    )
    if axis is not None:
        return Usual(f"devices along {axis}", 4, AXIS)
    symbols = {symbol for costs in tables for symbol in costs.symbols}
    if name == "d":
        grown = {str(s) for costs in tables for s in getattr(costs.params, "free_symbols", ())}
        return NAMES["width"] if name in grown else ANY
    if name in ("h", "w") and {"h", "w"} <= symbols:
        return NAMES[f"{name}_i"]
    return NAMES.get(name, ANY)
