"""Runs for tests of what is stored of runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from arcrun_server.store.runs import QUEUED, StoredRun


def a_run(run_id: str, account: str, **fields: Any) -> StoredRun:
    """Return a run that has just been accepted, with other fields if any are given."""
    run = StoredRun(
        id=run_id,
        account=account,
        workflow="greet",
        status=QUEUED,
        trigger="api",
        retry_of=None,
        segment=0,
        executor="local",
        plan={"graph": {"nodes": [], "edges": []}, "strict": False},
        input={},
        continuation=None,
        delivery=None,
        task_id=None,
        waiting=None,
        result={},
        trace=[],
        created_at_ms=1_767_225_600_000,
        started_at_ms=None,
        ended_at_ms=None,
    )
    return replace(run, **fields)
