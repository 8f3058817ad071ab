"""Runs that the engine has accepted: listed, followed, cancelled, retried, resumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

from arcrun import Arcrun
from arcrun._core.events import ENDED
from arcrun._core.types import AcceptedRun, ResumedRun

from .errors import CommandError, Next
from .found import naming
from .parameters import JsonObject
from .result_types import FollowedRun, ListedRuns, ShownRun
from .results import first
from .sentences import sentence

Report = Callable[[Mapping[str, Any]], None]
Status = Literal["queued", "running", "paused", "succeeded", "partial", "failed", "cancelled"]
LISTING = Next("see the runs", "runs list")


def list_runs(
    client: Arcrun, *, workflow: str | None = None, status: Status | None = None, limit: int = 50
) -> ListedRuns:
    """List runs, newest first.

    Args:
        workflow: only its runs
        status: only runs of this status
        limit: how many at most
    """
    found = client.runs.list(workflow=workflow, status=status)
    return {"runs": first(found, limit), "total": len(found)}


def get_run(client: Arcrun, run_id: str) -> ShownRun:
    """Show a run: status, input, data or error, and the trace of its nodes.

    Args:
        run_id: the run
    """
    with _naming(client, run_id):
        return cast("ShownRun", client.runs.get(run_id))


def cancel_run(client: Arcrun, run_id: str) -> ShownRun:
    """Cancel a run that has not ended.

    Args:
        run_id: the run
    """
    with _naming(client, run_id):
        return cast("ShownRun", client.runs.cancel(run_id))


def retry_run(
    client: Arcrun, run_id: str, *, from_node: str | None = None, latest: bool = False
) -> AcceptedRun:
    """Run an ended run again.

    Args:
        run_id: the run
        from_node: keep the results of the nodes before this one
        latest: take the workflow as it is now
    """
    with _naming(client, run_id):
        return client.runs.retry(run_id, start=from_node, latest=latest)


def resume_run(
    client: Arcrun,
    task_id: str,
    data: JsonObject | None = None,
    *,
    error: str | None = None,
) -> ResumedRun:
    """Bring a paused run what it waits for.

    Args:
        task_id: what the run waits for; a paused run names it
        data: the result of the node that waits
        error: why the task failed, instead of data
    """
    return client.workflows.resume(task_id, data, success=error is None, error=error)


def follow_run(client: Arcrun, run_id: str, report: Report | None) -> FollowedRun:
    """Return a run once it has ended or paused; until then report its events.

    Raises:
        CommandError: `run_failed` or `run_cancelled`.
    """
    for event in client.runs.events(run_id):
        if report is not None:
            report(event)
        if event.get("status") == "paused" and event["type"] == "status":
            break
    run = client.runs.get(run_id)
    shown = {key: value for key, value in run.items() if key not in {"input", "trace"}}
    status = str(run["status"])
    if status in ENDED and status not in {"succeeded", "partial"}:
        node = run.get("failed_node")
        reason = run.get("error") or sentence("the run was {status}", status=status)
        raise CommandError(
            "run_cancelled" if status == "cancelled" else "run_failed",
            sentence("run {run}: {reason}", run=run_id, reason=reason),
            next=[
                Next("see what each node did", "runs get", (run_id,)),
                Next("run it again", "runs retry", (run_id,)),
            ],
            details=[
                {"message": str(reason), "run_id": run_id, **({"node": node} if node else {})}
            ],
        )
    return cast("FollowedRun", shown)


def _naming(client: Arcrun, run_id: str) -> Any:
    return naming(
        run_id, lambda: [each["run_id"] for each in client.runs.list()], LISTING, "run_not_found"
    )
