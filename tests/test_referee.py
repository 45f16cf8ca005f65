"""Our count, the lowered program and the compilers': the same number, bit for bit, for every kind of model."""

from __future__ import annotations

import pytest
from effort import EXPLORE, by_turns, repeated
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_models import Network
from random_networks import inside, networks
from referee_cases import CASES, KERNEL, WATCHED, Referee

import symcost as sc
from examples.scan_or_unrolled import Scanned, Unrolled
from symcost.agreement.check import LOWERED
from symcost.referee.compilers.targets import TARGETS, TPU

COMPILERS = ("cpu", "tpu-v4", "tpu-v5e", "cuda-a100", "cuda-h100")
GAVE_UP = "JaxRuntimeError: INTERNAL: "
"""What a compiler says of a random program that it finds no code for: its own limit, and no count of anybody's."""
pytestmark = pytest.mark.usefixtures("traced_once")
FAILED = "{0.target} {0.metric}: ours {0.ours}, theirs {0.theirs} ({0.because})"


def holds(verdict: sc.Verdict) -> None:
    """The verdict is true; if not, say which check failed."""
    assert [FAILED.format(check) for check in verdict.checks if not check.passed] == []
    assert dict(verdict.failures) == {}
    assert bool(verdict)


def exact(verdict: sc.Verdict) -> None:
    """The closed form is the exact integer of the lowered program, module by module."""
    assert {check.metric for check in verdict.checks if check.target == LOWERED and check.difference == 0} >= {
        "flops", "transcendentals", "flops in float32", "transcendentals in float32", "bytes accessed in float32"
    }  # fmt: skip
    lowered = [row for row in verdict.modules if row.target == LOWERED]
    assert [row for row in lowered if row.difference] == []
    assert sum(row.theirs for row in lowered if row.metric == "flops") == verdict.flops


LIGHT = [case for case in CASES if not case.heavy]
HEAVY = [case for case in CASES if case.heavy]


@pytest.mark.parametrize("case", LIGHT, ids=str)
def test_the_closed_form_is_the_exact_integer_of_the_lowered_program(case: Referee) -> None:
    verdict = case.verify()
    holds(verdict)
    exact(verdict)


TURNS = (("cpu", "tpu-v4", "cuda-h100"), ("cpu", "tpu-v5e", "cuda-a100"))
"""One compiler of each platform, by turns: every run asks about every fourth of the light cases, and the campaign about
the others; with ``SYMCOST_CAMPAIGN=1`` it asks all of them about each."""
SHOWN = {"alexnet-torchvision": "alexnet", "resnet50": "examples/cookbook/compilers.md"}
"""Networks, and where their kind is shown."""


def marks(name: str) -> list[pytest.MarkDecorator]:
    """Which runs ask about a network."""
    return repeated(f"in {SHOWN[name]}") if name in SHOWN else [pytest.mark.campaign]


ASKED = [
    *(pytest.param(case, TURNS[i // 4 % 2], id=str(case), marks=by_turns(i, 0, 4)) for i, case in enumerate(LIGHT)),
    *(pytest.param(case, TURNS[i % 2], id=str(case), marks=marks(case.name)) for i, case in enumerate(HEAVY)),
    *(
        pytest.param(case, COMPILERS, id=f"{case}, all", marks=repeated("one of each platform is asked"))
        for case in CASES
    ),
]


@pytest.mark.parametrize(("case", "compilers"), ASKED)
def test_the_compilers_programs_are_recounted_bit_for_bit_and_explained(
    case: Referee, compilers: tuple[str, ...]
) -> None:
    absent = [f"{name}: {problem}" for name in compilers if (problem := TARGETS[name].problem()) is not None]
    present = [name for name in compilers if TARGETS[name].problem() is None]
    verdict = case.verify(*present)
    holds(verdict)
    exact(verdict)
    for made in verdict.targets:
        written = made.recount - sum(part.flops for part in made.parts)
        rows = [row for row in verdict.modules if row.target == made.target]
        assert made.raw + sum(made.steps.values()) == made.recount
        assert sum(row.theirs for row in rows) == sum(made.phases.values()) == made.recount
        assert sum(row.ours for row in rows) == written
        assert all(part.because for part in made.parts)
        assert made.attributed * 100 >= made.recount * (96 if TARGETS[made.target].platform == TPU else 99)
    if absent:
        pytest.skip("; ".join(absent))


@pytest.mark.parametrize("target", ["cpu", pytest.param("tpu-v5e", marks=pytest.mark.campaign)])
def test_a_look_at_values_by_the_host_is_no_work(target: str) -> None:
    if (problem := TARGETS[target].problem()) is not None:
        pytest.skip(problem)
    verdict = WATCHED.verify(target)
    holds(verdict)
    assert verdict.flops == 2 * 8 * 6 * 8 + 8 * 6 - 1


def test_a_kernel_for_tpus_counts_what_its_author_states() -> None:
    """Lowered for the CPU it is an error; for the TPU that is asked about it is a program like others."""
    if (problem := TARGETS["tpu-v5e"].problem()) is not None:
        pytest.skip(problem)
    verdict = KERNEL.verify("tpu-v5e", against=["xla"])
    holds(verdict)
    assert verdict.flops == verdict.targets[0].recount == 2 * 128 * 128
    assert verdict.opinions[1].because == f"calls that it cannot cost {-1 - 128 * 128:+,}"


def test_a_kernel_for_another_platform_is_one_line() -> None:
    with pytest.raises(sc.SymcostError, match=r"the program cannot be lowered \(cpu: .*\): ask for a target") as caught:
        KERNEL.verify("cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", [case for case in CASES if case.name in ("block", "block-exact-gelu", "moe")], ids=str)
def test_an_older_gpu_hides_every_product_in_library_calls_and_they_are_all_restored(case: Referee) -> None:
    if (problem := TARGETS["cuda-t4"].problem()) is not None:
        pytest.skip(problem)
    verdict = case.verify("cuda-t4")
    holds(verdict)
    (made,) = verdict.targets
    assert set(made.causes).isdisjoint({"products simplified", "products computed again"})


@pytest.mark.campaign  # of every run is the same of examples/, in tests/test_examples.py
@pytest.mark.parametrize("L", [2, 4, 8])
def test_a_scan_corrected_for_its_trips_is_the_loop_plus_two_operations_a_trip(L: int) -> None:
    at, specs = dict(n=2, N=16, d=32, L=L), "float32[n,N,d]"
    scan, loop = (sc.verify(model, specs, at=at, targets=["cpu"]) for model in (Scanned, Unrolled))
    holds(scan)
    holds(loop)
    trips = next(check for check in scan.checks if check.metric == "flops, every trip")
    assert trips.theirs == loop.flops + 2 * L
    assert scan.flops < loop.flops
    assert scan.targets[0].steps["loop trips"] > 0


@pytest.mark.campaign
@pytest.mark.parametrize(("family", "api", "mode"), [("image", "linen", "forward"), ("sequence", "nnx", "train")])
def test_random_programs_agree(family: str, api: str, mode: str) -> None:
    @settings(max_examples=EXPLORE or 3, derandomize=not EXPLORE, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
    @given(networks(family, api, mode), st.lists(st.integers(0, 20), min_size=6, max_size=6))
    def agrees(net: Network, offsets: list[int]) -> None:
        at = inside(sc.trace(net.factory, net.spec, mode=mode), offsets)
        targets = [name for name in COMPILERS if TARGETS[name].problem() is None]
        verdict = sc.verify(net.factory, net.spec, at=at, mode=mode, targets=targets)
        if gave_up := {name for name, why in verdict.failures.items() if GAVE_UP in why}:
            assert "cpu" not in gave_up
            left = [name for name in targets if name not in gave_up]
            verdict = sc.verify(net.factory, net.spec, at=at, mode=mode, targets=left)
        holds(verdict)

    agrees()


@pytest.mark.parametrize("devices", [8, pytest.param(16, marks=pytest.mark.campaign)])
def test_a_sharded_program_says_what_its_devices_exchange(devices: int) -> None:
    """Data parallelism: the gradients of all parameters are summed over the devices, once."""
    mlp = CASES[0]
    targets = [name for name in ("cpu", "tpu-v5e", "cuda-h100") if TARGETS[name].problem() is None]
    asked = targets if devices == 8 else [name for name in targets if name != "cuda-h100"]
    verdict = sc.verify(mlp.model, *mlp.specs, at=dict(n=32, d=64, L=2), mode="train", targets=asked,
                        mesh={"data": devices}, shard={"inputs": ("data",)})  # fmt: skip
    holds(verdict)
    parameters = sc.trace(mlp.model, *mlp.specs).subs(n=1, d=64, L=2).params
    for made in verdict.targets:
        # The bias of the head has a gradient of n, known without data; the loss is summed instead.
        assert made.collectives["all-reduce"] == 4 * (parameters - 10 + 1)
        assert made.phases.keys() == {"forward", "backward"}
