"""Patterns of paths: a law against a definition that tries everything, and the errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import symcost as sc
from symcost.reading import glob


def by_definition(pattern: list[str], parts: list[str]) -> bool:
    """Whether the parts match, by trying every number of parts for every ``**``."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(by_definition(pattern[1:], parts[i:]) for i in range(len(parts) + 1))
    return bool(parts) and letters(pattern[0], parts[0]) and by_definition(pattern[1:], parts[1:])


def letters(pattern: str, part: str) -> bool:
    """The same within a part, for ``*``."""
    if not pattern:
        return not part
    if pattern[0] == "*":
        return any(letters(pattern[1:], part[i:]) for i in range(len(part) + 1))
    return part[:1] == pattern[0] and letters(pattern[1:], part[1:])


PARTS = st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=6)
PATTERNS = st.lists(st.just("**") | st.text("ab*", min_size=1, max_size=5), min_size=1, max_size=6)


@given(PATTERNS, PARTS)
def test_a_match_is_what_the_definition_says(pattern: list[str], parts: list[str]) -> None:
    pieces = ["*" if set(piece) == {"*"} and piece != "**" else piece for piece in pattern]
    assert glob.matches("/".join(pieces), "/".join(parts)) == by_definition(pieces, parts)


@given(PARTS)
def test_a_path_matches_itself_and_any_number_of_parts(parts: list[str]) -> None:
    path = "/".join(parts)
    for pattern in (path, "**", f"**/{path}", f"{path}/**", f"**/{parts[-1]}", f"{parts[0]}/**"):
        assert glob.matches(pattern, path)


@pytest.mark.parametrize("special", ["a.c", "a?c", "[ab]c", "a+", "(a)", "^a$", "a\\", "a|b", "{a,b}"])
def test_all_other_characters_are_themselves(special: str) -> None:
    assert glob.matches(special, special)
    assert not any(glob.matches(special, other) for other in ("abc", "ac", "aa", "a", "b", "bc"))


def test_no_pattern_takes_long() -> None:
    assert not glob.matches("/".join(["**", "a"] * 200), "/".join(["a"] * 400 + ["b"]))
    assert not glob.matches("*a" * 400 + "b", "a" * 4000)


@pytest.mark.parametrize("pattern", ["", "/", "a/", "/a", "a//b", "!", 3, None])
def test_what_is_no_pattern_is_one_line(pattern: object) -> None:
    with pytest.raises(sc.SymcostError, match=r"no pattern of paths|has an empty part"):
        glob.checked(pattern, "wrt")
