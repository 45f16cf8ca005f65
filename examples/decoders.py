"""Decoders on one accelerator: parameters, key-value cache, prefill against decoding, and the batch that fits.

python examples/decoders.py
"""

from __future__ import annotations

import symcost as sc

CHIP = "nvidia-h100-sxm"
NETS = {
    "GPT-2": sc.models.gpt2.net(),
    "LLaMA 7B": sc.models.llama.net(H_kv=32, d_f=11008, V=32000),
    "Llama 3 8B": sc.models.llama.net(),
}


def main() -> None:
    """One paragraph per model: exact formulas, then numbers for a context of 2048 tokens in float16."""
    n, M = sc.symbols("n M")
    for name, net in NETS.items():
        step, prefill = sc.decoding(net), sc.table(net, ("n", "N"))
        cache = sc.kv_cache(step)
        print(f"{name}: {prefill.params:,} parameters; cache {cache} bytes")
        whole = prefill.subs(n=1, N=1024)
        print(f"  prefill of 1024 tokens: {float(sc.latency(whole, CHIP, 'float16', model='fused').value()) * 1e3:.2f} ms,"
              f" bound by {sc.latency(whole, CHIP, 'float16', model='fused').bound}")  # fmt: skip
        for batch in (1, 64):
            found = sc.latency(step.subs(n=batch, M=1024), CHIP, "float16", model="fused")
            print(f"  one token for each of {batch}: {float(found.value()) * 1e3:.2f} ms, bound by {found.bound}")
        held = cache.subs({n: 1, M: 1024})
        memory = sc.device(CHIP).memory_of("weights").size
        assert memory is not None
        rest = memory - 2 * int(prefill.params)
        print(f"  {int(rest // int(held))} sequences of 1024 tokens fit beside the weights in {CHIP}")


if __name__ == "__main__":
    main()
