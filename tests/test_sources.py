"""Every verb takes a model by the same three kinds of names, with the same options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer.main
from source_case import KINDS, PROGRAM, VALUES, VERBS, at, here, told

import symcost as sc
from symcost.cli import main as cli
from symcost.cli.main import app, main
from symcost.sources import written
from symcost.sources.source import Source
from symcost.tracing import face


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here(tmp_path, monkeypatch)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("verify", "solve")])
def test_every_verb_takes_every_kind_of_model(verb: str, kind: str, tmp_path: Path) -> None:
    assert main([*VERBS[verb](KINDS[kind]), *at(*VALUES[kind])]) == 0
    for name in ("picture.png", "page.html"):
        assert (tmp_path / name).exists() is (name.startswith({"plot": "picture", "report": "page"}.get(verb, "none")))


@pytest.mark.parametrize(
    ("model", "values", "answer"),
    [
        (["costs.json"], [], "n = 8 ("),
        (["alexnet"], ["n=n"], "n = 8 ("),
        (["alexnet", "--arg", "n=n"], [], "n = 8 ("),
        (["alexnet", "--arg", "n=n", "--arg", "r=r"], ["r=227"], "n = 7 at r=227 ("),
        (["own_models:layers"], ["d=1000"], "n = 446153 at d=1000 ("),  # 8*d + 5*d
        (PROGRAM, ["d=3"], "n = 148717948 at d=3 ("),
    ],
)
def test_solve_takes_every_kind_of_model_and_values_of_its_other_symbols(
    model: list[str], values: list[str], answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["solve", *model, "macs <= 5_800_000_000", "--largest", "n", *at(*values)]) == 0
    assert capsys.readouterr().out.startswith(answer)


def test_verify_takes_programs_and_networks_and_says_why_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "own_models:Net", *PROGRAM[1:], *at("n=2", "d=3")]) == 0
    assert main(["verify", "own_models:layers", *at("n=2", "d=3")]) == 0
    capsys.readouterr()
    assert "a verdict needs the program, PKG.MOD:NAME or a reference network" in told(capsys, ["verify", "costs.json"])
    assert main(["verify", "own_models:Net", *PROGRAM[1:], *at("n=2", "d=3"), "--axis", "i=2"]) == 0
    capsys.readouterr()
    both = ["verify", *PROGRAM, *at("n=2", "d=3"), "--axis", "i=2", "--mesh", "m=2", "--shard", "inputs/0=m"]
    assert "--axis i=2 are a mesh of their own, beside mesh and shard: leave one of them" in told(capsys, both)


def options(verb: str) -> dict[str, Any]:
    """Declarations of a verb's options by their flags."""
    command: Any = typer.main.get_command(app)
    return {flag: each for each in command.commands[verb].params for flag in each.opts}


PRINTED = ("--depth", "--all", "--si", "--format")
"""Options of how a table is printed, for the verbs that print one."""


@pytest.mark.parametrize("flag", PRINTED)
def test_verbs_that_print_a_table_have_the_same_options_of_printing(flag: str) -> None:
    assert options("table")[flag].help == options("trace")[flag].help


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_the_same_options(verb: str) -> None:
    known, first = options(verb), options("trace")
    wanted = [flag for flag in first if flag.startswith("--") and flag not in PRINTED]
    assert {"--arg", "--free", "--axis", "--method", "--function", "--at", "-o"} <= {*wanted, "-o"}
    for flag in wanted:
        assert flag in known
        if flag != "--output":
            assert known[flag].help == first[flag].help
            assert known[flag].hidden is (flag in ("--set", "--given"))
    assert "-o" in known


@pytest.mark.parametrize("verb", [verb.__name__ for verb in cli.VERBS])
def test_h_is_help_and_o_is_a_file_in_every_verb(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "-h"]) == 0
    assert f"Usage: symcost {verb}" in capsys.readouterr().out
    assert "-o" in options(verb)


class Traced(sc.SymcostError):
    """Raised in the place of a trace."""


TOLD = {
    "free": ["extra"], "steps": {"n": 2}, "at_least": {"n": 4}, "samples": {"n": [2, 4, 6]}, "call": {"train": False},
    "mode": "train", "wrt": ["head/*"], "rngs": ["noise"], "axes": {"i": 2}, "method": "embed", "active": {"a": "1/2"},
    "upto": {"n": 96}, "max_pieces": 2,
}  # fmt: skip
TYPED = ["--free", "extra", "--steps", "n=2", "--at-least", "n=4", "--samples", "n=2,4,6", "--call", "train=false", "--mode",
         "train", "--wrt", "head/*", "--rng", "noise", "--axis", "i=2", "--method", "embed", "--active", "a=1/2",
         "--upto", "n=96", "--max-pieces", "2"]  # fmt: skip
COLUMNS = "free,steps,at_least,samples,call,mode,wrt,rng,axis,method,active,upto,max_pieces"
TOML = """call = {train = false}
free = ["extra"]
steps = {n = 2}
at_least = {n = 4}
samples = {n = [2, 4, 6]}
mode = "train"
wrt = ["head/*"]
rngs = ["noise"]
axes = {i = 2}
method = "embed"
active = {a = "1/2"}
upto = {n = 96}
max_pieces = 2
"""


def files(tmp_path: Path) -> dict[str, list[str]]:
    """The same model and options in every file that names models."""
    (tmp_path / "claims.csv").write_text(
        f'model,specs,quantity,value,{COLUMNS}\nown_models:Net,"float32[n,8]",params,1,extra,n=2,n=4,"n=2,4,6",train=false,'
        "train,head/*,noise,i=2,embed,a=1/2,n=96,2\n"
    )
    model = f'model = "own_models:Net"\nspecs = ["float32[n,8]"]\n{TOML}'
    (tmp_path / "symcost.toml").write_text(f"[models.net]\n{model}[[models.net.budgets]]\nparams = 9\n")
    (tmp_path / "space.toml").write_text(f'minimize = "params"\n[network]\n{model}[axes]\nn = [2]\n')
    old = model.replace("model =", "trace =").replace("specs =", "inputs =")
    (tmp_path / "older.toml").write_text(f'minimize = "params"\n[network]\n{old}[axes]\nn = [2]\n')
    return {
        "audit": ["audit", "claims.csv"],
        "check": ["check"],
        "sweep": ["sweep", "space.toml"],
        "older": ["sweep", "older.toml"],
    }


@pytest.mark.parametrize("verb", ["audit", "check", "sweep", "older", *(verb for verb in VERBS if verb != "verify")])
def test_the_same_options_reach_the_trace_from_every_verb_and_file(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Any] = []

    def trace(model: Any, *specs: Any, on_trace: Any, **given: Any) -> None:
        seen.append((model.__name__, specs, given))
        raise Traced("seen")

    monkeypatch.setattr(face, "trace", trace)
    monkeypatch.setattr(face, "symbols_of", lambda *specs, **given: ["n", "q"])
    arguments = (
        files(tmp_path)[verb] if verb in files(tmp_path) else VERBS[verb](["own_models:Net", "float32[n,8]", *TYPED])
    )
    assert "seen" in told(capsys, arguments)
    ((name, specs, given),) = seen
    assert (name, specs) == ("Net", ("float32[n,8]",))
    assert {n: list(v) if isinstance(v, tuple) else v for n, v in given.items()} == {
        **TOLD, "samples": given["samples"]}  # fmt: skip
    assert list(given["samples"]["n"]) == [2, 4, 6]


def test_a_function_and_no_referee_are_options_of_every_file_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own_functions.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "claims.csv").write_text(
        "model,specs,at,function,referee,quantity,value\nown_functions:double,float32[n],n=3,true,false,flops,3\n"
    )
    assert main(["audit", "claims.csv"]) == 0
    (tmp_path / "space.toml").write_text(
        'network = {model = "own_functions:double", specs = ["float32[n]"], function = true, referee = false}\n'
        'show = ["flops"]\n[axes]\nn = [3]\n'
    )
    capsys.readouterr()
    assert main(["sweep", "space.toml", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["configurations"] == [{"n": 3, "flops": 3}]


# -- values -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", [["costs.json"], ["alexnet"], [*PROGRAM, "--arg", "d=3"]])
@pytest.mark.parametrize("verb", ["trace", "table", "estimate"])
def test_the_first_names_of_at_still_do_the_same(
    verb: str, model: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = []
    for option in ("--at", "--set", "--given"):
        assert main([verb, *model, option, "n=3", "--format", "json"]) == 0
        shown.append(capsys.readouterr().out)
    assert len(set(shown)) == 1


@pytest.mark.parametrize(
    "older", [["--set", "n=n", "--given", "r=227", "--set", "r=r"], ["--set", "n=n", "--arg", "r=r", "--at", "r=227"]]
)
def test_solve_understands_what_it_did(older: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "alexnet", "macs <= 5_800_000_000", "--largest", "n", *older]) == 0
    assert capsys.readouterr().out.startswith("n = 7 at r=227 (")


def test_decimals_of_a_file_are_exact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """MobileNetV1 rounds widths down: a hair below 1 is a channel less in every layer, and as a float it is 1."""
    width = "0.99999999999999999999"
    (tmp_path / "space.toml").write_text(
        f'network = {{model = "mobilenet_v1", at = {{width = {width}, classes = "q"}}}}\nshow = ["params"]\n'
        "[axes]\nq = [10]\n"
    )
    assert main(["sweep", str(tmp_path / "space.toml"), "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["configurations"]
    exact = sc.models.mobilenet_v1(width=width, classes=10).params
    assert row["params"] == exact != sc.models.mobilenet_v1(classes=10).params
    (tmp_path / "symcost.toml").write_text(
        f'[models.net]\nmodel = "mobilenet_v1"\narg = {{width = {width}, classes = 10}}\n[[models.net.budgets]]\n'
        f"params = {exact}\n"
    )
    assert main(["check", str(tmp_path / "symcost.toml")]) == 0
    capsys.readouterr()
    (tmp_path / "space.toml").write_text('minimize = "w"\n[formulas]\nw = "d"\n[axes]\nd = [0.10]\n')
    assert "the axis d has the value 0.10: every value must be a positive integer" in told(
        capsys, ["sweep", str(tmp_path / "space.toml")]
    )


def test_a_parameter_of_a_network_is_read_exactly() -> None:
    for source in (
        Source("mobilenet_v2", at={"width": "1.4"}),
        written.source({"model": "mobilenet_v2", "arg": {"width": 1.4}}, "x", Path()),
    ):
        assert source.table().params == sc.models.mobilenet_v2(width="1.4").params


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "alexnet", "specs": "float32[n]"}, "net.specs = 'float32[n]' must be a list"),
        ({"modle": "alexnet"}, "net has an unknown entry 'modle': did you mean mode or model?"),
        ({"specs": []}, 'net has no model: write model = "PKG.MOD:NAME", a reference network or a saved file'),
        ({"model": "alexnet", "at": 3}, "net.at = '3' must be a table"),
    ],
)
def test_a_table_of_a_file_that_is_no_model_is_one_line(given: dict[str, Any], message: str) -> None:
    with pytest.raises(sc.SymcostError) as problem:
        written.source(given, "net", Path())
    assert str(problem.value) == message


NETWORKS = (
    '"costs.json"', '{json = "costs.json"}', '{model = "costs.json"}', '{table = "alexnet", set = {n = "n"}}',
    '{model = "alexnet", at = {n = "n"}}', '{model = "alexnet", arg = {n = "n"}}',
)  # fmt: skip


@pytest.mark.parametrize("network", NETWORKS)
def test_a_sweep_takes_saved_tables_and_networks(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "space.toml").write_text(f'network = {network}\nshow = ["macs"]\n[axes]\nn = [2]\n')
    assert main(["sweep", "space.toml", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["configurations"] == [{"n": 2, "macs": 2 * sc.models.alexnet().macs}]
