"""Small scanners of HLO text: bracket matching, splitting at top-level commas, attribute lists.

They know nothing of what the text means; `shapes.py`, `parse.py` and `ir.py` do. Quoted strings are opaque,
so braces and commas inside a path, a sharding rule or a JSON backend configuration never confuse them.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}(),]')
_INTEGER = re.compile(r"-?\d+")


class HloError(ValueError):
    """HLO text that cannot be read or counted. One line: what is wrong, its value, what to do."""


def closing(text: str, start: int) -> int:
    """Index of the bracket that closes the one at `start`, or -1 when the text ends first.

    >>> closing("f(a(b)c)d", 1)
    7
    """
    depth = 0
    for token in _TOKEN.finditer(text, start):
        first = token[0][0]
        if first in "([{":
            depth += 1
        elif first in ")]}":
            depth -= 1
            if depth == 0:
                return token.start()
    return -1


def split_top(text: str) -> list[str]:
    """Parts of `text` between commas that lie outside every bracket and string, without surrounding spaces.

    >>> split_top('f32[2,3]{1,0} %a, (s32[], f32[4]) %b')
    ['f32[2,3]{1,0} %a', '(s32[], f32[4]) %b']
    """
    parts, depth, begin = [], 0, 0
    for token in _TOKEN.finditer(text):
        first = token[0][0]
        if first in "([{":
            depth += 1
        elif first in ")]}":
            depth -= 1
        elif first == "," and depth == 0:
            parts.append(text[begin : token.start()].strip())
            begin = token.end()
    last = text[begin:].strip()
    return [*parts, last] if parts or last else []


def attributes(tail: str) -> dict[str, str]:
    """The `key=value` list after an instruction's operands, values as raw text.

    >>> attributes(', dimensions={0,1}, to_apply=%sum, metadata={op_name="a,b"}')
    {'dimensions': '{0,1}', 'to_apply': '%sum', 'metadata': '{op_name="a,b"}'}
    """
    values = {}
    for part in split_top(tail):
        key, equals, value = part.partition("=")
        if equals:
            values[key.strip()] = value.strip()
    return values


def integers(value: str) -> tuple[int, ...]:
    """Every integer in `value`, in order.

    >>> integers("{1,-2}")
    (1, -2)
    """
    return tuple(int(match) for match in _INTEGER.findall(value))
