"""Published decoders as layers: dense, mixtures of experts, and DeepSeek's latent attention; sizes by their configurations.

Gated experts are told by what they have of weights and products; a configuration is that of the paper or of the model's
own file (huggingface.co), as MaxText keeps them too (AI-Hypercomputer/maxtext, src/maxtext/configs/models).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import symcost as sc


@dataclass(frozen=True)
class Experts(sc.Layer):
    """``k`` of ``E`` gated experts of ``d_f`` features, a router, and ``shared`` more that see every token; biases if wanted."""

    E: Any
    d_f: Any
    k: Any
    shared: Any = 0
    bias: bool = False

    def forward(self, tape: Any, x: Any) -> Any:
        tape.run(sc.Linear(self.E, bias=self.bias), x, "router")
        one, own = 3 * x.channels * self.d_f, (2 * self.d_f + x.channels) * self.bias
        rows = x.n * x.places[0] * self.k
        out = tape.emit(
            "experts", x, x, weights=self.E * one, biases=self.E * own, inactive=(self.E - self.k) * (one + own),
            macs=rows * one, stores=True,
        )  # fmt: skip
        if self.shared:
            tape.run(sc.GatedMLP(self.shared * self.d_f), x, "shared")
        return out


@dataclass(frozen=True)
class LatentAttention(sc.Layer):
    """Multi-head latent attention, DeepSeek-V2, arXiv:2405.04434, section 2.1: keys and values from 512 features.

    ``plain``: whether projections of keys and values that the paper's model has not are kept beside the latent ones.
    """

    H: Any
    q_lora: Any = None
    kv_lora: Any = 512
    nope: Any = 128
    rope: Any = 64
    plain: bool = False

    def forward(self, tape: Any, x: Any) -> Any:
        def linear(size: Any, given: Any, name: str) -> Any:
            return tape.run(sc.Linear(size, bias=False), given, name)

        tokens, d, wide = x.places[0], x.channels, self.H * self.nope
        query = x if self.q_lora is None else linear(self.q_lora, x, "q_down")
        query = linear(self.H * (self.nope + self.rope), query, "q_up")
        linear(self.kv_lora + self.rope, x, "kv_down")
        value = linear(2 * wide, x.shaped(self.kv_lora, x.places), "kv_up")
        if self.plain:
            linear(2 * wide, x, "plain")
        tape.emit(
            "scores", (query, value), query, macs=x.n * tokens * tokens * self.H * (self.nope + self.rope), stores=True
        )
        out = tape.emit(
            "context", (query, value), x.shaped(wide, x.places), macs=x.n * tokens * tokens * wide, stores=True
        )
        return linear(d, out, "out")


def stack(L: Any, attention: sc.Layer, mlp: sc.Layer, attend: str = "attention") -> sc.Layer:
    """``L`` blocks of attention and an MLP, each around a norm and beside its input."""
    parts = {attend: sc.Residual(sc.Sequential(norm=sc.RMSNorm(), layer=attention)),
             "mlp": sc.Residual(sc.Sequential(norm=sc.RMSNorm(), layer=mlp))}  # fmt: skip
    return sc.Repeat(sc.Sequential(**parts), L)


def network(V: Any, d: Any, *blocks: sc.Layer) -> sc.Sequential:
    """An embedding, blocks, a norm, and an output with a table of its own."""
    named = {f"blocks{i}": block for i, block in enumerate(blocks)}
    return sc.Sequential(embedding=sc.Embedding(V, d), **named, norm=sc.RMSNorm(), head=sc.Linear(V, bias=False))


def grouped(H: Any, H_kv: Any, d_k: Any, bias: bool = False) -> sc.Attention:
    """Grouped-query attention."""
    return sc.Attention(H, H_kv, d_k=d_k, causal=True, bias=bias)


GPT = {
    "megatron 22B": (6144, 64, 48), "megatron 175B": (12288, 96, 96), "megatron 530B": (20480, 128, 105),
    "megatron 1T": (25600, 160, 128), "mt-nlg 530B": (20480, 128, 105),
}  # fmt: skip
"""Features, heads and layers of GPT's blocks."""

NETS: dict[str, Any] = {
    "llama 3 70B": lambda: network(128256, 8192, stack(80, grouped(64, 8, 128), sc.GatedMLP(28672))),
    "llama 2 70B": lambda: network(32000, 8192, stack(80, grouped(64, 8, 128), sc.GatedMLP(28672))),
    "llama 2 13B": lambda: network(32000, 5120, stack(40, grouped(40, 40, 128), sc.GatedMLP(13824))),
    "llama 3.1 8B": lambda: network(128256, 4096, stack(32, grouped(32, 8, 128), sc.GatedMLP(14336))),
    "llama 3.1 405B": lambda: network(128256, 16384, stack(126, grouped(128, 8, 128), sc.GatedMLP(53248))),
    "book 16B": lambda: network(32000, 4096, stack(64, grouped(32, 32, 128), sc.GatedMLP(4 * 4096))),
    "mixtral 8x7B": lambda: network(32000, 4096, stack(32, grouped(32, 8, 128), Experts(8, 14336, 2))),
    "moe 700B initial": lambda: network(32000, 8192, stack(72, grouped(32, 8, 256), Experts(16, 24576, 2))),
    "moe 700B final": lambda: network(32000, 8192, stack(56, grouped(128, 8, 256), Experts(16, 32768, 2))),
    "moe 10T": lambda: network(32000, 10240, stack(128, grouped(64, 16, 256), Experts(64, 40960, 2))),
    "deepseek v3": lambda: network(
        129280, 7168, stack(3, LatentAttention(128, 1536), sc.GatedMLP(18432)),
        stack(58, LatentAttention(128, 1536), Experts(256, 2048, 8, shared=1)),
    ),
    "deepseek v2 lite": lambda: network(
        102400, 2048, stack(1, LatentAttention(16), sc.GatedMLP(10944)),
        stack(26, LatentAttention(16), Experts(64, 1408, 6, shared=2)),
    ),
    "maxtext 16B": lambda: network(
        102400, 2048, stack(1, LatentAttention(16, plain=True), sc.GatedMLP(10944)),
        stack(26, LatentAttention(16, plain=True), Experts(64, 1408, 6, shared=2)),
    ),
    "qwen3 235B": lambda: network(151936, 4096, stack(94, grouped(64, 4, 128), Experts(128, 1536, 8))),
    "qwen3 30B": lambda: network(151936, 2048, stack(48, grouped(32, 4, 128), Experts(128, 768, 8))),
    "gpt-oss 120b": lambda: network(201088, 2880, stack(36, grouped(64, 8, 64, True), Experts(128, 2880, 4, bias=True))),
    "gpt-oss 20b": lambda: network(201088, 2880, stack(24, grouped(64, 8, 64, True), Experts(32, 2880, 4, bias=True))),
    "gemma3 1b": lambda: network(
        262144, 1152, stack(4, grouped(4, 1, 256), sc.GatedMLP(6912), "global"),
        stack(22, sc.Attention(4, 1, d_k=256, M=512, causal=True, bias=False), sc.GatedMLP(6912), "local"),
    ),
    "gpt-2 xl": lambda: sc.models.gpt2(d=1600, H=25, L=48, V=50257).net,
    "gemma4 31b": lambda: network(262144, 5376, stack(60, grouped(32, 16, 256), sc.GatedMLP(21504))),
    "llama 7B": lambda: network(32000, 4096, stack(32, grouped(32, 32, 128), sc.GatedMLP(11008))),
    "llama 13B": lambda: network(32000, 5120, stack(40, grouped(40, 40, 128), sc.GatedMLP(13824))),
    **{f"{name} blocks": lambda d=d, H=H, L=L: stack(L, sc.Attention(H), mlp(d)) for name, (d, H, L) in GPT.items()},
    **{f"{name} head": lambda: sc.Linear(51200, bias=False) for name in GPT},
}  # fmt: skip
WIDTH = {f"{name} {part}": d for name, (d, _, _) in GPT.items() for part in ("blocks", "head")}
"""Features of what has no embedding."""


def mlp(d: int) -> sc.Sequential:
    """The MLP of GPT."""
    return sc.Sequential(up=sc.Linear(4 * d), act=sc.GELU(), down=sc.Linear(d))


@cache
def costs(name: str, n: int = 1, N: int = 1) -> sc.CostTable:
    """Costs of ``n`` sequences of ``N`` tokens."""
    return sc.table(NETS[name](), (n, N, WIDTH[name]) if name in WIDTH else (n, N))


def parts(name: str, *wanted: str, active: bool = False) -> int:
    """Weights of the modules whose paths hold a word; without words all, with ``!word`` all others."""
    table = costs(name)
    rows = [
        row for row in table.rows
        if not wanted or any((word[1:] not in row.path) if word[0] == "!" else (word in row.path) for word in wanted)
    ]  # fmt: skip
    cost = sc.CostTable(rows).total("textbook") if not active else sc.CostTable(rows).total("full")
    return int(cost.active_params if active else cost.params)
