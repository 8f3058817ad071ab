"""The events of a run: what has become of it so far, then what becomes of it (docs/contract.md#events-of-a-run).

An event's position is the segment of the run and a number within it. It follows from what is stored of the run, so that
it is the same for everyone who asks, also after a restart: 0 is how the segment before ended, 1 that this one is
executed, and from 2 on there are the entries of its trace.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from arcrun_server.engine.cancellation import within
from arcrun_server.engine.outcome import awaited_task
from arcrun_server.store.runs import CANCELLED, ENDED, QUEUED, RUNNING
from arcrun_server.store.workflows import timestamp

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence

    from arcrun_server.runs.progress import Progress
    from arcrun_server.store.runs import Runs, StoredRun

# How often a run is looked at that another process executes, or that waits.
_POLL_SECONDS = 1.0
_FIRST_NODE = 2
_POSITION = re.compile(r"(0|[1-9][0-9]{0,8})-(0|[1-9][0-9]{0,8})")
_OF_END = ("duration_ms", "error", "failed_node")


class Position(NamedTuple):
    """Where an event stands in its run; positions grow.

    Attributes:
        segment: The segment of the run.
        number: The number within it.
    """

    segment: int
    number: int


BEFORE_ALL = Position(-1, 0)


class RunEvent(NamedTuple):
    """An event of a run.

    Attributes:
        position: Where it stands.
        type: `status` or `node`.
        data: What it says.
    """

    position: Position
    type: str
    data: dict[str, Any]

    @property
    def id(self) -> str:
        """Return its id."""
        return f"{self.position.segment}-{self.position.number}"


def read_position(event_id: str) -> Position | None:
    """Return the position of the event that has this id, or None if none can have it.

    Example:
        >>> read_position("0-2")
        Position(segment=0, number=2)
    """
    match = _POSITION.fullmatch(event_id)
    return None if match is None else Position(int(match[1]), int(match[2]))


class RunEvents:
    """Follows runs.

    Args:
        runs: Where they are stored.
        progress: How far those are that this process executes.
    """

    def __init__(self, runs: Runs, progress: Progress) -> None:
        self._runs = runs
        self._progress = progress

    async def follow(
        self, run_id: str, after: Position, idle_seconds: float
    ) -> AsyncGenerator[RunEvent | None, None]:
        """Yield the events of a run after a position, up to its end; None whenever nothing came for some time.

        Args:
            run_id: The run.
            after: The last event that is known.
            idle_seconds: How long nothing comes before None does.

        Raises:
            StorageUnavailableError: The run can't be read now.
        """
        known: tuple[str, int] | None = None
        look, last = True, time.monotonic()
        with self._progress.watched(run_id) as woken:
            while True:
                woken.clear()
                events, known = await self._new(run_id, after, known, look=look)
                for event in events:
                    yield event
                    after, last = event.position, time.monotonic()
                if known is None or known[0] in ENDED:
                    return
                look = False
                if events:
                    continue
                if time.monotonic() - last >= idle_seconds:
                    yield None
                    last = time.monotonic()
                look = not await _wait(woken, min(_POLL_SECONDS, idle_seconds))

    async def _new(
        self, run_id: str, after: Position, known: tuple[str, int] | None, *, look: bool
    ) -> tuple[Sequence[RunEvent], tuple[str, int] | None]:
        """Return the events after a position, and the status and the segment of the run.

        The run is read only if these have changed: between its pauses, nothing else of it does. What this process executes
        is looked at if `look` says so: another process may have cancelled it.
        """
        executed = self._progress.trace(run_id)
        if look or executed is None or known != (RUNNING, executed[0]):
            stage = await self._runs.stage(run_id)
            if stage is None:
                return [], None
            if stage != known:
                run = await self._runs.get(run_id)
                if run is None:
                    return [], None
                known = (run.status, run.segment)
                stored = [event for event in history(run) if event.position > after]
                if stored:
                    return stored, known
        if executed is not None and known == (RUNNING, executed[0]):
            return list(_nodes_after(*executed, after)), known
        return [], known


async def _wait(woken: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, at most for some time; return whether it came."""
    try:
        return await within(seconds, woken.wait())
    except (asyncio.TimeoutError, TimeoutError):
        return False


def history(run: StoredRun) -> Iterator[RunEvent]:
    """Yield all events of a run that are stored of it."""
    yield _status(Position(0, 0), QUEUED, run.created_at_ms)
    pauses, begin, end = run.result.get("pauses", []), 0, 0
    paused = None
    for segment in range(run.segment + 1):
        if _has_begun(run, segment):
            yield _status(Position(segment, 1), RUNNING, None if segment else run.started_at_ms)
        paused = pauses[segment] if segment < len(pauses) else None
        end = len(run.trace) if paused is None else paused["traced"]
        for number, entry in enumerate(run.trace[begin:end], _FIRST_NODE):
            yield _node(Position(segment, number), entry)
        begin = end
        if paused is not None:
            more = {name: paused[name] for name in ("task_id", "paused_node_id")}
            yield _status(Position(segment + 1, 0), "paused", paused["at_ms"], more)
    if run.status in ENDED:
        more = {name: run.result[name] for name in _OF_END if name in run.result}
        shown = {} if run.status == CANCELLED else more
        # A run that is cancelled while it waits has no further segment, whose place its end takes.
        position = Position(run.segment + 1, 0 if paused is None else 1)
        yield _status(position, run.status, run.ended_at_ms, shown)


def last_position(run: StoredRun) -> Position:
    """Return a position that none of the events so far is after."""
    return Position(run.segment + 1, 1)


def _has_begun(run: StoredRun, segment: int) -> bool:
    if segment < run.segment:
        return True
    return run.status != QUEUED and run.started_at_ms is not None


def _nodes_after(
    segment: int, trace: Sequence[Mapping[str, Any]], after: Position
) -> Iterator[RunEvent]:
    first = after.number + 1 if after.segment == segment else _FIRST_NODE
    first = max(first, _FIRST_NODE)
    for number, entry in enumerate(trace[first - _FIRST_NODE :], first):
        yield _node(Position(segment, number), entry)


def _node(position: Position, entry: Mapping[str, Any]) -> RunEvent:
    """Return what a trace's entry says, without what the node was given and returned."""
    data = {"node": entry["nodeId"], "status": "ok", "duration_ms": entry["duration_ms"]}
    if "attempts" in entry:
        data["attempts"] = entry["attempts"]
    if "error" in entry:
        data |= {"status": "failed", "error": entry["error"]}
    elif entry["type"] == "Component" and awaited_task(entry["output"]):
        data["status"] = "waiting"
    return RunEvent(position, "node", data)


def _status(
    position: Position, status: str, at_ms: int | None, more: Mapping[str, Any] | None = None
) -> RunEvent:
    at = {} if at_ms is None else {"at": timestamp(at_ms)}
    return RunEvent(position, "status", {"status": status, **at, **(more or {})})
