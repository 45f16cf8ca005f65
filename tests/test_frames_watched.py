"""Watched frames: a program's lines as Python tells of them, without calling anything of the program's."""

from __future__ import annotations

import sys
import threading
from types import FunctionType
from typing import Any

import pytest
from watched import way  # noqa: F401 - a fixture of every test here

from symcost.errors import TraceError
from symcost.tracing.evidence.frames.landmarks import landmarks
from symcost.tracing.evidence.frames.values import OBJECT, UNKNOWN
from symcost.tracing.evidence.frames.watch import watch


class Counted:
    """A class of the user's whose every door counts how often it is opened."""

    calls = 0

    @property
    def layers(self) -> int:
        Counted.calls += 1
        return 3

    def __getattr__(self, name: str) -> int:
        Counted.calls += 1
        return 3

    def __eq__(self, other: object) -> bool:
        Counted.calls += 1
        raise ValueError("not to be compared")

    def __hash__(self) -> int:
        Counted.calls += 1
        return 5

    def __len__(self) -> int:
        Counted.calls += 1
        return 5

    def __bool__(self) -> bool:
        Counted.calls += 1
        return True

    def __index__(self) -> int:
        Counted.calls += 1
        return 1

    def __getitem__(self, index: int) -> int:
        Counted.calls += 1
        return index

    def __iter__(self) -> Any:
        Counted.calls += 1
        return iter(())

    def __mod__(self, other: int) -> int:
        Counted.calls += 1
        return 0

    def __lt__(self, other: object) -> bool:
        Counted.calls += 1
        return False


class Guarded(Counted):
    """One that wants to know of every attribute that is read, and hides its dictionary."""

    def __getattribute__(self, name: str) -> Any:
        Counted.calls += 1
        return object.__getattribute__(self, name)


class Whole(int):
    """A whole number of the user's."""

    def __lt__(self, other: int) -> bool:
        Counted.calls += 1
        return int(self) < int(other)

    def __mod__(self, other: int) -> int:
        Counted.calls += 1
        return int(self) % int(other)


class Meta(type):
    """A class whose own attributes are made."""

    def __getattribute__(cls, name: str) -> Any:
        Counted.calls += 1
        return type.__getattribute__(cls, name)

    def __instancecheck__(cls, other: object) -> bool:
        Counted.calls += 1
        return True


class Made(metaclass=Meta):
    """An object of such a class."""

    __slots__ = ("depth",)

    def __init__(self) -> None:
        self.depth = 7


class Hidden:
    """A class that makes its dictionary up."""

    @property
    def __dict__(self) -> dict[str, int]:  # type: ignore[override]
        Counted.calls += 1
        return {"depth": 3}


def hostile(reached: Any) -> Any:
    """Lines of every kind on such objects, none of which runs: they are reached, and a branch of their line is not taken."""
    it: Any = Counted()
    hidden: Any = Hidden()
    guarded, whole, made, numbers = Guarded(), Whole(4), Made(), iter(range(3))
    by_key = {it: 1, "a": 2}
    several, generator, huge = {it}, (k for k in range(3)), 10**4000
    before = Counted.calls
    found = 0
    found += 0 if reached else (it.layers < 3) + (it.other % 2) + (it == 3) + (it == 3) + len(it) + it[0] + (2 in it)
    found += (
        0 if reached else (guarded.layers < 3) + (guarded.depth == 1) + min(it, 3) + max(it, 2) + int(it) + (it < 3)
    )
    found += 0 if reached else (whole < 3) + (whole % 2) + by_key[5] + (5 in by_key) + (it in several) + (5 in several)
    found += 0 if reached else (made.depth < 3) + (Made.depth == 3) + (hidden.depth < 2) + round(it) + range(it)[0]
    found += 0 if reached else (huge**huge > 3) + (huge * huge**huge < 3) + (1 << huge > 2) + (next(generator) < 3)
    found += (
        0 if reached else (next(numbers) < 3) + (next(iter(generator)) < 3) + (numbers == 3) + bool(not it) + (it and 3)
    )
    return found + Counted.calls - before + sum(generator) + sum(numbers)


def test_nothing_of_the_users_is_called() -> None:
    before = Counted.calls
    assert hostile(True) == 6, "between its first and its last line it calls nothing, and its iterators are whole"
    own, before = Counted.calls - before, Counted.calls
    result: list[int] = []
    seen = watch(lambda: result.append(hostile(True)), {"L": 5})
    told = {observation.text for observation in seen}
    assert told >= {"it.layers < 3", "whole % 2", "next(generator) < 3", "huge ** huge > 3", "2 in it", "5 in by_key"}
    landmarks([seen], ["L"])
    assert (result, Counted.calls - before, seen.whole) == ([6], own, True)


def test_slots_are_read_and_whole_numbers_of_the_users_are_not() -> None:
    values = {o.text: o.values for o in watch(lambda: hostile(True), {})}
    assert values["made.depth < 3"] == ((7,),)
    assert values["whole < 3"] == values["it == 3"] == ((OBJECT,),)
    assert values["it.layers < 3"] == values["guarded.layers < 3"] == values["hidden.depth < 2"] == ((UNKNOWN,),)


def test_a_class_body_with_names_of_its_own_kind_is_left_alone() -> None:
    class Names(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            if name == "made_up":
                Counted.calls += 1
                return 3
            return super().__getitem__(name)

    class Prepared(type):
        @classmethod
        def __prepare__(cls, name: str, bases: Any, **named: Any) -> Any:
            return Names()

    def run() -> None:
        class Odd(metaclass=Prepared):
            odd = made_up < 3  # type: ignore[name-defined]  # noqa: F821

    before = Counted.calls
    seen = watch(run)
    assert Counted.calls == before + 1, "the program's own look-up"
    assert (seen.missed > 0, seen.whole) == (True, False)


def decided(L: int) -> bool:
    return L < 7


def test_what_the_program_raises_is_raised_and_everything_is_put_back() -> None:
    def fails() -> None:
        decided(3)
        raise KeyError("the user's")

    before = sys.gettrace()
    for _ in range(3):
        with pytest.raises(KeyError, match="the user's"):
            watch(fails)
    assert sys.gettrace() is before
    assert len(watch(lambda: decided(3))) == 1
    monitoring = getattr(sys, "monitoring", None)
    assert monitoring is None or all(monitoring.get_tool(tool) != "symcost" for tool in range(6))


def watched_beside(tracer: Any) -> tuple[Any, Any]:
    """What is watched where a trace function was set before, and which one is set afterwards."""
    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        return watch(lambda: decided(3)), sys.gettrace()
    finally:
        sys.settrace(before)


def test_a_trace_function_that_was_set_goes_on_and_is_put_back() -> None:
    told: list[str] = []

    def local(frame: Any, event: str, arg: Any) -> Any:
        told.append(f"{frame.f_code.co_name} {event}")
        return local

    def debugger(frame: Any, event: str, arg: Any) -> Any:
        return local(frame, event, arg) if frame.f_code is decided.__code__ else None

    seen, still = watched_beside(debugger)
    assert still is debugger
    assert told == ["decided call", "decided line", "decided return"]
    assert [str(o.text) for o in seen] == ["L < 7"]


def test_a_trace_function_that_sets_itself_again_does_not_blind_the_watch() -> None:
    def jealous(frame: Any, event: str, arg: Any) -> Any:
        if event == "call":  # as coverage's does
            sys.settrace(jealous)
        return jealous

    seen, still = watched_beside(jealous)
    assert still is jealous
    assert [o.text for o in seen] == ["L < 7"]


def test_a_second_watch_is_refused_inside_the_first_and_in_another_thread() -> None:
    refused: list[str] = []

    def second() -> None:
        try:
            watch(lambda: decided(3))
        except TraceError as problem:
            refused.append(str(problem))

    def first() -> None:
        second()
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()

    watch(first)
    assert refused == ["the frames of a program are being watched already: one watch at a time, in one thread"] * 2


def test_other_threads_are_not_watched() -> None:
    def run() -> None:
        thread = threading.Thread(target=decided, args=(3,))
        thread.start()
        thread.join()

    assert not [o for o in watch(run) if o.text == "L < 7"]


def test_code_without_its_text_is_told() -> None:
    elsewhere = FunctionType(decided.__code__.replace(co_filename="/nowhere/model.py"), {})
    seen = watch(lambda: elsewhere(2), {"L": 2})
    assert seen.unread == ("/nowhere/model.py",)
    assert landmarks([seen], ["L"])["L"].unread == ("code whose text is not there",)
