"""The compile targets and what works on this machine, as text and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symcost.report.words import documents


def document(problems: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """One object per target: ``name``, ``title``, ``source``, ``versions`` of its packages, ``works``, ``problem``."""
    from symcost.referee.compilers.targets import TARGETS

    return [
        {
            "name": name, "title": target.title, "platform": target.platform, "source": target.source,
            "versions": target.versions(), "works": problems[name] is None, "problem": problems[name],
        }
        for name, target in TARGETS.items()
    ]  # fmt: skip


def json(problems: Mapping[str, str | None]) -> str:
    """The document."""
    return documents.written(document(problems))


def text(problems: Mapping[str, str | None]) -> str:
    """One line per target; what to install where one does not work."""
    rows = document(problems)
    widths = [max(len(row[key]) for row in rows) for key in ("name", "title")]
    lines = []
    for row in rows:
        packages = ", ".join(f"{name} {version}" for name, version in row["versions"].items())
        state = f"works with {packages}" if row["works"] else row["problem"]
        lines.append(f"{row['name']:{widths[0]}}  {row['title']:{widths[1]}}  {state}")
    return "\n".join(lines)


FORMATS = {"text": text, "json": json}
