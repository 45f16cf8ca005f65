"""Every layer in its symbols: one row each, held against the trace of its Flax twin and against XLA."""

from __future__ import annotations

from layer_case import Case

import symcost as sc

n, c, d, e, g, h, w, k, p, t = sc.symbols("n c d e g h w k p t")
E, H, M, N, V, L = sc.symbols("E H M N V L")
IMAGE = (n, c, h, w)
TOKENS = (n, N, d)

LINEAR = [
    Case(sc.Linear(c_o=d), (n, c), peaks=True),
    Case(sc.Linear(c_o=d, bias=False), (n, N, c), peaks=True),
]

CONVOLUTIONS = [
    Case(sc.Conv1d(c_o=d, k=3, p=1), (n, c, N), spec="float32[n,N,c]"),
    Case(sc.Conv1d(c_o=d, k=4, s=3, p=(2,)), (n, c, N), spec="float32[n,N,c]"),
    Case(sc.Conv2d(c_o=d, k=1), IMAGE, peaks=True),
    Case(sc.Conv2d(c_o=d, k=3, p="none"), IMAGE, least={"h": 3, "w": 3}, peaks=True),
    Case(sc.Conv2d(c_o=d, k=3, p=1), IMAGE, peaks=True),
    Case(sc.Conv2d(c_o=d, k=7, s=2, p=3, bias=False), IMAGE, least={"h": 3, "w": 3}, peaks=True),
    Case(sc.Conv2d(c_o=d, k=5, s=4, p=2), IMAGE, least={"h": 2, "w": 2}),
    Case(sc.Conv2d(c_o=d, k=(3, 5), s=(2, 1), p=(1, 2), d=(2, 1)), IMAGE, least={"h": 3, "w": 2}),
    Case(sc.Conv2d(c_o=d, k=3, p="same"), IMAGE, peaks=True),
    Case(sc.Conv2d(c_o=d, k=3, s=2, p="same"), IMAGE, peaks=True),
    Case(sc.Conv2d(c_o=d, k=5, s=3, p="same"), IMAGE),
    Case(sc.Conv2d(c_o=d, k=3, p="full"), IMAGE, peaks=True),
    Case(sc.Conv2d(c_o=d, k=3, d=2, p=2), IMAGE, least={"h": 2, "w": 2}),
    Case(sc.Conv2d(c_o=d, k=3, p=((1, 2), (0, 3))), IMAGE, least={"w": 2}),
    Case(sc.Conv2d(c_o=d, k=3, p=1, fill="reflect"), IMAGE, least={"h": 2, "w": 2}),
    Case(sc.Conv2d(c_o=d, k=3, p=1, fill="replicate"), IMAGE),
    Case(sc.Conv2d(c_o=d, k=3, p=1, fill="constant"), IMAGE),
    Case(sc.Conv2d(c_o=d * g, k=3, p=1, g=g), (n, c * g, h, w)),
    Case(sc.Conv2d(c_o=d, k=k, p="same"), IMAGE, least={"h": 16, "w": 16}, lifted=False),
    Case(sc.Conv2d(c_o=d, k=k, s=t, p=1), IMAGE, least={"h": 16, "w": 16, "k": 2}, lifted=False),
    Case(sc.Conv2d(c_o=d, k=2 * p + 1, s=t, p=p), IMAGE, least={"h": 32, "w": 32}, lifted=False),
    Case(sc.Conv2d(c_o=d, k=3, s=2, d=e), IMAGE, least={"h": 32, "w": 32}, lifted=False),
    Case(sc.Conv2d(c_o=d, k=3, s=2, d=e, p=2), IMAGE, least={"h": 32, "w": 32}, lifted=False),
    Case(sc.Conv2d(c_o=d, k=3, s=t, d=e, p=e), IMAGE, least={"h": 32, "w": 32}, lifted=False),
    Case(sc.DepthwiseConv2d(k=k, s=t, p=1), IMAGE, least={"h": 16, "w": 16, "k": 2}, lifted=False),
    Case(sc.ConvTranspose2d(c_o=d, k=k, s=2, d=e), IMAGE, lifted=False),
    Case(sc.Sequential(sc.BatchNorm(), sc.Conv1d(c_o=d, k=3, p=1)), (n, c, N), spec="float32[n,N,c]"),
    Case(
        sc.Sequential(sc.Conv1d(c_o=d, k=3, p=1), sc.GroupNorm(1), sc.GlobalAvgPool(), sc.Linear(3)),
        (n, c, N),
        spec="float32[n,N,c]",
    ),
    Case(sc.DepthwiseConv2d(k=3, p=1), IMAGE, peaks=True),
    Case(sc.DepthwiseConv2d(k=5, s=2, p=2, m=d, bias=False), IMAGE, least={"h": 2, "w": 2}),
    Case(sc.Conv3d(c_o=d, k=3, p=1), (n, c, N, h, w)),
    Case(sc.ConvTranspose1d(c_o=d, k=4, s=2, p=1), (n, c, N), spec="float32[n,N,c]"),
    Case(sc.ConvTranspose2d(c_o=d, k=4, s=2, p=1), IMAGE, peaks=True),
    Case(sc.ConvTranspose2d(c_o=d, k=3, s=2, p=1, output_padding=1), IMAGE),
    Case(sc.ConvTranspose2d(c_o=d, k=3), IMAGE),
    Case(sc.ConvTranspose3d(c_o=d, k=2, s=2, bias=False), (n, c, N, h, w)),
]

POOLING = [
    Case(sc.MaxPool2d(k=2), IMAGE, least={"h": 2, "w": 2}, peaks=True),
    Case(sc.MaxPool2d(k=3, s=2, p=1), IMAGE, peaks=True),
    Case(sc.MaxPool2d(k=3, s=2, ceil=True), IMAGE, least={"h": 3, "w": 3}),
    Case(sc.MaxPool2d(k=3, s=1, d=2, p=1), IMAGE, least={"h": 3, "w": 3}),
    Case(sc.AvgPool2d(k=2), IMAGE, least={"h": 2, "w": 2}),
    Case(sc.AvgPool2d(k=3, s=2, p=1, count_padding=False), IMAGE, least={"h": 2, "w": 2}),
    Case(sc.MaxPool1d(k=3, s=2, p=1), (n, c, N), spec="float32[n,N,c]"),
    Case(sc.MaxPool3d(k=2), (n, c, N, h, w), least={"N": 2, "h": 2, "w": 2}),
    Case(sc.AvgPool1d(k=2), (n, c, N), spec="float32[n,N,c]", least={"N": 2}),
    Case(sc.AvgPool3d(k=2, s=1), (n, c, N, h, w), least={"N": 2, "h": 2, "w": 2}),
    Case(sc.GlobalAvgPool(), IMAGE, peaks=True),
    Case(sc.GlobalAvgPool(keep=True), IMAGE, peaks=True),
    Case(sc.GlobalAvgPool(), (n, N, d)),
    Case(sc.GlobalMaxPool(), IMAGE, peaks=True),
    Case(sc.AdaptiveAvgPool2d(6), (n, c, 6 * h, 6 * w)),
    Case(sc.AdaptiveAvgPool2d((3, 2)), (n, c, 13, 11)),
    Case(sc.AdaptiveAvgPool2d((4, 6)), IMAGE, lifted=False),
    Case(sc.MaxPool2d(k=k, s=t), IMAGE, least={"h": 16, "w": 16}, lifted=False),
    Case(sc.AvgPool2d(k=k, s=t, d=e), IMAGE, least={"h": 64, "w": 64}, lifted=False),
]

ELEMENTWISE = [
    *(
        Case(layer(), (n, c))
        for layer in (sc.ReLU, sc.ReLU6, sc.LeakyReLU, sc.ELU, sc.Sigmoid, sc.Tanh, sc.SiLU, sc.HardSigmoid,
                      sc.HardSwish, sc.Mish, sc.GELU, sc.Softmax, sc.Dropout, sc.Identity)
    ),
    Case(sc.GELU("tanh"), (n, c)),
    Case(sc.Softmax(), (n, N, d)),
    Case(sc.Flatten(), IMAGE),
    Case(sc.ToTokens(), IMAGE),
]  # fmt: skip

NORMS = [
    Case(sc.BatchNorm(), IMAGE, peaks=True),
    Case(sc.LayerNorm(), IMAGE),
    Case(sc.LayerNorm(), TOKENS, peaks=True),
    Case(sc.LayerNorm(bias=False), TOKENS),
    Case(sc.RMSNorm(), TOKENS, peaks=True),
    Case(sc.InstanceNorm(), IMAGE),
    Case(sc.GroupNorm(g), (n, c * g, h, w)),
    Case(sc.ChannelScale(), IMAGE),
]

EMBEDDINGS = [
    Case(sc.Embedding(V=V, d=d), (n, N), dtype="int32", least={"V": 2}),
    Case(sc.Embedding(V=1, d=d), (n, N), dtype="int32"),
    Case(sc.PositionEmbedding(512), TOKENS),
    Case(sc.ClassToken(), TOKENS),
    Case(sc.TakeToken(), TOKENS),
    Case(sc.PatchEmbedding(d=d, k=4), (n, c, 4 * h, 4 * w)),
    Case(sc.TiedEmbedding(V=V, d=d, body=sc.Identity()), (n, N), dtype="int32", least={"V": 2}),
]

GATES = [
    Case(sc.SqueezeExcitation(c_r=d), IMAGE),
    Case(sc.SqueezeExcitation(c_r=d, activation=sc.SiLU(), gate=sc.HardSigmoid()), IMAGE),
    Case(sc.GLU(), (n, N, 2 * d)),
    Case(sc.GLU(sc.GELU()), (n, N, 2 * d)),
    Case(sc.GatedMLP(d_f=e), TOKENS),
    Case(sc.GatedMLP(d_f=e, activation=sc.ReLU(), bias=True), TOKENS),
    Case(sc.MoE(E=E, d_f=e), TOKENS),
    Case(sc.MoE(E=E, d_f=e, k=2), TOKENS, least={"E": 2}),
]

ATTENTION = [
    Case(sc.Attention(H=H), (n, N, H * d), least={"d": 2}),
    Case(sc.Attention(H=H, d_k=e), TOKENS, least={"e": 2}),
    Case(sc.Attention(H=4 * g, H_kv=g, d_k=e, causal=True, bias=False), TOKENS, least={"N": 2, "e": 2}),
    Case(sc.Attention(H=8, H_kv=1, d_k=e, causal=True), TOKENS, least={"N": 2, "e": 2}),
    Case(sc.Attention(H=8, H_kv=2, d_k=2 * e, causal=True, rotary=True, bias=False), TOKENS, least={"N": 2, "e": 2}),
    Case(sc.Attention(H=8, H_kv=2, d_k=2 * e, M=32, causal=True, rotary=True, bias=False), (n, 16, d), least={"e": 2}),
    Case(sc.Attention(H=2, d_k=2, causal=True, rotary=True), TOKENS, least={"N": 2}),
    Case(sc.Attention(H=8, d_k=16, M=M), (n, 1, d), least={"M": 2}),
    Case(sc.Attention(H=2, d_k=4, M=N + M), TOKENS),
    Case(sc.Attention(H=2, d_k=2, causal=True, rotary=True), (n, 1, d)),
    Case(sc.Attention(H=2, d_k=2, M=5, causal=True, rotary=True), (n, 1, d)),
    Case(sc.Attention(H=2, d_k=6, M=5, causal=True, rotary=True), (n, 1, d), lifted=False),
    Case(sc.LinearAttention(H=H), (n, N, H * d)),
    Case(sc.LinearCore(d), (n, 6 * d, h, w)),
]

RECURRENT = [
    Case(sc.LSTM(d), (n, N, c)),
    Case(sc.GRU(d), (n, N, c)),
]

COMPOSED = [
    Case(sc.Sequential(sc.Conv2d(c_o=d, k=3, p=1), sc.ReLU(), sc.GlobalAvgPool(), sc.Linear(10)), IMAGE, peaks=True),
    Case(sc.Residual(sc.Sequential(sc.Linear(c_o=e), sc.ReLU(), sc.Linear(c_o=d))), TOKENS, peaks=True),
    Case(sc.Residual(sc.Linear(c_o=e), sc.Linear(c_o=e, bias=False)), TOKENS),
    Case(sc.Residual(sc.Linear(c_o=d), where_it_fits=True), TOKENS),
    Case(sc.Residual(sc.Linear(c_o=d + e), where_it_fits=True), TOKENS),
    Case(sc.Branch(sc.Conv2d(c_o=d, k=1), sc.Identity(), sc.Conv2d(c_o=2 * d, k=3, p=1)), IMAGE),
    Case(sc.Branch(sc.Linear(c_o=e), sc.Linear(c_o=e), sc.Linear(c_o=e), join="add"), TOKENS),
    Case(sc.Branch(sc.Linear(c_o=e), sc.Linear(c_o=e), join="multiply"), TOKENS),
    Case(sc.Repeat(sc.Branch(sc.Identity(), sc.Sequential(sc.LayerNorm(), sc.Linear(c_o=e))), L), TOKENS),
    Case(sc.Repeat(sc.Linear(c_o=d), 3), (n, d)),
    Case(sc.Repeat(sc.Residual(sc.Sequential(sc.Linear(c_o=e), sc.ReLU(), sc.Linear(c_o=d))), L), TOKENS),
]

CASES = [
    *LINEAR, *CONVOLUTIONS, *POOLING, *ELEMENTWISE, *NORMS, *EMBEDDINGS, *GATES, *ATTENTION, *RECURRENT, *COMPOSED,
]  # fmt: skip
