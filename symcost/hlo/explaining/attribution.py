"""Which module an instruction belongs to, also where a compiler has lost the name of its operation.

In that order: the instruction's own name; the module whose parameter it reads, through copies, fusions and loop states; the
module of the nearest named instruction before it; the module of its caller. Functions that are called keep their names: the
walk puts the call's name before them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from symcost.hlo.reading.ir import Computation, Instruction, Module
from symcost.hlo.reading.scopes import mark, module_of

Known = tuple[int, str]
"""How a module is known (0: by its parameter, 1: by a named neighbour), and a name that tells it."""


def attributed(module: Module, parameters: Sequence[str | None]) -> Module:
    """The module with a telling `op_name` on every instruction that can be traced to a Flax module.

    `parameters` are the module paths of the entry's parameters by number, None for the inputs of the call.
    """
    return _Attribution(module, parameters).module()


def branches_as_one(module: Module) -> Module:
    """The module with everything inside a conditional under the conditional's own name: which branch runs is not known."""
    callers = _callers(module)
    names: dict[str, str] = {}
    renamed: dict[str, Computation] = {}
    for home in _callers_first(module, callers):
        caller = callers.get(home.name)
        if caller is not None:
            inherited = names.get(caller[0].name)
            if inherited is None and caller[1].opcode == "conditional":
                inherited = caller[1].op_name
            if inherited is not None:
                names[home.name] = inherited
        if home.name in names:
            instructions = tuple(_renamed(i, names[home.name]) for i in home.instructions)
            root = next(i for i in instructions if i.name == home.root.name)
            home = Computation(home.name, instructions, root)
        renamed[home.name] = home
    computations = {name: renamed.get(name, home) for name, home in module.computations.items()}
    return Module(module.name, computations[module.entry.name], computations)


def _renamed(i: Instruction, name: str) -> Instruction:
    return replace(i, tail=f'{_without_metadata(i)}, metadata={{op_name="{name}"}}')


class _Attribution:
    def __init__(self, module: Module, parameters: Sequence[str | None]) -> None:
        self.source = module
        self.parameters = parameters
        self.callers = _callers(module)
        self.known: dict[str, dict[str, Known | None]] = {}

    def module(self) -> Module:
        attributed: dict[str, Computation] = {}
        for home in _callers_first(self.source, self.callers):
            attributed[home.name] = self.computation(home)
        computations = {name: attributed.get(name, home) for name, home in self.source.computations.items()}
        return Module(self.source.name, computations[self.source.entry.name], computations)

    def computation(self, home: Computation) -> Computation:
        known = self.known[home.name] = {}
        caller = self.callers.get(home.name)
        if caller and caller[1].opcode == "call":
            return home  # a function shared by its calls: every call lends it its own name
        fallback = caller[1].op_name if caller else ""
        if caller and module_of(fallback) is None:
            outer = self.known.get(caller[0].name, {}).get(caller[1].name)
            fallback = outer[1] if outer else ""
        instructions = []
        for i in home.instructions:
            owner = known[i.name] = self.instruction(i, home, known)
            if module_of(i.op_name) is None:
                name = owner[1] if owner else fallback
                if module_of(name) is not None:
                    i = _renamed(i, name)
            instructions.append(i)
        root = next(i for i in instructions if i.name == home.root.name)
        return Computation(home.name, tuple(instructions), root)

    def instruction(self, i: Instruction, home: Computation, known: Mapping[str, Known | None]) -> Known | None:
        if i.opcode == "parameter":
            return self.parameter(int(i.argument), home)
        if i.opcode == "get-tuple-element":
            part = self.part(i, home)
            if part is not None:
                return part
        if module_of(i.op_name) is not None:
            return 1, i.op_name
        operands = [k for name in i.operands if (k := known.get(name)) is not None]
        return min(operands, key=lambda k: k[0]) if operands else None

    def parameter(self, number: int, home: Computation) -> Known | None:
        if home is self.source.entry:
            path = self.parameters[number] if number < len(self.parameters) else None
            return None if path is None else (0, mark(path))
        caller = self.callers.get(home.name)
        if (
            caller is None
            or caller[0].name not in self.known
            or caller[1].opcode == "while"
            or number >= len(caller[1].operands)
        ):
            return None
        return self.known[caller[0].name].get(caller[1].operands[number])

    def part(self, i: Instruction, home: Computation) -> Known | None:
        """A slot of a loop's state is what the loop was entered with."""
        caller = self.callers.get(home.name)
        state = home.by_name[i.operands[0]]
        if state.opcode == "parameter" and caller is not None and caller[1].opcode == "while":
            entered = caller[0].by_name[caller[1].operands[0]]
            slot = i.integers("index")[0]
            if entered.opcode == "tuple" and slot < len(entered.operands):
                return self.known.get(caller[0].name, {}).get(entered.operands[slot])
        return None


def _without_metadata(i: Instruction) -> str:
    """The attributes without a name that tells nothing."""
    if "metadata=" not in i.tail:
        return i.tail
    return "".join(f", {key}={value}" for key, value in i.attributes.items() if key != "metadata")


def _callers(module: Module) -> dict[str, tuple[Computation, Instruction]]:
    """Where every computation is called first."""
    callers: dict[str, tuple[Computation, Instruction]] = {}
    for home in module.computations.values():
        for i in home.instructions:
            for name in i.called if "=" in i.tail else ():
                callers.setdefault(name, (home, i))
    return callers


def _callers_first(module: Module, callers: Mapping[str, tuple[Computation, Instruction]]) -> Iterator[Computation]:
    """The computations reached from the entry, each after the one that calls it first."""
    inside: dict[str, list[str]] = {}
    for name, (home, _) in callers.items():
        inside.setdefault(home.name, []).append(name)
    waiting = [module.entry.name]
    while waiting:
        name = waiting.pop()
        yield module.computations[name]
        waiting.extend(reversed(inside.get(name, ())))
