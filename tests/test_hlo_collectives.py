"""Bytes that devices exchange, by kind; loops count as often as they run."""

from __future__ import annotations

import pytest

from symcost.hlo import analyse, parse
from symcost.hlo.counting.collectives import Exchanged, collectives, exchanged

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
        (["ROOT y = f32[2,4]{1,0} reduce-scatter(x), dimensions={0}, to_apply=sum"], {"reduce-scatter": 128}),
        (["p = f32[8,4]{1,0} collective-permute(x), source_target_pairs={{0,1}}",
          "ROOT a = f32[8,4]{1,0} all-to-all(p), dimensions={0}"], {"collective-permute": 128, "all-to-all": 128}),
        (["ROOT y = f32[8,4]{1,0} negate(x)"], {}),
    ],
)  # fmt: skip
def test_of_operand_and_result_the_larger_is_counted_once(lines: list[str], expected: dict[str, int]) -> None:
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


def chain(number: int, channel: int, marked: bool = True) -> str:
    """An all-gather beside fusions, as a compiler of TPUs prints it (shortened): started, run along, ended."""
    gather = (f"all-gather(p), channel_id={channel}, dimensions={{0}}, frontend_attributes={{chain_id=\"{number}\"}}")  # fmt: skip
    begin = 'ROOT c = (f32[8,4]{1,0}, f32[32,4]{1,0}, u32[]) custom-call(g), custom_call_target="AsyncCollectiveStart"'
    end = 'ROOT c = f32[32,4]{1,0} custom-call(p, g), custom_call_target="AsyncCollectiveDone"'
    if not marked:
        begin, end = "ROOT c = (f32[8,4]{1,0}, f32[32,4]{1,0}) tuple(p, g)", "ROOT c = f32[32,4]{1,0} copy(g)"
    bodies = {"start": begin, "along": "ROOT t = (f32[8,4]{1,0}, f32[32,4]{1,0}) tuple(p, g)", "done": end}
    return "\n".join(
        f"{name}.{number} {{\n  p = f32[8,4]{{1,0}} parameter(0)\n  g = f32[32,4]{{1,0}} {gather}\n  {root}\n}}"
        for name, root in bodies.items()
    )


def beside(*channels: int, marked: bool = True) -> str:
    """A program with one such all-gather of each channel."""
    fusions = [
        f"  {name}{k} = (f32[8,4]{{1,0}}, f32[32,4]{{1,0}}) fusion(x), kind=kCustom, calls={name}.{k}"
        for k in range(len(channels)) for name in ("start", "along", "done")
    ]  # fmt: skip
    chains = "\n".join(chain(k, channel, marked) for k, channel in enumerate(channels))
    head = f"HloModule m\n{chains}\nENTRY main {{\n  x = f32[8,4]{{1,0}} parameter(0)\n"
    return head + "\n".join(fusions) + "\n  ROOT r = f32[8,4]{1,0} negate(x)\n}"


@pytest.mark.parametrize("marked", [True, False], ids=["with marks", "without marks"])
def test_a_collective_that_runs_beside_fusions_is_one(marked: bool) -> None:
    assert collectives(parse(beside(5, marked=marked))) == {"all-gather": 512}


def test_a_channel_that_collectives_share_does_not_make_them_one() -> None:
    """A program written for every device has channel 1 everywhere."""
    assert collectives(parse(beside(1, 1, 1))) == {"all-gather": 3 * 512}
    gathers = [f"y{k} = f32[32,4]{{1,0}} all-gather(x), channel_id=1, dimensions={{0}}" for k in range(2)]
    assert collectives(parse(entry(*gathers, "ROOT z = f32[8,4]{1,0} negate(x)"))) == {"all-gather": 2 * 512}


def test_marks_of_where_a_collective_begins_and_ends_are_no_unknown_work() -> None:
    found = analyse(beside(5), calls=True)
    assert (found.unknown, found.flops, found.calls) == ((), 32, (-2, 0, -2))
    assert found.float32.flops == 30.0  # XLA takes -1 for each


def test_what_an_asynchronous_call_begins_is_counted_at_its_start() -> None:
    text = """HloModule m
wrapped {
  p = f32[32,4]{1,0} parameter(0)
  ROOT s = f32[8,4]{1,0} reduce-scatter(p), channel_id=1, dimensions={0}, to_apply=sum
}
sum {
  a = f32[] parameter(0)
  b = f32[] parameter(1)
  ROOT c = f32[] add(a, b)
}
ENTRY main {
  x = f32[32,4]{1,0} parameter(0)
  s = ((f32[32,4]{1,0}), f32[8,4]{1,0}) async-start(x), calls=wrapped
  u = ((f32[32,4]{1,0}), f32[8,4]{1,0}) async-update(s), calls=wrapped
  ROOT d = f32[8,4]{1,0} async-done(u), calls=wrapped
}"""
    assert collectives(parse(text)) == {"reduce-scatter": 512}


def test_of_a_conditional_the_branch_that_exchanges_most_counts() -> None:
    text = """HloModule m
one {
  p = f32[8,4]{1,0} parameter(0)
  ROOT y = f32[8,4]{1,0} collective-permute(p), channel_id=1, source_target_pairs={{0,1}}
}
two {
  p = f32[8,4]{1,0} parameter(0)
  y = f32[8,4]{1,0} collective-permute(p), channel_id=1, source_target_pairs={{0,1}}
  ROOT z = f32[8,4]{1,0} collective-permute(y), channel_id=1, source_target_pairs={{0,1}}
}
ENTRY main {
  x = f32[8,4]{1,0} parameter(0)
  i = s32[] constant(0)
  ROOT c = f32[8,4]{1,0} conditional(i, x, x), branch_computations={one, two}
}"""
    assert collectives(parse(text)) == {"collective-permute": 2 * 128}


OWN = ', metadata={op_name="jit(f)/convert_element_type"}'


@pytest.mark.parametrize(
    ("lines", "widened"),
    [
        (["g = f32[32,4]{1,0} all-gather(w), dimensions={0}", "ROOT r = bf16[32,4]{1,0} convert(g)"], 256),
        (["g = f32[8,4]{1,0} all-reduce(x), to_apply=sum", "h = f32[8,4]{1,0} copy(g)", "ROOT r = bf16[8,4]{1,0} convert(h)"], 64),
        (["g = (f32[8,4]{1,0}, f32[2]{0}) all-reduce(w, x), to_apply=sum", "a = f32[8,4]{1,0} get-tuple-element(g), index=0",
          "b = f32[2]{0} get-tuple-element(g), index=1", "c = bf16[8,4]{1,0} convert(a)",
          "ROOT r = (bf16[8,4]{1,0}, f32[2]{0}) tuple(c, b)"], 64),
        (["g = f32[8,4]{1,0} all-reduce(w), to_apply=sum", "ROOT r = f32[8,4]{1,0} negate(g)"], 64),  # what is sent was bf16
        (["g = f32[32,4]{1,0} all-gather(x), dimensions={0}", f"ROOT r = bf16[32,4]{{1,0}} convert(g){OWN}"], 0),
        (["g = f32[32,4]{1,0} all-gather(x), dimensions={0}", "ROOT r = f64[32,4]{1,0} convert(g)"], 0),
        (["g = f32[32,4]{1,0} all-gather(x), dimensions={0}", "a = bf16[32,4]{1,0} convert(g)",
          "ROOT r = (bf16[32,4]{1,0}, f32[32,4]{1,0}) tuple(a, g)"], 0),  # also used as it is
    ],
)  # fmt: skip
def test_bytes_that_only_a_compilers_widening_adds_are_told(lines: list[str], widened: int) -> None:
    (found,) = exchanged(
        parse(entry("n = bf16[8,4]{1,0} constant({...})", "w = f32[8,4]{1,0} convert(n)", *lines))
    ).values()
    assert found.widened == ({"widened from bfloat16 to float32": widened} if widened else {})


def test_widening_adds_up_like_the_bytes() -> None:
    one = Exchanged(8, {"a": 4})
    assert one * 3 + one == Exchanged(32, {"a": 16})


def test_bytes_of_an_asynchronous_call_are_those_of_what_it_calls() -> None:
    """XLA's cost analysis counts the computation that is called: what goes in and what comes out, not the start's buffers."""
    start = "s = ((f32[8,4]{1,0}), f32[2,4]{1,0}) reduce-scatter-start(x), dimensions={0}, to_apply=sum"
    found = analyse(entry(start, "ROOT d = f32[2,4]{1,0} reduce-scatter-done(s)"))
    assert found.bytes == (128 + 32) + (32 + 16)  # the end reads the start's table of two pointers
