"""Vision transformer in width, heads, depth and patch, ViT-B/16 as torchvision has it unless told otherwise.

Dosovitskiy et al.: An Image is Worth 16x16 Words, arXiv:2010.11929.
"""

from __future__ import annotations

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import GELU
from symcost.layers.kinds.attention import Attention
from symcost.layers.kinds.combine import Repeat, Residual, Sequential
from symcost.layers.kinds.embedding import ClassToken, PatchEmbedding, PositionEmbedding, TakeToken
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.norm import LayerNorm
from symcost.layers.sizes.algebra import Size, exact, floor_ratio, size


def encoder(d: Size, H: Size, d_f: Size) -> Layer:
    """Attention, then an MLP, each around a norm and beside its input."""
    return Sequential(
        attention=Residual(Sequential(norm=LayerNorm(), attention=Attention(H))),
        mlp=Residual(Sequential(norm=LayerNorm(), up=Linear(d_f), gelu=GELU(), down=Linear(d))),
    )


def vit(
    d: Size = 768, H: Size = 12, L: Size = 12, d_f: Size = 3072, k: Size = 16, r_max: Size = 224, classes: Size = 1000
) -> Sequential:
    """ViT-B/16: 86,567,656 parameters, 17.564 GMACs; positions are learned for images of up to ``r_max``."""
    side = floor_ratio(size(r_max, "r_max"), size(k, "k"))
    return Sequential(
        patches=PatchEmbedding(d, k), token=ClassToken(), positions=PositionEmbedding(exact(side * side + 1)),
        encoder=Repeat(encoder(d, H, d_f), L), norm=LayerNorm(), take=TakeToken(), head=Linear(classes),
    )  # fmt: skip
