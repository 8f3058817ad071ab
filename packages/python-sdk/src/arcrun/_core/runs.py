"""The requests for accepted runs and for what paused ones wait for (docs/contract.md#runs)."""

from __future__ import annotations

import re
from typing import Any, cast, get_args

from .advice import advised
from .errors import InvalidArgumentError
from .names import check_workflow
from .operations import Page, page_of, paged, with_field
from .request import Request
from .shapes import is_unicode
from .types import AcceptedRun, ResumedRun, Run, RunStatus, RunSummary

CAPABILITY = "durable_runs"
WHAT = "runs that outlive a request"
LONGEST_TASK = 256


def check_run_id(run_id: str) -> str:
    """Return the run's id if it is valid."""
    if not isinstance(cast("object", run_id), str) or not re.fullmatch(r"[0-9a-f]{32}", run_id):
        problem = "run_id must be 32 hex digits in lower case"
        error = InvalidArgumentError(f"{problem}; client.runs.list() lists the runs")
        raise advised(error, problem, "runs.list")
    return run_id


def list_runs(
    workflow: str | None, status: RunStatus | None, cursor: str | None = None
) -> Request[Page[RunSummary]]:
    """List the runs: `GET /runs`."""
    if status is not None and status not in get_args(RunStatus):
        raise InvalidArgumentError(f"status must be one of {', '.join(get_args(RunStatus))}")
    filters = [
        *([] if workflow is None else [f"workflow={check_workflow(workflow)}"]),
        *([] if status is None else [f"status={status}"]),
    ]
    path = "/runs" + (f"?{'&'.join(filters)}" if filters else "")
    return Request("GET", paged(path, cursor), page_of("runs"))


def get_run(run_id: str) -> Request[Run]:
    """Get a run: `GET /runs/{run_id}`."""
    return Request("GET", f"/runs/{check_run_id(run_id)}", with_field("run_id", str))


def cancel_run(run_id: str) -> Request[Run]:
    """End a run: `POST /runs/{run_id}/cancel`. A second time would be refused."""
    path = f"/runs/{check_run_id(run_id)}/cancel"
    return Request("POST", path, with_field("run_id", str), body={}, retryable=False)


def retry_run(run_id: str, start: str | None, latest: bool) -> Request[AcceptedRun]:
    """Run again: `POST /runs/{run_id}/retry`. Each request makes a new run."""
    if start is not None and (not is_unicode(start) or not start):
        raise InvalidArgumentError("start must be the id of a node")
    if not isinstance(cast("object", latest), bool):
        raise InvalidArgumentError("latest must be True or False")
    body: dict[str, Any] = {} if start is None else {"from": start}
    if latest:
        body["latest"] = True
    path = f"/runs/{check_run_id(run_id)}/retry"
    return Request("POST", path, with_field("run_id", str), body=body, retryable=False)


def resume_run(
    task_id: str, data: Any, success: bool | None, error: str | None
) -> Request[ResumedRun]:
    """Bring a paused run what it waits for: `POST /workflows/resume`."""
    if not is_unicode(task_id) or not 0 < len(task_id) <= LONGEST_TASK:
        raise InvalidArgumentError(f"task_id must be text of 1 to {LONGEST_TASK} characters")
    if success is not None and not isinstance(cast("object", success), bool):
        raise InvalidArgumentError("success must be True or False")
    if success and error:
        raise InvalidArgumentError("a task that was done has no error: leave out success or error")
    done = not error if success is None else success
    body: dict[str, Any] = {"task_id": task_id, "success": done}
    if data is not None:
        body["data"] = data
    if error is not None:
        body["error"] = error
    read = with_field("success", bool)
    return Request("POST", "/workflows/resume", read, body=body, retryable=False)
