"""The run that follows one that has failed: that of its `on_failure_workflow` (docs/contract.md#policies)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from arcrun_server.engine import RunResult
from arcrun_server.engine.policy import workflow_policy
from arcrun_server.runs.plans import plan_of
from arcrun_server.store.runs import now_ms, queued_run

if TYPE_CHECKING:
    from arcrun_server.components.registry import Registry
    from arcrun_server.store import Store
    from arcrun_server.store.runs import StoredRun

FAILURE = "failure"
"""What makes such a run."""


async def following_run(
    store: Store, registry: Registry, run: StoredRun, result: RunResult
) -> StoredRun | None:
    """Return the run that follows a run which has failed; None if none does.

    Its own `on_failure_workflow` is not looked at: no failure starts more than one run.

    Args:
        store: Where workflows are.
        registry: The components of this engine.
        run: The run that has failed.
        result: How.

    Raises:
        StorageUnavailableError: The workflow can't be read now.
    """
    name = run.plan["graph"].get("on_failure_workflow")
    if name is None or run.workflow is None or is_following(run):
        return None
    text = await store.workflows.graph_text(run.account, name)
    if text is None:
        missing = missing_workflow(name, run.workflow)
        store.executions.record(run.account, name, now_ms(), missing)
        return None
    graph = json.loads(text)
    return queued_run(
        following_id(store, run.account, run.id),
        run.account,
        plan=await plan_of(store, registry, run.account, graph, strict=False),
        run_input=following_input(run.workflow, result, run.id),
        workflow=name,
        executor=run.executor,
        trigger=FAILURE,
        max_running=workflow_policy(graph).max_running,
    )


def is_following(run: StoredRun) -> bool:
    """Return whether a run follows one that has failed, or repeats one that does."""
    return run.trigger == FAILURE or bool(run.plan.get("follows"))


def following_id(store: Store, account: str, run_id: str) -> str:
    """Return the id of the run that follows a run: there is one, however often that one is executed."""
    return store.run_tokens.run_under(account, f"failure of {run_id}")


def following_input(workflow: str, result: RunResult, run_id: str) -> dict[str, Any]:
    """Return the input of the run that follows a run of a workflow."""
    return {
        "workflow": workflow,
        "error": result.error,
        "failed_node": result.failed_node,
        "run_id": run_id,
    }


def missing_workflow(name: str, named_by: str) -> RunResult:
    """Return what is recorded if there is no workflow of the name that a workflow gives."""
    reason = f"there is no workflow '{name}', which '{named_by}' names; push it"
    return RunResult(success=False, error=reason)
