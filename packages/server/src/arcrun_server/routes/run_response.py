"""The HTTP response to a run: status and body (docs/contract.md#routes)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from arcrun_server.engine.sizes import rough_size
from arcrun_server.errors import ApiError
from arcrun_server.json_text import encode
from arcrun_server.routes.json_pieces import encode_in_pieces
from arcrun_server.runs.idempotency import (
    IdempotencyError,
    IdempotentResponse,
    InvalidKeyError,
    KeyReusedError,
)
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from arcrun_server.engine import RunResult

IDEMPOTENCY_KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
# From here on writing a response may take long.
_LARGE = 64 * 1024
_CAN_NOT_RESUME = "it waits for a callback, and this engine has no durable runs to resume it"


async def short_response(result: RunResult) -> IdempotentResponse:
    """Return the response to a trigger: the run's data, or what failed with a short trace."""
    if result.paused is not None:
        status, body = await _paused(result, 202)
    elif not result.success:
        status, body = await _failed(result, {})
    else:
        status, body = await _encoded(
            200, result, {"success": True, "data": result.data} | _noted(result)
        )
    return IdempotentResponse(status, body)


def accepted_response(run_id: str) -> IdempotentResponse:
    """Return the response to a run that was accepted and is not waited for."""
    return IdempotentResponse(202, encode({"accepted": True, "run_id": run_id}))


async def full_response(result: RunResult, more: dict[str, Any]) -> JsonResponse:
    """Return the response to an execution: the whole trace, or what the failed node was given.

    Args:
        result: How the run ended.
        more: Further fields, as the compiled graph.
    """
    if result.paused is not None:
        status, body = await _paused(result, 200)
    elif not result.success:
        status, body = await _failed(result, {"failed_input": result.failed_input, **more})
    else:
        success = {"success": True, "data": result.data, "trace": result.trace, **more}
        status, body = await _encoded(200, result, success | _noted(result))
    return JsonResponse(body, status_code=status)


def idempotency_error(error: IdempotencyError) -> ApiError:
    """Return the error response for a key under which nothing was run."""
    if isinstance(error, InvalidKeyError):
        return ApiError(
            400,
            "invalid_request",
            f"{IDEMPOTENCY_KEY} must be 1 to 128 visible ASCII characters without spaces",
            requires=IDEMPOTENCY_KEY,
        )
    if isinstance(error, KeyReusedError):
        message = f"this {IDEMPOTENCY_KEY} was used for another request; use a new key for each"
    else:
        message = (
            f"the first run under this {IDEMPOTENCY_KEY} was cut off, or is still running on another server of this "
            "database; check what it did before you run it under a new key"
        )
    return ApiError(409, "conflict", message)


async def _paused(result: RunResult, status: int) -> tuple[int, bytes]:
    """Return status and body for a run that waits for a callback, or fails because none can resume it."""
    if result.paused is not None and result.run_id is not None:
        paused = {"task_id": result.paused.task_id, "run_id": result.run_id}
        node_id = {"paused_node_id": result.paused.node_id}
        body = {"success": True, "paused": True, **paused, **node_id}
        return await _encoded(status, result, body)
    node = result.paused.node_id if result.paused else ""
    trace = result.trace_summary()
    if trace and trace[-1]["node"] == node:
        trace.pop()  # its component has returned, but the node has not ended
    trace.append({"node": node, "status": "failed", "error": _CAN_NOT_RESUME})
    return await _encoded(
        500,
        result,
        {
            "success": False,
            "error": f"Node {node} failed: {_CAN_NOT_RESUME}",
            "code": "run_failed",
            "failed_node": node,
            "trace": trace,
            **({} if result.usage is None else {"usage": result.usage}),
        },
    )


def _noted(result: RunResult) -> dict[str, Any]:
    """Return what went wrong without ending the run, and what was used of models, if anything."""
    noted: dict[str, Any] = {}
    if result.warnings:
        noted["warnings"] = result.warnings
    if result.failed_nodes:
        noted["failed_nodes"] = result.failed_nodes
    if result.usage is not None:
        noted["usage"] = result.usage
    return noted


async def _failed(result: RunResult, more: dict[str, Any]) -> tuple[int, bytes]:
    body = {"success": False, "error": result.error or "the run failed", "code": "run_failed"}
    body |= {"trace": result.trace_summary(), **more, **_noted(result)}
    if result.failed_node is not None:
        body["failed_node"] = result.failed_node
    return await _encoded(500, result, body)


async def _encoded(status: int, result: RunResult, body: dict[str, Any]) -> tuple[int, bytes]:
    duration = {"duration_ms": result.duration_ms}
    try:
        return status, await encode_off_loop(body | duration)
    except ValueError:
        return 500, _not_json(duration)


async def encode_off_loop(body: dict[str, Any]) -> bytes:
    """Write a body as JSON, in a thread if it is large."""
    if rough_size(body, _LARGE) <= _LARGE:
        return encode(body)
    return await asyncio.to_thread(encode_in_pieces, body)


def _not_json(duration: dict[str, float]) -> bytes:
    """Return the body for a run in whose data a component put such a number."""
    problem = "the run's data holds a number that JSON can't represent (NaN or Infinity)"
    return encode({"success": False, "error": problem, "code": "run_failed", **duration})
