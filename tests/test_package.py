"""What an index would be given: a wheel and an sdist that hold what they need, and a wheel that runs without any extra."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from effort import needed

import symcost as sc
from symcost.system.extras import BROUGHT

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BARE = """
import importlib.abc, sys
class Bare(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Bare())
from symcost.cli.main import main
import symcost
assert symcost.__file__.startswith({where!r}), symcost.__file__
sys.exit(main({arguments!r}))
"""
EXTRAS = {"flaxmodels", *(package for held in BROUGHT.values() for package in held)}
MINE = """
import flax.linen as nn


class Net(nn.Module):
    width: int

    @nn.compact
    def __call__(self, x):
        return nn.Dense(self.width, use_bias=False)(x)
"""


def test_every_python_that_is_named_is_tried() -> None:
    named = {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if ":: Python :: 3." in line}
    workflow = (ROOT / ".github" / "workflows" / "package.yml").read_text()
    assert named == {"3.11", "3.12", "3.13"}
    assert not [each for each in sorted(named) if f'"{each}"' not in workflow]


def test_the_citation_is_of_this_version() -> None:
    assert f"version: {sc.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_compilers_of_gpus_are_of_one_version() -> None:
    """Each named by itself, pip fetches the newest of one before the other asks for another: 190 MB twice."""
    assert [each.partition(">")[0] for each in PROJECT["optional-dependencies"]["cuda"]] == [
        "jax[cuda12-local]",
        "nvidia-cuda-nvcc-cu12",
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both, built as a release is."""
    needed("build", "a wheel")
    needed("hatchling", "a wheel")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.mark.campaign
def test_an_index_takes_both(built: Path) -> None:
    needed("twine", "the check of a wheel")
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *map(str, built.iterdir())], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.campaign
def test_the_wheel_holds_the_package_and_its_data(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    ours = {str(path.relative_to(ROOT)) for path in (ROOT / "symcost").rglob("*") if path.is_file()}
    assert held == {name for name in ours if "__pycache__" not in name}


@pytest.mark.campaign
def test_the_sdist_holds_what_the_tests_and_the_site_read(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "CHANGELOG.md", "LICENSE", "symcost.toml", ".docs/conf.py", "tests/test_package.py"} <= held
    assert {f"examples/{page.relative_to(ROOT / 'examples')}" for page in (ROOT / "examples").rglob("*.md")} <= held


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["table", "alexnet"], "724,406,816"),
        (["trace", "mine:Net", "float32[n,d]", "--format", "csv"], "d*n*width"),
        (["plot", "alexnet", "memory", "--output", "a.png"], "needs matplotlib, which is not installed"),
    ],
    ids=lambda each: each[0] if isinstance(each, list) else "",
)
def test_the_wheel_runs_without_any_extra(built: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    (wheel,) = built.glob("*.whl")
    (tmp_path / "mine.py").write_text(MINE)
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = BARE.format(absent=EXTRAS, where=str(tmp_path), arguments=arguments)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), str(tmp_path)]),
        "COLUMNS": "200",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert said in done.stdout + done.stderr
    assert done.returncode == (2 if "not installed" in said else 0), done.stderr
