"""Bytes that devices exchange, by kind; loops count as often as they run."""

from __future__ import annotations

import pytest

from symcost.hlo import parse
from symcost.hlo.collectives import collectives

SUM = """sum {
  a = f32[] parameter(0)
  b = f32[] parameter(1)
  ROOT c = f32[] add(a, b)
}
"""


def entry(*lines: str) -> str:
    return (
        f"HloModule m\n{SUM}ENTRY main {{\n  x = f32[8,4]{{1,0}} parameter(0)\n"
        + "\n".join(f"  {line}" for line in lines)
        + "\n}"
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["ROOT y = f32[8,4]{1,0} all-reduce(x), to_apply=sum"], {"all-reduce": 128}),
        (["y = f32[8,4]{1,0} all-reduce-start(x), to_apply=sum", "ROOT z = f32[8,4]{1,0} all-reduce-done(y)"], {"all-reduce": 128}),
        (["ROOT y = (f32[8,4]{1,0}, f32[2]{0}) all-reduce(x, x), to_apply=sum"], {"all-reduce": 136}),
        (["ROOT y = f32[32,4]{1,0} all-gather(x), dimensions={0}"], {"all-gather": 512}),
        (["y = (f32[8,4]{1,0}, f32[32,4]{1,0}) all-gather-start(x), dimensions={0}", "ROOT z = f32[32,4]{1,0} all-gather-done(y)"],
         {"all-gather": 512}),
        (["ROOT y = f32[2,4]{1,0} reduce-scatter(x), dimensions={0}, to_apply=sum"], {"reduce-scatter": 32}),
        (["p = f32[8,4]{1,0} collective-permute(x), source_target_pairs={{0,1}}",
          "ROOT a = f32[8,4]{1,0} all-to-all(p), dimensions={0}"], {"collective-permute": 128, "all-to-all": 128}),
        (["ROOT y = f32[8,4]{1,0} negate(x)"], {}),
    ],
)  # fmt: skip
def test_the_result_on_one_device_is_counted_once(lines: list[str], expected: dict[str, int]) -> None:
    assert collectives(parse(entry(*lines))) == expected


def test_a_collective_in_a_loop_counts_every_trip() -> None:
    text = f"""HloModule m
{SUM}body {{
  s = (s32[], f32[8,4]{{1,0}}) parameter(0)
  i = s32[] get-tuple-element(s), index=0
  k = f32[8,4]{{1,0}} get-tuple-element(s), index=1
  r = f32[8,4]{{1,0}} all-reduce(k), to_apply=sum
  ROOT t = (s32[], f32[8,4]{{1,0}}) tuple(i, r)
}}
condition {{
  c = (s32[], f32[8,4]{{1,0}}) parameter(0)
  ROOT o = pred[] constant(true)
}}
ENTRY main {{
  x = f32[8,4]{{1,0}} parameter(0)
  z = s32[] constant(0)
  a = (s32[], f32[8,4]{{1,0}}) tuple(z, x)
  ROOT w = (s32[], f32[8,4]{{1,0}}) while(a), condition=condition, body=body, backend_config={{"known_trip_count":{{"n":"5"}}}}
}}"""
    assert collectives(parse(text)) == {"all-reduce": 5 * 128}
