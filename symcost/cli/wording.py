"""Errors in the words of the command line: arguments of functions become the options that they are here."""

from __future__ import annotations

import re
from dataclasses import fields

from symcost.sources.plans import NONE
from symcost.sources.tracing import TracingOptions, option

OPTIONS = {
    name: option(name)
    for name in ("at", *(each.name for each in fields(TracingOptions) if each.default_factory is dict))
}
OPTIONS |= {"rules": "--rule", "given": option("at")}
"""Mappings by name, and the options that take their entries one by one."""
FLAGS = {
    "check=True": "--check", "referee=False": "--no-referee", "function=True": "--function", 'mode="train"': "--mode train",
    "plan=sc.Plan(mesh, shard)": "--mesh AXIS=SIZE --shard PATH=AXES", "timeout=...": "--timeout SECONDS",
    "fits=False": "--no-fits", "largest=": "--largest NAME", "smallest=": "--smallest NAME",
}  # fmt: skip
_MAPPING = re.compile(rf"\b({'|'.join(OPTIONS)})=(?:dict\(([^()]*)\)|\{{([^{{}}]*)\}})")
_ENTRY = re.compile(r"""['"]?(\w+)['"]?\s*[:=]\s*(\[[^\]]*\]|[^,]+)""")
_FLAG = re.compile("|".join(rf"(?<![\w(]){re.escape(flag)}(?!\w)" for flag in FLAGS))

_VALUES = re.compile(r"\bgive (?:values for )?(\w+=\.\.\.(?:,? \w+=\.\.\.)*)")


def as_options(message: str) -> str:
    """The message with options in the place of arguments.

    >>> as_options("no value for L: a compiler needs all of them, give at=dict(n=1, L=...)")
    'no value for L: a compiler needs all of them, give --at n=1 --at L=...'
    >>> as_options('trace further with upto={"n": 1600}, or compare this point with check=True')
    'trace further with --upto n=1600, or compare this point with --check'
    >>> as_options("give samples={...} or steps={'r': 32}")
    'give --samples NAME=... or --steps r=32'
    >>> as_options("check=True compares one point: give values for n=..., N=... too")
    '--check compares one point: give --at n=... --at N=... too'
    >>> as_options("the size of the weights needs a number for r: give r=...")
    'the size of the weights needs a number for r: give --at r=...'
    >>> as_options("give them, as given={'d': ..., 'F': ...}")
    'give them, as --at d=... --at F=...'
    >>> as_options("give rules={'embed': None} of the plan")
    'give --rule embed=- of the plan'
    """
    message = _VALUES.sub(
        lambda found: "give " + " ".join(f"--at {each}" for each in found[1].replace(",", "").split()), message
    )
    return _FLAG.sub(lambda found: FLAGS[found[0]], _MAPPING.sub(_entries, message))


def _entries(match: re.Match[str]) -> str:
    option, inside = OPTIONS[match[1]], (match[2] or match[3] or "").strip()
    entries = [
        (name, NONE if value == "None" else value.strip("[] ").replace(", ", ","))
        for name, value in _ENTRY.findall(inside)
    ]
    return " ".join(f"{option} {name}={value}" for name, value in entries or [("NAME", "...")])
