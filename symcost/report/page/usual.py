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
BATCH = Usual("batch", 1, (1, 8, 16, 32, 64))
TOKENS = Usual("tokens", 128, (128, 512, 1024, 2048, 4096))
RESOLUTION = Usual("resolution", 224, _SIDE)
HEIGHT = Usual("height", 224, _SIDE)
IMAGE_WIDTH = Usual("width of the image", 224, _SIDE)
WIDTH = Usual("width", 256, (192, 256, 384, 512, 768, 1024, 2048, 4096))
LAYERS = Usual("layers", 12, (6, 12, 24, 32, 48))
HEADS = Usual("heads", 8, (4, 8, 12, 16, 32))
CLASSES = Usual("classes", 1000, (10, 100, 1000))
VOCABULARY = Usual("vocabulary", 32000, (32000, 50257, 128256))
KERNEL = Usual("kernel", 3, (1, 3, 5, 7))
GROUPS = Usual("groups", 1, (1, 2, 4, 8, 32))
CHANNELS_IN = Usual("input channels", 64, (3, 16, 32, 64, 128, 256, 512))
CHANNELS_OUT = Usual("output channels", 64, (16, 32, 64, 128, 256, 512))
PATCH = Usual("patch", 16, (8, 14, 16, 32))
ANY = Usual("", 64, (16, 32, 64, 128, 256))
"""Of a name that says nothing."""

NAMES: Mapping[str, Usual] = {
    "n": BATCH, "batch": BATCH, "batch_size": BATCH,
    "N": TOKENS, "tokens": TOKENS, "seq": TOKENS, "seq_len": TOKENS, "sequence": TOKENS, "length": TOKENS,
    "r": RESOLUTION, "resolution": RESOLUTION, "image_size": RESOLUTION,
    "height": HEIGHT, "h_i": HEIGHT, "w_i": IMAGE_WIDTH,
    "width": WIDTH, "d_model": WIDTH, "hidden": WIDTH, "embed_dim": WIDTH,
    "L": LAYERS, "depth": LAYERS, "layers": LAYERS, "num_layers": LAYERS,
    "H": HEADS, "heads": HEADS, "num_heads": HEADS,
    "C": CLASSES, "classes": CLASSES, "num_classes": CLASSES,
    "V": VOCABULARY, "vocab": VOCABULARY, "vocab_size": VOCABULARY,
    "k": KERNEL, "k_h": KERNEL, "k_w": KERNEL, "g": GROUPS, "groups": GROUPS,
    "c_i": CHANNELS_IN, "c_o": CHANNELS_OUT, "patch": PATCH, "patch_size": PATCH,
}  # fmt: skip
"""What names mean by themselves: the notation of the field, and words."""


def usual(name: str, tables: Sequence[CostTable]) -> Usual:
    """What a symbol of tables usually is.

    ``d`` is the width where parameters grow with it; ``h`` and ``w`` together are the sides of an image, each alone may be
    anything.

    >>> import symcost as sc
    >>> usual("d", [sc.models.gpt2(d="d")]).meaning, usual("h", [sc.models.gpt2(H="h")]).meaning
    ('width', '')
    """
    symbols = {symbol for costs in tables for symbol in costs.symbols}
    if name == "d":
        grown = {str(s) for costs in tables for s in getattr(costs.params, "free_symbols", ())}
        return WIDTH if name in grown else ANY
    if name in ("h", "w") and {"h", "w"} <= symbols:
        return HEIGHT if name == "h" else IMAGE_WIDTH
    return NAMES.get(name, ANY)
