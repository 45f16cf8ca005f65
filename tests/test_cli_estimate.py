"""The verbs devices, estimate, fits, solve, plot and calibrate: what they print, formats, exit codes, errors in one line."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

import symcost as sc
from symcost.cli.main import main
from symcost.costs.cost import Cost
from symcost.costs.rows import Row
from symcost.costs.table import CostTable
from symcost.devices import device
from symcost.estimate.questions.estimate import estimate
from symcost.report.subjects import estimates

A100 = "nvidia-a100-sxm-80gb"


def out(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(list(arguments)) == code
    return capsys.readouterr().out


def test_devices_are_listed_and_shown_with_their_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(out(capsys, "devices").splitlines()) >= 25
    shown = out(capsys, "devices", "stm32f746")
    assert "source  ST STM32F745xx/F746xx data sheet" in shown
    assert "memory  sram           320 KiB, 864 MB/s; holds activations" in shown
    networks = " ".join(out(capsys, "devices", "tpu-v5e").split())
    assert "network ici 45 GB/s one way a link of 2 axes, up to 256 devices, 1 us a hop; Austin et al." in networks
    assert "network dcn 3.125 GB/s one way a device; Austin et al." in networks
    (pod,) = json.loads(out(capsys, "devices", "tpu-v5e", "--format", "json"))
    assert pod["network"]["ici"] | {"source": ""} == {
        "shape": "torus", "axes": 2, "bandwidth": "45000000000", "devices": 256, "ring_of": 16, "ring_every": None,
        "latency": "1/1000000", "reduces": False, "source": "",
    }  # fmt: skip
    document = json.loads(out(capsys, "devices", A100, "--format", "json"))
    assert document[0]["peak"]["bfloat16"] == str(312 * 10**12)
    assert document[0]["memory"]["hbm"]["size"] == str(80 * 10**9)


def test_the_launch_of_a_kernel_is_the_device_s_own_or_as_given(capsys: pytest.CaptureFixture[str]) -> None:
    """A100: 2.7 us for each of AlexNet's 18 kernels, as the Swiss National Supercomputing Centre measures empty ones."""
    own, other, none = (
        out(capsys, "estimate", "alexnet", "--device", A100, *more)
        for more in ([], ["--overhead", "5e-6"], ["--overhead", "0"])
    )
    assert "latency (roofline)             235.8 us, bound by memory (full peak, launch of 2.7 us a kernel)" in own
    assert "latency (roofline)             277.2 us, bound by memory (full peak, launch of 5 us a kernel)" in other
    assert "latency (roofline)             187.2 us, bound by memory (ideal: full peak, no launch cost)" in none
    assert all("122.9 us, bound by memory (ideal: full peak, no launch cost)" in shown for shown in (own, other, none))


def test_what_a_device_was_measured_at_is_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "host.toml"
    file.write_text('[host]\nsource = "s"\nmeasured.product = { operations_gflops = 2, overhead_us = 3 }\n')
    assert "  reached product        operations 2 Gop/s, overhead 3 us" in out(capsys, "devices", str(file))
    (document,) = json.loads(out(capsys, "devices", str(file), "--format", "json"))
    assert document["measured"] == {"product": {"operations": "2000000000", "overhead": "3/1000000"}}


def test_an_estimate_of_a_reference_network(capsys: pytest.CaptureFixture[str]) -> None:
    shown = out(capsys, "estimate", "resnet18", "--device", A100)
    assert "parameters (full)              11,689,512" in shown
    for model in ("whole", "roofline", "fused"):
        assert f"latency ({model})" in shown
    assert "bound by compute" in shown
    assert "stem/conv conv2d" in shown


def test_an_estimate_says_how_many_a_second_and_what_draws(capsys: pytest.CaptureFixture[str]) -> None:
    """Four at once: the rate is four over the time; joules are those of computing and of moving."""
    asked = ["estimate", "resnet18", "--device", A100, "--set", "n=4"]
    shown = out(capsys, *asked)
    table = sc.models.resnet18(n=4)
    rate = 4 / sc.latency(table, A100).value()
    assert f"throughput (roofline)          {float(rate / 1000):.4g} k examples/s" in shown
    drawn = sc.energy(table)
    parts = [
        f"{name} {float(1000 * part):.4g} mJ"
        for name, part in (("computing", drawn.compute), ("moving", drawn.movement))
    ]
    assert f"energy (horowitz-45nm)         {float(1000 * drawn.joules):.4g} mJ: {', '.join(parts)}" in shown
    document = json.loads(out(capsys, *asked, "--format", "json"))
    assert Fraction(document["latency"]["roofline"]["throughput"]) == rate
    symbolic = json.loads(
        out(capsys, "estimate", "flax.linen:Dense", "float32[b,8]", "--arg", "features=8", "--format", "json")
    )
    seconds = sc.parse(symbolic["latency"]["whole"]["seconds"])
    found = sc.parse(symbolic["latency"]["whole"]["throughput"])
    assert sc.evaluate(found, {"b": 3}) == 3 / Fraction(sc.evaluate(seconds, {"b": 3}))


def test_an_estimate_of_a_traced_model(capsys: pytest.CaptureFixture[str]) -> None:
    target = ["flax.linen:Dense", "float32[n,c]", "--arg", "features=8", "--set", "c=4"]
    document = json.loads(out(capsys, "estimate", *target, "--device", A100, "--model", "fused", "--format", "json"))
    assert document["at"] == {"c": 4}
    (kernel,) = document["kernels"]
    assert sc.parse(kernel["operations"]) == sc.parse("72*n")
    assert sc.parse(kernel["bytes"]) == sc.parse("48*n + 160")  # 4 in and 8 out a row, 40 parameters


def test_json_is_exact_and_csv_has_decimal_numbers_of_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["estimate", "alexnet", "--device", A100, "--dtype", "int8"]
    document = json.loads(out(capsys, *arguments, "--format", "json"))
    rows = list(csv.DictReader(io.StringIO(out(capsys, *arguments, "--format", "csv"))))
    assert len(rows) == len(document["kernels"])
    for row, kernel in zip(rows, document["kernels"], strict=True):
        for title in ("seconds", "computing (s)", "moving (s)"):
            assert float(row[title]) == float(Fraction(kernel[title.removesuffix(" (s)")]))
        assert int(row["bytes"]) == int(kernel["bytes"])
    seconds = sum(Fraction(kernel["seconds"]) for kernel in document["kernels"])
    assert seconds == Fraction(document["latency"]["roofline"]["seconds"])
    assert Fraction(document["latency"]["roofline"]["seconds"]) == sc.latency(sc.models.alexnet(), A100, "int8").value()
    assert document["fits"][0]["memory"] == "hbm"


def test_symbols_stay_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(out(capsys, "estimate", "alexnet", "--set", "n=n", "--device", A100, "--format", "json"))
    seconds = sc.parse(document["latency"]["whole"]["seconds"])
    assert sc.evaluate(seconds, {"n": 1}) == sc.latency(sc.models.alexnet(), A100, model="whole").value()
    assert "give n=..." in document["fits"]["none"]


def test_long_formulas_of_an_estimate_are_told_by_their_leading_terms(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "gpt2", *(f"--at={name}={name}" for name in ("n", "N", "d", "H", "L"))]) == 0
    above, _, below = capsys.readouterr().out.partition("\nkernels")
    assert len(above.splitlines()) < 40
    assert above.count("+ …") >= 5
    assert " term s" not in below
    assert " terms s" not in below


def test_parts_that_a_device_has_no_numbers_for_say_why(capsys: pytest.CaptureFixture[str]) -> None:
    shown = out(capsys, "estimate", "mcunet_in1", "--device", "tiny-ai", "--dtype", "int8")
    assert "none: device tiny-ai has no published peak for int8" in shown
    assert "flash (weights): 648,248 of 1,048,576 bytes (1 MiB), fits" in shown


def test_fits_exits_with_its_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert "does not fit" not in out(capsys, "fits", "mcunet_in1", "--device", "stm32f746")
    said = out(capsys, "fits", "mobilenet_v2", "--device", "stm32f746", code=1)
    assert "1,177,600 bytes (1,150 KiB) are missing" in " ".join(said.split())  # lines break where the terminal ends


def test_solve_prints_the_answer_and_what_it_comes_to(capsys: pytest.CaptureFixture[str]) -> None:
    shown = out(capsys, "solve", "gpt2", "params <= 25_000_000", "--largest", "d", "--set", "d=d", "--set", "H=1")
    assert shown.startswith("d = 274 (bisection, certified monotone)\n")
    assert "24,905,230 against 25,000,000" in shown
    tried = out(capsys, "solve", "mcunet_in1", "params % 2 == 0", "--smallest", "r", "--set", "r=r", "--upto", "100")
    assert tried.startswith("r = 33 (enumeration)")


def test_verdicts_and_answers_are_documents_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    document = json.loads(out(capsys, "fits", "mobilenet_v2", "--format", "json", code=1))
    assert (document["fits"], document["limits"][0]["margin"]) == (False, "-1177600")
    file = tmp_path / "answer.json"
    asked = ["solve", "gpt2", "params <= 25_000_000", "--largest", "d", "--set", "d=d", "--set", "H=1"]
    assert out(capsys, *asked, "--format", "json", "--output", str(file)) == ""
    answer = json.loads(file.read_text())
    assert (answer["value"], answer["constraints"][0]["left"]) == ("274", "24905230")


def test_a_picture_is_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "memory.png"
    assert out(capsys, "plot", "alexnet", "memory", "--output", str(file)) == f"the memory of alexnet is in {file}\n"
    assert file.read_bytes().startswith(b"\x89PNG")
    file = tmp_path / "roofline.pdf"
    assert out(capsys, "plot", "alexnet", "roofline", "-o", str(file)) == f"the roofline of alexnet is in {file}\n"
    assert file.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(("depth", "bars"), [("1", 8), ("2", 13)])
def test_the_bars_of_a_picture_go_as_deep_as_is_asked(
    depth: str, bars: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "memory.svg"
    out(capsys, "plot", "resnet18", "memory", "--depth", depth, "-o", str(file))
    assert "<!-- resnet18 at n=1, r=224 -->" in file.read_text()
    assert len(re.findall(r"<!-- (stem|stage\d|pool|gap|fc)(/\w+)? -->", file.read_text())) == bars


BAD = [
    (["devices", "stm32f747"], "unknown device 'stm32f747': did you mean stm32f767"),
    (["devices", "none.toml"], "the device file none.toml cannot be read"),
    (["devices", "--format", "xml"], "unknown format 'xml': use text, json"),
    (["estimate", "resnet19"], "unknown model 'resnet19': did you mean"),
    (["estimate", "resnet18", "--device", "a100"], "unknown device 'a100': did you mean"),
    (["estimate", "resnet18", "--dtype", "int7"], "unknown number type 'int7': did you mean"),
    (["estimate", "resnet18", "--model", "best"], "unknown model of latency 'best'"),
    (["estimate", "resnet18", "--efficiency", "2"], "efficiency=2 must be a share of the peak"),
    (
        ["estimate", "resnet18", "--overhead", "-1"],
        "overhead=-1 must be seconds, 0 or more: give a number such as '5e-6'",
    ),
    (["estimate", "resnet18", "--set", "q=1"], "resnet18 has no parameter 'q'"),
    (["estimate", "resnet18", "float32[n]"], "specs is for a model to trace, not resnet18: give PKG.MOD:NAME"),
    (
        ["estimate", "mcunet_in1", "--device", "google-tpu-v5e", "--dtype", "float32"],
        "google-tpu-v5e has no published peak for float32: there are",
    ),
    (["estimate", "mcunet_in1", "--device", "stm32f746", "--dtype", "bfloat16"], "no published peak for bfloat16"),
    (["estimate", "alexnet", "--device", "horowitz-45nm", "--dtype", "bfloat16"], "no energy in bfloat16 is published"),
    (["fits", "alexnet", "--device", "apple-a15-neural-engine"], "no size of its lpddr is published"),
    (["solve", "gpt2", "latncy <= 3 ms", "--largest", "d", "--at", "d=d"], "unknown name 'latncy'"),
    (["fits", "alexnet", "--device", "google-tpu-v5e", "--dtype", "float64"], "no published peak for float64"),
    (["estimate", "alexnet", "--device", "tiny-ai", "--format", "csv"], "no published peak for float32"),
    (["fits", "resnet18", "--set", "n=n"], "the size of the activations needs a number for n"),
    (
        ["solve", "resnet18", "n", "params <= 3"],
        "'n' is no constraint, as 'params <= 25 M' is: the symbol goes behind --largest",
    ),
    (["solve", "resnet18", "params <= 3", "--largest", "n"], "unknown symbol 'n': the symbols here are none"),
    (["solve", "resnet18", "parms <= 3", "--largest", "n", "--set", "n=n"], "unknown name 'parms'"),
    (["plot", "resnet18", "memory"], "a picture needs a file: give --output picture.png"),
    (["plot", "resnet18", "pie", "--output", "x.png"], "unknown picture 'pie'"),
    (["calibrate", "--output", "/nowhere/x.toml"], "there is no writable directory"),
    (["calibrate", "--device", "host.toml"], "use it with --check"),
    (["calibrate", "--name", "my host"], "--name 'my host' is no name of an entry: use letters, digits, - and _"),
    (
        ["estimate", "resnet18", "--dtype", "fp17"],  # fp16 is one: float16
        "unknown number type 'fp17': ",
    ),
    (["calibrate", "--device", "none.toml", "--check"], "the device file none.toml cannot be read"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[message for _, message in BAD])
def test_errors_of_use_are_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("symcost: error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_huge_sizes_stay_exact(capsys: pytest.CaptureFixture[str]) -> None:
    shown = out(capsys, "estimate", "alexnet", "--set", f"n={10**30}", "--device", A100, "--format", "json")
    assert json.loads(shown)["totals"]["macs"] == str(724406816 * 10**30)
    assert "Ts" in out(capsys, "estimate", "alexnet", "--set", f"n={10**30}", "--device", A100)


def test_reference_networks_need_no_jax() -> None:
    code = (
        "import sys; from symcost.cli.main import main; "
        "main(['estimate', 'resnet18']); main(['solve', 'mcunet_in1', 'fits', '--largest', 'r', '--set', 'r=r', "
        "'--device', 'stm32f746', '--dtype', 'int8']); sys.exit('jax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def kernels_of(shown: str) -> list[list[str]]:
    """Cells of the table of kernels."""
    lines = shown.split("kernels (")[1].splitlines()[3:]
    return [re.split(r"\s{2,}", line) for line in lines if re.search(r" (compute|memory|depends)$", line)]


@pytest.mark.parametrize("at", [[], ["--at", "n=n", "--at", "N=N"]], ids=["numbers", "symbols"])
def test_kernels_are_ranked_by_their_time_whether_symbols_are_free_or_not(
    at: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    shown = out(capsys, "estimate", "gpt2", *at)
    assert ("slowest first at N=256, n=256" if at else "slowest first\n") in shown
    costs = sc.models.gpt2(**dict.fromkeys(("n", "N"), 256) if at else {})
    seconds = {f"{s.kernel.path} {s.kernel.op}".strip(): s.seconds for s in sc.latency(costs, A100).steps}
    listed = [seconds[name] for name, *_ in kernels_of(shown) if name in seconds]
    assert len(listed) > 5
    assert listed == sorted(listed, reverse=True)
    assert max(seconds.values()) == listed[0]


def test_alike_kernels_of_repeated_blocks_stand_on_one_line() -> None:
    blocks = {f"block_{i}": sc.Sequential(up=sc.Linear(1024)) for i in range(12)}
    costs = sc.table(sc.Sequential(**blocks, head=sc.Linear(10)), (1, 1024))
    shown = estimates.text(estimate(costs, "net", device(A100)), 120)
    assert [(cells[0], cells[1]) for cells in kernels_of(shown)] == [
        ("block_#/up linear x 12", "12"),
        ("head linear", "1"),
    ]


def test_kernels_of_one_name_are_told_apart_by_their_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    """A lifted network has blocks of several sizes behind one path."""
    conv = {"path": "block#/conv", "op": "conv", "cost": Cost(macs=72, flops=144, activations=8, bytes_written=32)}
    rows = [Row(**conv, ins=((1, side, side, 2),), out=(1, 2, 2, 2), times=side) for side in (3, 4)]
    rows.append(Row(**conv, ins=((1, 3, 3, 2),), out=(1, 1, 1, 8)))
    shown = estimates.text(estimate(CostTable(tuple(rows)), "net", A100), 100)
    assert [line.split("  ")[0] for line in shown.splitlines() if line.startswith("block#")] == [
        "block#/conv conv 1x4x4x2 to 1x2x2x2", "block#/conv conv 1x3x3x2 to 1x2x2x2", "block#/conv conv 1x1x1x8",
    ]  # fmt: skip


def test_commands_take_bits_or_a_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "alexnet", "--bits", "4"]) == 0
    shown = capsys.readouterr().out
    assert "weights                        30.48 MB" in shown  # 60,965,224 half bytes
    assert main(["fits", "alexnet", "--device", "stm32f746", "--weights", "int4"]) == 1
    assert main(["estimate", "alexnet", "--bits", "4", "--weights", "int8"]) == 2
    assert "--weights 'int8' and --bits 4 both say how wide the weights are: leave one" in capsys.readouterr().err
