"""Models of every kind of name, the verbs that take them, and what an error of use is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import symcost as sc
from symcost.cli.main import main

ROOT = Path(__file__).parents[1]
MODELS = """
import flax.linen as nn
import symcost as sc

class Net(nn.Module):
    d: int

    @nn.compact
    def __call__(self, x, train=True):
        assert not train, "ask for train=false"
        return nn.Dense(5)(nn.Dense(self.d)(x))

class Plain(nn.Module):
    d: int

    @nn.compact
    def __call__(self, x):
        return nn.Dense(self.d)(x)

class Wide(nn.Module):
    d: int
    e: int

    @nn.compact
    def __call__(self, x):
        return nn.Dense(self.e)(nn.Dense(self.d)(x))

def layers():
    return sc.table(sc.Sequential(sc.Linear(c_o="d"), sc.Linear(c_o=5)), ("n", 8))
"""
PROGRAM = ["own_models:Net", "float32[n,8]", "--call", "train=false"]
KINDS = {
    "saved": ["costs.json"],
    "network": ["alexnet"],
    "program": [*PROGRAM, "--arg", "d=3"],
    "layers": ["own_models:layers"],
}
VALUES = {"saved": ["n=2"], "network": ["n=2"], "program": ["n=2"], "layers": ["n=2", "d=3"]}


def with_specs(verb: str, *own: str) -> Callable[[list[str]], list[str]]:
    """The verb on a model, with arguments of its own between the name and the inputs."""
    return lambda model: [verb, model[0], *own, *model[1:]]


def twice(model: list[str]) -> list[str]:
    """The difference of a model and itself."""
    return ["diff", model[0], *model]


VERBS: dict[str, Callable[[list[str]], list[str]]] = {
    "trace": with_specs("trace"),
    "table": with_specs("table"),
    "verify": with_specs("verify"),
    "estimate": with_specs("estimate"),
    "fits": with_specs("fits", "--device", "nvidia-a100-sxm-80gb"),
    "solve": lambda model: ["solve", *model, "params <= 10**12", "--largest", "q"],
    "plot": with_specs("plot", "memory", "--output", "picture.png"),
    "report": with_specs("report", "--output", "page.html"),
    "diff": twice,
}
"""Every verb that takes a model on the command line."""


@cache
def saved() -> bytes:
    """A saved table, made once."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "costs.json"
        sc.models.alexnet(n="n").save(path)
        return path.read_bytes()


def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with a module of models and a saved table."""
    (tmp_path / "own_models.py").write_text(MODELS)
    (tmp_path / "costs.json").write_bytes(saved())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delitem(sys.modules, "own_models", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(ROOT), *sys.path])


def told(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """The one line of an error of use."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("symcost: error: ")
    assert captured.err.count("\n") == 1
    return captured.err.removeprefix("symcost: error: ")


def at(*pairs: str) -> list[str]:
    """Values as options."""
    return [part for pair in pairs for part in ("--at", pair)]
