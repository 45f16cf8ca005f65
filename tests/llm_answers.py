"""The published numbers of ``data/llm.csv`` as symcost answers them, by the keys of its rows."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy
from llm_models import GPT, NETS, costs, parts

import symcost as sc

B, D, F, N, X, Y = sc.symbols("B D F N X Y")
Answer = Callable[[], Any]


def exact(found: Any) -> Fraction:
    """A number of symcost as Python's; a root to 30 digits."""
    number = sympy.sympify(found)
    return Fraction(str(number)) if number.is_Rational else Fraction(str(number.evalf(30)))


def share(part: Any, whole: Any) -> Fraction:
    """One answer over another."""
    return Fraction(part) / Fraction(whole)


# -- parameters, FLOPs and utilisation ---------------------------------------------------------------------------------
def attention_crossover() -> Any:
    """Products of two activations against those with weights."""
    table = sc.table(sc.Attention(H=32, bias=False), (1, "T", 4096))
    macs = {group.name: group.total("textbook").macs for group in table.by_op()}
    return sc.crossover(macs["scores"] + macs["context"], macs["linear"], "T").at


def deepseek_attention() -> Fraction:
    """Of a step of 2048 tokens; MaxText counts half of the products that a causal mask hides."""
    macs = {group.name: Fraction(group.total("textbook").macs) for group in costs("deepseek v2 lite", 1, 2048).by_op()}
    hidden = (macs["scores"] + macs["context"]) / 2
    return hidden / (sum(macs.values()) - hidden)


def hfu() -> Any:
    """DeepSeek-V3: 6 FLOPs for each of 37e9 active parameters and 14.8e12 tokens, in 2.79e6 hours of an H800."""
    h800 = sc.Device(
        name="h800", source="scaling book, chapter transformers, question 7", peak={"float8": 1513 * 10**12}
    )
    return sc.mfu(6 * 37 * 10**9 * 148 * 10**11, 2790000 * 3600, h800, "float8").share


def tokens_mfu(name: str, length: int, rate: Any, device: str) -> Fraction:
    """MFU of a model trained at so many tokens a second and device."""
    return sc.mfu(costs(name, 1, length), Fraction(length) / Fraction(rate), device, passes=3).share


def between(low: Answer, high: Answer) -> Answer:
    """What inputs that are rounded allow."""
    return lambda: (low(), high())


def teraflops(rate: int, device: str) -> Answer:
    """MFU of a device at so many TFLOP/s, rounded to whole ones."""
    return between(*(lambda off=off: sc.mfu(rate * 10**12 + off, 1, device).share for off in (-5 * 10**11, 5 * 10**11)))


def trained(name: str, sequences: int, again: int = 0) -> Fraction:
    """FLOPs of a step of Megatron, its blocks' forward pass computed ``again`` so many times, with sequences of 2048 tokens."""
    blocks, head = (costs(f"{name} {part}", sequences, 2048).total("textbook").flops for part in ("blocks", "head"))
    return Fraction((3 + again) * blocks + 3 * head)


def megatron_step(gpus: int, rate: Fraction) -> Fraction:
    """MT-NLG: blocks computed twice forward, output once, 1920 sequences."""
    a100 = sc.Device(name="reached", source="arXiv:2201.11990, section 2.4", peak={"float16": rate})
    return sc.step_time(sc.DeviceWork(flops=trained("mt-nlg 530B", 1920, 1) / gpus), a100, "float16").value()


def steps_of(gpus: int, teraflops: int) -> Answer:
    """Between what the rounded TFLOP/s allow."""
    return between(*(lambda rate=rate: megatron_step(gpus, rate * 10**12)
                     for rate in (teraflops + Fraction(1, 2), teraflops - Fraction(1, 2))))  # fmt: skip


def measured(name: str, sequences: int, gpus: int, utilisation: str, longer: str = "") -> Answer:
    """A step of arXiv:2205.05198, table 5, from the utilisation beside it, and how much longer that with all computed again is."""

    def seconds(side: int) -> Any:
        work = sc.DeviceWork(flops=trained(f"megatron {name}", sequences) / gpus)
        share = (Fraction(utilisation) - side * HALF) / 100
        step = sc.step_time(work, "nvidia-a100-sxm-80gb", "float16", efficiency=share)
        return step.value() * (1 + (Fraction(longer) + side * HALF) / 100 if longer else 1)

    return between(lambda: seconds(-1), lambda: seconds(1))


HALF = Fraction(1, 20)
"""Of the last digit of a share in percent with one of them."""


def maxtext_step(rate: str) -> Any:
    """DeepSeek's 16B: 24 sequences of 2048 tokens on a device at so many TFLOP/s, half of the causal products left out."""
    sums = {
        group.name: Fraction(group.total("textbook").flops) for group in costs("deepseek v2 lite", 24, 2048).by_op()
    }
    flops = 3 * (sum(sums.values()) - (sums["scores"] + sums["context"]) / 2)
    reached = sc.Device(name="reached", source="MaxText's log of a run", peak={"bfloat16": Fraction(rate) * 10**12})
    return sc.step_time(sc.DeviceWork(flops=flops), reached).value()


def hours(name: str, tokens: int) -> Any:
    """GPU-hours of training at the full peak of an A100: no run takes less."""
    work = sc.DeviceWork(flops=3 * costs(name, tokens // 2048, 2048).total("textbook").flops)
    return sc.step_time(work, "nvidia-a100-sxm-80gb").value() / 3600


def hours_at(rate: Any) -> Fraction:
    """GPU-hours of 1.4e12 tokens at so many tokens a second and GPU."""
    return Fraction(14 * 10**11) / Fraction(rate) / 3600


def prefill() -> Any:
    """Seconds of 8192 tokens of Llama 3 70B on 16 chips that reach 40 % of their peak."""
    return sc.step_time(sc.DeviceWork(flops=2 * 70 * 10**9 * 8192 // 16), "tpu-v5e", efficiency="0.4").seconds


def across() -> Any:
    """From one corner of 4 x 4 chips of a v5e to the other: half over each of two ports, and six hops."""
    half = sc.Collective(kind="collective-permute", axes=("X",), size=4, bytes=8 * 128 * 8192)
    found = sc.collective_time(half, "tpu-v5e")
    return found.bandwidth + 6 * found.latency


# -- steps and collectives ---------------------------------------------------------------------------------------------
def fsdp(axes: int) -> Any:
    """Least tokens of FSDP on so many axes of v5p."""
    gather = sc.Collective(kind="all-gather", axes=("X",), size=X, bytes=2 * D * F, times=2)
    work = sc.DeviceWork(flops=4 * B * D * F / X, collectives=[gather])
    found = sc.step_time(work, "tpu-v5p", places={"X": sc.MeshAxis(axes=axes)}, hops=False)
    return sc.crossover(found.compute, found.total_communication, "B").at


def mixed() -> sc.StepTime:
    """FSDP on two axes and tensors split on the third."""
    rows = [sc.Collective(kind="all-gather", axes=("X",), size=X, bytes=2 * D * F * X / N, times=2),
            sc.Collective(kind="all-gather", axes=("Y",), size=N / X, bytes=2 * B * D / X, times=2)]  # fmt: skip
    places = {"X": sc.MeshAxis(axes=2), "Y": sc.MeshAxis(axes=1)}
    return sc.step_time(sc.DeviceWork(flops=4 * B * D * F / N, collectives=rows), "tpu-v5p", places=places, hops=False)


def best_fsdp() -> Any:
    """Where both communications take as long."""
    found = mixed()
    return sc.crossover(found.communication["X"], found.communication["Y"], "X").at


def least_mixed() -> Any:
    """Tokens a chip at the best degree."""
    found = mixed()
    sent = sympy.simplify(found.total_communication.subs(X, best_fsdp()))
    return sc.crossover(found.compute**2, sent**2, "B").at.subs({N: 1, F: 28672})


def moved(size: Any, on: str) -> Any:
    """Seconds of reading bytes from the device's memory."""
    return sc.step_time(sc.DeviceWork(bytes=size), on).seconds


def gathered(kind: Any, sent: int) -> Any:
    """On an axis of 4 chips of a v4 cube."""
    return sc.collective_time(sc.Collective(kind=kind, axes=("X",), size=4, bytes=sent), "tpu-v4").seconds


def decode() -> Any:
    """Llama 3 70B in int8: 32 sequences of 8192 tokens on 8 chips."""
    return moved(
        Fraction(cache("llama 3 70B", 8192, "int8", 32) + sc.model_size(costs("llama 3 70B"), 8), 8), "tpu-v5e"
    )


# -- bytes -------------------------------------------------------------------------------------------------------------
def cache(name: str, M: int, dtype: str, n: int = 1) -> Any:
    """Bytes of keys and values of ``n`` sequences of ``M`` tokens."""
    return sc.kv_cache(sc.decoding(NETS[name](), M=M, n=n), dtype)


def cache_of_a_token(name: str, dtype: str) -> Any:
    """Bytes that each more token takes."""
    return sc.partial(sc.kv_cache(sc.decoding(NETS[name](), M="M", n=1), dtype), "M")


def caches_that_fit(dtype: str, free: int) -> Any:
    """Sequences of 8192 tokens beside Llama 3 70B."""
    step = sc.decoding(NETS["llama 3 70B"](), M=8192, n="n")
    return sc.solve(step, f"kv_cache <= {free}", largest="n", dtype=dtype).value


def kept(technique: Any, name: str, chunks: int = 1) -> Any:
    """Bytes of activations of Megatron's models on a device."""
    return sc.transformer_activations(technique, chunks=chunks, **MEGATRON[name])


def relative(technique: Any, name: str) -> Fraction:
    """Over those without any technique."""
    one = {key: value for key, value in MEGATRON[name].items() if key != "p"}
    return share(exact(sc.transformer_activations(technique, **one)), exact(sc.transformer_activations("none", **one)))


SPLIT: dict[str, Any] = {"22B": dict(b=4), "175B": dict(b=1, p=8), "530B": dict(b=1, p=35), "1T": dict(b=1, p=64)}
"""Sequences of a microbatch and stages of the pipeline: arXiv:2205.05198, table 3."""
MEGATRON: dict[str, Any] = {
    name: dict(zip("haL", GPT[f"megatron {name}"], strict=True), s=2048, t=8, **split) for name, split in SPLIT.items()
}


def states(name: str, devices: int) -> Any:
    """18 bytes for each weight of a block: 2 of it, 4 of its gradient, 12 of Adam and the master copy."""
    P = parts(f"megatron {name} blocks")
    whole = sc.TrainingMemory(params=2 * P, gradients=4 * P, optimizer=12 * P, residuals=0)
    return whole.sharded(sc.Shards(params=devices, gradients=devices, optimizer=devices)).total


def arguments() -> Any:
    """Parameters in float32 and Adam's moments, split over 4."""
    P = 15933 * 10**6
    whole = sc.TrainingMemory(params=4 * P, gradients=0, optimizer=8 * P, residuals=0)
    return whole.sharded(sc.Shards.zero(3, data=4)).total


def copies() -> Fraction:
    """An array that is split over the first axis of a 4 x 8 x 2 mesh: bytes of all devices over those of one copy."""
    whole = sc.TrainingMemory(params=4**9, gradients=0, optimizer=0, residuals=0)
    return share(4 * 8 * 2 * whole.sharded(sc.Shards(params=4)).total, whole.total)


def chips(size: int) -> Any:
    """Devices of so many bytes that have room for 21.6 TB."""
    ram = sc.MemoryLevel(name="hbm", size=size, holds=("weights", "activations"))
    where = sc.Device(name="v5p", source="scaling book, chapter applied-training: 96 GB", memories=[ram])
    return sc.TrainingMemory(params=0, gradients=0, optimizer=0, residuals=216 * 10**11).least_devices(where)


def checkpoints() -> Any:
    """Two bytes for each number that the three products of a block store, with 16e6 tokens."""
    table = sc.table(sc.Repeat(sc.GatedMLP(13824), 40), (1, 16 * 10**6, 5120))
    stored = [row for row in table.rows if row.cost.macs != 0]
    return 2 * sc.CostTable(stored).total("textbook").activations


FIGURE_7 = {
    "22B": ("sequence", "selective", "full"), "175B": ("none", "selective", "both"),
    "530B": ("none", "sequence", "both", "full"), "1T": ("sequence", "selective", "full"),
}  # fmt: skip
"""Techniques that figure 7 of arXiv:2205.05198 shows, by model."""


ANSWERS: dict[str, Answer] = {
    "book-16b": lambda: parts("book 16B"),
    "book-attention-share": lambda: share(parts("book 16B", "/attention"), parts("book 16B", "/blocks0", "block_#")),
    "book-attention-crossover": attention_crossover,
    "deepseek-hfu": hfu,
    "llama3-vocabulary": lambda: parts("llama 3 70B", "embedding", "head"),
    "llama3-attention": lambda: parts("llama 3 70B", "/attention"),
    "llama3-flops-token": lambda: sc.mfu(costs("llama 3 70B"), 1, "tpu-v5p", passes=3).flops,
    "llama3-flops-all": lambda: sc.mfu(costs("llama 3 70B", 15 * 10**12), 10**11, "tpu-v5p", passes=3).flops,
    "llama3-checkpoints": lambda: sc.transformer_activations("full", s=4 * 10**6, b=1, h=8192, a=64, L=3 * 80),
    "llama3-least-chips": lambda: chips(96 * 10**9),
    "llama3-best-fsdp": lambda: best_fsdp().subs({B: 419 * 10**4, N: 8960, F: 28672}),
    "llama3-least-tokens": least_mixed,
    "llama2-attention": lambda: parts("llama 2 13B", "/attention"),
    "llama2-vocabulary": lambda: parts("llama 2 13B", "embedding", "head"),
    "llama2-checkpoints": checkpoints,
    "llama2-least-batch": lambda: fsdp(3).subs(X, 4096),
    "kv-token": lambda: cache_of_a_token("llama 3 70B", "int8"),
    "kv-sequence": lambda: cache("llama 3 70B", 32768, "int8"),
    "decode-step": decode,
    "decode-throughput": lambda: 32 / decode(),
    "weights-bf16": lambda: sc.model_size(costs("llama 3 70B"), 16),
    "weights-int8": lambda: sc.model_size(costs("llama 3 70B"), 8),
    "caches-bf16": lambda: caches_that_fit("bfloat16", 116 * 10**9),
    "caches-int8": lambda: caches_that_fit("int8", 68 * 10**9),
    "prefill": prefill,
    "prefill-servers": lambda: prefill() / (Fraction(19, 1000) * 512 / 32),
    "matmul-hbm": lambda: moved(2 * 8192 * 28672 // 32, "tpu-v5e"),
    "all-gather": lambda: gathered("all-gather", 2 * 1024 * 4096 // 4),
    "all-reduce": lambda: gathered("all-reduce", 2 * 1024 * 4096),
    "copies": copies,
    "transfer": across,
    "load-weights": lambda: moved(400 * 10**9 // 32, "tpu-v4"),
    "megatron-22b-both": lambda: kept("both", "22B"),
    "megatron-175b-none": lambda: kept("none", "175B", 3),
    "megatron-530b-none": lambda: kept("none", "530B", 3),
    "megatron-530b-both": lambda: kept("both", "530B", 3),
    "megatron-1t-both": lambda: kept("both", "1T"),
    "megatron-22b-states": lambda: states("22B", 8),
    "megatron-530b-states": lambda: states("530B", 8 * 35),
    "megatron-1t-states": lambda: states("1T", 8 * 64),
    **{f"relative-{name}-{technique}": lambda name=name, technique=technique: relative(technique, name)
       for name, techniques in FIGURE_7.items() for technique in techniques},
    "maxtext-16b-params": lambda: int(costs("maxtext 16B").params),
    "maxtext-arguments": arguments,
    "maxtext-total": between(*(lambda temporary=temporary: arguments() + Fraction(temporary) * 2**30
                               for temporary in ("55.85", "55.95"))),
    "maxtext-initialised": arguments,
    "maxtext-step": between(lambda: maxtext_step("134.9245"), lambda: maxtext_step("134.9235")),
    "maxtext-attention": deepseek_attention,
    "mfu-llama2-v6e": between(lambda: tokens_mfu("llama 2 70B", 4096, 895, "tpu-v6e"),
                              lambda: tokens_mfu("llama 2 70B", 4096, 905, "tpu-v6e")),
    "mfu-llama31-8b": lambda: tokens_mfu("llama 3.1 8B", 8192, 7207, "tpu-v6e"),
    "mfu-llama31-405b": lambda: tokens_mfu("llama 3.1 405B", 8192, 123, "tpu-v6e"),
    "mfu-llama2-v5p": lambda: tokens_mfu("llama 2 70B", 4096, 692, "tpu-v5p"),
    "mfu-mixtral-v6e": between(
        lambda: tokens_mfu("mixtral 8x7B", 4096, "3898.5", "tpu-v6e"),
        lambda: tokens_mfu("mixtral 8x7B", 4096, "3899.5", "tpu-v6e"),
    ),
    "mfu-mixtral-v5p": lambda: tokens_mfu("mixtral 8x7B", 4096, 2909, "tpu-v5p"),
    "moe700-params": lambda: parts("moe 700B initial"),
    "moe700-active": lambda: parts("moe 700B initial", active=True),
    "moe700-final-active": lambda: parts("moe 700B final", active=True),
    "moe10t-params": lambda: parts("moe 10T"),
    **{f"teraflops-{chip}-{rate}": teraflops(rate, f"tpu-{chip}")
       for chip, rates in {"v4": (156, 146), "v5e": (120, 132, 110, 108, 99, 91), "v5p": (323, 315, 294, 297)}.items()
       for rate in rates},
    "mixtral-active": lambda: parts("mixtral 8x7B", active=True),
    "deepseek-v3-params": lambda: parts("deepseek v3"),
    "deepseek-v2-lite-params": lambda: parts("deepseek v2 lite"),
    "deepseek-v2-lite-active": lambda: parts("deepseek v2 lite", "!embedding", active=True),
    "qwen3-235b-active": lambda: parts("qwen3 235B", active=True),
    "qwen3-30b-params": lambda: parts("qwen3 30B"),
    "gpt-oss-120b-params": lambda: int(costs("gpt-oss 120b").params),
    "gpt-oss-120b-active": lambda: parts("gpt-oss 120b", "!embedding", active=True),
    "gpt-oss-20b-active": lambda: parts("gpt-oss 20b", "!embedding", active=True),
    "kv-gpt2-xl": lambda: cache_of_a_token("gpt-2 xl", "float16"),
    "kv-gpt-oss-120b": lambda: cache_of_a_token("gpt-oss 120b", "bfloat16"),
    "kv-gpt-oss-20b": lambda: cache("gpt-oss 20b", 8192, "bfloat16", 32),
    "kv-gemma3-1b": lambda: cache("gemma3 1b", 32768, "bfloat16"),
    "kv-gemma4-31b": lambda: cache_of_a_token("gemma4 31b", "bfloat16"),
    "megatron-22b-full-step": measured("22B", 4, 8, "41.5", "29.0"),
    "megatron-175b-full-step": measured("175B", 64, 64, "51.4", "31.8"),
    "megatron-175b-both-step": measured("175B", 64, 64, "51.4"),
    "megatron-530b-both-step": measured("530B", 280, 280, "56.0"),
    "megatron-1t-full-step": measured("1T", 512, 512, "56.3", "32.1"),
    "llama-7b-hours": lambda: hours("llama 7B", 10**12),
    "llama-13b-hours": lambda: hours("llama 13B", 10**12),
    "llama-65b-hours": between(lambda: hours_at("380.5"), lambda: hours_at("379.5")),
    "mtnlg-2240": steps_of(2240, 126),
    "mtnlg-3360": steps_of(3360, 113),
}  # fmt: skip
