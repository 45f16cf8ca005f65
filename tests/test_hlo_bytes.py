"""Bytes accessed, where XLA's rules are odd; on whole programs tests/test_hlo_analyse.py compares them bit for bit."""

from __future__ import annotations

import pytest

from symcost.hlo import analyse, parse_shape
from symcost.hlo.counting.bytes import stored


@pytest.mark.parametrize(
    ("shape", "size"),
    [("f32[2,3]{1,0}", 24), ("bf16[]", 2), ("pred[5]{0}", 5), ("s4[6]{0}", 6), ("c64[2]{0}", 16), ("f8e4m3fn[7]{0}", 7),
     ("(f32[2]{0}, (s8[3]{0}, token[]))", 11)],
)  # fmt: skip
def test_an_array_takes_its_elements_and_a_tuple_what_is_in_it(shape: str, size: int) -> None:
    assert stored(parse_shape(shape)) == size


def entry(body: str, fused: str = "") -> int:
    return analyse(f"HloModule m\n{fused}\nENTRY main {{\n{body}\n}}").bytes


FUSED = """f {
  a = f32[100]{0} parameter(0)
  b = f32[10]{0} parameter(1)
  c = f32[9]{0} constant({...})
  d = f32[8]{0} constant({...})
  s = f32[10]{0} slice(a), slice={[0:10]}
  t = f32[10]{0} slice(a), slice={[5:15]}
  u = f32[10]{0} add(b, s)
  v = f32[10]{0} multiply(b, u)
  ROOT w = f32[10]{0} add(v, t)
}"""
CALL = """  x = f32[100]{0} parameter(0)
  y = f32[10]{0} parameter(1)
  ROOT z = f32[10]{0} fusion(x, y), kind=kLoop, calls=f"""


def test_a_fusion_reads_slices_alone_shares_other_readings_and_counts_large_constants() -> None:
    result, slices, shared, constant = 40, 2 * 40, 40, 36
    assert entry(CALL, FUSED) == result + slices + shared + constant


def test_a_fusion_that_updates_in_place_writes_the_update_only() -> None:
    fused = """f {
  a = f32[100]{0} parameter(0)
  b = f32[10]{0} parameter(1)
  i = s32[] constant(3)
  ROOT u = f32[100]{0} dynamic-update-slice(a, b, i)
}"""
    body = CALL.replace("z = f32[10]{0}", "z = f32[100]{0}")
    assert entry(body, fused) == 40 + 40


@pytest.mark.parametrize(("layout", "size"), [("{0,1}", 0), ("{1,0}", 48)])
def test_a_transposition_that_only_renames_the_layout_is_free(layout: str, size: int) -> None:
    body = f"  x = f32[2,3]{{1,0}} parameter(0)\n  ROOT t = f32[3,2]{layout} transpose(x), dimensions={{1,0}}"
    assert entry(body) == size
