"""Every example runs as its own program; what they claim is asserted."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from effort import rows

import symcost as sc
from examples import gpt, scan_or_unrolled, tinyml, tpu_plan, wide_or_deep
from symcost.cli.main import main

ROOT = Path(__file__).parents[1]
PROGRAMS = sorted((ROOT / "examples").glob("*.py"))


ALONE = "microcontroller.py"
"""Runs in a process of its own; the others' last lines run here, where their models are traced already."""
pytestmark = pytest.mark.usefixtures("traced_once")


SLOW = [path for path in PROGRAMS if path.name in ("scan_or_unrolled.py", "resnet.py", "nnx_mlp_mixer.py", "pod.py")]
"""Left to the campaign: of the first a part is below, the second's model is what the README's first command traces there, and
smaller mixers of nnx and plans are traced by their own tests."""


@pytest.mark.parametrize("program", rows((p for p in PROGRAMS if p.name != ALONE), SLOW), ids=lambda path: path.name)
def test_the_program_runs_and_prints(
    program: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", [str(program)])
    last = ast.parse(program.read_text()).body[-1]
    assert isinstance(last, ast.If)
    assert ast.unparse(last.test) == "__name__ == '__main__'"
    module = importlib.import_module(f"examples.{program.stem}")
    exec(compile(ast.Module(last.body, []), program.name, "exec"), vars(module))  # noqa: S102 - our own example
    assert capsys.readouterr().out.strip()


def test_a_program_runs_by_itself() -> None:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / ALONE)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.campaign
def test_attention_overtakes_the_mlp_at_four_times_the_width() -> None:
    assert gpt.crossover(sc.trace(lambda d, L: gpt.GPT(d, 4, L, 64), "int32[n,N]")) == 4 * sc.symbols("d")[0]


@pytest.mark.campaign
def test_scan_and_loop_cost_the_same_and_only_the_closed_form_says_so() -> None:
    found = scan_or_unrolled.main()
    (loop, loop_xla, loop_theirs, loop_flax), (scan, scan_xla, scan_theirs, scan_flax) = found.values()
    assert loop == scan
    assert (loop_xla, scan_xla) == (loop_theirs, scan_theirs)
    assert (int(loop_flax), int(scan_flax)) == (loop_theirs, scan_theirs)
    assert scan_theirs * 5 < loop_theirs


@pytest.mark.campaign
def test_corrected_for_its_trips_the_scan_is_the_loop_and_two_operations_a_trip() -> None:
    loop, scan = scan_or_unrolled.verdicts(L=6).values()
    assert loop
    assert scan
    assert scan.opinions[0].flops == loop.opinions[0].flops + 2 * 6
    assert [opinion.flops for opinion in scan.opinions[1:]] < [opinion.flops // 5 for opinion in loop.opinions[1:]]


def test_with_equal_parameters_shallow_and_wide_moves_less_for_the_same_macs(tmp_path: Path) -> None:
    forms = wide_or_deep.closed_forms()
    assert sc.equal(forms["MACs"], sc.parse("P*r**2"))
    found = wide_or_deep.designs()
    assert len({(design.params, design.macs) for design in found}) == 1
    assert [design.activations for design in found] == sorted((d.activations for d in found), reverse=True)
    for name in ("jetson-agx-orin", "nvidia-l4"):  # they wait for memory, and deep and narrow moves more
        times = [design.seconds[name] for design in found]
        assert times == sorted(times, reverse=True)
    wide_or_deep.plot(found, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("published", tinyml.PUBLISHED, ids=lambda published: published.name)
def test_networks_for_microcontrollers_are_as_published(published: tinyml.Published) -> None:
    """Lin et al., MCUNet: MACs, parameters and activations to the last digit printed; SRAM within its explanation."""
    found = tinyml.ours(published)
    assert published.macs == f"{found.macs / 1e6:.1f}M"
    digits = len(published.params.split(".")[1]) - 1
    assert published.params == f"{found.params / 1e6:.{digits}f}M"
    assert abs(published.activations - found.activations / 1024) < 1  # printed without decimals, rounded either way
    assert 8 <= published.sram - found.in_place / 1024 <= 57  # TinyEngine's buffers
    assert found.params / 1024 < published.flash


def test_the_gate_to_copy_runs_commands_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """Its commands as written, but for the revision, and for the budgets of the models that must be traced."""
    commands = re.findall(r"- run: (symcost [^\n]*)", (ROOT / "examples" / "gate.yml").read_text())
    assert [command.split()[1] for command in commands] == ["diff", "check"]
    for command in commands:
        words = shlex.split(re.sub(r"\$\{\{.*?\}\}|>>.*", "", command))[1:]
        assert main([*words[:1], "--help"]) == 0
        shown = capsys.readouterr().out
        assert all(word in shown for word in words if word.startswith("--"))
    assert main(["check", "--model", "mcunet", "--format", "github"]) == 0
    assert capsys.readouterr().out.startswith("::notice title=symcost check::")


def test_a_training_plan_is_as_large_as_its_sizes_say() -> None:
    params, chips, days = tpu_plan.plan("gpt2-xl", "google-tpu-v5e")
    assert params == 1_557_611_200  # Radford et al.: 1542 M by their own count, GPT-2 XL as released has these
    assert chips == 4  # 16 bytes each are 25 GB, in half of 16 GB
    assert days > 0
