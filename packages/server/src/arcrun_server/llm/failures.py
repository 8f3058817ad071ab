"""What a service's refusals mean for the author of a workflow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from arcrun_server.engine.redaction import Redactor
from arcrun_server.engine.shorten import shorten

from .provider import LlmError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .provider import LlmRequest

_LENGTH = 200
_WINDOW = 12
# By the type of the error: inside of a stream it comes with the status 200.
_KINDS = {
    "rate_limit_error": "rate_limited",
    "overloaded_error": "overloaded",
    "api_error": "service_error",
    "timeout_error": "service_error",
}
_REASONS = {
    "rate_limited": "the service limits requests",
    "overloaded": "the service is overloaded",
    "service_error": "the service failed",
    "rejected": "the service rejects the request",
}


class StatusError(Protocol):
    """The part of the SDK's error that is used."""

    status_code: int
    type: Any
    api_message: Any
    response: Any


def failure_of(error: StatusError, request: LlmRequest, key: str) -> LlmError:
    """Return what a service's error means.

    Args:
        error: The error.
        request: What was asked: no part of it may stand in the message.
        key: The key, which may not either.
    """
    kind = _KINDS.get(str(error.type)) or _kind_of(error.status_code)
    status = error.status_code
    shown = f"HTTP {status}" if status >= 400 else str(error.type)[:60]
    if status in {401, 403}:
        return LlmError(
            kind, f"the service does not accept the key ({shown}): check `anthropic_api_key`"
        )
    message = f"{_REASONS[kind]} ({shown})"
    said = _said(error.api_message, request, key) if kind == "rejected" else ""
    wait = _retry_after(error.response.headers) if kind in {"rate_limited", "overloaded"} else None
    if said:
        message = f"{message}: {said}"
    elif wait is not None:
        message = f"{message}; it wants to be asked again in {wait:g} s"
    return LlmError(kind, message, retry_after=wait)


def unreadable() -> LlmError:
    """Return the error of a service that does not speak the Messages API."""
    return LlmError("service_error", "the service's answer is not that of the Messages API")


def _kind_of(status: int) -> str:
    if status == 429:
        return "rate_limited"
    if status in {503, 529}:
        return "overloaded"
    return "service_error" if status >= 500 or status < 400 else "rejected"


def _said(message: Any, request: LlmRequest, key: str) -> str:
    """Return what the service says, unless it repeats a part of the prompt."""
    if not isinstance(message, str):
        return ""
    said = Redactor([key]).text(shorten(" ".join(message.split()), _LENGTH))
    texts = [request.system or "", *(str(one["content"]) for one in request.messages)]
    windows = [said[start : start + _WINDOW] for start in range(0, len(said), _WINDOW)]
    repeats = any(len(part) == _WINDOW and part in text for part in windows for text in texts)
    quoted = any(text.strip() and text.strip() in said for text in texts)
    return "" if repeats or quoted else said


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of `Retry-After`; a date is left to the reader."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
