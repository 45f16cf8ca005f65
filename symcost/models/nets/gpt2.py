"""GPT-2 in width, heads, depth and vocabulary; the output shares the embedding's table.

Radford et al.: Language Models are Unsupervised Multitask Learners, 2019; github.com/openai/gpt-2.
"""

from __future__ import annotations

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import GELU
from symcost.layers.kinds.attention import Attention
from symcost.layers.kinds.combine import Repeat, Residual, Sequential
from symcost.layers.kinds.embedding import PositionEmbedding, TiedEmbedding
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.norm import LayerNorm
from symcost.layers.sizes.algebra import Size, size


def block(d: Size, H: Size) -> Layer:
    """Causal attention, then an MLP of ``4 d``, each around a norm and beside its input."""
    return Sequential(
        attention=Residual(Sequential(norm=LayerNorm(), attention=Attention(H, causal=True))),
        mlp=Residual(Sequential(norm=LayerNorm(), up=Linear(4 * d), gelu=GELU("tanh"), down=Linear(d))),
    )


def gpt2(d: Size = 768, H: Size = 12, L: Size = 12, V: Size = 50257, N_max: Size = 1024) -> TiedEmbedding:
    """GPT-2, 124,439,808 parameters."""
    d = size(d, "d")
    body = Sequential(positions=PositionEmbedding(N_max), blocks=Repeat(block(d, H), L), norm=LayerNorm())
    return TiedEmbedding(V, d, body)
