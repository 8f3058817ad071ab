"""What the caller of a run gets (CONTRACT.md §2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arcrun_server.web.answers import encode

if TYPE_CHECKING:
    from arcrun_server.engine import RunResult


@dataclass(frozen=True)
class Answer:
    """An answer that is ready to send.

    Args:
        status: HTTP status.
        body: JSON.
        repeated: Whether an earlier run was answered so, and this is the same again.
    """

    status: int
    body: bytes
    repeated: bool = False


def short_answer(result: RunResult) -> Answer:
    """Answer a trigger: data, or what failed with a short trace."""
    if result.paused is not None:
        return paused(result)
    if not result.success:
        return _failed(result, {})
    return _answer(200, result, {"success": True, "data": result.data})


def full_answer(result: RunResult, more: dict[str, Any]) -> Answer:
    """Answer an execution: as a trigger, with the whole trace, or with what the failed node got.

    Args:
        result: How the run ended.
        more: Further fields, as the compiled graph.
    """
    if result.paused is not None:
        return paused(result)
    if not result.success:
        return _failed(result, {"failed_input": result.failed_input, **more})
    return _answer(
        200, result, {"success": True, "data": result.data, "trace": result.trace, **more}
    )


def paused(result: RunResult) -> Answer:
    """Answer a run that waits for a callback, which nothing can bring yet."""
    node = result.paused.node_id if result.paused else ""
    return _answer(
        500,
        result,
        {
            "success": False,
            "error": f"Node {node} failed: it waits for a callback, and this engine can't resume runs yet",
            "code": "run_failed",
            "failed_node": node,
            "trace": result.trace_summary(),
        },
    )


def _failed(result: RunResult, more: dict[str, Any]) -> Answer:
    body = {"success": False, "error": result.error or "the run failed", "code": "run_failed"}
    body |= {"trace": result.trace_summary(), **more}
    if result.failed_node is not None:
        body["failed_node"] = result.failed_node
    return _answer(500, result, body)


def _answer(status: int, result: RunResult, body: dict[str, Any]) -> Answer:
    duration = {"duration_ms": result.duration_ms}
    try:
        return Answer(status, encode(body | duration))
    except ValueError:  # of a component that answered with such a number
        problem = "the run's data holds a number that JSON can't write (NaN or Infinity)"
        return Answer(
            500,
            encode({"success": False, "error": problem, "code": "run_failed"} | duration),
        )
