"""The pages of the documentation are true: their Python blocks run in order and print what stands below them."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from types import ModuleType

import pytest
from test_readme import matches

PAGES = sorted((Path(__file__).parents[1] / "examples").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_print_what_is_shown(page: Path) -> None:
    module = ModuleType("page")
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    for (language, code), (following, shown) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if language != "python":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, page.name, "exec"), vars(module))  # noqa: S102 - our own page, to test it
        assert following == "text"
        matches(shown, printed.getvalue())
