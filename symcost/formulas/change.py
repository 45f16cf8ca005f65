"""Forms with other forms in the place of some of their atoms."""

from __future__ import annotations

from collections.abc import Callable

from symcost.formulas.form import Atom, Form, floor, of_atom
from symcost.formulas.functions import logarithm, where

Change = Callable[[Atom], Form | None]


def changed(form: Form, change: Change) -> Form:
    """A form with what ``change`` gives for an atom in its place; functions of what changed are made anew.

    >>> d = Form.symbol("d")
    >>> changed(floor(d / 16), lambda atom: 32 * Form.symbol("k") if atom.name == "d" else None)
    2*k
    """
    parts = []
    for coefficient, atoms in form.atoms():
        part = Form.constant(coefficient)
        for atom, exponent in atoms:
            found = change(atom)
            part = part * (_anew(atom, change) if found is None else found) ** exponent
        parts.append(part)
    return Form.total(parts)


def without_floors(form: Form) -> Form:
    """The same with what stands inside each floor in its place.

    >>> without_floors(floor(Form.symbol("d") / Form.symbol("H")))
    d/H
    """
    return changed(form, lambda atom: without_floors(atom.args[0]) if atom.kind == "floor" else None)


def _anew(atom: Atom, change: Change) -> Form:
    """A function of the changed forms that it is of."""
    args = tuple(changed(arg, change) for arg in atom.args)
    match atom.kind:
        case "floor":
            return floor(args[0])
        case "where":
            return where(args[0], atom.name, args[1])
        case "clog2" | "flog2":
            return logarithm(atom.kind, args[0])
        case "Max":
            numbers = [arg.number for arg in args if arg.number is not None]
            return Form.constant(max(numbers)) if len(numbers) == len(args) else of_atom(Atom("Max", "Max", args))
    return of_atom(atom)
