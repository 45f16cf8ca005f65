"""Answers are kept by program and versions; a broken entry is no answer."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

import symcost as sc
from symcost.referee.compilers import cache
from symcost.referee.verdicts import kept


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a worker leaves behind, and a cache of the test's own."""
    monkeypatch.setenv("SYMCOST_CACHE", str(tmp_path / "cache"))
    directory = tmp_path / "answer"
    directory.mkdir()
    (directory / "optimised.gz").write_bytes(gzip.compress(b"HloModule m"))
    told = {"analysis": {"flops": 3.0}, "memory": {"temp_size_in_bytes": 4}, "memory_text": False}
    (directory / "answer.json").write_text(json.dumps(told))
    return directory


def test_what_is_kept_comes_back_and_says_that_it_was_kept(left: Path) -> None:
    assert cache.load("entry") is None
    cache.keep(left, "entry")
    found = cache.load("entry")
    assert found is not None
    assert (found.text, found.memory_text, found.analysis["flops"], found.cached) == (
        "HloModule m",
        "HloModule m",
        3,
        True,
    )
    cache.keep(left, "entry")  # a second process with the same answer
    assert [entry.name for entry in cache.folder().iterdir()] == ["entry"]


def test_an_answer_without_a_text_is_kept_with_the_reason(left: Path) -> None:
    told = json.loads((left / "answer.json").read_text())
    (left / "answer.json").write_text(json.dumps({**told, "unprinted": "INTERNAL: no"}))
    (left / "optimised.gz").unlink()
    cache.keep(left, "entry")
    found = cache.load("entry")
    assert found is not None
    assert (found.text, found.unprinted, found.analysis["flops"], found.cached) == ("", "INTERNAL: no", 3, True)


@pytest.mark.parametrize("file", ["answer.json", "optimised.gz"])
@pytest.mark.parametrize("content", [b"", b"{", b"\x1f\x8b\x08\x00broken"])
def test_a_broken_entry_is_no_answer_and_is_replaced(left: Path, file: str, content: bytes) -> None:
    cache.keep(left, "entry")
    (cache.folder() / "entry" / file).write_bytes(content)
    assert cache.load("entry") is None
    cache.keep(left, "entry")
    assert cache.load("entry") is not None


OTHERS = [
    [], {}, 3, {"analysis": [], "memory": {}, "memory_text": False}, {"analysis": {}, "memory": {"a": None}, "memory_text": False},
    {"analysis": {"flops": "3"}, "memory": {}, "memory_text": 0},
]  # fmt: skip


@pytest.mark.parametrize("told", OTHERS, ids=range(len(OTHERS)))
def test_an_answer_of_other_types_is_none(left: Path, told: object) -> None:
    cache.keep(left, "entry")
    (cache.folder() / "entry" / "answer.json").write_text(json.dumps(told))
    assert cache.load("entry") is None
    (left / "answer.json").write_text(json.dumps(told))
    assert cache.read(left) is None
    cache.keep(left, "other")
    assert cache.load("other") is None


def test_a_digit_that_changed_is_told_by_the_digest(left: Path) -> None:
    cache.keep(left, "entry")
    file = cache.folder() / "entry" / "answer.json"
    file.write_text(file.read_text().replace("3.0", "4.0"))
    assert cache.load("entry") is None
    cache.keep(left, "entry")
    found = cache.load("entry")
    assert found is not None
    assert found.analysis["flops"] == 3


def test_a_file_in_the_place_of_an_entry_is_replaced(left: Path) -> None:
    cache.folder().mkdir()
    (cache.folder() / "entry").write_text("no folder")
    assert cache.load("entry") is None
    cache.keep(left, "entry")
    assert cache.load("entry") is not None
    assert [entry.name for entry in cache.folder().iterdir()] == ["entry"]


@pytest.mark.parametrize("file", ["costs.json", "lowered.gz", "analysis.json", "digest"])
@pytest.mark.parametrize("content", [b"", b"[" * 10_000, b"\x1f\x8b\x08\x00broken", b'{"flops": "x"}', None])
def test_what_a_verdict_derived_is_derived_again_where_it_is_damaged(
    left: Path, file: str, content: bytes | None
) -> None:
    found = kept.Derived(sc.table(sc.Linear(c_o=3), (2, 4)), "HloModule m", {"flops": 3.0})
    kept.keep(found, "entry")
    assert kept.load("entry") is not None
    place = cache.folder() / "entry" / file
    place.unlink() if content is None else place.write_bytes(content)
    assert kept.load("entry") is None
    kept.keep(found, "entry")
    assert kept.load("entry") is not None


def test_entries_differ_by_program_target_version_and_options() -> None:
    names = {
        cache.key(program, target, {"jaxlib": version}, options)
        for program in "ab" for target in ("cpu", "tpu-v4") for version in ("0.10", "0.12") for options in ({}, {"mesh": {"d": 2}})
    }  # fmt: skip
    assert len(names) == 16


def test_the_oldest_entries_go_when_there_are_too_many(left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_ENTRIES", 3)
    for number in range(6):
        cache.keep(left, f"entry{number}")
    assert len(list(cache.folder().iterdir())) == 3
    assert cache.load("entry5") is not None


def test_a_cache_that_cannot_be_written_is_no_error(left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMCOST_CACHE", str(left / "answer.json"))
    cache.keep(left, "entry")
    assert cache.load("entry") is None
