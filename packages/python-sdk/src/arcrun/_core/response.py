"""Answers become results, or typed errors: all shapes of CONTRACT.md §1 end in one."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from . import errors
from .names import nearest
from .origins import SHIPPED, origin_of
from .request import Answer, Call
from .shapes import json_object, objects, text, texts

T = TypeVar("T")

_PAUSED = r"workflow paused at node (.+?) waiting for task (\S+)"


def read_answer(call: Call[T], answer: Answer, *, attempt: int = 0) -> T:
    """Return the call's result.

    Args:
        call: what was asked.
        answer: what came back.
        attempt: 0 for the first request of the call, 1 for its first retry, …

    Raises:
        APIStatusError: the engine answered an error.
        UnexpectedResponseError: the answer is not what the contract promises.
        WorkflowPaused: the run waits for a callback.
    """
    if 200 <= answer.status < 300:
        content = answer.json_object()
        if content is None:
            raise errors.UnexpectedResponseError(
                f"{call.method} {call.path} was answered {answer.status} without a JSON object"
                f"{_reference(None, answer)}; is the base URL an arcrun engine?"
            )
        if call.runs:
            check_run(answer, content)
        return call.read(content)
    if 300 <= answer.status < 400:
        to = origin_of(answer.headers.get("location", "")) or "somewhere on the same host"
        raise errors.UnexpectedResponseError(
            f"{call.method} {call.path} was answered with a redirect ({answer.status}) to {to}, which "
            "the SDK does not follow with your key; set base_url to the engine's own address"
        )
    if answer.status == 404 and attempt > 0 and call.gone is not None:
        return call.gone
    if call.runs:
        check_run(answer, answer.json_object() or {})
    raise status_error(call, answer)


def check_run(answer: Answer, content: dict[str, Any]) -> None:
    """Raise if a run's answer says that it is paused or failed."""
    if _is_paused(content):
        raise _paused(content, re.search(_PAUSED, _message(content)))
    if content.get("success") is False and (answer.status < 300 or answer.status == 500):
        raise _run_failed(answer, content)


def is_run_failure(answer: Answer) -> bool:
    """Tell a workflow's own failure, or pause, from a failure of the engine."""
    content = answer.json_object() or {}
    return answer.status == 500 and (content.get("success") is False or _is_paused(content))


def status_error(call: Call[Any], answer: Answer) -> errors.APIStatusError:
    """Make the typed error of an error answer."""
    content = answer.json_object() or {}
    message, code = (
        _message(content),
        text(content.get("code")) or text(content.get("error_code")),
    )
    kind = errors.BY_STATUS.get(
        answer.status, errors.ServerError if answer.status >= 500 else errors.APIStatusError
    )
    hint = ""
    if call.sealed and answer.status == 400 and "value" in message and "必填" in message:
        kind = errors.SealedCredentialsUnsupportedError
        hint = (
            ". This engine does not take sealed credentials. To send the value as it is, over TLS, "
            'opt in with Arcrun(credential_format="plain") or ARCRUN_CREDENTIAL_FORMAT=plain'
        )
    elif call.service is not None and answer.status == 404:
        kind = errors.UnknownServiceError
        hint = nearest(call.service, list(SHIPPED)) or "; client.auth.list_services() lists all"
        message = f"there is no auth recipe for {call.service!r}"
    message = message or _plain(answer)
    next_actions = texts(content.get("next_actions"))
    return kind(
        f"{message}{hint}{_reference(code, answer)}{_steps(content, next_actions)}",
        status=answer.status,
        code=code,
        message=message,
        request_id=answer.request_id,
        body=answer.text,
        requires=content.get("requires"),
        details=objects(content.get("details")),
        next_actions=next_actions,
    )


def _run_failed(answer: Answer, content: dict[str, Any]) -> errors.WorkflowRunError:
    trace = objects(content.get("trace"))
    failed = [
        item for item in trace if item.get("error") or item.get("status") in {"failed", "error"}
    ]
    node = text(content.get("failed_node")) or (text(failed[-1].get("node")) if failed else None)
    message = _message(content) or "the run failed without a reason"
    where = f" at node {node!r}" if node and node not in message else ""
    error = errors.WorkflowRunError(
        f"the workflow failed{where}: {message}{_reference(text(content.get('code')), answer)}",
        status=answer.status,
        code=text(content.get("code")),
        message=message,
        request_id=answer.request_id,
        body=answer.text,
    )
    error.failed_node = node
    error.failed_input = content.get("failed_input")
    error.trace = tuple(trace)
    duration = content.get("duration_ms")
    error.duration_ms = duration if isinstance(duration, (int, float)) else None
    return error


def _is_paused(content: dict[str, Any]) -> bool:
    return content.get("paused") is True or re.search(_PAUSED, _message(content)) is not None


def _paused(content: dict[str, Any], found: re.Match[str] | None) -> errors.WorkflowPaused:
    node = text(content.get("paused_node_id")) or (found and found[1]) or None
    task = text(content.get("task_id")) or (found and found[2]) or None
    error = errors.WorkflowPaused(
        f"the workflow is paused{f' at node {node!r}' if node else ''} and waits for task {task}: "
        "POST /workflows/resume with this task_id carries it on"
    )
    error.node, error.task_id, error.run_id = node, task, text(content.get("run_id"))
    return error


def _message(content: dict[str, Any]) -> str:
    """Find the words in the shapes that engines and gateways use."""
    for key in ("error", "human_message", "message", "detail"):
        value = content.get(key)
        nested = json_object(value)
        found = text(nested.get("message") if nested else value)
        if found:
            return found
    return "; ".join(texts(content.get("errors")))


def _plain(answer: Answer) -> str:
    words = " ".join(answer.text.split())
    if not words or words.startswith(("<", "{", "[")):
        return "the engine answered an error without words"
    return words if len(words) <= 300 else words[:300] + "…"


def _reference(code: str | None, answer: Answer) -> str:
    parts = [f"HTTP {answer.status}", code, answer.request_id and f"request {answer.request_id}"]
    return f" ({', '.join(part for part in parts if part)})"


def _steps(content: dict[str, Any], next_actions: list[str]) -> str:
    lines: list[str] = []
    for detail in objects(content.get("details")):
        place = detail.get("path") or (f"line {detail['line']}" if "line" in detail else "")
        tip = detail.get("suggestion")
        lines.append(f"\n  {place}: {detail.get('message', '')}" + (f" ({tip})" if tip else ""))
    lines += [f"\n  → {action}" for action in next_actions]
    return "".join(lines[:10])
