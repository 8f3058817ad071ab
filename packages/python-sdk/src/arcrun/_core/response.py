"""The engine's responses: each becomes a result or a typed error (docs/contract.md#errors)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from . import errors
from .advice import advised
from .names import nearest
from .origins import origin_of
from .request import Request
from .shapes import json_object, objects, text, texts
from .trust import known_recipes

T = TypeVar("T")

_METHODS = {
    "/webhooks/named": "client.workflows.list()",
    "/credentials": "client.creds.list()",
    "/auth-recipes": "client.auth.list_services()",
    "/health": "client.health()",
    "/prompt-recipes": "client.recipes.list()",
}

_NO_MESSAGE = "the engine returned an error without a message"
_PAUSED = r"workflow paused at node (.+?) waiting for task (\S+)"


class Response:
    """An HTTP response of the engine."""

    __slots__ = ("content", "headers", "status", "stream")

    def __init__(
        self, status: int, headers: Mapping[str, str], content: bytes, stream: Any = None
    ) -> None:
        """Take what arrived.

        Args:
            status: the HTTP status.
            headers: the headers.
            content: the body.
            stream: what the body is read from as it comes, if the request asked for a stream.
        """
        self.status = status
        self.headers = headers
        self.content = content
        self.stream = stream

    @property
    def request_id(self) -> str | None:
        """Return the response's `X-Request-Id`."""
        return self.headers.get("x-request-id")

    @property
    def text(self) -> str:
        """Return the body as text; bytes that are not UTF-8 are replaced."""
        return self.content.decode("utf-8", "replace")

    def json_object(self) -> dict[str, Any] | None:
        """Return the body if it is a JSON object."""
        try:
            value = json.loads(self.content.decode("utf-8-sig"))  # bytes might be UTF-16 to `loads`
        except (ValueError, RecursionError):
            return None
        return json_object(value)


def field_of(content: Mapping[str, Any], key: str, kind: type[T]) -> T:
    """Return a field that the contract promises.

    Raises:
        UnexpectedResponseError: the field is missing, or has another type.
    """
    value = content.get(key)
    if not isinstance(value, kind):
        raise errors.UnexpectedResponseError(
            f"the response has no field {key!r} of type {kind.__name__}; is the base URL an arcrun "
            "engine?"
        )
    return value


def object_of(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return a field that the contract promises to be an object."""
    return cast("dict[str, Any]", field_of(content, key, dict))


def read_response(
    request: Request[T],
    response: Response,
    *,
    attempt: int,
    base_url: str,
    check: Callable[[str, str, Mapping[str, Any]], None] | None = None,
) -> T:
    """Return the request's result.

    Args:
        request: what was sent.
        response: what came back.
        attempt: 0 for the first attempt, 1 for the first retry, …
        base_url: where it was sent, for error messages.
        check: called with method, path and JSON object of a success, before the result is made of it.

    Raises:
        APIStatusError: the engine responded with an error.
        UnexpectedResponseError: the response is not what the contract promises.
        WorkflowPaused: the run waits for a callback.
    """
    if 200 <= response.status < 300:
        content = response.json_object()
        if content is None:
            raise errors.UnexpectedResponseError(
                f"{request.method} {base_url}{request.path}: the response is not a JSON object"
                f"{_reference(None, response)}; is the base URL an arcrun engine?"
            )
        if request.runs_workflow:
            check_run(response, content)
        if check is not None:
            check(request.method, request.path, content)
        return request.read(content)
    if 300 <= response.status < 400:
        target = origin_of(response.headers.get("location", "")) or "another path of the same host"
        raise errors.UnexpectedResponseError(
            f"{request.method} {base_url}{request.path}: the engine returned a redirect ({response.status}) to "
            f"{target}, which the SDK does not follow with your API key; set base_url to the "
            "engine's own address"
        )
    if response.status == 404 and attempt > 0 and request.result_if_gone is not None:
        return request.result_if_gone
    if request.runs_workflow:
        check_run(response, response.json_object() or {})
    raise status_error(request, response, base_url)


def check_run(response: Response, content: dict[str, Any]) -> None:
    """Raise if the response to a run reports that it is paused or failed."""
    if _is_paused(content):
        raise _paused(content, find_pause(_message(content)))
    if content.get("success") is False and (response.status < 300 or response.status == 500):
        raise _run_failed(response, content)


def is_run_failure(response: Response) -> bool:
    """Tell a failure (or pause) of the workflow itself from a failure of the engine."""
    content = response.json_object() or {}
    return response.status == 500 and (content.get("success") is False or _is_paused(content))


def status_error(request: Request[Any], response: Response, base_url: str) -> errors.APIStatusError:
    """Return the typed error for an error response."""
    content = response.json_object() or {}
    message, code = (
        _message(content),
        text(content.get("code")) or text(content.get("error_code")),
    )
    kind = errors.BY_STATUS.get(
        response.status, errors.ServerError if response.status >= 500 else errors.APIStatusError
    )
    hint = remedy = ""
    if request.sealed and response.status == 400 and "value" in message and "必填" in message:
        kind, remedy = errors.SealedCredentialsUnsupportedError, "credential_format"
        hint = (
            ". This engine does not accept sealed credentials. To send the value as it is, over TLS, "
            'opt in with Arcrun(credential_format="plain") or ARCRUN_CREDENTIAL_FORMAT=plain'
        )
    elif request.service is not None and response.status == 404:
        kind = errors.UnknownServiceError
        remedy = "auth.list_services"
        hint = nearest(request.service, list(known_recipes())) or (
            "; client.auth.list_services() lists the services"
        )
        message = f"there is no auth recipe for {request.service!r}"
    elif response.status == 404 and code in {None, "not_found"}:
        hint, remedy = (
            f" ({request.method} {base_url}{request.path}: is the base URL an arcrun engine?)",
            "base_url",
        )
    message = message or _plain(response)
    steps = _steps(content, texts(content.get("next_actions")))
    error = kind(
        f"{message}{hint}{_reference(code, response)}{in_words_of_the_sdk(steps)}",
        code=code,
        message=message,
        **_attributes(response, content),
    )
    problem = _without_words(request, response, base_url) if message == _NO_MESSAGE else message
    advised(error, f"{problem}{hint}" if remedy == "base_url" else problem, remedy)
    newest = content.get("newest_version")
    if isinstance(error, errors.ConflictError) and type(newest) is int:
        error.newest_version = newest
    return error


def _attributes(response: Response, content: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that every error of the engine takes from its response."""
    return {
        "status": response.status,
        "request_id": response.request_id,
        "body": response.text,
        "requires": content.get("requires"),
        "details": objects(content.get("details")),
        "next_actions": texts(content.get("next_actions")),
    }


def _run_failed(response: Response, content: dict[str, Any]) -> errors.WorkflowRunError:
    trace = objects(content.get("trace"))
    failed = [
        item for item in trace if item.get("error") or item.get("status") in {"failed", "error"}
    ]
    node = text(content.get("failed_node")) or (text(failed[-1].get("node")) if failed else None)
    message = _message(content) or "the engine gave no reason"
    where = f" at node {node!r}" if node and node not in message else ""
    error = errors.WorkflowRunError(
        f"the workflow failed{where}: {message}{_reference(text(content.get('code')), response)}",
        code=text(content.get("code")),
        message=message,
        **_attributes(response, content),
    )
    error.failed_node = node
    error.failed_input = content.get("failed_input")
    error.trace = tuple(trace)
    duration = content.get("duration_ms")
    error.duration_ms = duration if isinstance(duration, (int, float)) else None
    return error


def find_pause(message: str) -> re.Match[str] | None:
    """Find node and task in the error message with which the deployed engine reports a pause.

    Only the first start in each line is tried: where a later one would match, the first one does. To
    try them all takes quadratic time, and the message may repeat what a service returned.
    """
    for line in message.split("\n"):
        start = line.find("workflow paused at node ")
        found = re.match(_PAUSED, line[start:]) if start >= 0 else None
        if found:
            return found
    return None


def _is_paused(content: dict[str, Any]) -> bool:
    return content.get("paused") is True or find_pause(_message(content)) is not None


def _paused(content: dict[str, Any], found: re.Match[str] | None) -> errors.WorkflowPaused:
    node = text(content.get("paused_node_id")) or (found and found[1]) or None
    task = text(content.get("task_id")) or (found and found[2]) or None
    call = f'client.request("POST", "/workflows/resume", body={{"task_id": {json.dumps(task or "…", ensure_ascii=False)}}})'
    problem = (
        f"the workflow is paused{f' at node {node!r}' if node else ''} and waits for task {task}"
    )
    error = advised(errors.WorkflowPaused(f"{problem}: {call} resumes it"), problem)
    error.node, error.task_id, error.run_id = node, task, text(content.get("run_id"))
    return error


def _message(content: dict[str, Any]) -> str:
    """Return the error message, wherever engines and gateways put it."""
    for key in ("error", "human_message", "message", "detail"):
        value = content.get(key)
        nested = json_object(value)
        found = text(nested.get("message") if nested else value)
        if found:
            return found
    return "; ".join(texts(content.get("errors")))


def _plain(response: Response) -> str:
    """Return a plain-text body as the message; HTML and JSON make none."""
    message = " ".join(response.text.split())
    if not message or message.startswith(("<", "{", "[")):
        return _NO_MESSAGE
    return message if len(message) <= 300 else message[:300] + "…"


def _without_words(request: Request[Any], response: Response, base_url: str) -> str:
    """Return what came, and from where: what answered may be no engine."""
    host = urlsplit(base_url).netloc
    what = f"{request.method} {request.path.partition('?')[0]}: {host} returned {response.status}"
    if response.text.lstrip().startswith("<"):
        return (
            f"{what} with a page of HTML, which no engine does: is a proxy or gateway in between?"
        )
    return f"{what} without a message"


def in_words_of_the_sdk(advice: str) -> str:
    """Put the client's methods in place of the routes that an engine's advice names."""
    return re.sub(r"GET (/[a-z/-]+[a-z])(?![\w/])", lambda r: _METHODS.get(r[1], r[0]), advice)


def _reference(code: str | None, response: Response) -> str:
    request_id = response.request_id and f"request {response.request_id}"
    parts = [f"HTTP {response.status}", code, request_id]
    return f" ({', '.join(part for part in parts if part)})"


def _steps(content: dict[str, Any], next_actions: list[str]) -> str:
    """Return the details and suggestions of an error response, one a line, ten at most."""
    lines: list[str] = []
    for detail in objects(content.get("details")):
        location = detail.get("path") or (f"line {detail['line']}" if "line" in detail else "")
        tip = detail.get("suggestion")
        lines.append(f"\n  {location}: {detail.get('message', '')}" + (f" ({tip})" if tip else ""))
    lines += [f"\n  → {action}" for action in next_actions]
    return "".join(lines[:10])
