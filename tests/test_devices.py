"""Devices: every entry is whole and sourced, units are exact, and what is wrong with a file is said in one line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import sympy

import symcost as sc
from symcost.costs.dtypes import BITS
from symcost.devices import catalog, units
from symcost.devices.read import read

NAMES = list(catalog.catalog())


def test_there_are_as_many_as_promised() -> None:
    """The families that the lectures and their readers meet."""
    assert len(NAMES) >= 25
    for family in ("nvidia-v100", "nvidia-a100", "nvidia-h100", "nvidia-h200", "nvidia-b200", "nvidia-l4", "nvidia-rtx-4090",
                   "jetson-nano", "jetson-xavier-nx", "jetson-orin-nano", "jetson-agx-orin", "google-tpu-v4", "google-tpu-v5e",
                   "google-tpu-v5p", "google-tpu-v6e", "google-tpu-7x", "google-edge-tpu", "apple-m1", "apple-a15",
                   "qualcomm-hexagon",
                   "amd-epyc", "arm-cortex-a76", "stm32f412", "stm32f746", "stm32f767", "stm32h743", "esp32-s3",
                   "arm-ethos-u55", "cloud-ai", "mobile-ai", "tiny-ai", "horowitz-45nm"):  # fmt: skip
        assert [name for name in NAMES if name.startswith(family)], family
    page = Path(__file__).parents[1] / "examples" / "cookbook" / "devices.md"
    assert f"lists {len(NAMES) - 1} devices and a 45 nm energy table" in page.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_is_sourced_exact_and_within_reason(name: str) -> None:
    device = sc.device(name)
    assert device.title
    assert len(device.source) > 20
    for dtype, peak in device.peak.items():
        assert isinstance(peak, Fraction)
        assert 10**8 <= peak <= 10**17, f"{dtype}: a peak between a microcontroller's and ten large GPUs'"
    for dtype in device.peak:
        narrower = [other for other in device.peak if BITS[other] < BITS[dtype]]
        assert all(device.peak[other] >= device.peak[dtype] for other in narrower), "narrower numbers are never slower"
    for level in device.memories:
        assert level.size is None or 2**17 <= level.size <= 10**13
        assert level.bandwidth is None or 10**8 <= level.bandwidth <= 10**14
    assert device.power is None or Fraction(1, 10) <= device.power <= 2000


GOLDEN = [
    ("nvidia-a100-sxm-80gb", "bfloat16", 312 * 10**12, 2039 * 10**9, 80 * 10**9, 400),  # NVIDIA A100 data sheet
    ("nvidia-h100-sxm", "bfloat16", Fraction(9894, 10) * 10**12, 3350 * 10**9, 80 * 10**9, 700),  # H100 data sheet
    ("google-tpu-v4", "bfloat16", 275 * 10**12, 1200 * 10**9, 32 * 2**30, 170),  # cloud.google.com/tpu/docs/v4
    (
        "google-tpu-7x",
        "bfloat16",
        2307 * 10**12,
        7380 * 10**9,
        192 * 2**30,
        None,
    ),  # docs.cloud.google.com/tpu/docs/tpu7x
    ("google-tpu-7x", "float8", 4614 * 10**12, 7380 * 10**9, 192 * 2**30, None),  # the same
    ("google-tpu-v5e", "int8", 393 * 10**12, 819 * 10**9, 16 * 10**9, None),  # cloud.google.com/tpu/docs/v5e
    # ethos-u-vela 5.2.0, vela.ini: Ethos_U55_High_End_Embedded, 500 MHz, SRAM 4 GB/s
    ("arm-ethos-u55-256", "int8", 512 * 500 * 10**6, 4 * 10**9, None, None),
    # github.com/pigirons/cpufp, BCM2712.md: 153.48 GOPS of int8 on a Cortex-A76 at 2.4 GHz, 64 a cycle
    ("arm-cortex-a76-pixel-4", "int8", 64 * 2840 * 10**6, 34128 * 10**6, 6 * 2**30, None),
    ("stm32f746", "int8", 4 * 216 * 10**6, 4 * 216 * 10**6, 320 * 1024, None),  # DS10916, RM0385: 32-bit AHB
]


@pytest.mark.parametrize(("name", "dtype", "peak", "bandwidth", "size", "power"), GOLDEN, ids=lambda v: str(v)[:20])
def test_published_numbers(name: str, dtype: str, peak: int, bandwidth: int, size: int, power: int | None) -> None:
    device = sc.device(name)
    assert device.operations(dtype) == peak
    assert device.bandwidth("activations") == bandwidth
    assert device.memory_of("activations").size == size
    assert device.power == power


NETWORKS = [
    # jax-ml.github.io/scaling-book, chapter tpus: one-way bandwidth of a link, sizes of pods, rings
    ("google-tpu-v4", "ici", "torus", 3, 45 * 10**9, 16 * 16 * 16),
    ("google-tpu-v5p", "ici", "torus", 3, 90 * 10**9, 16 * 20 * 28),
    ("google-tpu-v5e", "ici", "torus", 2, 45 * 10**9, 16 * 16),
    ("google-tpu-v6e", "ici", "torus", 2, 90 * 10**9, 16 * 16),
    ("google-tpu-7x", "ici", "torus", 3, 1200 * 10**9 // 12, 9216),  # docs.cloud.google.com/tpu/docs/tpu7x
    ("google-tpu-v4", "dcn", "switch", 1, 25 * 10**9 // 4, None),
    ("google-tpu-v5p", "dcn", "switch", 1, 50 * 10**9 // 8, None),  # docs.cloud.google.com/tpu/docs/v5p
    ("google-tpu-v5e", "dcn", "switch", 1, 3125 * 10**6, None),
    ("google-tpu-v6e", "dcn", "switch", 1, 100 * 10**9 // 8, None),  # docs.cloud.google.com/tpu/docs/tpu7x
    ("google-tpu-7x", "dcn", "switch", 1, 100 * 10**9 // 8, None),
    # the same, chapter gpus: 12 links of 25 GB/s one way, 18 of 25, 18 of 50, in nodes of 8; adapters by NVIDIA's systems
    ("nvidia-a100-sxm-80gb", "nvlink", "switch", 1, 12 * 25 * 10**9, 8),
    ("nvidia-h100-sxm", "nvlink", "switch", 1, 18 * 25 * 10**9, 8),
    ("nvidia-h200-sxm", "nvlink", "switch", 1, 18 * 25 * 10**9, 8),
    ("nvidia-b200-hgx", "nvlink", "switch", 1, 18 * 50 * 10**9, 8),
    ("nvidia-a100-sxm-80gb", "infiniband", "switch", 1, 200 * 10**9 // 8, None),
    ("nvidia-h100-sxm", "infiniband", "switch", 1, 400 * 10**9 // 8, None),
    ("nvidia-h200-sxm", "infiniband", "switch", 1, 400 * 10**9 // 8, None),
    ("nvidia-b200-hgx", "infiniband", "switch", 1, 400 * 10**9 // 8, None),
]


@pytest.mark.parametrize(
    ("name", "network", "shape", "axes", "bandwidth", "devices"), NETWORKS, ids=lambda v: str(v)[:20]
)
def test_published_networks(
    name: str, network: str, shape: str, axes: int, bandwidth: int, devices: int | None
) -> None:
    found = sc.device(name).network(network)
    assert (found.shape, found.axes, found.bandwidth, found.devices) == (shape, axes, bandwidth, devices)
    assert len(found.source) > 20
    assert found.latency in (None, Fraction(1, 10**6)), "about a microsecond for each hop of a torus"


def test_switches_reduce_since_hopper() -> None:
    """jax-ml.github.io/scaling-book, chapter gpus, "in-network reductions"."""
    reducing = {(name, each.name) for name in NAMES for each in sc.device(name).networks if each.reduces}
    assert reducing == {(f"nvidia-{name}", "nvlink") for name in ("h100-sxm", "h200-sxm", "b200-hgx")}


def test_every_network_is_in_the_table_above() -> None:
    there = {(name, each.name) for name in NAMES for each in sc.device(name).networks}
    assert there == {(row[0], row[1]) for row in NETWORKS}


@pytest.mark.parametrize(
    ("name", "length", "closed"),
    [
        ("google-tpu-v5e", 16, True), ("google-tpu-v5e", 8, False), ("google-tpu-v6e", 32, False),
        ("google-tpu-v5p", 28, True), ("google-tpu-v4", 2, False), ("google-tpu-7x", 4, True),
        ("google-tpu-v5p", 4 * sympy.Symbol("k", integer=True, positive=True), True),
        ("google-tpu-v5p", sympy.Symbol("X", integer=True, positive=True), None),
        ("google-tpu-v5e", sympy.Symbol("X", integer=True, positive=True), None),
        ("nvidia-h100-sxm", 8, False),
    ],
)  # fmt: skip
def test_an_axis_closes_to_a_ring_where_it_is_whole(name: str, length: sympy.Expr | int, closed: bool | None) -> None:
    assert sc.device(name).network().closes(length) is closed


def test_a_network_that_is_not_published_is_an_error() -> None:
    with pytest.raises(sc.DeviceError, match="device nvidia-l4: no network between several of them is published"):
        sc.device("nvidia-l4").network()
    with pytest.raises(sc.DeviceError, match="no network 'ici' is published: there are nvlink, infiniband"):
        sc.device("h100").network("ici")


LINKS = dict(name="l", shape="torus", bandwidth=1, source="s")


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        (3, r"device own: networks=3 must be a list: give \[Interconnect\("),
        ([3], r"device own: 3 is no network: give Interconnect\("),
        ([sc.Interconnect(**{**LINKS, "shape": "tree"})], "network l has the shape 'tree': use torus or switch"),
        ([sc.Interconnect(**{**LINKS, "source": ""})], "network l has no source: say where its numbers were published"),
        ([sc.Interconnect(**{**LINKS, "axes": 0})], "axes of network l is 0: give a positive integer"),
        ([sc.Interconnect(**{**LINKS, "devices": 1.5})], "devices of network l is 1.5: give a positive integer"),
        ([sc.Interconnect(**{**LINKS, "bandwidth": -1})], "bandwidth of network l=-1 must be a positive number"),
        ([sc.Interconnect(**{**LINKS, "latency": "soon"})], "latency of network l=soon must be a positive number"),
        ([sc.Interconnect(**{**LINKS, "shape": "switch", "axes": 2})], "network l is a switch, which has neither axes nor rings"),
        ([sc.Interconnect(**{**LINKS, "reduces": True})],
        "reduces of network l is True: give True or False, and True only of a switch"),
        ([sc.Interconnect(**{**LINKS, "ring_of": 4, "ring_every": 4})], "network l says ring_of and ring_every: keep the one"),
    ],
)  # fmt: skip
def test_a_network_of_ones_own_is_checked(networks: object, message: str) -> None:
    with pytest.raises(sc.DeviceError, match=message):
        sc.Device(name="own", source="s", networks=networks)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "kinds", "expected"),
    [
        ("size_kib", ("bytes",), ("size", "bytes", Fraction(1024))),
        ("size_mb", ("bytes",), ("size", "bytes", Fraction(10**6))),
        ("bandwidth_gib_per_s", ("bytes per second",), ("bandwidth", "bytes per second", Fraction(2**30))),
        ("overhead_us", ("seconds",), ("overhead", "seconds", Fraction(1, 10**6))),
        ("int8_tops", ("operations per second",), ("int8", "operations per second", Fraction(10**12))),
        ("power_mw", ("watts",), ("power", "watts", Fraction(1, 1000))),
        ("dram_pj", ("joules",), ("dram", "joules", Fraction(1, 10**12))),
        ("size", ("bytes",), None),
        ("size_watts", ("bytes",), None),
    ],
)
def test_units_are_exact(key: str, kinds: tuple[str, ...], expected: object) -> None:
    assert units.split(key, kinds) == expected


BOARD = """
[board]
source = "measured here"
clock_mhz = 100
power_w = 0.5
overhead_us = 2.5
peak = { int8_ops_per_cycle = 4, float32_gflops = 0.2 }
memory.sram = { size_kib = 256, bandwidth_bits_per_cycle = 32, holds = ["activations"] }
memory.flash = { size_mib = 1, bandwidth_mb_per_s = 80, holds = ["weights"] }
measured.product = { operations_gflops = 0.2, weights_mb_per_s = 40, overhead_us = 3 }
measured.grouped = { activations_mb_per_s = 10 }
network.links = { shape = "torus", axes = 2, bandwidth_mb_per_s = 5, latency_us = 3, ring_every = 2, source = "measured too" }
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "board.toml"
    path.write_text(text)
    return path


def test_a_device_of_ones_own(tmp_path: Path) -> None:
    path = written(tmp_path, BOARD)
    board = sc.device(str(path))
    assert board.operations("int8") == 400 * 10**6
    assert board.bandwidth("activations") == 400 * 10**6
    assert board.memory_of("weights").size == 2**20
    assert (board.power, board.overhead) == (Fraction(1, 2), Fraction(25, 10**7))
    assert board.measured == {
        "product": sc.Rates(operations=Fraction(2 * 10**8), weights=Fraction(4 * 10**7), overhead=Fraction(3, 10**6)),
        "grouped": sc.Rates(activations=Fraction(10**7)),
    }
    assert board.network("links") == sc.Interconnect(
        name="links", shape="torus", axes=2, bandwidth=Fraction(5 * 10**6), latency=Fraction(3, 10**6), ring_every=2,
        source="measured too",
    )  # fmt: skip
    assert sc.device(f"{path}:board") == board
    assert sc.device(board) is board


BAD_FILES = [
    ("", "is empty"),
    ("x = 1\n", "'x' is not a device: write a table"),
    ("[a]\nclock_mhz = 1\n", "device a: it has no source: add source"),
    ('[a]\nsource = "s"\npower = 1\n', "device a: power has no unit that is known here: end the key in one of mhz, w, mw, us, ms"),
    ('[a]\nsource = "s"\npower_w = -1\n', "device a: power_w=-1 must be positive: leave out what is not published"),
    ('[a]\nsource = "s"\npower_w = "1"\n', "device a: power_w='1' must be a number"),
    ('[a]\nsource = "s"\npower_w = true\n', "device a: power_w=True must be a number"),
    ('[a]\nsource = "s"\nvoltage_w = 1\n', "device a: voltage_w is not a number of a device: there are clock, power, overhead"),
    ('[a]\nsource = "s"\npeak = { int8 = 4 }\n', "device a: peak.int8 has no unit that is known here"),
    ('[a]\nsource = "s"\npeak = { int7_tops = 4 }\n', "unknown number type 'int7': did you mean int8 or int4?"),
    ('[a]\nsource = "s"\npeak = { int8_ops_per_cycle = 4 }\n', "counts by cycle and there is no clock: add clock_mhz"),
    ('[a]\nsource = "s"\nmemory.sram = { size = 4 }\n', "device a: memory.sram.size has no unit that is known here"),
    ('[a]\nsource = "s"\nmemory.sram = { size_kib = 0 }\n', "memory.sram.size_kib=0 must be positive"),
    ('[a]\nsource = "s"\nmemory.sram = { holds = ["data"] }\n', "memory sram holds 'data': use weights or activations"),
    ('[a]\nsource = "s"\nmemory.sram = { holds = "weights" }\n', "memory.sram.holds must be a list of texts"),
    ('[a]\nsource = "s"\nmemory = 3\n', "device a: memory must be a table: write [a.memory]"),
    ('[a]\nsource = "s"\nenergy.sub = { int8_pj = 1 }\n', "energy.sub is unknown: there are add, multiply, word"),
    ('[a]\nsource = "s"\nmeasured.gemm = { overhead_us = 1 }\n', "measured.gemm is unknown: there are product, convolution"),
    ('[a]\nsource = "s"\nmeasured.product = { overhead = 1 }\n', "measured.product.overhead has no unit that is known here"),
    ('[a]\nsource = "s"\nmeasured.product = { speed_gflops = 1 }\n', "product.speed_gflops is not a number of a device"),
    ('[a]\nsource = "s"\nmeasured.product = { weights_gflops = 1 }\n', "weights_gflops is in operations per second, not in bytes"),
    ('[a]\nsource = "s"\npower_ms = 5\n', "device a: power_ms is in seconds, not in watts: end the key in one of w, mw"),
    ('[a]\nsource = "s"\noverhead_mhz = 1\n', "overhead_mhz is in cycles per second, not in seconds"),
    ('[a]\nsource = "s"\nclock_w = 216\npeak = { int8_ops_per_cycle = 4 }\n', "clock_w is in watts, not in cycles per second"),
    ('[a]\nsource = "s"\nmemory.x = { size_gb_per_s = 4 }\n', "memory.x.size_gb_per_s is in bytes per second, not in bytes"),
    ('[a]\nsource = "s"\nmemory.x = { bandwidth_gb = 3 }\n', "bandwidth_gb is in bytes, not in bytes per second or bits per cycle"),
    ('[a]\nsource = "s"\nmemory.x = { size_bits_per_cycle = 8 }\n', "size_bits_per_cycle is in bits per cycle, not in bytes"),
    ('[a]\nsource = "s"\npeak = { int8_gb = 4 }\n', "int8_gb is in bytes, not in operations per second or operations per cycle"),
    ('[a]\nsource = "s"\nenergy.add = { int8_w = 4 }\n', "energy.add.int8_w is in watts, not in joules"),
    ('[a]\nsource = "s"\nenergy.add = { foo_pj = 1 }\n', "unknown number type 'foo'"),
    ('[a]\nsource = "s"\npower_w = 1\npower_mw = 5\n', "device a: power_w and power_mw both say power: keep one of them"),
    ('[a]\nsource = "s"\npeak = { int8_tops = 1, int8_gops = 1 }\n', "peak.int8_tops and peak.int8_gops both say int8: keep one"),
    ('[a]\nsource = "s"\nmemory.x = { size_gb = 1, size_kib = 1 }\n', "memory.x.size_gb and memory.x.size_kib both say size"),
    ('[a]\nsource = "s"\nmeasured.product = 3\n', "device a: measured.product must be a table"),
    ('[a]\nsource = "s"\nnetwork = 3\n', "device a: network must be a table: write [a.network]"),
    ('[a]\nsource = "s"\nnetwork.x = { shape = "torus", source = "t" }\n', "network.x has no bandwidth: add bandwidth_gb_per_s"),
    ('[a]\nsource = "s"\nnetwork.x = { shape = "torus", bandwidth_gb_per_s = 1 }\n', 'network.x.source must be a text'),
    ('[a]\nsource = "s"\nnetwork.x = { shape = 2, source = "t", bandwidth_gb_per_s = 1 }\n', "network.x.shape must be a text"),
    ('[a]\nsource = "s"\nnetwork.x = { links = 2 }\n', "network.x.links has no unit that is known here"),
    ("[a\n", "is not TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD_FILES, ids=[message for _, message in BAD_FILES])
def test_what_is_wrong_with_a_file_is_said(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(sc.DeviceError) as problem:
        read(written(tmp_path, text))
    assert message in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_file_that_is_not_there_and_one_of_several_devices(tmp_path: Path) -> None:
    with pytest.raises(sc.DeviceError, match="cannot be read: No such file"):
        sc.device(tmp_path / "none.toml")
    path = written(tmp_path, '[a]\nsource = "s"\n[b]\nsource = "s"\n')
    with pytest.raises(sc.DeviceError, match=r"has 2 devices: choose one, .*board\.toml:a"):
        sc.device(path)
    with pytest.raises(sc.DeviceError, match="has no device 'c': it has a, b"):
        sc.device(f"{path}:c")


def test_unknown_devices_get_the_nearest_names() -> None:
    with pytest.raises(sc.DeviceError, match="unknown device 'stm32f747': did you mean stm32f767 or stm32f746"):
        sc.device("stm32f747")
    with pytest.raises(sc.DeviceError, match="unknown device 'A100': did you mean nvidia-a100-sxm-80gb\\?"):
        sc.device("A100")
    with pytest.raises(sc.DeviceError, match="unknown device 'zzz': symcost devices lists them"):
        sc.device("zzz")


ASKED = [
    (lambda d: d.operations("float32"), "tiny-ai", "has no published peak for float32: there are peaks for none"),
    (lambda d: d.operations("float33"), "tiny-ai", "unknown number type 'float33': did you mean float32 or float8?"),
    (lambda d: d.operations("int4"), "google-tpu-v4", "no published peak for int4: there are peaks for bfloat16, int8"),
    (lambda d: d.bandwidth("weights"), "esp32-s3", "no bandwidth of its flash is published"),
    (lambda d: d.watts(), "google-tpu-v5e", "no power is published"),
    (lambda d: d.memory_of("weights"), "horowitz-45nm", "has no memory for weights"),
]


@pytest.mark.parametrize(("ask", "name", "message"), ASKED, ids=[message for _, _, message in ASKED])
def test_what_is_not_published_is_an_error(ask: object, name: str, message: str) -> None:
    with pytest.raises(sc.DeviceError, match=message.replace("?", r"\?")):
        ask(sc.device(name))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": " "}, "has no source"),
        ({"source": "s", "memories": (3,)}, r"3 is no memory: give MemoryLevel\(name="),
        ({"source": "s", "power": 0}, "power=0 must be a positive number"),
        ({"source": "s", "peak": {"int8": "fast"}}, "peak of int8=fast must be a positive number"),
        ({"source": "s", "overhead": float("nan")}, "overhead=nan must be a positive number"),
        ({"source": None}, "has no source"),
        ({"source": "s", "peak": [1]}, r"peak=\[1\] must be a mapping"),
        ({"source": "s", "peak": {8: 1}}, "number type 8 is not a name: use float64"),
        ({"source": "s", "peak": {"int8": None}}, "peak of int8=None must be a positive number"),
        ({"source": "s", "memories": sc.MemoryLevel(name="ram")}, r"must be a list: give \[MemoryLevel\(name="),
        ({"source": "s", "measured": [1]}, r"measured=\[1\] must be a mapping"),
        ({"source": "s", "energies": {}}, r"energies={} must be a table: give Energies\(add="),
        ({"source": "s", "energies": sc.Energies(add={"int8": -1})}, "add of int8=-1 must be a positive number"),
        ({"source": "s", "energies": sc.Energies(multiply={"foo": 1})}, "unknown number type 'foo'"),
        (
            {"source": "s", "energies": sc.Energies(word={"dram": "much"})},
            "word of dram=much must be a positive number",
        ),
        ({"source": "s", "energies": sc.Energies(word=[1])}, r"word=\[1\] must be a mapping"),
        ({"source": "s", "measured": {"gemm": sc.Rates()}}, "unknown kind of kernel 'gemm': use product, convolution"),
        ({"source": "s", "measured": {"product": 3}}, r"rates of product are 3: give Rates\(operations="),
        (
            {"source": "s", "measured": {"product": sc.Rates(weights=0)}},
            "weights of product=0 must be a positive number",
        ),
    ],
)
def test_a_device_made_in_python_is_checked_too(options: dict[str, object], message: str) -> None:
    with pytest.raises(sc.DeviceError, match=message):
        sc.Device(name="mine", **options)  # type: ignore[arg-type]


def test_energies_may_be_texts_and_decimals_of_python() -> None:
    own = sc.Device(name="mine", source="s", energies=sc.Energies(
        add={"int8": "1e-12"}, multiply={"int8": 0.9e-12}, word={"dram": Fraction(1, 10**9)}))  # fmt: skip
    found = sc.energy(sc.table(sc.Linear(2, bias=False), (1, 3)), own, "int8")
    assert found.compute == 6 * sympy.Rational(19, 10**13)
    assert found.movement == sympy.Rational(11, 4 * 10**9)  # 11 bytes in words of four
