"""HLO text -> `Module`.

Reads what XLA prints: `lowered.compiler_ir("hlo").as_hlo_text()` (operands by name only),
`HloModule.to_string(...)` with operand shapes and percent signs, the canonical form (called computations
printed in place), and `compiled.as_text()`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from symcost.hlo.reading.ir import Computation, Instruction, Module
from symcost.hlo.reading.shapes import parse_shape
from symcost.hlo.reading.text import HloError, closing, split_top

_INDEX_COMMENT = re.compile(r"/\*index=\d+\*/")
_INSTRUCTION = re.compile(r"(ROOT )?%?([^\s=%]+) = ")
_OPCODE = re.compile(r" ([a-z][\w-]*)\(")
_HEADER = re.compile(r"(ENTRY )?%?([^\s(){}=%]+)(?: \(.*\) -> .*)? \{")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_PERCENT_NAME = re.compile(r"%([^\s,(){}]+)")
# An instruction whose called computation is printed in place ends in `condition=` or `branch_computations={`.
_IN_PLACE = re.compile(r"[\w-]+=\{?$")
_NO_OPERANDS = ("constant", "parameter", "iota")


def parse(text: str) -> Module:
    """Parse a whole HLO module.

    Errors: `HloError` (one line) when the text is truncated, has no ENTRY computation, a line is not an
    instruction, or a name (operand or called computation) is not defined.

    >>> module = parse('''HloModule m
    ... ENTRY main {
    ...   x = f32[2,3]{1,0} parameter(0)
    ...   ROOT y = f32[2,3]{1,0} add(x, x)
    ... }''')
    >>> module.entry.root.opcode, module.entry.root.operands, module.entry.root.shape.elements
    ('add', ('x', 'x'), 6)
    """
    try:
        return _LineReader(text).module()
    except RecursionError:
        raise HloError("the text nests tuples or computations too deeply: give it as XLA prints it") from None


class _LineReader:
    """A cursor over lines; `computation` recurses only for computations printed in place."""

    def __init__(self, text: str) -> None:
        if "/*index=" in text:
            text = _INDEX_COMMENT.sub("", text)
        self.lines = text.splitlines()
        self.at = 0
        self.computations: dict[str, Computation] = {}

    def module(self) -> Module:
        name, entry = "", None
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            if line.startswith("HloModule "):
                name = line.split()[1].rstrip(",")
            elif line.endswith("{") and (header := _HEADER.fullmatch(line.strip())):
                is_entry, title = header.groups()
                self.computation(title)
                if is_entry:
                    entry = self.computations[title]
        if entry is None:
            raise HloError("the text has no ENTRY computation: give the whole module as XLA prints it")
        for computation in self.computations.values():
            self.check(computation)
        self.check_calls()
        return Module(name, entry, self.computations)

    def computation(self, title: str) -> str:
        """Read instructions up to the closing brace, file them under `title`, return what follows it."""
        instructions: list[Instruction] = []
        while self.at < len(self.lines):
            line = self.lines[self.at].strip()
            self.at += 1
            if line.startswith("}"):
                if not instructions:
                    raise HloError(f"computation {title!r} is empty: give the whole text")
                if title in self.computations:
                    raise HloError(f"computation {title!r} is defined twice: give the text of one module")
                root = next((i for i in instructions if i.is_root), instructions[-1])
                self.computations[title] = Computation(title, tuple(instructions), root)
                return line[1:]
            if line:
                made = self.instruction(line, title)
                instructions += [*_elements(made, instructions), made]
        raise HloError(f"the text ends inside computation {title!r}: give the whole text")

    def instruction(self, line: str, title: str) -> Instruction:
        match = _INSTRUCTION.match(line)
        if match is None:
            raise HloError(
                f"line {self.at} is not an HLO instruction: {line[:60]!r}; expected `name = shape opcode(operands)`"
            )
        root, name = match.groups()
        start = match.end()
        # A tuple shape holds spaces and parentheses, so the opcode is looked for behind it.
        behind = closing(line, start) if line.startswith("(", start) else start
        opcode = _OPCODE.search(line, behind) if behind >= 0 else None
        if opcode is None:
            rest = line[start:][:60]
            raise HloError(f"line {self.at}: {name!r} has no shape and opcode: {rest!r}; is it cut off?")
        shape = parse_shape(line[start : opcode.start()])
        open_at = opcode.end() - 1
        end = line.find(")", open_at)  # a plain operand list needs no bracket matching
        if end < 0 or "(" in line[open_at + 1 : end] or '"' in line[open_at:end]:
            end = closing(line, open_at)
        while end < 0:  # a large constant goes on over several lines
            line += self.more(name, title)
            end = closing(line, open_at)
        argument, tail = line[open_at + 1 : end], line[end + 1 :]
        while _IN_PLACE.search(tail) and self.at < len(self.lines):
            tail = self.in_place(tail, f"{title}/{name}")
        if tail.endswith("{"):  # a kernel's configuration goes on too
            while closing(f"({tail})", 0) < 0:
                tail += self.more(name, title)
        if '"' in tail and '"' in _STRING.sub("", tail):
            raise HloError(f"line {self.at}: a string of {name!r} is not closed: is it cut off?")
        operands = () if opcode[1] in _NO_OPERANDS else _operands(argument)
        return Instruction(name, opcode[1], shape, operands, argument, tail, root is not None)

    def more(self, name: str, title: str) -> str:
        """The next line of an instruction that goes on."""
        if self.at == len(self.lines):
            raise HloError(f"the text ends inside instruction {name!r} of {title!r}: give the whole text")
        self.at += 1
        return " " + self.lines[self.at - 1].strip()

    def in_place(self, tail: str, owner: str) -> str:
        """Read called computations printed in place, return the tail with names of our own in their stead."""
        several = tail.endswith("{")
        names: list[str] = []
        while True:
            opening = self.lines[self.at].strip() if self.at < len(self.lines) else ""
            if opening != "{":
                raise HloError(f"line {self.at + 1}: {owner!r} lacks its computation in braces: is it cut off?")
            self.at += 1
            names.append(f"{owner}/{len(self.computations)}")
            rest = self.computation(names[-1])
            if not several:
                return tail + names[-1] + rest
            if rest != ",":
                break
        closing_line = self.lines[self.at].strip() if self.at < len(self.lines) else ""
        if not closing_line.startswith("}"):
            raise HloError(f"line {self.at + 1}: the computations of {owner!r} are not closed: is it cut off?")
        self.at += 1
        return tail + ", ".join(names) + closing_line

    def check(self, computation: Computation) -> None:
        """Every name must be defined; XLA defines operands before their use."""
        seen: set[str] = set()
        for instruction in computation.instructions:
            for operand in instruction.operands:
                if operand not in seen:
                    raise HloError(
                        f"operand {operand!r} of {instruction.name!r} is not defined before it"
                        f" in computation {computation.name!r}: give the whole text"
                    )
            seen.add(instruction.name)
            if "=" in instruction.tail:
                for name in instruction.called:
                    if name not in self.computations:
                        raise HloError(
                            f"computation {name!r} called by {instruction.name!r} is not in the text:"
                            " print the module with its computations"
                        )

    def check_calls(self) -> None:
        """No computation calls itself, be it through others: those that call only settled ones are settled."""
        calls = {name: {called for i in computation.instructions if "=" in i.tail for called in i.called}
                 for name, computation in self.computations.items()}  # fmt: skip
        while settled := [name for name, called in calls.items() if called.isdisjoint(calls)]:
            for name in settled:
                del calls[name]
        if calls:
            raise HloError(f"computation {next(iter(calls))!r} calls itself: give the text as XLA prints it")


def _elements(reader: Instruction, before: Sequence[Instruction]) -> Iterator[Instruction]:
    """The elements of tuples that an instruction reads by `name#1`, as XLA writes instead of an instruction since jaxlib 0.12."""
    short = [name for name in dict.fromkeys(reader.operands) if "#" in name]
    known = {i.name: i.shape for i in before} if short else {}
    for name in short:
        whole, *indices = name.split("#")
        for index in indices:
            element, shape = f"{whole}#{index}", known.get(whole)
            if element not in known and shape is not None and index.isdecimal() and int(index) < len(shape.parts):
                known[element] = shape.parts[int(index)]
                yield Instruction(element, "get-tuple-element", known[element], (whole,), whole, f", index={index}")
            whole = element


def _operands(argument: str) -> tuple[str, ...]:
    """Operand names from `a, b`, `%a, %b`, `f32[2]{0} %a` or `f32[2]{0} a`."""
    if not argument:
        return ()
    if "%" in argument:
        return tuple(_PERCENT_NAME.findall(argument))
    if "[" not in argument and "(" not in argument:
        return tuple(argument.replace(" ", "").split(","))
    return tuple(part.rsplit(" ", 1)[-1] for part in split_top(argument))
