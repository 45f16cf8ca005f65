"""The verbs table, models and audit: what they print, their formats, exit codes, and that jax stays away."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import symcost as sc
from symcost.cli.main import main
from symcost.models.catalog import REFERENCES

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_table_reproduces_the_lectures_line_by_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    assert main(["table", "alexnet", "--convention", "textbook"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "input [1,3,224,224] 150,528" in lines
    assert "conv1 conv2d [1,96,55,55] 34,848 105,415,200 210,830,400 14.6 % 290,400 440,928 11" in lines
    assert "pool1 max_pool2d [1,96,27,27] 69,984 360,384 19" in lines
    assert "fc8 linear [1,1000] 4,096,000 4,096,000 8,192,000 0.6 % 1,000 5,096 all" in lines
    assert "total 60,954,656 724,406,816 1,448,813,632 932,264" in lines
    assert main(["table", "alexnet", "--all"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "peak elements (textbook) 440,928" in lines


def test_symbols_stay_symbols(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", "alexnet", "--set", "classes=C", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["symbols"] == ["C"]
    assert sc.equal(sc.parse(document["totals"]["params"]), sc.models.alexnet(classes="C").params)


@pytest.mark.parametrize(
    ("convention", "flops"),
    [("textbook", 1448813632), ("full", 1451110888), ("torchvision", 724406816), ("fvcore", 724406816)],
)
def test_every_convention_has_a_table(convention: str, flops: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", "alexnet", "--convention", convention]) == 0
    out = capsys.readouterr().out
    assert f"{flops:,}" in out
    assert convention in out


@pytest.mark.parametrize("format_", ["markdown", "csv", "latex"])
def test_other_formats(format_: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "table.txt"
    assert main(["table", "resnet18", "--format", format_, "--depth", "1", "--output", str(file)]) == 0
    assert capsys.readouterr().out == ""
    assert "stage1" in file.read_text()


def test_models_lists_every_network_with_its_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert all(f"{name}\n" in out for name in REFERENCES)
    assert "n=1, r=224, L1=3, L2=4, L3=6, L4=3, w=64, classes=1000" in out
    assert main(["models", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in listed] == list(REFERENCES)
    assert listed[0] == {
        "name": "alexnet", "input": ["n", "3", "r", "r"], "dtype": "float32",
        "parameters": {"n": "1", "r": "224", "classes": "1000"}, "source": REFERENCES["alexnet"].source,
    }  # fmt: skip


def test_audit_says_what_is_wrong_and_exits_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(EXAMPLES / "lectures.csv")]) == 1
    out = capsys.readouterr().out
    assert (
        "WRONG alexnet conv2 macs = 228948800 (Efficient AI Model): 223,948,800 is right: a digit: 8 stands for 3"
        in " ".join(out.split())
    )
    assert out.endswith("11 claims, 9 wrong\n")
    assert main(["audit", str(EXAMPLES / "published.csv"), "--format", "json"]) == 0
    assert all(finding["right"] for finding in json.loads(capsys.readouterr().out))
    assert main(["audit", str(EXAMPLES / "lectures.csv"), "--format", "csv"]) == 1
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["right"] for row in rows].count("false") == 9


ERRORS = [
    (
        ["table", "foo"],
        "unknown model 'foo': use alexnet, alexnet_torchvision, vgg11, vgg13, vgg16 and 28 more (symcost",
    ),
    (["table", "efficientnet"], "did you mean efficientnet_b0 or efficientnet_b1 or efficientnet_b2?"),
    (["table", "alexnet", "--set", "r=-5"], "r=-5 must be a positive integer"),
    (["table", "alexnett"], "unknown model 'alexnett': did you mean alexnet"),
    (["table", "alexnet", "--set", "r=10"], "pool1 (MaxPool2d): the kernel reaches over 3 and its padded input over 1"),
    (["table", "alexnet", "--set", "classes=-1"], "Linear: c_o=-1 must be a positive integer"),
    (["table", "alexnet", "--set", "classes=2.5"], "Linear: c_o=2.5: cannot read '2.5'"),
    (
        ["table", "alexnet", "--set", "clases=2"],
        "alexnet has no parameter 'clases': it has n, r, classes; did you mean classes?",
    ),
    (["table", "vit", "--set", "H=7"], "H=7 heads must divide the features d=768"),
    (["table", "alexnet", "--format", "txt"], "unknown format 'txt': use text, markdown, csv, json, latex"),
    (
        ["table", "alexnet", "--convention", "texbook"],
        "unknown convention 'texbook': use textbook, full, xla, torchvision, fvcore",
    ),
    (["table", "alexnet", "--set", "r"], "--set 'r' must be NAME=VALUE"),
    (["models", "--format", "xml"], "unknown format 'xml': use text, json"),
    (["audit", "nowhere.csv"], "nowhere.csv cannot be read: No such file or directory"),
    (["audit", "x.csv", "--format", "xml"], "unknown format 'xml': use text, csv, json"),
]


@pytest.mark.parametrize(("arguments", "message"), ERRORS)
def test_errors_are_one_line_and_exit_with_two(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert message in captured.err


def test_none_of_them_imports_jax() -> None:
    verbs = [["table", "resnet152", "--set", "r=r"], ["models"], ["audit", str(EXAMPLES / "published.csv")]]
    code = (
        f"import sys; from symcost.cli.main import main; codes = list(map(main, {verbs!r})); "
        "sys.exit(any(codes) or 'jax' in sys.modules or 'flax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
