"""The frames of a program watched while it runs: what each executed line decides, and with which values."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, FrameType, TracebackType
from typing import Any, Protocol

from symcost.errors import TraceError
from symcost.tracing.evidence.frames.expressions import Site
from symcost.tracing.evidence.frames.source import Sources, starts
from symcost.tracing.evidence.guard import Place

MAX_VISITS = 20_000
"""How many values of one site are kept; further ones are counted only."""


def _names() -> type:
    """The type of a function's own names: a dictionary, and since Python 3.13 a view of them that no module's frame has."""
    return type(sys._getframe().f_locals)


SPACES = frozenset((dict, _names()))
"""The types of a frame's own names: a class body may have another one, of the user's."""
Visit = tuple[Any, ...]


@dataclass(frozen=True)
class Observation:
    """One decision as it was seen: where, which, and the values of what it reads, one tuple a time it was reached."""

    place: Place
    operation: str
    text: str
    names: tuple[str, ...]
    values: tuple[Visit, ...]

    def __str__(self) -> str:
        return f"{self.text} at {self.place}"


@dataclass
class Observations:
    """All decisions that one run was seen to take, at one point."""

    point: Mapping[str, int] = field(default_factory=dict)
    visits: dict[Site, list[Visit]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    """Files of the user's that ran and whose text is not there: what they decide was not seen."""
    missed: int = 0
    """Decisions that were reached and not kept: more than a site's share, or watching failed."""

    def __iter__(self) -> Iterator[Observation]:
        for site, visits in self.visits.items():
            names = tuple(leaf.text for leaf in site.leaves)
            yield Observation(site.place, site.operation, site.text, names, tuple(visits))

    def __len__(self) -> int:
        return len(self.visits)

    @property
    def whole(self) -> bool:
        """Whether everything that was reached was seen."""
        return not self.unread and not self.missed


class Watcher(Protocol):
    """A way to be told of each line: a context that is left as it was found."""

    def __enter__(self) -> Any: ...

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None: ...


@dataclass
class Notebook:
    """What is seen of frames, written down by one thread."""

    found: Observations
    sources: Sources = field(default_factory=Sources)

    def of(self, frame: FrameType) -> Mapping[int, list[Site]]:
        """The decisions by line of the code that a frame runs."""
        try:
            return self.sources.of(frame.f_code, frame.f_globals)
        except Exception:  # what watches a program must not be what stops it
            self.found.missed += 1
            return {}

    def write(self, frame: FrameType, sites: list[Site]) -> None:
        """Keep what a line is about to decide."""
        if starts(frame):
            return
        own, outer = frame.f_locals, frame.f_globals
        if type(own) not in SPACES or type(outer) is not dict:
            self.found.missed += len(sites)
            return
        for site in sites:
            if site.behind and not site.reached(own, outer):
                continue
            kept = self.found.visits.setdefault(site, [])
            if len(kept) >= MAX_VISITS:
                self.found.missed += 1
                self._fill(frame.f_code)
                continue
            try:
                kept.append(site.values(own, outer))
            except Exception:  # as above
                self.found.missed += 1

    def _fill(self, code: CodeType) -> None:
        """Leave code alone of which everything has its share: the rest of a long table tells nothing more."""
        _, by_line = self.sources.known[id(code)]
        visits = self.found.visits
        if all(len(visits.get(site, ())) >= MAX_VISITS for sites in by_line.values() for site in sites):
            self.sources.known[id(code)] = (code, {})


class Tracing:
    """Lines told by ``sys.settrace``; the function that was set before goes on being told, and is put back."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.previous: Any = None
        self._on = False
        self._function = self._alone()

    def __enter__(self) -> Tracing:
        self.previous, self._on = sys.gettrace(), True
        if self.previous is not None:
            self._function = self._beside
        sys.settrace(self._function)
        return self

    def __exit__(self, kind: Any, problem: Any, where: Any) -> None:
        self._on = False
        sys.settrace(self.previous)

    def _alone(self) -> Callable[..., Any]:
        """A function told of every frame that begins, most of them jax's: it is short."""
        known, find, follow = self.notebook.sources.known, self.notebook.of, self._followed

        def called(frame: FrameType, event: str, arg: Any) -> Any:
            found = known.get(id(frame.f_code))
            sites = find(frame) if found is None else found[1]
            return follow(sites, None) if sites and self._on else None

        return called

    def _beside(self, frame: FrameType, event: str, arg: Any) -> Any:
        """The same where another function was set before: a frame is followed where it is the user's, or the other wants to."""
        if not self._on:
            return None
        sites = self.notebook.of(frame)
        other = self._tell(self.previous, frame, event, arg)
        return self._followed(sites, other) if sites or other is not None else None

    def _followed(self, sites: Mapping[int, list[Site]], other: Any) -> Any:
        def told(frame: FrameType, event: str, arg: Any) -> Any:
            nonlocal other
            if not self._on:
                return other
            other = self._tell(other, frame, event, arg)
            if event == "line" and (reached := sites.get(frame.f_lineno)):
                self.notebook.write(frame, reached)
                if other is None and not self.notebook.of(frame):
                    frame.f_trace_lines = False
            return told

        return told

    def _tell(self, other: Any, frame: FrameType, event: str, arg: Any) -> Any:
        """Tell the function that was set before; one that sets itself again (a debugger, coverage) is heard, not obeyed."""
        if other is None:
            return None
        try:
            return other(frame, event, arg)
        finally:
            if self._on and sys.gettrace() != self._function:
                self.previous = sys.gettrace()
                sys.settrace(self._function)


class Monitoring:
    """Lines told by ``sys.monitoring`` (Python 3.12), by a tool of its own beside those of others."""

    TOOLS = (3, 4, 5, 2, 1, 0)

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.api: Any = getattr(sys, "monitoring", None)
        self._thread = 0
        self._codes: dict[int, tuple[CodeType, Mapping[int, list[Site]]]] = {}

    def __enter__(self) -> Monitoring:
        api, self._thread = self.api, threading.get_ident()
        free = [tool for tool in self.TOOLS if api.get_tool(tool) is None]
        if not free:
            raise TraceError("all tools of sys.monitoring are in use: leave one free to watch the frames of a program")
        self.tool = free[0]
        api.use_tool_id(self.tool, "symcost")
        events = api.events
        self._told = {events.PY_START: self._started, events.LINE: self._line, events.JUMP: self._jumped}
        for event, callback in self._told.items():
            api.register_callback(self.tool, event, callback)
        api.restart_events()  # an earlier watch left code alone for good, under a tool of the same number
        api.set_events(self.tool, events.PY_START)
        return self

    def __exit__(self, kind: Any, problem: Any, where: Any) -> None:
        api = self.api
        api.set_events(self.tool, 0)
        for code, _ in self._codes.values():
            api.set_local_events(self.tool, code, 0)
        for event in self._told:
            api.register_callback(self.tool, event, None)
        api.free_tool_id(self.tool)

    def _started(self, code: CodeType, offset: int) -> Any:
        if not self.notebook.sources.watched(code.co_filename):
            return self.api.DISABLE
        if id(code) not in self._codes:
            sites = self.notebook.of(sys._getframe(1))
            if not sites:
                return self.api.DISABLE
            self._codes[id(code)] = (code, sites)
            self.api.set_local_events(self.tool, code, self.api.events.LINE | self.api.events.JUMP)
        return None

    def _line(self, code: CodeType, line: int) -> None:
        known = self._codes.get(id(code))
        if known is not None and (reached := known[1].get(line)) and threading.get_ident() == self._thread:
            self._written(code, sys._getframe(1), reached)

    def _written(self, code: CodeType, frame: FrameType, reached: list[Site]) -> None:
        self.notebook.write(frame, reached)
        if not self.notebook.of(frame):
            self.api.set_local_events(self.tool, code, 0)

    def _jumped(self, code: CodeType, offset: int, target: int) -> None:
        """A loop within one line goes round: no line begins, and ``settrace`` would tell one all the same."""
        if target <= offset and threading.get_ident() == self._thread:
            frame = sys._getframe(1)
            if _line_at(code, target) == frame.f_lineno:
                self._line_of(code, frame)

    def _line_of(self, code: CodeType, frame: FrameType) -> None:
        known = self._codes.get(id(code))
        if known is not None and (reached := known[1].get(frame.f_lineno)):
            self._written(code, frame, reached)


def _line_at(code: CodeType, offset: int) -> int | None:
    return next((line for start, end, line in code.co_lines() if start <= offset < end), None)


_busy = threading.Lock()


def watch(run: Callable[[], object], point: Mapping[str, int] | None = None) -> Observations:
    """What ``run()`` decides, by the lines of the user's code that it executes; what it raises is raised.

    Nothing of the user's is called to see it: values are read from the frames, and expressions computed from plain numbers.
    ``point`` says which values the symbols have in this run.

    >>> seen = watch(lambda: 1 + 1)
    >>> len(seen), seen.whole
    (0, True)
    """
    if not _busy.acquire(blocking=False):
        raise TraceError("the frames of a program are being watched already: one watch at a time, in one thread")
    try:
        notebook = Notebook(Observations(dict(point or {})))
        with way()(notebook):
            run()
        notebook.found.unread = tuple(sorted(notebook.sources.unread))
        return notebook.found
    finally:
        _busy.release()


def way() -> Callable[[Notebook], Watcher]:
    """How lines are told on this Python."""
    return Monitoring if hasattr(sys, "monitoring") else Tracing
