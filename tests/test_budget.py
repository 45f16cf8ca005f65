"""Budgets: what is read, what is proved, what is refuted, and the errors of a file that cannot be meant."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import symcost as sc
from symcost.cli.main import main
from symcost.gates.budgets.check import BudgetVerdict, against, check
from symcost.gates.budgets.limits import limit
from symcost.gates.budgets.read import BudgetedModel, find, read
from symcost.report.subjects import gate

GPT = """
[models.gpt]
model = "gpt2"
arg = { d = "d", L = "L", N = "N", n = "n", H = 12 }

[[models.gpt.budgets]]
at = { n = 1, N = 1024, d = 768, L = 12 }
params = 124_439_808
macs = "145 G"
model_size = "475 MiB"

[[models.gpt.budgets]]
name = "serving"
at = { d = 768, L = 12 }
over = { n = "1..8", N = "128..1024 step 128" }
device = "nvidia-a100-sxm-80gb"
dtype = "float16"
latency = "2 s"
energy = "1 J"
fit = true
"""


def written(folder: Path, text: str, name: str = "symcost.toml") -> Path:
    """The file of budgets."""
    path = folder / name
    path.write_text(text)
    return path


def table(model: BudgetedModel) -> Any:
    """A reference network of a plan."""
    return sc.models.gpt2(**model.source.how.arg)


@pytest.fixture
def verdict(tmp_path: Path) -> BudgetVerdict:
    return check(read(written(tmp_path, GPT)), table, lambda model, budget: None)


def test_a_point_is_exact_and_a_range_is_proved_or_refuted(verdict: BudgetVerdict) -> None:
    found = {f.metric: f for f in verdict.findings}
    assert not verdict
    assert found["params"].holds
    assert found["params"].margin == 0  # 124,439,808: GPT-2 small as published with its checkpoint
    assert not found["macs"].holds
    assert found["model_size"].holds
    assert found["model_size"].value == 4 * 124439808
    assert found["latency"].how == "certified monotone: largest at d=768, L=12, n=8, N=1024"
    assert found["fit hbm"].holds
    refuted = found["energy"]
    assert refuted.at is not None
    assert refuted.how == "refuted by d=768, L=12, n=2, N=640"


def test_a_refutation_is_the_smallest_point_by_brute_force(verdict: BudgetVerdict) -> None:
    costs = sc.models.gpt2(d="d", L="L", N="N", n="n", H=12)
    joules = {
        (n, size): sc.energy(costs, "nvidia-a100-sxm-80gb", "float16").value(n=n, N=size, d=768, L=12)
        for n in (1, 2)
        for size in range(128, 1025, 128)
    }
    assert min(point for point, value in joules.items() if value > 1) == (2, 640)


def test_the_layers_at_fault_carry_their_share(verdict: BudgetVerdict) -> None:
    macs = next(f for f in verdict.findings if f.metric == "macs")
    costs = sc.models.gpt2(d="d", L="L", N="N", n="n", H=12).subs(n=1, N=1024, d=768, L=12)
    for path, share in macs.heaviest:
        rows = [row for row in costs.rows if row.path == path.replace("(the model itself)", "")]
        assert share == Fraction(sum(row.under("full").macs for row in rows), costs.macs)


def test_a_value_in_every_range_is_outside_the_domain(tmp_path: Path) -> None:
    costs = sc.table(sc.Conv2d(c_o="c", k=3, p=1, g=7), ("n", "c", 8, 8))
    text = '[models.x]\nmodel = "x"\n[[models.x.budgets]]\nat = {n = 1}\nover = {c = "1..6"}\nparams = 5'
    (model,) = read(written(tmp_path, text)).models
    with pytest.raises(sc.DomainError, match=r"x, budget 1, params: no point of n=1..1, c=1..6 lies inside the domain"):
        against(model.budgets[0], costs, "x")


def test_points_outside_the_domain_do_not_refute(tmp_path: Path) -> None:
    costs = sc.table(sc.Conv2d(c_o="c", k=1, g=7, bias=False), ("n", "c", 8, 8))
    text = '[models.x]\nmodel = "x"\n[[models.x.budgets]]\nat = {n = 1}\nover = {c = "1..20"}\nparams = 28'
    (model,) = read(written(tmp_path, text)).models
    (finding,) = against(model.budgets[0], costs, "x")
    assert finding.holds  # c = 14 gives 28; 15 to 20 would give more, but 7 groups need a multiple of 7


@pytest.mark.parametrize("name", gate.FORMATS)
def test_every_format_tells_every_failure(verdict: BudgetVerdict, name: str) -> None:
    shown = gate.FORMATS[name](verdict)
    assert "macs" in shown
    assert "energy" in shown
    assert ("params" in shown.replace("most in", "")) == (name in ("text", "markdown", "json", "junit"))


def test_machine_formats_parse(verdict: BudgetVerdict) -> None:
    suite = ElementTree.fromstring(gate.junit(verdict).partition("\n")[2])
    assert (suite.get("tests"), suite.get("failures")) == ("6", "2")
    assert len(suite.findall("testcase/failure")) == 2
    assert json.loads(gate.json(verdict))["findings"][0]["value"] == "124439808"
    issues = json.loads(gate.gitlab(verdict))
    assert {issue["location"]["lines"]["begin"] for issue in issues} == {9, 19}
    assert len({issue["fingerprint"] for issue in issues}) == 2
    for line in gate.github(verdict).splitlines():
        assert line.startswith("::error file=")
        assert line.count("::") == 2


def test_the_nearest_file_with_budgets_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    written(inner, "[project]\nname = 'x'\n", "pyproject.toml")
    outer = written(tmp_path, GPT.replace("[models", "[tool.symcost.models"), "pyproject.toml")
    assert find(inner) == outer
    assert len(read(outer).models[0].budgets) == 2


def test_saved_files_beside_the_budgets_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sc.models.alexnet(n="n").save(tmp_path / "net.json")
    text = '[models.net]\nmodel = "net.json"\n[[models.net.budgets]]\nover = { n = "1..64" }\nmacs = "{} G"\n'
    written(tmp_path, text.replace("{}", "47"))
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 0
    assert "1 limit holds" in capsys.readouterr().out
    written(tmp_path, text.replace("{}", "46"))
    assert main(["check", "--format", "github"]) == 1
    assert "::error file=symcost.toml,line=5," in capsys.readouterr().out


BASE = '[models.x]\nmodel = "alexnet"\n[[models.x.budgets]]\n'
FAULTS: dict[str, tuple[str, str]] = {
    "no TOML": ("[models", "is not TOML"),
    "no model": ("", "has no budgets: write a table [models.NAME]"),
    "a metric": (BASE + "parms = 3", "unknown entry 'parms': did you mean params"),
    "no limit": (BASE + "at = {}", "has no limit: give one of params, trainable, active_params, state, macs"),
    "a limit without its unit": (BASE + "model_size = 100", "model_size = 100 has no unit: it is in bytes, write '320 KiB'"),
    "a unit": (BASE + 'model_size = "3 KIB"', "unknown unit 'KIB': did you mean KiB or KB"),
    "a unit of another kind": (BASE + 'params = "3 ms"', "unknown unit 'ms'"),
    "no number": (BASE + 'params = "many"', "params = 'many' is no limit"),
    "a negative limit": (BASE + "params = -1", "params = -1 is no limit"),
    "a truth value": (BASE + "params = true", "params = True is no limit"),
    "a symbol": (BASE + "at = { m = 1 }\nparams = 3", "x, budget 1: unknown symbol 'm': there are none"),
    "a device": (BASE + 'latency = "1 s"\ndevice = "a100"', "device = 'a100': unknown device 'a100': did you mean nvidia-a100"),
    "no device": (BASE + 'latency = "1 s"', "latency needs a device"),
    "a range": (BASE + 'over = { n = "1-8" }\nparams = 3', "n = '1-8' is no range: write '1..8'"),
    "a descending range": (BASE + 'over = { n = "8..1" }\nparams = 3', "must be positive and ascending"),
    "twice": (BASE + 'at = { n = 1 }\nover = { n = "1..8" }\nparams = 3', "n stands in at and in over"),
    "a network": (BASE.replace("alexnet", "alexnett") + "params = 3", "unknown model 'alexnett': did you mean alexnet"),
    "a file": (BASE.replace("alexnet", "none.json") + "params = 3", "none.json cannot be read: No such file"),
    "an option of the model": (
        BASE.replace("[[", 'specs = ["f[n]"]\n[[') + "params = 3", "specs is for a model to trace, not alexnet"),
    "a device that no limit needs": (BASE + 'params = 3\ndevice = "stm32f746"', "has no limit to act on: it is for latency"),
    "a number type": (BASE + 'model_size = "1 MB"\ndtype = "nosuch"', "dtype = 'nosuch': unknown number type 'nosuch'"),
    "a number type that no limit uses": (BASE + 'params = 3\ndtype = "int8"', "dtype = 'int8' has no limit to act on"),
    "weights": (BASE + 'model_size = "1 MB"\nweights = "nosuch"', "unknown number type 'nosuch'"),
    "bits as a text": (BASE + 'model_size = "1 MB"\nbits = "8"', "bits = '8': bits are a positive integer"),
    "bits and weights": (BASE + 'model_size = "1 MB"\nbits = 8\nweights = "int8"', "leave one"),
    "a layer of the bits": (BASE + 'model_size = "1 MB"\nbits = { "" = 8, fc9 = 4 }',
        "x, budget 1, model_size: bits names the layer 'fc9', which is not there"),
    "a density": (BASE + 'model_size = "1 MB"\ndensity = 1.5', "density = 1.5: it must be between 0 and 1"),
    "a density of a fit": (BASE + 'model_size = "1 MB"\nfit = true\ndevice = "stm32f746"\ndensity = 0.5',
        "fit counts every weight, density none"),
    "a rule": (BASE + 'peak_activations = 3\nrule = "nosuch"', "rule = 'nosuch': it must be one of liveness, textbook"),
    "a convention": (BASE + 'macs = 3\nconvention = "foo"',
        "it must be one of textbook, full, xla, torchvision, fvcore"),
    "a model of latency": (BASE + 'latency = "1 s"\ndevice = "nvidia-a100-sxm-80gb"\nlatency_model = "x"',
        "it must be one of whole, roofline, fused"),
    "an optimizer": (BASE + 'training_bytes = "1 MB"\noptimizer = "adm"', "unknown optimizer 'adm': did you mean adam"),
    "an option that is no text": (BASE + 'macs = 3\nconvention = 1.5', "convention = 1.5 must be a text"),
    "no table with what training keeps": (BASE + 'training_bytes = "1 MB"',
        "x, budget 1, training_bytes: what the backward pass needs is known of traced models"),
    "half a symbol": (BASE + "at = { n = 1.5 }\nparams = 3", "n = 1.5 must be an integer"),
    "a missing value": (
        BASE.replace("[[", 'arg = { n = "n" }\n[[') + "macs = 3", "x, budget 1, macs has no value for n: give it in at or over"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_budget_is_one_line_and_exit_code_two(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, message = FAULTS[fault]
    output = tmp_path / "out.txt"
    assert main(["check", str(written(tmp_path, text)), "--output", str(output)]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert len(shown.splitlines()) == 1
    assert not output.exists()


@pytest.mark.parametrize(
    ("metric", "text", "value"),
    [("params", "25.6 M", 25_600_000), ("params", 7, 7), ("macs", "1e9", 10**9), ("model_size", "1.5 KiB", 1536),
     ("latency", "16.7 ms", Fraction(167, 10_000)), ("energy", "3 uJ", Fraction(3, 10**6))],
)  # fmt: skip
def test_limits_are_exact(metric: str, text: Any, value: Any) -> None:
    assert limit(metric, text, "").value == value


def test_an_unknown_model_or_format_of_the_verb(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(written(tmp_path, GPT))
    assert main(["check", path, "--model", "gtp"]) == 2
    assert "has no model 'gtp': did you mean gpt?" in capsys.readouterr().err
    assert main(["check", path, "--format", "xml"]) == 2
    assert "unknown format 'xml'" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setattr("symcost.gates.budgets.read.FILES", ("none.toml",))
    assert main(["check"]) == 2
    assert "no budgets in" in capsys.readouterr().err


def test_the_compilers_verdict_is_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = '[models.x]\nmodel = "flax.linen:Dense"\nspecs = ["float32[n,c]"]\n[[models.x.budgets]]\n'
    written(tmp_path, text + 'at = { n = 4, c = 8, features = 16 }\nverdict = ["cpu"]\nparams = 144\n')
    assert main(["check", "--format", "json"]) == 0
    found = {finding["metric"]: finding for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert found["verdict cpu"]["holds"]
    assert "checks at n=4, c=8, features=16" in found["verdict cpu"]["how"]
    written(tmp_path, text + 'at = { n = 4, c = 8, features = 16 }\nverdict = ["cpuu"]\n')
    assert main(["check"]) == 2
    assert "cpuu" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "message"),
    [('verdict = "cpu"', "verdict = 'cpu' must be a list of targets"),
     ('verdict = ["cpu"]', "verdict needs the program, PKG.MOD:NAME: alexnet is a table"),
     ('over = { n = "1..2" }\nverdict = ["cpu"]', "verdict asks compilers at one point")],
)  # fmt: skip
def test_a_verdict_that_cannot_be_asked(
    lines: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(written(tmp_path, BASE + lines))]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ['[models.x.budgets]\nparams = "1 M"\n', 'budgets = ["params <= 1 M"]\n'])
def test_budgets_in_another_form_are_told_how_one_is_written(
    wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(written(tmp_path, f'[models.x]\nmodel = "alexnet"\n{wrong}'))]) == 2
    assert "models.x.budgets must be tables: write [[models.x.budgets]] with limits below it" in capsys.readouterr().err
