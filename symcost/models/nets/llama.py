"""A decoder in the manner of LLaMA: grouped-query attention with rotary positions, SwiGLU, RMS norm, no biases.

Touvron et al.: LLaMA, arXiv:2302.13971; Grattafiori et al.: The Llama 3 Herd of Models, arXiv:2407.21783.
"""

from __future__ import annotations

from symcost.layers.base import Layer
from symcost.layers.kinds.attention import Attention
from symcost.layers.kinds.combine import Repeat, Residual, Sequential
from symcost.layers.kinds.embedding import Embedding
from symcost.layers.kinds.gate import GatedMLP
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.norm import RMSNorm
from symcost.layers.sizes.algebra import Size


def block(H: Size, H_kv: Size, d_f: Size) -> Layer:
    """Attention, then SwiGLU, each around a norm and beside its input."""
    attention = Attention(H, H_kv, causal=True, rotary=True, bias=False)
    return Sequential(
        attention=Residual(Sequential(norm=RMSNorm(), attention=attention)),
        mlp=Residual(Sequential(norm=RMSNorm(), mlp=GatedMLP(d_f))),
    )


def llama(
    d: Size = 4096, H: Size = 32, H_kv: Size = 8, L: Size = 32, d_f: Size = 14336, V: Size = 128256
) -> Sequential:
    """Llama 3 8B: 8,030,261,248 parameters; with ``H_kv=32, d_f=11008, V=32000`` LLaMA 7B, 6,738,415,616."""
    return Sequential(
        embedding=Embedding(V, d), blocks=Repeat(block(H, H_kv, d_f), L), norm=RMSNorm(), head=Linear(V, bias=False)
    )
