"""Whose code is watched: the user's and the layers that models are made of, not the machinery that traces them."""

from __future__ import annotations

import ast
import linecache
import sys
import sysconfig
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from types import CodeType, FrameType

from symcost.tracing.evidence.frames.expressions import Site, sites

MACHINERY = frozenset((
    "jax", "jaxlib", "flax", "numpy", "opt_einsum", "symcost", "ml_dtypes", "scipy", "sympy", "mpmath", "absl", "etils",
    "orbax", "typing_extensions", "msgpack", "tensorstore", "pytest", "_pytest", "pluggy", "coverage", "hypothesis",
    "treescope", "rich", "typer", "xdist", "execnet", "_distutils_hack", "setuptools", "pkg_resources",
))  # fmt: skip
"""Packages whose own decisions are not a model's; what of flax is, :data:`LAYERS` says."""
LAYERS = ("linen/attention.py", "linen/combinators.py", "linen/linear.py", "linen/normalization.py", "linen/pooling.py",
          "linen/recurrent.py", "linen/stochastic.py", "nnx/nn/")  # fmt: skip
"""Flax's layers: they decide by their sizes as a model of the user's would."""
STARTS = ("<frozen importlib._bootstrap>", "/jax/_src/xla_bridge.py")
"""Whose calls happen once in a process: imports, and jax's first look for devices and their plug-ins."""
WATCHING = str(Path(__file__).with_name("watch.py"))
INSTALLED = ("site-packages", "dist-packages")


@lru_cache(maxsize=512)
def _sites(file: str, text: str) -> list[Site] | None:
    """The decisions of a file's text, read once for all runs; nothing where it is no Python."""
    try:
        return sites(ast.parse(text), file, text.splitlines())
    except (SyntaxError, ValueError, RecursionError):
        return None


def _typed(code: CodeType) -> bool:
    """Whether code was made of a string that nobody can read any more, and by no dataclass and no named tuple."""
    made = code.co_name == "<module>" or code.co_name.startswith("__") or code.co_names == ("_tuple_new",)
    return code.co_filename == "<string>" and not made


class Sources:
    """By file the decisions in its text, and by code object those that it runs, by line."""

    def __init__(self) -> None:
        self._machinery = tuple(
            str(Path(file).parent)
            for name in MACHINERY
            if name != "flax" and (file := getattr(sys.modules.get(name), "__file__", None)) is not None
        )
        self._library = sysconfig.get_paths()["stdlib"]
        self._files: dict[str, list[Site]] = {}
        self.known: dict[int, tuple[CodeType, Mapping[int, list[Site]]]] = {}
        self.unread: set[str] = set()  # files of the user's whose text is not there

    def of(self, code: CodeType, outer: Mapping[str, object]) -> Mapping[int, list[Site]]:
        """The decisions of a code object by line; none where it is not the user's."""
        found = self.known.get(id(code))
        if found is None:
            found = self.known[id(code)] = (code, self._read(code, outer))  # kept: its id is not given away again
        return found[1]

    def _read(self, code: CodeType, outer: Mapping[str, object]) -> Mapping[int, list[Site]]:
        file = code.co_filename
        if _typed(code):
            self.unread.add(file)
        if not self.watched(file):
            return {}
        if file not in self._files:
            self._files[file] = self._parsed(file, outer)
        spans = set(code.co_positions())
        found: dict[int, list[Site]] = {}
        for site in self._files[file]:
            if not spans.isdisjoint((site.span, *site.negated)):
                found.setdefault(site.span[0], []).append(site)
        return found

    def _parsed(self, file: str, outer: Mapping[str, object]) -> list[Site]:
        text = "".join(linecache.getlines(file, dict(outer)))
        found = _sites(file, text) if text else None
        if found is None:
            self.unread.add(file)
        return found or []

    def watched(self, file: str) -> bool:
        """Whether a file holds decisions of a model."""
        parts = file.replace("\\", "/")
        _, _, within = parts.rpartition("/flax/")
        if within and within.startswith(LAYERS):
            return True
        for folder in INSTALLED:
            if f"/{folder}/" in parts:
                package = parts.rpartition(f"/{folder}/")[2].partition("/")[0].removesuffix(".py")
                return package not in MACHINERY
        return not file.startswith(("<frozen", "<string>", self._library, *self._machinery)) and "/flax/" not in parts


def starts(frame: FrameType | None) -> bool:
    """Whether a frame runs once in a process, for an import or for jax's devices: no size of a model decides there.

    A second run would not show it, so what it compares would pass for decisions that only this run took.
    """
    while frame is not None and frame.f_code.co_filename != WATCHING:
        if _runs_once(frame.f_code.co_filename):
            return True
        frame = frame.f_back
    return False


@cache
def _runs_once(file: str) -> bool:
    return file.replace("\\", "/").endswith(STARTS)
