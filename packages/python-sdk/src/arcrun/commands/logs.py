"""What runs did, as lines in the order of time, and what they do from now on."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from queue import Empty, Queue
from threading import Thread
from typing import Any
from urllib.parse import urlencode

from arcrun import Arcrun
from arcrun._core.errors import ArcrunError, NotFoundError
from arcrun._core.events import ENDED

from .errors import CommandError, Next
from .found import naming
from .sentences import sentence
from .workflows import get_workflow

_INTERVAL = 1.0  # seconds between two looks for new runs
_MOST = 200  # runs that are shown before following begins

Line = dict[str, Any]


def show_logs(
    client: Arcrun,
    run_id: str | None = None,
    *,
    workflow: str | None = None,
    follow: bool = False,
    limit: int = 10,
) -> Generator[Line, None, None]:
    """Show what runs did: of one run each node, else of the newest runs.

    Args:
        run_id: only this run
        workflow: only runs of this workflow
        follow: go on with what happens from now on, until Ctrl-C
        limit: with how many of the newest runs to begin
    """
    if run_id is not None and workflow is not None:
        raise CommandError("invalid_argument", sentence("name either a run or --workflow"))
    if not 1 <= limit <= _MOST:
        raise CommandError(
            "invalid_argument", sentence("the argument 'limit' must be 1 to {most}", most=_MOST)
        )
    if run_id is not None:
        return _lines_of_run(client, run_id, follow=follow)
    return _lines_of_runs(client, workflow, limit, follow=follow)


def _lines_of_runs(
    client: Arcrun, workflow: str | None, limit: int, *, follow: bool
) -> Generator[Line, None, None]:
    """Yield the lines of the newest runs, the oldest of them first; then those of runs that begin or go on."""
    coming: Queue[Line | ArcrunError] = Queue()
    newest = _newest(client, workflow, _MOST)
    if workflow and not newest:
        get_workflow(client, workflow)  # none has run yet, or there is none of this name
    seen = {run["run_id"] for run in newest}
    for run in reversed(newest[:limit]):
        if follow and run["status"] not in ENDED:
            _follow(client, run, coming)
        else:
            yield from _past_lines(client, run)
    while follow:
        yield from _drained(coming)
        for run in reversed(_newest(client, workflow, _MOST)):
            if run["run_id"] not in seen:
                seen.add(run["run_id"])
                _follow(client, run, coming)


def _follow(client: Arcrun, run: Mapping[str, Any], coming: Queue[Line | ArcrunError]) -> None:
    """Put the lines of a run into a queue as they come, in a thread that doesn't keep the program alive."""

    def read() -> None:
        try:
            for line in _lines_of(client, run["run_id"], run["workflow"]):
                coming.put(line)
        except NotFoundError:
            pass  # it was deleted with its workflow
        except ArcrunError as error:
            coming.put(error)

    Thread(target=read, daemon=True, name=f"logs of {run['run_id']}").start()


def _drained(coming: Queue[Line | ArcrunError]) -> Generator[Line, None, None]:
    """Yield what comes until it is time to look for new runs."""
    deadline = time.monotonic() + _INTERVAL
    while (left := deadline - time.monotonic()) > 0:
        try:
            line = coming.get(timeout=left)
        except Empty:
            return
        if isinstance(line, ArcrunError):
            raise line
        yield line


def _lines_of_run(client: Arcrun, run_id: str, *, follow: bool) -> Generator[Line, None, None]:
    names = [each["run_id"] for each in _newest(client, None, _MOST)]
    with naming(run_id, lambda: names, Next("see the runs", "runs list"), "run_not_found"):
        run = client.runs.get(run_id)
    if follow:
        yield from _lines_of(client, run_id, run.get("workflow"))
    else:
        yield from _past_lines(client, {**run})


def _past_lines(client: Arcrun, run: Mapping[str, Any]) -> Generator[Line, None, None]:
    """Yield what a run has done; of one that has not ended, what it has done so far."""
    if run["status"] in ENDED:
        yield from _lines_of(client, run["run_id"], run["workflow"])
        return
    run_id, workflow = run["run_id"], run["workflow"]
    known = client.runs.get(run_id)
    for entry in known.get("trace", []):
        yield {"type": "node", "run_id": run_id, "workflow": workflow, **_of_trace(entry)}
    status = {"status": known["status"], "at": known.get("created_at")}
    yield {"type": "status", "run_id": run_id, "workflow": workflow, **status}


def _of_trace(entry: Mapping[str, Any]) -> Line:
    node = entry.get("node", entry.get("nodeId"))
    shown = {key: entry[key] for key in ("status", "duration_ms", "error") if key in entry}
    return {"node": node, "status": "ok", **shown}


def _lines_of(client: Arcrun, run_id: str, workflow: str | None) -> Generator[Line, None, None]:
    for event in client.runs.events(run_id):
        about = {"type": event["type"], "run_id": run_id, "workflow": workflow}
        yield {**about, **{key: value for key, value in event.items() if key not in {"type", "id"}}}


def _newest(client: Arcrun, workflow: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the newest runs, the newest first."""
    query = {"limit": limit, **({"workflow": workflow} if workflow else {})}
    found: list[dict[str, Any]] = client.request("GET", f"/runs?{urlencode(query)}")["runs"]
    return found
